//! A whole cluster in one thread, under virtual time, through bad days that repeat to the byte.
//!
//! `cluster` drives real cores over a seeded network and seeded disks; `client` and `faults` are the workload; `oracle` and
//! `ledger` judge, and know nothing of the workload; `scenarios` are single days with a name. One seed:
//! `SIMULATION_SEED=7 cargo test -p node-core --test simulation -- one_seed`; many: `SIMULATION_SEEDS=0..500` and `many_seeds`.

mod client;
mod clock;
mod cluster;
mod disk;
mod faults;
mod healing;
mod ledger;
mod network;
mod node;
mod oracle;
mod oracle_test;
mod past;
mod random;
mod run;
mod scenarios;
mod seeds;
mod trace;
mod violation;
mod wire;
