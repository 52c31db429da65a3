//! `completions`: what a shell completes this tool's commands with, made from the commands themselves.

use clap_complete::{Shell, generate};

use crate::cli::{ShellChoice, command};
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(output: &Output, shell: ShellChoice) -> Result<(), Failure> {
    let shell = match shell {
        ShellChoice::Bash => Shell::Bash,
        ShellChoice::Zsh => Shell::Zsh,
        ShellChoice::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut command(), "orchestrator", &mut script);
    output.document(&String::from_utf8_lossy(&script));
    Ok(())
}
