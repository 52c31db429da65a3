//! `node healthcheck`: asks the node beside it whether it is alive, for an image without a shell.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::Config;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the node that runs with this configuration.
///
/// # Errors
/// When it cannot be reached, or does not answer 200.
pub fn healthcheck(config: &Config) -> io::Result<()> {
    let address = SocketAddr::new(reachable(config.bind_address), config.socket_address.port());
    match status_line(address) {
        Ok(line) if line == *b"HTTP/1.1 200" => Ok(()),
        Ok(line) => {
            let line = String::from_utf8_lossy(&line).into_owned();
            Err(io::Error::other(format!("{address} answers {line:?}")))
        }
        Err(error) => Err(io::Error::other(format!("{address} does not answer: {error}"))),
    }
}

/// The answer up to its status.
fn status_line(address: SocketAddr) -> io::Result<[u8; 12]> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    Ok(line)
}

/// A node that listens on all addresses is reached on the loopback one.
fn reachable(bound: IpAddr) -> IpAddr {
    match bound {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}
