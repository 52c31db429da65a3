//! What is tested: which store, in which runtime, on clusters of which kind.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use conformance::{Dialect, Level, Provider, Selection};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::fault;
use super::super::running::{ask_any, find};
use super::super::session::{Session, dialect};
use super::{level, suites};
use crate::build::Artifact;
use crate::cli::{DialectChoice, RuntimeChoice, TestArguments};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::isolation::name_of;
use crate::output::Output;
use crate::plan::Operation;
use crate::readiness::Awaited;
use crate::runtime::docker::missing_image;
use crate::runtime::{Runtime, choose};
use crate::spec::ClusterSpec;
use crate::testbed::{Attached, Settings, TEST_INFIX, Testbed};

/// What is tested.
pub(super) struct Subject {
    place: Place,
    level: Level,
    dialect: Dialect,
    /// Names this run.
    run: String,
    image: String,
    runtime: &'static str,
}

enum Place {
    Fresh(Testbed),
    Running(Attached),
}

impl Subject {
    /// Builds what is to be built, so that clusters need only be started.
    /// Whoever is told of `interrupt` stops what it does to a cluster half-way.
    pub(super) async fn prepare(
        session: &Session<'_>,
        arguments: &TestArguments,
        interrupt: Interrupt,
    ) -> Result<Self, Failure> {
        let dialect = dialect(&session.spec, arguments.dialect);
        let run = run_name();
        if arguments.attach {
            return Self::attach(session, arguments, dialect, run).await;
        }
        let mut spec = session.spec.clone();
        speak(&mut spec, arguments);
        let prefix = format!("{}{TEST_INFIX}{run}", spec.name);
        let runtime: Arc<dyn Runtime> = choose(runtime_for(session, arguments)?, &prefix, session.output).await?.into();
        let (artifact, ours) = provide_image(session, &*runtime, &mut spec, arguments).await?;
        let subject = (level(ours, arguments), spec.image.name.clone(), runtime.name());
        let output = if session.global.verbose { Output::new(session.global) } else { Output::silent() };
        let place = Place::Fresh(Testbed::new(Settings {
            runtime,
            spec,
            artifact,
            ours,
            dialect,
            interrupt,
            timeout: session.timeout(),
            keep: arguments.keep,
            prefix,
            output,
        }));
        let (level, image, runtime) = subject;
        Ok(Self { place, level, dialect, run, image, runtime })
    }

    async fn attach(
        session: &Session<'_>,
        arguments: &TestArguments,
        dialect: Dialect,
        run: String,
    ) -> Result<Self, Failure> {
        let running = find(session).await?;
        let faults = fault::words(session).await?;
        if !faults.is_empty() {
            let faults = faults.join(", ");
            return Err(Failure::Unhealthy(format!(
                "{faults}: tests would tell of that; `orchestrator fault heal` first"
            )));
        }
        let nodes = running.awaited();
        let shards = ask_any(&nodes, |node| async move { node.client.shard_ids().await }).await?.len();
        let ready = ask_any(&nodes, |node| async move { node.client.ready().await }).await;
        let own = join_all(nodes.iter().map(|node| node.client.node_shard_id())).await;
        let nodes = nodes.into_iter().zip(own);
        let (ungrouped, grouped): (Vec<_>, Vec<_>) = nodes.partition(|(_, shard)| matches!(shard, Ok(None)));
        let ungrouped = ungrouped.into_iter().map(|(node, _)| node.node.name).collect();
        let grouped: Vec<Awaited> = grouped.into_iter().map(|(node, _)| node).collect();
        let runtime = running.runtime.name();
        Ok(Self {
            place: Place::Running(Attached::new(running.runtime, &session.spec, &grouped, dialect, shards, ungrouped)),
            // Only our nodes say that they are ready.
            level: level(ready.is_ok(), arguments),
            dialect,
            run,
            image: session.spec.image.name.clone(),
            runtime,
        })
    }

    pub(super) fn selection(&self, arguments: &TestArguments) -> Selection {
        Selection {
            suites: suites(arguments),
            level: self.level,
            dialect: self.dialect,
            harmless_only: matches!(self.place, Place::Running(_)),
        }
    }

    /// Builds what cutting nodes off from each other takes besides the store.
    pub(super) async fn prepare_cuts(&self) -> Result<(), Failure> {
        match &self.place {
            Place::Fresh(testbed) => testbed.prepare_cuts().await,
            Place::Running(_) => Ok(()),
        }
    }

    pub(super) fn provider(&self) -> &dyn Provider {
        match &self.place {
            Place::Fresh(testbed) => testbed,
            Place::Running(attached) => attached,
        }
    }

