//! Cuts between nodes, made inside their network namespaces by barriers, and proven by what the barriers hear.
//!
//! Invariant: a cut that held before and after a change holds in between: entries outlive the barrier that made them.

mod barrier;
mod image;
mod proof;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use futures_util::future::try_join_all;

use super::super::Site;
use super::{Docker, failed, is_status};
use crate::failure::Failure;
use crate::observed::{NodeState, ObservedNode};
use crate::partition::Cut;
pub(super) use barrier::Barrier;
use barrier::BarrierConfig;
use proof::Witness;

/// A node of a partition: with its barrier, where it has one, and what its barrier must be told.
struct Side<'a> {
    node: &'a ObservedNode,
    address: Ipv4Addr,
    barrier: Option<&'a Barrier>,
    config: BarrierConfig,
    /// No cut concerns it any more.
    leaves: bool,
}

impl Docker {
    pub(super) async fn recorded_cuts(&self, project: &str) -> Result<BTreeSet<Cut>, Failure> {
        let barriers = self.barriers(project).await?;
        let cuts = barriers.iter().flat_map(|b| b.config.cuts.keys().map(|to| Cut::new(&b.node, to)));
        Ok(cuts.collect())
    }

    /// The nodes that run while their barrier is in a namespace that they had before.
    pub(super) async fn nodes_without_cuts(&self, project: &str) -> Result<Vec<String>, Failure> {
        let (nodes, barriers) = tokio::try_join!(self.project_nodes(project), self.barriers(project))?;
        let mut uncut = Vec::new();
        for barrier in barriers.iter().filter(|barrier| !barrier.config.cuts.is_empty()) {
            let node = find(&nodes, &barrier.node).filter(|node| node.state != NodeState::Stopped);
            if let Some(node) = node
                && !self.is_in_place(barrier, node).await?
            {
                uncut.push(node.name.clone());
            }
        }
        Ok(uncut)
    }

    /// Barriers with exactly these cuts, proven; those that are needed no more are removed only when that is proven too.
    pub(super) async fn make_cuts(&self, site: &Site<'_>, cuts: &BTreeSet<Cut>) -> Result<(), Failure> {
        let project = &site.spec.name;
        let (nodes, barriers) = tokio::try_join!(self.project_nodes(project), self.barriers(project))?;
        let sides = sides(&nodes, &barriers, cuts)?;
        if !sides.is_empty() {
            let image = self.prepare_barriers(site).await?;
            let witnesses = try_join_all(sides.iter().map(|side| self.take_side(site, &image, side))).await?;
            let witnesses: Vec<Witness> = witnesses.into_iter().flatten().collect();
            let subjects = sides.iter().map(|side| side.node.name.as_str()).collect();
            self.prove(&witnesses, &subjects).await?;
        }
        let needed = |barrier: &Barrier| cuts.iter().any(|cut| barrier.node == cut.from || barrier.node == cut.to);
        // Also those that took the place of others just now.
        let barriers = self.barriers(project).await?;
        let leaving = barriers.iter().filter(|barrier| !needed(barrier));
        try_join_all(
            leaving.map(async |barrier| {
                self.remove_container(&format!("the barrier of {}", barrier.node), &barrier.id).await
            }),
        )
        .await
        .map(drop)
    }

    /// Makes the side's barrier what it must be; the witness is the barrier, when its node runs.
    async fn take_side(&self, site: &Site<'_>, image: &str, side: &Side<'_>) -> Result<Option<Witness>, Failure> {
        let (node, config) = (side.node, &side.config);
        let runs = node.state != NodeState::Stopped;
        let barrier = match side.barrier {
            Some(barrier) if self.is_in_place(barrier, node).await? => {
                if barrier.config == *config {
                    barrier.clone()
                } else if side.is_opened_by_asking(barrier) {
                    self.open_barrier(barrier).await?;
                    barrier.clone()
                } else {
                    self.place(site, image, node, Some(barrier), config).await?
                }
            }
            Some(barrier) if !runs && barrier.config == *config => barrier.clone(),
            // Nothing is made where it does not run, and nothing needs to be recorded.
            _ if !runs && side.leaves => return Ok(None),
            old => self.place(site, image, node, old, config).await?,
        };
        Ok((runs && barrier.is_running).then(|| witness(side.node, side.address, &barrier, config)))
    }

