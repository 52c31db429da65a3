//! Every clause of the contract, held against nodes that run in this process.
//!
//! One module a table or topic, one test a clause, named after it. A test that breaks something has a cluster of its own.

mod cluster;
mod stage;

mod bodies;
mod causality;
mod dialects;
mod failures;
mod forwarding;
mod isolation;
mod key_value;
mod keys;
mod load;
mod lost_writes;
mod membership;
mod methods;
mod reshard;
mod returning;
mod shards;
mod startup;
mod tokens;
mod ungrouped;
mod view;
