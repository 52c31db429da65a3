//! From what was seen to whether `up` would find all that it needs: pure, no engine, no clock.
//!
//! Invariant: a problem is what `up` would fail with, and has its exit code; what `up` can live with is a warning.

mod check;
mod engine;
mod machine;
#[cfg(test)]
mod tests;

use crate::build::Sources;
use crate::failure::Conflict;
use crate::observed::About;
use crate::spec::ClusterSpec;

pub(crate) use check::{Cause, Check};

/// What was seen.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    pub(crate) spec: &'a ClusterSpec,
    pub(crate) about: About,
    /// The image is there, under its name.
    pub(crate) has_image: bool,
    /// Where the file says that the image is built here.
    pub(crate) sources: Option<Sources>,
    /// What stands in the way of `up`.
    pub(crate) conflicts: Vec<Conflict>,
}

/// One check after the other; the first problem is what `up` would fail with first.
pub(crate) fn diagnose(facts: &Facts<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(engine) = &facts.about.engine {
        checks.push(engine::version(engine));
        checks.push(engine::addresses(engine, facts.spec));
        checks.push(engine::limits(engine));
    }
    checks.extend(machine::folder(&facts.about));
    checks.extend(room(&facts.about, facts.spec));
    checks.push(image(facts));
    checks.extend(conflicts(facts));
    checks
}

/// Memory and disk. They are never more than a warning: what nodes may take they need not.
pub(crate) fn room(about: &About, spec: &ClusterSpec) -> Vec<Check> {
    let memory = about.engine.as_ref().and_then(|engine| machine::memory(engine, spec));
    memory.into_iter().chain(machine::disk(about)).collect()
}

fn image(facts: &Facts<'_>) -> Check {
    let on_engine = facts.about.engine.is_some();
    let name = &facts.spec.image.name;
    let Some(sources) = &facts.sources else { return finished_image(name, on_engine, facts.has_image) };
    let folder = sources.folder.display();
    let problem = |message: String, remedy| Check::problem("image", Cause::Image, message, remedy);
    let clone = "name the clone of this project in image.build, or leave that out for an image that exists already";
    match sources {
        Sources { has_manifest: false, .. } => problem(format!("there is no Cargo.toml in {folder}"), clone),
        Sources { has_dockerfile: false, .. } if on_engine => {
            problem(format!("there is no Dockerfile in {folder}"), clone)
        }
        Sources { has_cargo: false, .. } => {
            problem("there is no cargo to compile the node with".to_owned(), "install Rust from https://rustup.rs")
        }
        _ if on_engine => Check::ok("image", format!("{name} is built from {folder}")),
        _ => Check::ok("image", format!("the node is built from {folder}")),
    }
}

/// There is nothing to build it from.
fn finished_image(name: &str, on_engine: bool, is_there: bool) -> Check {
    let problem = |message: String, remedy: String| Check::problem("image", Cause::Image, message, remedy);
    let clone = "run in the clone, or name its cluster.yaml with -f";
    match (on_engine, is_there) {
        (true, true) => Check::ok("image", format!("{name} is there")),
        (true, false) => problem(
            format!("the image {name} is missing and there are no sources here to build it from"),
            format!("docker load or docker pull {name}; or {clone}"),
        ),
        (false, _) => Check::ok("image", "the node is the one inside this tool"),
    }
}

fn conflicts(facts: &Facts<'_>) -> Vec<Check> {
    if facts.conflicts.is_empty() {
        let place = match facts.about.engine {
            Some(_) => "names, network, subnet, addresses, ports and volumes",
            None => "ports and data",
        };
        return vec![Check::ok("conflicts", format!("nothing is in the way: {place}"))];
    }
    let problem = |Conflict { what, owner, free_with }: &Conflict| {
        Check::problem("conflicts", Cause::Conflict, format!("{what} is taken by {owner}"), free_with)
    };
    facts.conflicts.iter().map(problem).collect()
}
