//! How a replica begins: with what its storage holds, or as the settings say.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    Core,
    acknowledge::Acknowledgements,
    batches::Batches,
    change_placement::Proposals,
    gossip::Audience,
    limits::EPOCHS_RESERVED,
    pending::{Answered, Parked},
    slot::{FIRST_ANNOUNCEMENT, Slot},
    transfer::Transfers,
};
use crate::{
    Boot, Change, Identity, Members, Now, Placement, Recovered, Settings, SlotId, TokenKey,
    planted::{Bug, Planted},
};

impl Core {
    pub(super) fn start(settings: Settings, recovered: Recovered, now: Now, planted: Planted) -> Self {
        let Settings { address, view, shard_count, secret, durability } = settings;
        let incarnation = recovered.boot.map_or(0, |boot| boot.incarnation + 1).max(now.wall_ms);
        let reused = if planted.is(Bug::ReuseSequenceNumbers) { EPOCHS_RESERVED } else { 0 };
        let epoch = recovered.boot.map_or(1, |boot| boot.epoch_limit - reused);
        let epoch_limit = epoch + EPOCHS_RESERVED;
        let stored = recovered.placement.is_some();
        let placement = recovered.placement.unwrap_or_else(|| Arc::new(Placement::bootstrap(&view, shard_count)));
        let members = recovered.members.unwrap_or_else(|| Members::bootstrap(view.iter().copied()));
        let mut core = Self {
            address,
            planted,
            token_key: TokenKey::new(secret.as_deref()),
            now,
            boot_ms: now.monotonic_ms,
            ticked_ms: now.monotonic_ms,
            identity: Identity { incarnation, uuid: recovered.uuid, epoch },
            boot_incarnation: incarnation,
            epoch,
            epoch_limit,
            booted: false,
            stored,
            settled: false,
            members,
            stood_down: false,
            identities: BTreeMap::new(),
            superseded: BTreeSet::new(),
            membership: 0,
            peers: BTreeMap::new(),
            batches: Batches::new(placement.id()),
            durability,
            enough_space: true,
            leaving: None,
            placement,
            slots: SlotId::all().map(|slot| Slot::new(slot, epoch, planted)).collect(),
            parked: Parked::default(),
            acknowledgements: Acknowledgements::default(),
            outbox: BTreeMap::new(),
            effects: VecDeque::new(),
            pending: BTreeMap::new(),
            request_bytes: 0,
            left_out: 0,
            pending_by_slot: BTreeMap::new(),
            tickets: BTreeMap::new(),
            // Unique across restarts at one address, as long as a node takes fewer than 65 requests a millisecond.
            next_ticket: incarnation << 16,
            answered: Answered::default(),
            announcement: FIRST_ANNOUNCEMENT,
            news: Audience::Everyone,
            unannounced: 0,
            told_room: true,
            announced_ms: now.monotonic_ms,
            lags: BTreeMap::new(),
            copies: BTreeMap::new(),
            transfers: Transfers::default(),
            proposals: Proposals::default(),
            rounds: BTreeMap::new(),
            collected_ms: now.monotonic_ms,
            mismatches: BTreeMap::new(),
            lost_reported: BTreeSet::new(),
            copying: 0,
            agreeing: 0,
            writes_lost: 0,
            digest_mismatches: 0,
        };
        for (slot, meta, records) in recovered.slots {
            core.slots[slot.index()].recover(meta, records);
        }
        core.change(Change::Boot(Boot { epoch_limit, incarnation }));
        core.members_changed();
        core.take_up_placement();
        core
    }
}
