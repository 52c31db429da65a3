//! What happens to hosts and links: starts, crashes, destroyed disks, pauses, cuts.

use node_core::{Address, Bug, Core, RequestId};

use super::{Cluster, Happening};
use crate::{
    disk::{Applied, Disk},
    journal::name,
    node::Input,
    random::Random,
    violation::Checked,
};

/// How long after its disks were slow a cluster may still have batches from then.
const SLOW_AFTERMATH_MS: u64 = 2_000;

/// What these things are called in a history.
const KILL: &str = "kill";
const TORN_WRITE: &str = "torn-write";
const WIPE: &str = "wipe";
const PAUSE: &str = "pause";
const DRIFT: &str = "clock-drift";
const JUMP: &str = "clock-jump";
const SLOW_DISK: &str = "slow-disk";
const FULL_DISK: &str = "full-disk";
const REMOVE: &str = "remove";

impl Cluster {
    /// Starts the process on its disk.
    pub(crate) fn start(&mut self, node: usize) -> Checked {
        let base_ms = self.random.between(0, 1 << 40);
        let host = &mut self.nodes[node];
        if host.core.is_some() {
            return Ok(());
        }
        host.clock.reboot(base_ms);
        host.life += 1;
        host.paused = false;
        host.timer_at_ms = None;
        host.next_batch = 1;
        host.knows_full = false;
        host.disturbed_ms = self.now_ms;
        let recovered = host.disk.recovered();
        host.core = Some(Core::with_bug(host.settings.clone(), recovered, host.clock.now(self.now_ms), self.bug));
        self.trace.note(self.now_ms, || format!("START node{}", node + 1));
        for kind in [KILL, TORN_WRITE, WIPE] {
            self.journal.ends(self.now_ms, kind, &[node], || format!("{} runs again", name(node)));
        }
        if self.nodes[node].full {
            self.input(node, Input::Space(false))?;
        }
        self.pump(node)
    }

    /// Kills the process; syncs under way are done or not.
    pub(crate) fn crash(&mut self, node: usize) -> Checked {
        if self.nodes[node].core.is_some() {
            self.journal.begins(self.now_ms, KILL, &[node], || format!("{} is killed", name(node)));
        }
        self.kill(node, Disk::crash)
    }

    /// Kills the process while a batch is under way; of that, a part is done.
    pub(crate) fn crash_tearing(&mut self, node: usize) -> Checked {
        let keeps = self.bug == Some(Bug::KeepTornBatch);
        self.tally.torn += 1;
        self.journal.begins(self.now_ms, TORN_WRITE, &[node], || format!("{} is killed amid a write", name(node)));
        self.kill(node, |disk, random| disk.crash_tearing(random, keeps))
    }

    fn kill(&mut self, node: usize, crash: impl FnOnce(&mut Disk, &mut Random) -> Checked<Vec<Applied>>) -> Checked {
        let host = &mut self.nodes[node];
        if host.core.take().is_none() {
            return Ok(());
        }
        host.held.clear();
        if host.paused {
            self.journal.ends(self.now_ms, PAUSE, &[node], || format!("{} stands still no more", name(node)));
        }
        host.paused = false;
        host.disturbed_ms = self.now_ms;
        self.trace.note(self.now_ms, || format!("CRASH node{}", node + 1));
        for applied in crash(&mut self.nodes[node].disk, &mut self.random)? {
            self.applied(node, &applied)?;
        }
        let broken: Vec<RequestId> =
            self.asked.iter().filter(|(_, asked)| asked.node == node).map(|(id, _)| *id).collect();
        for id in broken {
            self.refuse(id);
        }
        for peer in 0..self.nodes.len() {
            if peer != node && self.random.chance(600) {
                let in_ms = self.random.between(1, 60);
                self.schedule(in_ms, Happening::LinkDown { node: peer, peer: node });
            }
        }
        Ok(())
    }

    /// Kills the process and destroys its disk.
    pub(crate) fn wipe(&mut self, node: usize) -> Checked {
        self.journal.destroys(self.now_ms, WIPE, node, || format!("the disk of {} is destroyed", name(node)));
        self.kill(node, Disk::crash)?;
        let uuid = self.random.next();
        let old = std::mem::replace(&mut self.nodes[node].disk, Disk::empty(uuid));
        self.destroyed.push(old);
        self.wiped_ms = Some(self.now_ms);
        self.trace.note(self.now_ms, || format!("WIPE node{}", node + 1));
        self.reconsider_all();
        Ok(())
    }

    pub(crate) fn has_wiped(&self) -> bool {
        self.wiped_ms.is_some()
    }

    pub(crate) fn pause(&mut self, node: usize) {
        self.trace.note(self.now_ms, || format!("PAUSE node{}", node + 1));
        self.journal.begins(self.now_ms, PAUSE, &[node], || format!("{} stands still", name(node)));
        self.nodes[node].paused = true;
        self.nodes[node].disturbed_ms = self.now_ms;
    }