    /// Makes the cuts of a node again that was just started. Until they are proven it is paused, so that it reaches nobody
    /// before.
    pub(super) async fn restore_cuts(
        &self,
        site: &Site<'_>,
        node: &ObservedNode,
        recorded: &Barrier,
    ) -> Result<(), Failure> {
        match self.client.pause_container(&node.id).await {
            // It ended at once; whoever waits for it says why.
            Err(error) if is_status(&error, 409) => return Ok(()),
            result => result.map_err(failed(format!("cannot pause {}", node.name)))?,
        }
        let restored = self.restore_barrier(site, node, recorded).await;
        self.resume(&node.name, &node.id).await?;
        restored
    }

    async fn restore_barrier(&self, site: &Site<'_>, node: &ObservedNode, recorded: &Barrier) -> Result<(), Failure> {
        let project = &site.spec.name;
        let image = self.prepare_barriers(site).await?;
        let node = ObservedNode { state: NodeState::Paused, ..node.clone() };
        self.place(site, &image, &node, Some(recorded), &recorded.config).await?;
        let (nodes, barriers) = tokio::try_join!(self.project_nodes(project), self.barriers(project))?;
        let pairs = barriers.iter().filter_map(|barrier| Some((barrier, find(&nodes, &barrier.node)?)));
        let witnesses = try_join_all(pairs.map(async |(barrier, node)| {
            let in_place = self.is_in_place(barrier, node).await?;
            let address = address(node)?;
            Ok::<_, Failure>(in_place.then(|| witness(node, address, barrier, &barrier.config)))
        }));
        let witnesses: Vec<Witness> = witnesses.await?.into_iter().flatten().collect();
        self.prove(&witnesses, &BTreeSet::from([node.name.as_str()])).await
    }
}

fn find<'a>(nodes: &'a [ObservedNode], name: &str) -> Option<&'a ObservedNode> {
    nodes.iter().find(|node| node.name == name)
}

fn address(node: &ObservedNode) -> Result<Ipv4Addr, Failure> {
    let name = &node.name;
    let unknown = || {
        Failure::Engine(format!(
            "{name} has no address in the cluster's network; `orchestrator node {name}` makes it anew"
        ))
    };
    node.address.ok_or_else(unknown)
}

fn witness(node: &ObservedNode, address: Ipv4Addr, barrier: &Barrier, config: &BarrierConfig) -> Witness {
    let cuts = config.cuts.values().copied().collect();
    Witness { node: node.name.clone(), address, id: barrier.id.clone(), cuts }
}

impl Side<'_> {
    /// Quicker than another barrier in its place. One that knows fewer peers would not be heard by the others.
    fn is_opened_by_asking(&self, barrier: &Barrier) -> bool {
        self.leaves && self.config.peers.iter().all(|(name, address)| barrier.config.peers.get(name) == Some(address))
    }
}

/// Everybody whom a cut concerns, or concerned until now.
///
/// # Errors
/// A cut names a node that is not there.
fn sides<'a>(
    nodes: &'a [ObservedNode],
    barriers: &'a [Barrier],
    cuts: &BTreeSet<Cut>,
) -> Result<Vec<Side<'a>>, Failure> {
    let named: BTreeSet<&str> = cuts.iter().flat_map(|cut| [cut.from.as_str(), cut.to.as_str()]).collect();
    if let Some(absent) = named.iter().find(|name| find(nodes, name).is_none()) {
        return Err(Failure::not_running(absent));
    }
    let barrier = |name: &str| barriers.iter().find(|barrier| barrier.node == name);
    let concerned = |node: &&ObservedNode| named.contains(node.name.as_str()) || barrier(&node.name).is_some();
    let concerned: Vec<&ObservedNode> = nodes.iter().filter(concerned).collect();
    let mut addresses = BTreeMap::new();
    for node in &concerned {
        addresses.insert(node.name.clone(), address(node)?);
    }
    let side = |node: &&'a ObservedNode| {
        let of = |wanted: &dyn Fn(&str) -> bool| -> BTreeMap<String, Ipv4Addr> {
            let chosen = addresses.iter().filter(|(name, _)| **name != node.name && wanted(name));
            chosen.map(|(name, address)| (name.clone(), *address)).collect()
        };
        Side {
            node,
            address: addresses[&node.name],
            barrier: barrier(&node.name),
            config: BarrierConfig {
                cuts: of(&|name| cuts.contains(&Cut::new(&node.name, name))),
                peers: of(&|_| true),
            },
            leaves: !named.contains(node.name.as_str()),
        }
    };
    Ok(concerned.iter().map(side).collect())
}

#[cfg(test)]
mod tests;
