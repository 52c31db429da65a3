//! The fixtures must be what they are taken for: the honest one honest, each flawed one flawed in its own way.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod flaws;
mod flow;
