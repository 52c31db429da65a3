//! What every command starts from: the cluster file with the flags applied, the output, and Ctrl-C.

use std::time::Duration;

use conformance::Dialect;

use super::aftermath;
use crate::build::{Artifact, Target, compile, inside};
use crate::cli::{DialectChoice, Global, RuntimeChoice, SubnetChoice};
use crate::failure::Failure;
use crate::hold::Hold;
use crate::interrupt::Interrupt;
use crate::isolation::{self, Size};
use crate::output::Output;
use crate::runtime::{Look, Runtime, Site, choose};
use crate::spec::{ClusterSpec, ImageSpec, NodeSpec, locate, name_problem};

const TIMEOUT: Duration = Duration::from_secs(60);
/// So many places are tried for a cluster before what is in its way is told.
const PLACES: usize = 4;

/// One run of the tool.
pub(crate) struct Session<'a> {
    pub(crate) global: &'a Global,
    pub(crate) output: &'a Output,
    pub(crate) interrupt: Interrupt,
    pub(crate) spec: ClusterSpec,
    /// Where the file is, in words.
    pub(crate) origin: String,
}

impl<'a> Session<'a> {
    /// Reads the cluster file and applies `-p`, `--subnet` and the names of `--isolate`.
    pub(super) fn open(global: &'a Global, output: &'a Output) -> Result<Self, Failure> {
        let interrupt =
            Interrupt::listen().map_err(|error| Failure::Engine(format!("cannot listen for Ctrl-C: {error}")))?;
        let folder = std::env::current_dir().map_err(|error| {
            Failure::Usage(format!("the current folder cannot be read: {error}; change to another"))
        })?;
        let located = locate(global.file.as_deref(), &folder)?;
        let mut spec = located.spec;
        let project = match &global.project {
            Some(project) => project.clone(),
            None if global.isolate => isolation::name_of(&spec.name, &located.folder),
            None => spec.name.clone(),
        };
        if let Some(problem) = name_problem(&project) {
            return Err(Failure::Usage(format!("--project: {problem}")));
        }
        if global.isolate {
            spec = spec.isolated_as(&project);
        }
        spec.name = project;
        if let Some(image) = &global.image {
            spec.image = ImageSpec { name: image.clone(), build: None };
        }
        if let Some(SubnetChoice::At(subnet)) = global.subnet {
            spec = spec.moved_to(subnet).map_err(|message| Failure::Usage(format!("--subnet: {message}")))?;
        }
        Ok(Self { global, output, interrupt, spec, origin: located.origin })
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.global.timeout.unwrap_or(TIMEOUT)
    }

    /// Keeps every other orchestrator from changing the project's cluster until it is dropped.
    ///
    /// # Errors
    /// Those of [`Hold::take`], and those of the wait for what a killed run has left under way.
    pub(crate) async fn hold(&self, project: &str) -> Result<Hold, Failure> {
        let patience = self.global.wait.then(|| self.timeout());
        let hold = Hold::take(project, patience, self.output, &self.interrupt).await?;
        if let Some(killed) = &hold.killed {
            self.output.note(&format!("{killed} was killed; waiting until all that it asked for is done"));
            aftermath::wait(self, project).await?;
        }
        Ok(hold)
    }

    /// The runtime for a command that makes something.
    pub(crate) async fn runtime(&self) -> Result<Box<dyn Runtime>, Failure> {
        let choice = if self.global.image.is_some() { self.containers("--image")? } else { self.global.runtime };
        choose(choice, &self.spec.name, self.output).await
    }

    /// The choice of a command that was given an image.
    pub(crate) fn containers(&self, flag: &str) -> Result<RuntimeChoice, Failure> {
        if self.global.runtime == RuntimeChoice::Process {
            return Err(Failure::Usage(format!(
                "{flag} needs containers; processes run only this project's node, use --runtime docker"
            )));
        }
        Ok(RuntimeChoice::Docker)
    }

    /// The same, for a command that must not make anything.
    pub(crate) async fn look(&self) -> Result<Box<dyn Look>, Failure> {
        Ok(self.runtime().await?)
    }

    pub(crate) fn site<'s>(&'s self, artifact: Option<&'s Artifact>) -> Site<'s> {
        self.site_of(&self.spec, artifact)
    }

