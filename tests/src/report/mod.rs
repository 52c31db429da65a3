//! Outcomes in the formats that pipelines read.

mod junit;
mod markdown;
#[cfg(test)]
mod tests;

pub use junit::junit;
pub use markdown::markdown;
