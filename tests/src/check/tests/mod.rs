//! Histories that the judge must tell apart, written as one line for each operation.

mod doubt;
mod lines;
mod patterns;
mod size;
mod stories;
