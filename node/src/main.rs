//! The shim: everything is in the library, but the allocator.

use std::{env, process::ExitCode};

/// Instead of musl's own, which is known to be slow. It takes one lock for all threads, which are a few.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

fn main() -> ExitCode {
    node::command(env::args_os().skip(1))
}
