//! Host ports that something else listens on, and who that is.

use std::io::ErrorKind;
use std::net::TcpListener;

use listeners::Protocol;

use super::process::marker;
use crate::observed::TakenPort;

/// Those of `wanted` that cannot be bound on 127.0.0.1.
pub(super) fn taken(wanted: impl IntoIterator<Item = u16>) -> Vec<TakenPort> {
    wanted.into_iter().filter(|port| is_taken(*port)).map(describe).collect()
}

/// Whether something listens there.
pub(crate) fn is_taken(port: u16) -> bool {
    matches!(TcpListener::bind(("127.0.0.1", port)), Err(error) if error.kind() == ErrorKind::AddrInUse)
}

fn describe(port: u16) -> TakenPort {
    let Ok(process) = listeners::get_process_by_port(port, Protocol::TCP) else {
        return TakenPort {
            port,
            owner: "a process of another user".to_owned(),
            free_with: format!("sudo kill $(sudo lsof -t -iTCP:{port} -sTCP:LISTEN)"),
        };
    };
    match marker::project_of(process.pid) {
        Some(project) => TakenPort {
            port,
            owner: format!("process {} of project {project}", process.pid),
            free_with: format!("orchestrator down -p {project} --runtime process"),
        },
        None => TakenPort {
            port,
            owner: format!("process {} ({})", process.pid, process.name),
            free_with: format!("kill {}", process.pid),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_listening_process_is_named_with_the_command_that_ends_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let taken = taken([port]);
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].free_with, format!("kill {}", std::process::id()));
        drop(listener);
        // A process that another test starts just now has the listener until it is another program.
        let deadline = Instant::now() + Duration::from_secs(10);
        while !super::taken([port]).is_empty() {
            assert!(Instant::now() < deadline, "the port stays taken");
        }
    }
}
