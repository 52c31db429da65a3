//! The program: its exit codes, its one line about a bad configuration, its signals.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod process;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

use nix::sys::signal::Signal;
use process::{Running, free_address, node, poll, run};

fn healthcheck(address: &str) -> Command {
    let mut command = node(&[("SOCKET_ADDRESS", address), ("VIEW", address), ("BIND_ADDRESS", "127.0.0.1")]);
    command.arg("healthcheck");
    command
}

#[test]
fn a_bad_configuration_is_one_line_and_exit_code_2() {
    let good = [("SOCKET_ADDRESS", "127.0.0.1:8080"), ("VIEW", "127.0.0.1:8080")];
    let cases = [
        ("SHARD_COUNT", "0"),
        ("VIEW", "127.0.0.1:8081"),
        ("VIEW", "127.0.0.1:8080,node2:8080"),
        ("SOCKET_ADDRESS", "here"),
        ("API_DIALECT", "2018"),
        ("DURABILITY", "never"),
        ("DATA_HEADROOM_BYTES", "1 GiB"),
    ];
    for (name, value) in cases {
        let mut command = node(&good);
        command.env(name, value);
        let (code, stderr) = run(command);
        assert_eq!(code, Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(&format!("{name}={value:?}: expected ")), "{stderr}");
    }
    let (code, stderr) = run(node(&[]));
    assert_eq!(code, Some(2));
    assert_eq!(stderr, "node: SOCKET_ADDRESS is not set: expected ip:port\n");
}

#[test]
fn an_unknown_argument_is_answered_with_the_usage() {
    for arguments in [&["serve"][..], &["healthcheck", "now"], &["--help"]] {
        let mut command = node(&[]);
        command.args(arguments);
        let (code, stderr) = run(command);
        assert_eq!(code, Some(2));
        assert!(stderr.contains("usage: node [healthcheck]"), "{stderr}");
    }
}

#[test]
fn a_port_in_use_is_named_and_exit_code_1() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let (code, stderr) = run(node(&[("SOCKET_ADDRESS", &address), ("VIEW", &address), ("BIND_ADDRESS", "127.0.0.1")]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&format!("cannot listen on {address}: ")), "{stderr}");
}

#[test]
fn extra_ports_are_listened_on() {
    let extra = free_address();
    let running = Running::start(&[("EXTRA_PORTS", &extra.port().to_string())]);
    for address in [running.address, extra] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{address}: {answer}");
    }
}

#[test]
fn healthcheck_tells_a_node_that_answers_from_one_that_does_not() {
    let running = Running::start(&[]);
    poll("the node is healthy", || (run(healthcheck(&running.address.to_string())).0 == Some(0)).then_some(()));
    let nobody = free_address().to_string();
    let (code, stderr) = run(healthcheck(&nobody));
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn signals_end_it_within_a_second_whatever_is_connected() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut running = Running::start(&[]);
        // One connection idle after an answer, one without a request, one in the middle of a request.
        let mut idle = TcpStream::connect(running.address).unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n").unwrap();
        assert_eq!(idle.read(&mut [0; 4096]).unwrap().min(1), 1);
        let _silent = TcpStream::connect(running.address).unwrap();
        let mut halfway = TcpStream::connect(running.address).unwrap();
        halfway.write_all(b"PUT /kvs/a HTTP/1.1\r\nHost: node\r\nContent-Length: 100\r\n\r\n{").unwrap();
        let (code, elapsed) = running.end_by(signal);
        assert_eq!(code, Some(0));
        assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    }
}

#[test]
fn logs_are_json_on_request() {
    let mut running = Running::start(&[("LOG_FORMAT", "json")]);
    let stderr = running.child.stderr.take().unwrap();
    let lines = BufReader::new(stderr).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let mut started = lines.filter(|line: &serde_json::Value| line["message"] == "node started");
    let line = started.next().unwrap();
    assert_eq!(line["address"], running.address.to_string());
    assert_eq!(line["level"], "INFO");
}