    pub(crate) fn resume(&mut self, node: usize) -> Checked {
        if !self.nodes[node].paused {
            return Ok(());
        }
        self.trace.note(self.now_ms, || format!("RESUME node{}", node + 1));
        self.journal.ends(self.now_ms, PAUSE, &[node], || format!("{} goes on", name(node)));
        self.nodes[node].paused = false;
        self.nodes[node].disturbed_ms = self.now_ms;
        while let Some(input) = self.nodes[node].held.pop_front() {
            self.input(node, input)?;
        }
        self.input(node, Input::Timeout)
    }

    /// The wall clock of the node runs faster than time by so much, from now on.
    pub(crate) fn drift(&mut self, node: usize, drift_ppm: i64) {
        self.trace.note(self.now_ms, || format!("CLOCK of node{} drifts by {drift_ppm} ppm", node + 1));
        if drift_ppm == 0 {
            self.journal.ends(self.now_ms, DRIFT, &[node], || format!("the clock of {} is steady", name(node)));
        } else {
            let what = || format!("the clock of {} drifts by {drift_ppm} ppm", name(node));
            self.journal.begins(self.now_ms, DRIFT, &[node], what);
        }
        self.nodes[node].clock.drift(self.now_ms, drift_ppm);
    }

    /// The wall clock of the node goes forward or back by so much.
    pub(crate) fn jump(&mut self, node: usize, by_ms: i64) {
        self.trace.note(self.now_ms, || format!("CLOCK of node{} jumps by {by_ms} ms", node + 1));
        self.journal.passes(self.now_ms, JUMP, &[node], || format!("the clock of {} jumps by {by_ms} ms", name(node)));
        self.nodes[node].clock.jump(by_ms);
    }

    /// Syncs of these nodes take so long, until all are fast again.
    pub(crate) fn slow_down_disks(&mut self, nodes: impl Iterator<Item = usize>, sync_ms: (u64, u64)) {
        for node in nodes {
            self.trace.note(self.now_ms, || format!("SLOW disk of node{}: up to {} ms", node + 1, sync_ms.1));
            let what = || format!("syncs of {} take up to {} ms", name(node), sync_ms.1);
            self.journal.begins(self.now_ms, SLOW_DISK, &[node], what);
            self.nodes[node].slow_sync_ms = Some(sync_ms);
        }
        self.slow_until_ms = u64::MAX;
    }

    pub(crate) fn speed_up_disks(&mut self) {
        for (node, host) in self.nodes.iter_mut().enumerate() {
            self.journal.ends(self.now_ms, SLOW_DISK, &[node], || format!("syncs of {} are fast", name(node)));
            host.slow_sync_ms = None;
        }
        self.slow_until_ms = self.now_ms + SLOW_AFTERMATH_MS;
    }

    /// The disk is full, or is not any more.
    pub(crate) fn set_space(&mut self, node: usize, enough: bool) -> Checked {
        self.trace.note(self.now_ms, || format!("SPACE of node{}: {enough}", node + 1));
        if enough {
            self.journal.ends(self.now_ms, FULL_DISK, &[node], || format!("the disk of {} has room", name(node)));
        } else {
            self.journal.begins(self.now_ms, FULL_DISK, &[node], || format!("the disk of {} is full", name(node)));
        }
        self.nodes[node].full = !enough;
        self.input(node, Input::Space(enough))
    }

    /// Asks the node to stop.
    #[cfg(test)]
    pub(crate) fn leave(&mut self, node: usize) -> Checked {
        self.trace.note(self.now_ms, || format!("LEAVING node{}", node + 1));
        self.input(node, Input::Leaving)
    }

    /// Cuts the directed pair; sometimes the sender notices at once.
    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        self.trace.note(self.now_ms, || format!("CUT node{} -> node{}", from + 1, to + 1));
        self.network.cut(from, to);
        if self.random.chance(300) {
            let in_ms = self.random.between(1, 500);
            self.schedule(in_ms, Happening::LinkDown { node: from, peer: to });
        }
    }

    pub(crate) fn mend(&mut self, from: usize, to: usize) {
        self.trace.note(self.now_ms, || format!("MEND node{} -> node{}", from + 1, to + 1));
        self.network.mend(from, to);
    }

    /// A link closes and opens again; nothing else happens.
    pub(crate) fn flap(&mut self, node: usize, peer: usize) {
        self.schedule(0, Happening::LinkDown { node, peer });
        self.schedule(0, Happening::LinkDown { node: peer, peer: node });
    }

    /// The view is about to lose a node by request.
    pub(super) fn remove(&mut self, removed: Address) {
        if let Some(node) = self.nodes.iter().position(|node| node.address == removed) {
            let what = || format!("{} is removed from the view", name(node));
            self.journal.gives_up(self.now_ms, REMOVE, node, what);
            self.removed[node] = true;
            self.reconsider_all();
        }
    }

    /// A node that was removed is in the view of all again.
    pub(crate) fn taken_back(&mut self, node: usize) {
        self.journal.ends(self.now_ms, REMOVE, &[node], || format!("{} is in the view again", name(node)));
        self.removed[node] = false;
    }
}