    /// Removes all that the tests made; answers with what could not be removed.
    pub(super) async fn remove_all(&self) -> Vec<String> {
        match &self.place {
            Place::Fresh(testbed) => testbed.remove_all().await,
            Place::Running(_) => Vec::new(),
        }
    }

    pub(super) fn kept(&self) -> Vec<String> {
        match &self.place {
            Place::Fresh(testbed) => testbed.kept(),
            Place::Running(_) => Vec::new(),
        }
    }

    /// Names this run among others.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// In one line.
    pub(super) fn title(&self) -> String {
        let level = if self.level == Level::Strict { ", strict" } else { "" };
        format!("{} ({}, {}{level})", self.image, self.dialect.name(), self.runtime)
    }

    /// For a program.
    pub(super) fn about(&self) -> Value {
        json!({
            "image": self.image, "dialect": self.dialect.name(), "runtime": self.runtime,
            "strict": self.level == Level::Strict,
        })
    }
}

/// Four hex digits that two runs at the same time hardly share.
fn run_name() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let hash = blake3::hash(format!("{} {}", std::process::id(), now.as_nanos()).as_bytes());
    hash.to_hex()[..4].to_owned()
}

/// Has the nodes speak as asked for, at the port that the generation's stores listen on.
fn speak(spec: &mut ClusterSpec, arguments: &TestArguments) {
    let Some(choice) = arguments.dialect else { return };
    let (dialect, port) = match choice {
        DialectChoice::Y2019 => ("2019", 8080),
        DialectChoice::Spring2021 => ("2021", 8085),
        DialectChoice::Fall2021 => ("2021", 8090),
    };
    if spec.dialect != dialect || choice == DialectChoice::Fall2021 {
        dialect.clone_into(&mut spec.dialect);
        spec.port = port;
    }
}

/// Images run in containers only.
fn runtime_for(session: &Session<'_>, arguments: &TestArguments) -> Result<RuntimeChoice, Failure> {
    match (&session.global.image, &arguments.build) {
        (None, None) => Ok(session.global.runtime),
        (Some(_), _) => session.containers("--image"),
        (None, Some(_)) => session.containers("--build"),
    }
}

/// Has the image there; says whether it is ours, and gives the node where there is no image.
async fn provide_image(
    session: &Session<'_>,
    runtime: &dyn Runtime,
    spec: &mut ClusterSpec,
    arguments: &TestArguments,
) -> Result<(Option<Artifact>, bool), Failure> {
    let containers = runtime.name() == "docker";
    if let Some(folder) = &arguments.build {
        spec.image.name = image_name(folder)?;
        spec.image.build = None;
        let site = session.site_of(spec, None);
        tokio::select! {
            built = runtime.build_folder(folder, &site) => built?,
            () = session.interrupt.asked() => return Err(Failure::Interrupted("nothing was created".to_owned())),
        }
    }
    let artifact = if arguments.build.is_some() { None } else { session.compile(runtime).await? };
    let observed = runtime.observe(&session.site_of(spec, artifact.as_ref())).await?.image;
    let stale =
        |artifact: &&Artifact| observed.as_ref().and_then(|image| image.content.as_ref()) != Some(&artifact.content);
    if containers && let Some(artifact) = artifact.as_ref().filter(stale) {
        runtime.perform(&Operation::BuildImage, &session.site_of(spec, Some(artifact))).await?;
        return Ok((None, true));
    }
    match observed {
        Some(image) => Ok((artifact.filter(|_| !containers), image.ours)),
        None if session.global.image.is_some() => Err(Failure::Image(format!(
            "there is no image {0}; `docker build -t {0} DIR` makes it from a folder, and so does --build DIR in its place",
            spec.image.name
        ))),
        None => Err(missing_image(spec)),
    }
}

/// The name of the image that is built from somebody's folder: no other folder's, since both may be tested at once.
fn image_name(folder: &Path) -> Result<String, Failure> {
    let unreadable = |reason: String| {
        Failure::Usage(format!("--build: {}: {reason}; name a folder with a Dockerfile", folder.display()))
    };
    let path = folder.canonicalize().map_err(|error| unreadable(error.to_string()))?;
    if !path.is_dir() {
        return Err(unreadable("that is no folder".to_owned()));
    }
    if !path.join("Dockerfile").is_file() {
        return Err(unreadable("there is no Dockerfile in it".to_owned()));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = if name.is_empty() { "image" } else { &name };
    Ok(format!("orchestrator-test/{}", name_of(name, &path)))
}
