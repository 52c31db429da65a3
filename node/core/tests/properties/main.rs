//! Laws of the core's values, tried on many.

mod clock;
mod frontier;
mod key;
mod placement;
mod token;