    /// For another cluster than the file's.
    pub(crate) fn site_of<'s>(&'s self, spec: &'s ClusterSpec, artifact: Option<&'s Artifact>) -> Site<'s> {
        Site { spec, artifact, output: self.output }
    }

    /// Compiles the node where the file says that it is built here. Without sources a process is the node inside this tool.
    pub(crate) async fn compile(&self, runtime: &dyn Look) -> Result<Option<Artifact>, Failure> {
        let Some(folder) = &self.spec.image.build else {
            return if runtime.target() == Target::Native { inside().map(Some) } else { Ok(None) };
        };
        tokio::select! {
            artifact = compile(folder, runtime.target(), self.output) => artifact.map(Some),
            () = self.interrupt.asked() => Err(Failure::Interrupted("nothing was created".to_owned())),
        }
    }

    /// The same session with the place that the cluster has, or where it is not there one that is free: as far as
    /// `--isolate` and `--subnet auto` leave the choice.
    pub(crate) async fn placed(&self, runtime: &dyn Look) -> Result<Session<'a>, Failure> {
        let spec = self.spec.clone();
        let Global { subnet, isolate, .. } = self.global;
        let spec = match subnet {
            None if *isolate => isolation::isolate(spec, runtime, &self.spec.name).await?,
            Some(SubnetChoice::Auto) => isolation::free_subnet(spec, runtime, Size::File).await?,
            None | Some(SubnetChoice::At(_)) => spec,
        };
        let spec = if *isolate && subnet.is_some() { isolation::free_ports(spec, runtime).await? } else { spec };
        Ok(self.with_spec(spec))
    }

    /// Does `work` with the session [placed](Self::placed). When somebody takes the place of a cluster that is not there yet
    /// meanwhile, another is tried.
    ///
    /// # Errors
    /// Those of the last attempt.
    pub(crate) async fn in_place<T>(
        &self,
        runtime: &dyn Look,
        work: impl AsyncFn(&Session<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let chooses = self.global.isolate || self.global.subnet == Some(SubnetChoice::Auto);
        let mut before = Vec::new();
        for _ in 1..PLACES {
            let new = chooses && runtime.nodes(&self.spec.name).await?.is_empty();
            match work(&self.placed(runtime).await?).await {
                // What is in the way of two places has nothing to do with the place.
                Err(Failure::Conflict(conflicts)) if new && conflicts != before => {
                    before = conflicts.clone();
                    self.output.note(&format!("{}; another place is tried", Failure::Conflict(conflicts)));
                }
                other => return other,
            }
        }
        work(&self.placed(runtime).await?).await
    }

    fn with_spec(&self, spec: ClusterSpec) -> Session<'a> {
        let (interrupt, origin) = (self.interrupt.clone(), self.origin.clone());
        Session { global: self.global, output: self.output, interrupt, spec, origin }
    }

    /// The same session with one more node, unless the file has it.
    pub(crate) fn with_node(&self, node: NodeSpec) -> Session<'a> {
        let mut spec = self.spec.clone();
        if spec.node(&node.name).is_none() {
            spec.nodes.push(node);
        }
        self.with_spec(spec)
    }

    /// The nodes of that name; all for none.
    pub(crate) fn nodes(&self, names: &[String]) -> Result<Vec<&NodeSpec>, Failure> {
        if names.is_empty() {
            return Ok(self.spec.nodes.iter().collect());
        }
        names.iter().map(|name| self.spec.node(name).ok_or_else(|| self.unknown(name))).collect()
    }

    /// The message for a node that does not run, of the file or not.
    pub(crate) fn not_running(&self, name: &str) -> Failure {
        if self.spec.node(name).is_some() { Failure::not_running(name) } else { self.unknown(name) }
    }

    /// The message for a node that is not in the file.
    pub(crate) fn unknown(&self, name: &str) -> Failure {
        let hint = match self.spec.nearest_node(name) {
            Some(near) => format!("did you mean {near}?"),
            None => {
                let names: Vec<&str> = self.spec.nodes.iter().map(|node| node.name.as_str()).collect();
                format!("it has {}", names.join(", "))
            }
        };
        Failure::Usage(format!("{} has no node {name}; {hint}", self.origin))
    }
}

/// The generation that is asked for, or else the file's.
pub(super) fn dialect(spec: &ClusterSpec, choice: Option<DialectChoice>) -> Dialect {
    match choice {
        Some(DialectChoice::Y2019) => Dialect::Seed2019,
        Some(DialectChoice::Spring2021) => Dialect::Spring2021,
        Some(DialectChoice::Fall2021) => Dialect::Fall2021,
        None if spec.dialect == "2019" => Dialect::Seed2019,
        None => Dialect::Spring2021,
    }
}
