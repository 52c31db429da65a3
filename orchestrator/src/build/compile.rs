//! Runs cargo for one of our packages, shows its progress, and keeps its words for the case that it fails.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::Target;
use crate::failure::Failure;
use crate::output::{Event, Output};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

/// What is compiled: the package and its binary of the same name, and what people call it.
pub(super) struct Product {
    pub(super) package: &'static str,
    pub(super) called: &'static str,
}

pub(super) const NODE: Product = Product { package: "node", called: "the node" };
pub(super) const BARRIER: Product = Product { package: "partition", called: "the barrier" };

/// Compiles it; answers where the binary is.
pub(super) async fn compile(
    product: &Product,
    folder: &Path,
    target: Target,
    output: &Output,
) -> Result<PathBuf, Failure> {
    let Product { package, called } = *product;
    let metadata = metadata(folder).await?;
    if !metadata.packages.iter().any(|found| found.name == package) {
        let folder = folder.display();
        return Err(Failure::Image(format!(
            "the workspace in {folder} has no package `{package}`; image.build must name the clone of this project"
        )));
    }
    let mut arguments = vec!["build", "--release", "-p", package];
    let mut release = metadata.target_directory;
    if let Some(triple) = target.triple() {
        install(folder, triple, output).await?;
        arguments.extend(["--target", triple]);
        release.push(triple);
    }
    output.event(&Event::new("build.started", format!("compiling {called}")));
    output.detail(&format!("cargo {}", arguments.join(" ")));
    run_cargo(called, folder, &arguments, output).await?;
    output.event(&Event::new("build.compiled", format!("{called} is compiled")));
    Ok(release.join("release").join(package))
}

async fn metadata(folder: &Path) -> Result<Metadata, Failure> {
    if !folder.join("Cargo.toml").is_file() {
        let folder = folder.display();
        return Err(Failure::Image(format!(
            "there is no Cargo.toml in {folder}; image.build must name the clone of this project, or be absent for an image that exists already"
        )));
    }
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let result = Command::new("cargo").args(arguments).current_dir(folder).output().await.map_err(|e| no_cargo(&e))?;
    if !result.status.success() {
        let words = String::from_utf8_lossy(&result.stderr);
        return Err(Failure::Image(format!(
            "cargo cannot read the workspace in {}:\n{}",
            folder.display(),
            words.trim_end()
        )));
    }
    serde_json::from_slice(&result.stdout)
        .map_err(|error| Failure::Image(format!("cargo metadata cannot be understood: {error}")))
}

fn no_cargo(error: &std::io::Error) -> Failure {
    Failure::Image(format!("cannot run cargo: {error}; install Rust from https://rustup.rs"))
}

/// Installs the target's standard library when rustc lacks it, with the toolchain of the workspace.
async fn install(folder: &Path, triple: &str, output: &Output) -> Result<(), Failure> {
    let arguments = ["--print", "target-libdir", "--target", triple];
    let libraries = Command::new("rustc").args(arguments).current_dir(folder).output().await;
    let libraries = libraries.map_err(|error| no_cargo(&error))?;
    let path = PathBuf::from(String::from_utf8_lossy(&libraries.stdout).trim());
    if libraries.status.success() && path.is_dir() {
        return Ok(());
    }
    output.note(&format!("installing the Rust target {triple} (rustup target add {triple})"));
    let added = Command::new("rustup").args(["target", "add", triple]).current_dir(folder).output().await;
    match added {
        Ok(added) if added.status.success() => Ok(()),
        Ok(added) => {
            let words = String::from_utf8_lossy(&added.stderr);
            Err(Failure::Image(format!("cannot install the Rust target {triple}:\n{}", words.trim_end())))
        }
        Err(error) => Err(Failure::Image(format!(
            "the Rust target {triple} is missing and rustup cannot be run ({error}); install the target by hand"
        ))),
    }
}

/// Cargo writes its progress to stderr, a line per crate when that is no terminal.
async fn run_cargo(called: &str, folder: &Path, arguments: &[&str], output: &Output) -> Result<(), Failure> {
    let mut child = Command::new("cargo")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| no_cargo(&error))?;
    let mut transcript = Vec::new();
    let mut crates = 0;
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(name) = line.trim_start().strip_prefix("Compiling ") {
                crates += 1;
                output.progress(&format!("compiling {called}: {crates} crates, {name}"));
            }
            output.detail(&line);
            transcript.push(line);
        }
    }
    let status = child.wait().await.map_err(|error| no_cargo(&error))?;
    if status.success() {
        return Ok(());
    }
    // The crates that went well say nothing about the one that did not.
    transcript.retain(|line| !line.trim_start().starts_with("Compiling "));
    let (words, command) = (transcript.join("\n"), arguments.join(" "));
    Err(Failure::Image(format!("{words}\n{called} does not compile (cargo {command})")))
}
