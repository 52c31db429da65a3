//! The suite that breaks clusters: clients work on one while it is broken by a schedule, and all that they saw and all that
//! was done becomes a [`History`](crate::history::History).
//!
//! The history is judged by [`check`](crate::check) when the run is over. A run knows no store and nothing of where nodes run. Whatever way it ends, all
//! that it broke is mended and the cluster removed before it returns.

mod attention;
mod availability;
mod change;
mod clients;
mod course;
mod ending;
mod groups;
mod halt;
mod keys;
mod kind;
mod outcome;
mod progress;
mod proof;
mod schedule;
mod session;
mod trial;
mod victim;
mod words;

pub use availability::{Availability, Row};
pub use kind::Kind;
pub use outcome::Outcome;
pub use progress::{Observer, Progress};
pub use trial::{Length, Trial};
