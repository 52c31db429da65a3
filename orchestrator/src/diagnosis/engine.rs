//! What is known of engines: which one it is, and what it cannot do.

use super::Check;
use crate::observed::Engine;
use crate::spec::ClusterSpec;

/// Nothing was tried with an older one.
const OLDEST: (u32, u32) = (20, 10);
const OLDEST_API: (u32, u32) = (1, 41);

/// Who answers, and where.
pub(super) fn version(engine: &Engine) -> Check {
    let name = if engine.is_podman() { "Podman" } else { "Docker" };
    let Engine { version, api_version, host, .. } = engine;
    let message = format!("{name} {version} (API {api_version}) at {host}");
    let is_older = |version: &str, than| numbers(version).is_some_and(|numbers| numbers < than);
    if engine.is_podman() {
        let message = format!("{message}: nothing was tried with Podman's socket, which only resembles Docker's");
        return Check::warning("engine", message, "where something is odd, use Docker or --runtime process");
    }
    if is_older(version, OLDEST) || is_older(api_version, OLDEST_API) {
        let message = format!("{message}: nothing was tried with an engine older than 20.10 (API 1.41)");
        return Check::warning("engine", message, "update the engine");
    }
    Check::ok("engine", message)
}

/// The first two numbers of `20.10.24+dfsg1`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// Whether this host reaches nodes where they reach each other.
pub(super) fn addresses(engine: &Engine, spec: &ClusterSpec) -> Check {
    let subnet = spec.network.subnet;
    let unreached = |why: &str| {
        let message = format!("{why}, so this host does not reach the nodes' own addresses in {subnet}");
        Check::warning("addresses", message, "use the URLs at 127.0.0.1")
    };
    if engine.is_elsewhere() {
        let message = "the engine is on another machine, and publishes the nodes' ports on the 127.0.0.1 of that one";
        return Check::warning("addresses", message, "run this tool there");
    }
    if engine.is_virtual() {
        return unreached("the engine runs in a virtual machine");
    }
    if engine.is_rootless() {
        return unreached("the engine is rootless");
    }
    Check::ok("addresses", format!("the nodes' own addresses in {subnet} are on this host"))
}

/// Whether what the file says of limits has any effect.
pub(super) fn limits(engine: &Engine) -> Check {
    let message = match (engine.limits_memory, engine.limits_pids) {
        (true, true) => return Check::ok("limits", "the engine limits memory and the number of processes"),
        (false, true) => "the engine does not limit memory",
        (true, false) => "the engine does not limit the number of processes",
        (false, false) => "the engine limits neither memory nor the number of processes",
    };
    let remedy = if engine.is_rootless() {
        "let systemd delegate the cgroup controllers memory and pids to your user"
    } else {
        "enable the kernel's cgroup controllers memory and pids"
    };
    Check::warning("limits", format!("{message}, whatever the file says"), remedy)
}
