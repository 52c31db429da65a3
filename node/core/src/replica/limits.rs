//! Every period and every cap of a replica, in one place. Milliseconds are of virtual time in tests.

/// A node is pinged at least this often.
pub(super) const PING_MS: u64 = 250;
/// News is announced at most this often, so that a burst of writes is one announcement.
pub(super) const ANNOUNCE_MS: u64 = 25;
/// What few writes have changed is announced at most this often.
pub(super) const ANNOUNCE_FEW_MS: u64 = 100;
/// Changes of slots that are few: so many slots at most are added to the tokens of clients meanwhile.
pub(super) const FEW_CHANGES: usize = 8;
/// A node that is silent for this long is not waited for any more; it keeps its place in the view.
pub(super) const SUSPECT_MS: u64 = 800;
/// A node that nobody has heard for this long leaves the view (contract: within 5 s).
pub(super) const DEAD_MS: u64 = 3_000;
/// A removed address is still greeted now and then, since it may be started again.
pub(super) const REMOVED_PING_MS: u64 = 1_000;
/// A turn of the loop that comes this much too late was a stall here, not silence of the others.
pub(super) const STALL_MS: u64 = 300;
/// Period of the housekeeping turn when nothing is in flight.
pub(super) const IDLE_TICK_MS: u64 = 100;
/// Period of the housekeeping turn while requests or copies are in flight.
pub(super) const BUSY_TICK_MS: u64 = 20;
/// After its start a node without data that nobody completes serves provisionally (rule 7).
pub(super) const START_GRACE_MS: u64 = 1_500;
/// Known holders must be silent for this long before a copying owner serves without them (rule 7).
pub(super) const HOLDERS_LOST_MS: u64 = 10_000;
/// Owners that must have what a former owner deletes, where the placement names as many.
pub(super) const COPIES_MIN: usize = 2;

/// A write whose dependencies are missing waits this long for them (contract, fact 3).
pub(super) const WRITE_CATCH_UP_MS: u64 = 300;
/// A write is answered with fewer than two durable copies after this time.
pub(super) const WRITE_ACKNOWLEDGE_MS: u64 = 400;
/// A read that this replica cannot satisfy moves to one that can after this time.
pub(super) const READ_FORWARD_MS: u64 = 100;
/// A read is given up after this time.
pub(super) const READ_MS: u64 = 3_000;
/// A read is given up after this time where no other replica of the slot can be reached.
pub(super) const READ_ALONE_MS: u64 = 900;
/// A request that nobody in reach can serve is given up after this time.
pub(super) const UNSERVED_MS: u64 = 200;
/// A forwarded read is given up after this time: its server has had the time of a read.
pub(super) const FORWARD_READ_MS: u64 = READ_MS + 400;
/// A forwarded write is given up after this time, although its server is still heard.
pub(super) const FORWARD_WRITE_MS: u64 = 10_000;
/// A forwarded request without an answer is sent again after this time; who has it already does not take it twice.
pub(super) const FORWARD_AGAIN_MS: u64 = 1_000;
/// Longest path of a request: the second forward corrects an outdated first one.
pub(super) const HOPS_MAX: u8 = 2;
/// A key count is taken again after this time when the replicas were not at rest.
pub(super) const COUNT_AGAIN_MS: u64 = 40;
/// A key count that never finds the replicas at rest is answered with the fullest after this time.
pub(super) const COUNT_MS: u64 = 1_000;
/// `add-member` and `reshard` answer 503 after this time, and go on in the background.
pub(super) const PLACEMENT_CHANGE_MS: u64 = 60_000;
/// A proposal without an answer is sent again after this time.
pub(super) const PROPOSE_AGAIN_MS: u64 = 1_000;

/// A replica that lags behind an announcement pulls after this time: the writes are usually under way.
pub(super) const PULL_AFTER_MS: u64 = 60;
/// A pull without effect is repeated after this time.
pub(super) const PULL_AGAIN_MS: u64 = 300;
/// A snapshot request without an answer is repeated after this time.
pub(super) const TRANSFER_AGAIN_MS: u64 = 500;
/// A transfer that nobody has asked to go on for this time is forgotten by its sender.
pub(super) const TRANSFER_IDLE_MS: u64 = 10_000;
/// Slots copied at the same time.
pub(super) const COPIES_MAX: usize = 16;
/// Pulls sent in one turn.
pub(super) const PULLS_MAX: usize = 32;
/// Transfers served at the same time.
pub(super) const TRANSFERS_MAX: usize = 64;
/// Bytes of records in one message: one record more than this still goes alone.
pub(super) const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Bytes on their way to the disk; with more, writes are refused and those of others are not taken.
pub(super) const UNDURABLE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What the meta data of a slot counts for in a batch.
pub(super) const META_BYTES: usize = 512;
/// Records kept per slot to answer pulls without a snapshot.
pub(super) const LOG_RECORDS_MAX: usize = 256;
/// Bytes of records kept per slot for the same purpose.
pub(super) const LOG_BYTES_MAX: usize = 128 * 1024;
/// Requests in flight at one node.
pub(super) const REQUESTS_MAX: usize = 10_000;
/// Bytes of the values and tokens in requests in flight at one node.
pub(super) const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Requests in flight that are looked at in one turn, so that many of them do not make the node seem silent.
pub(super) const TURN_REQUESTS_MAX: usize = 1_000;
/// Origins that a 503 names.
pub(super) const MISSING_TOLD_MAX: usize = 8;
/// Nodes that are known, the removed ones too.
pub(super) const MEMBERS_MAX: usize = 256;
/// Forwarded writes that are remembered after their answer.
pub(super) const ANSWERED_MAX: usize = 4_096;
/// Answered proposals that are remembered, so that a repeated question gets the same answer.
pub(super) const PROPOSALS_MAX: usize = 64;
/// Replaced disks that are remembered (rule 12).
pub(super) const SUPERSEDED_MAX: usize = 1_024;
/// Tombstones are looked at this often.
pub(super) const COLLECT_MS: u64 = 1_000;
/// The same digest mismatch is repaired at most this often.
pub(super) const MISMATCH_AGAIN_MS: u64 = 2_000;
/// A token's clock may be this far ahead of the wall clock; farther is refused (rule 13).
pub(super) const CLOCK_AHEAD_MS: u64 = 24 * 60 * 60 * 1_000;
/// Epochs reserved at a start, so that a fresh origin needs no sync of its own.
pub(super) const EPOCHS_RESERVED: u32 = 1 << 16;
