//! Outcomes in the formats that pipelines read.

mod junit;
mod markdown;

pub use junit::junit;
pub use markdown::markdown;
