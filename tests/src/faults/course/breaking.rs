//! How each fault is begun and undone, and written down when it is seen to be so.

use std::sync::Arc;

use super::{
    super::{
        change::{Change, Wish},
        groups,
        kind::Kind,
        schedule::Planned,
        words,
    },
    Course, On,
};
use crate::{
    Failure,
    history::{Event, Fault, Phase},
};

impl Course<'_> {
    pub(super) async fn begin(&mut self, planned: Planned) -> Result<(), Failure> {
        self.begun += 1;
        if planned.kind.is_change() {
            return self.begin_change(&planned).await;
        }
        let Planned { kind, nodes, lasts, .. } = planned;
        let what = words::begins(kind, &self.names(&nodes));
        let on = On { number: self.begun, kind, nodes, what, until: 0 };
        let start_us = self.means.journal.now_us();
        // No fault strikes a quiet cluster.
        let after_another = if kind == Kind::KillAll { on.nodes.len() as u64 } else { 1 };
        self.means.clients.attention().hurry(self.means.hurry * after_another);
        let made = self.make(kind, &on.nodes).await;
        // Also what failed half-way is on.
        self.write_down(&on, Phase::Begins, on.what.clone(), start_us);
        if kind.is_cut() {
            self.means.clients.attention().call(&on.nodes);
        }
        let until = self.operations() + lasts;
        if made.is_ok() && !kind.lasts() {
            return self.undo_or_keep(on).await;
        }
        let later = self.on.partition_point(|other| other.until <= until);
        self.on.insert(later, On { until, ..on });
        made
    }

    async fn begin_change(&mut self, planned: &Planned) -> Result<(), Failure> {
        let asked = self.means.victim.node(planned.nodes[0]).clone();
        self.under_way = Some(words::begins(planned.kind, &[&asked.name]));
        let wish = if planned.kind == Kind::Add {
            let node = self.means.victim.add().await?;
            let node = self.means.victim.node(node).clone();
            self.means.clients.add_node(node.clone());
            Wish::Member(node)
        } else {
            Wish::Shards(planned.shards)
        };
        let change = Change {
            number: self.begun,
            kind: planned.kind.name(),
            wish,
            asked,
            client: self.means.victim.client().clone(),
            journal: Arc::clone(self.means.journal),
        };
        self.change.spawn(change.make());
        let all: Vec<usize> = (0..self.means.victim.nodes().len()).collect();
        self.draw_attention(&all);
        Ok(())
    }

    /// Something has happened at these nodes.
    fn draw_attention(&self, nodes: &[usize]) {
        let attention = self.means.clients.attention();
        attention.call(nodes);
        attention.hurry(self.means.hurry);
    }

    async fn make(&mut self, kind: Kind, nodes: &[usize]) -> Result<(), Failure> {
        let victim = &mut *self.means.victim;
        match kind {
            Kind::Pause => victim.pause(nodes[0]).await,
            Kind::Wipe => victim.wipe(nodes[0]).await,
            Kind::Stop | Kind::Restart => victim.stop(nodes[0]).await,
            // Undoing it is all of it.
            Kind::RollingRestart => Ok(()),
            _ if kind.is_cut() => victim.cut(&groups::ways(kind, nodes, victim.nodes().len())).await,
            _ => victim.kill(nodes).await,
        }
    }

    /// One after the other: the next when the one before is back, as people do it who want no outage.
    async fn restart_all(&mut self, on: &On) -> Result<(), Failure> {
        self.under_way = Some(on.what.clone());
        for node in &on.nodes {
            if self.means.halt.is_over() {
                break;
            }
            self.means.victim.stop(*node).await?;
            self.means.victim.start(*node).await?;
            self.draw_attention(&[*node]);
            self.is_whole(on.kind).await;
            self.tell();
        }
        self.under_way = None;
        Ok(())
    }

    /// What cannot be undone stays in the list, for the end.
    pub(super) async fn undo_or_keep(&mut self, on: On) -> Result<(), Failure> {
        let undone = self.undo(&on).await;
        if undone.is_err() {
            self.on.push_front(on);
        }
        undone
    }

    pub(super) async fn undo(&mut self, on: &On) -> Result<(), Failure> {
        let start_us = self.means.journal.now_us();
        self.unmake(on).await?;
        self.draw_attention(&on.nodes);
        self.tell_end(on, start_us);
        Ok(())
    }

    async fn unmake(&mut self, on: &On) -> Result<(), Failure> {
        let victim = &mut *self.means.victim;
        match on.kind {
            Kind::Pause => victim.resume(on.nodes[0]).await,
            kind if kind.is_cut() => victim.cut(&[]).await,
            Kind::RollingRestart => self.restart_all(on).await,
            _ => {
                for node in &on.nodes {
                    victim.start(*node).await?;
                }
                Ok(())
            }
        }
    }

    fn names(&self, nodes: &[usize]) -> Vec<&str> {
        nodes.iter().map(|node| self.means.victim.node(*node).name.as_str()).collect()
    }

    pub(super) fn tell_end(&self, on: &On, start_us: u64) {
        self.write_down(on, Phase::Ends, words::ends(on.kind, &self.names(&on.nodes)), start_us);
    }

    fn write_down(&self, on: &On, phase: Phase, what: String, start_us: u64) {
        let names = |nodes: &[usize]| self.names(nodes).into_iter().map(str::to_owned).collect();
        let destroys = on.kind == Kind::Wipe && phase == Phase::Begins;
        let mut fault = Fault {
            number: on.number,
            kind: on.kind.name().to_owned(),
            what,
            nodes: names(&on.nodes),
            destroys: if destroys { names(&on.nodes) } else { Vec::new() },
            gives_up: Vec::new(),
            phase,
            start_us,
            end_us: start_us,
        };
        self.means.journal.add(|end_us| {
            fault.end_us = end_us;
            Event::Fault(fault.clone())
        });
        self.means.observer.happened(&fault);
    }
}
