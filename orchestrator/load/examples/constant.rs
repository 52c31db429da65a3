//! The least that an HTTP service can be here: a bare axum server that answers everything with one text of so many bytes.
//!
//! `constant ADDRESS BYTES`

use std::{env, io};

use axum::{Router, http::header::CONTENT_TYPE};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let (Some(address), Some(Ok(bytes))) = (arguments.next(), arguments.next().map(|bytes| bytes.parse())) else {
        return Err(io::Error::other("constant ADDRESS BYTES"));
    };
    let text: &'static str = "x".repeat(bytes).leak();
    let router = Router::new().fallback(async move || ([(CONTENT_TYPE, "application/json")], text));
    let listener = TcpListener::bind(address).await?;
    axum::serve(axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))), router).await
}
