//! Reads back what the engine really applied, because it may accept a request and drop a part of it.

use std::net::Ipv4Addr;

use bollard::models::ContainerInspectResponse;

use super::super::Site;
use super::{Docker, failed};
use crate::failure::Failure;
use crate::launch::Launch;

impl Docker {
    /// A different address or port is an error, since nobody would reach the node; a limit that the kernel lacks is a
    /// note.
    pub(super) async fn verify(&self, launch: &Launch, id: &str, site: &Site<'_>) -> Result<(), Failure> {
        let name = &launch.name;
        let inspected = self.client.inspect_container(id, None).await;
        let inspected = inspected.map_err(failed(format!("cannot inspect {name}")))?;
        if let Some(mismatch) = reachability_mismatch(launch, &inspected) {
            return Err(Failure::Engine(format!(
                "{name}: the engine applied something else: {mismatch}; `orchestrator node {name}` makes it anew"
            )));
        }
        for note in dropped_limits(launch, &inspected) {
            site.output.note(&format!("{name}: {note}"));
        }
        Ok(())
    }
}

fn reachability_mismatch(launch: &Launch, inspected: &ContainerInspectResponse) -> Option<String> {
    let running = inspected.state.as_ref().and_then(|state| state.running) == Some(true);
    let settings = inspected.network_settings.as_ref()?;
    // A container that ended at once has no address; the wait for it says why it ended.
    if !running {
        return None;
    }
    let wanted = *launch.config.socket.ip();
    let endpoints = settings.networks.iter().flatten();
    let addresses: Vec<Ipv4Addr> =
        endpoints.filter_map(|(_, endpoint)| endpoint.ip_address.as_ref()?.parse().ok()).collect();
    if !addresses.contains(&wanted) {
        return Some(format!("address {addresses:?} instead of {wanted}"));
    }
    let port = launch.config.host_port.to_string();
    let bindings = settings.ports.iter().flatten().filter_map(|(_, bindings)| bindings.as_ref()).flatten();
    let ports: Vec<&str> = bindings.filter_map(|binding| binding.host_port.as_deref()).collect();
    (!ports.contains(&port.as_str())).then(|| format!("host ports {ports:?} instead of {port}"))
}

fn dropped_limits(launch: &Launch, inspected: &ContainerInspectResponse) -> Vec<&'static str> {
    let Some(host) = &inspected.host_config else { return Vec::new() };
    let mut notes = Vec::new();
    if host.memory != i64::try_from(launch.config.memory_bytes).ok() {
        notes.push("the engine has no memory limits");
    }
    if host.pids_limit != Some(i64::from(launch.config.pids)) {
        notes.push("the engine has no limit on processes");
    }
    notes
}
