//! A client that keeps its connection.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

use crate::process::PATIENCE;

/// A connection, kept open between requests.
pub(crate) struct Client(BufReader<TcpStream>);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether it says when to try again.
    pub(crate) retry_after: bool,
    pub(crate) body: Value,
}

impl From<Client> for TcpStream {
    fn from(client: Client) -> Self {
        client.0.into_inner()
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn ask(&mut self, request_line: &str, body: &str) -> Answer {
        self.send(request_line, body);
        self.answer()
    }

    /// The first half of [`ask`](Self::ask).
    pub(crate) fn send(&mut self, request_line: &str, body: &str) {
        let head = format!("{request_line} HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n\r\n", body.len());
        self.0.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    }

    /// The second half of [`ask`](Self::ask).
    pub(crate) fn answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while head.last().is_none_or(|line: &String| line != "\r\n") {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "closed after {head:?}");
            head.push(line.to_lowercase());
        }
        let header = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length = header("content-length").map_or(0, |length| length.trim().parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Answer {
            status: head[0].split(' ').nth(1).unwrap().parse().unwrap(),
            retry_after: header("retry-after").is_some(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }
}
