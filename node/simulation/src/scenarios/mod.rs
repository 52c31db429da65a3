//! Single days with a name: each says what must hold, and by which rule or invariant.

mod clocks;
mod growing;
mod leaving;
mod losing;
mod membership;
mod moving;
mod partitions;
mod replaced;
mod scene;
mod tombstones;
mod waiting;
