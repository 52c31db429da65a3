//! A whole cluster in one thread, under virtual time, through bad days that repeat to the byte.
//!
//! `cluster` drives real cores over a seeded network and seeded disks; `client` and `faults` are the workload; `oracle` and
//! `ledger` judge, and know nothing of the workload; `healing` asks for rest and checks what must hold then; `journal` writes
//! down what clients see, for another judge; `tamper` alters bytes, to see that no core panics. `scenarios` are single days
//! with a name, `seeds` the fixed set of every test run. The commands are `simulate` and `fuzz`, examples of `node-core`.

mod client;
mod clock;
mod cluster;
mod disk;
mod faults;
mod healing;
mod journal;
mod ledger;
mod network;
mod node;
mod oracle;
mod past;
mod random;
mod run;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod seeds;
mod state;
mod sweep;
pub mod tables;
mod tamper;
mod trace;
mod violation;
mod watch;
mod wire;

pub use self::{
    faults::{Fault, Met, Step},
    run::{Recording, record},
    state::State,
    sweep::{Failure, Totals, first_catch, sweep},
    tamper::{Tampered, tamper},
};
