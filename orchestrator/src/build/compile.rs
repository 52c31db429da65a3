//! Runs cargo for one of our packages, shows its progress, and keeps its words for the case that it fails.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStderr, ChildStdout, Command};

use super::{Target, fresh};
use crate::failure::Failure;
use crate::output::{Event, Output};

/// What cargo says of a crate when it is there, compiled now or before.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

/// Of rustc's words for a target whose standard library is missing, and of cargo's for a package that is.
const NOT_INSTALLED: &str = "target may not be installed";
const NO_PACKAGE: &str = "did not match any packages";

/// What is compiled: the package and its binary of the same name, and what people call it.
pub(super) struct Product {
    pub(super) package: &'static str,
    pub(super) called: &'static str,
}

pub(super) const NODE: Product = Product { package: "node", called: "the node" };
pub(super) const BARRIER: Product = Product { package: "partition", called: "the barrier" };

/// Compiles it; answers where the binary is. When nothing changed cargo is not even asked, since people wait for it.
pub(super) async fn compile(
    product: &Product,
    folder: &Path,
    target: Target,
    output: &Output,
) -> Result<PathBuf, Failure> {
    let Product { package, called } = *product;
    if !folder.join("Cargo.toml").is_file() {
        let folder = folder.display();
        return Err(Failure::Image(format!(
            "there is no Cargo.toml in {folder}; image.build must name the clone of this project; an image that exists already is named without it: \
             `image: {{ name: NAME }}`"
        )));
    }
    if let Some(binary) = fresh::binary(folder, target.triple(), package) {
        return Ok(binary);
    }
    let started = SystemTime::now();
    let mut arguments = vec!["build", "--release", "-p", package, "--message-format", "json-render-diagnostics"];
    if let Some(triple) = target.triple() {
        arguments.extend(["--target", triple]);
    }
    output.event(&Event::new("build.started", format!("compiling {called}")));
    output.detail(&format!("cargo {}", arguments.join(" ")));
    let mut built = run_cargo(called, folder, &arguments, output).await?;
    if let (Err(words), Some(triple)) = (&built, target.triple())
        && words.contains(NOT_INSTALLED)
    {
        install(folder, triple, output).await?;
        built = run_cargo(called, folder, &arguments, output).await?;
    }
    let binary = built.map_err(|words| failed(&words, product, folder, &arguments))?;
    output.event(&Event::new("build.compiled", format!("{called} is compiled")));
    let binary = binary
        .ok_or_else(|| Failure::Image(format!("cargo does not say where {called} is; `cargo clean` may help")))?;
    fresh::keep(folder, &binary, started);
    Ok(binary)
}

fn failed(words: &str, product: &Product, folder: &Path, arguments: &[&str]) -> Failure {
    let (Product { package, called }, folder) = (product, folder.display());
    Failure::Image(if words.contains(NO_PACKAGE) {
        format!("the workspace in {folder} has no package `{package}`; image.build must name the clone of this project")
    } else {
        format!("{words}\n{called} does not compile (cargo {})", arguments.join(" "))
    })
}

fn no_cargo(error: &std::io::Error) -> Failure {
    Failure::Image(format!("cannot run cargo: {error}; install Rust from https://rustup.rs"))
}

/// Installs the target's standard library, with the toolchain of the workspace.
async fn install(folder: &Path, triple: &str, output: &Output) -> Result<(), Failure> {
    output.note(&format!("installing the Rust target {triple} (rustup target add {triple})"));
    let added = Command::new("rustup").args(["target", "add", triple]).current_dir(folder).output().await;
    match added {
        Ok(added) if added.status.success() => Ok(()),
        Ok(added) => {
            let words = String::from_utf8_lossy(&added.stderr);
            Err(Failure::Image(format!(
                "{}\nthe Rust target {triple} cannot be installed (rustup target add {triple}); install it by hand",
                words.trim_end()
            )))
        }
        Err(error) => Err(Failure::Image(format!(
            "the Rust target {triple} is missing and rustup cannot be run ({error}); install the target by hand"
        ))),
    }
}

/// Answers with the binary, or with the compiler's words. Cargo writes its progress to stderr, a line per crate when that is no
/// terminal.
async fn run_cargo(
    called: &str,
    folder: &Path,
    arguments: &[&str],
    output: &Output,
) -> Result<Result<Option<PathBuf>, String>, Failure> {
    let mut child = Command::new("cargo")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| no_cargo(&error))?;
    let (messages, words) = (child.stdout.take(), child.stderr.take());
    let (binary, transcript) = tokio::join!(binary(messages), transcript(words, called, output));
    let status = child.wait().await.map_err(|error| no_cargo(&error))?;
    Ok(if status.success() { Ok(binary) } else { Err(transcript) })
}

/// The last binary that cargo names.
async fn binary(messages: Option<ChildStdout>) -> Option<PathBuf> {
    let mut lines = BufReader::new(messages?).lines();
    let mut binary = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let message: Option<Message> = serde_json::from_str(&line).ok();
        binary = message.and_then(|message| message.executable).or(binary);
    }
    binary
}

/// What cargo said, without the crates that went well: they say nothing about the one that did not.
async fn transcript(words: Option<ChildStderr>, called: &str, output: &Output) -> String {
    let mut transcript = Vec::new();
    let Some(words) = words else { return String::new() };
    let (mut lines, mut crates) = (BufReader::new(words).lines(), 0);
    while let Ok(Some(line)) = lines.next_line().await {
        output.detail(&line);
        if let Some(name) = line.trim_start().strip_prefix("Compiling ") {
            crates += 1;
            output.progress(&format!("compiling {called}: {crates} crates, {name}"));
        } else {
            transcript.push(line);
        }
    }
    transcript.join("\n")
}
