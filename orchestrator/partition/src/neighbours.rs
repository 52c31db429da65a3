//! The namespace's neighbour entries. A cut is a permanent entry that gives an address a link-layer address which nobody
//! has: what is sent there vanishes without an error to the sender, on connections that are open too.
//!
//! Invariant: only entries with the prefix of such addresses are ever changed.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::TryStreamExt;
use rtnetlink::Handle;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage};

/// Locally administered, and not the prefix that Docker gives out (02:42).
const NOBODY: [u8; 3] = [0x02, 0xde, 0xad];

/// The kernel's tables.
pub(crate) struct Neighbours {
    kernel: Handle,
}

impl Neighbours {
    /// Must be called within the runtime, which drives the connection.
    ///
    /// # Errors
    /// There is no netlink here.
    pub(crate) fn open() -> Result<Self, String> {
        let (connection, kernel, _) = rtnetlink::new_connection().map_err(|e| format!("cannot speak netlink: {e}"))?;
        tokio::spawn(connection);
        Ok(Self { kernel })
    }

    /// Makes exactly these cuts.
    ///
    /// # Errors
    /// The kernel refuses, or an address is not on any network of this namespace.
    pub(crate) async fn cut(&self, addresses: &BTreeSet<Ipv4Addr>) -> Result<(), String> {
        let links = self.links().await?;
        for address in addresses {
            let link = links.iter().find(|link| link.contains(*address));
            let link = link.ok_or_else(|| format!("{address} is on no network of this node"))?;
            let added = self.kernel.neighbours().add(link.index, IpAddr::V4(*address));
            let added = added.link_layer_address(&nobody(*address)).replace().execute().await;
            added.map_err(|error| format!("cannot cut {address}: {error}"))?;
        }
        for entry in self.entries().await? {
            let Some(address) = cut_address(&entry).filter(|address| !addresses.contains(address)) else { continue };
            let removed = self.kernel.neighbours().del(entry).execute().await;
            removed.map_err(|error| format!("cannot heal {address}: {error}"))?;
        }
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<NeighbourMessage>, String> {
        let entries = self.kernel.neighbours().get().set_address_family(AddressFamily::Inet).execute();
        entries.try_collect().await.map_err(|error| format!("cannot read the neighbours: {error}"))
    }

    async fn links(&self) -> Result<Vec<Link>, String> {
        let addresses: Result<Vec<AddressMessage>, _> = self.kernel.address().get().execute().try_collect().await;
        let addresses = addresses.map_err(|error| format!("cannot read the addresses: {error}"))?;
        Ok(addresses.iter().filter_map(Link::of).collect())
    }
}

/// A network of the namespace.
struct Link {
    index: u32,
    address: Ipv4Addr,
    prefix_bits: u8,
}

impl Link {
    fn of(message: &AddressMessage) -> Option<Self> {
        let address = message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(IpAddr::V4(address)) => Some(*address),
            _ => None,
        })?;
        Some(Self { index: message.header.index, address, prefix_bits: message.header.prefix_len })
    }

    fn contains(&self, address: Ipv4Addr) -> bool {
        let host_bits = 32 - u32::from(self.prefix_bits.min(32));
        let network = |address: Ipv4Addr| u64::from(u32::from(address)) >> host_bits;
        network(address) == network(self.address)
    }
}

/// An address of nobody's, another for each neighbour.
fn nobody(address: Ipv4Addr) -> [u8; 6] {
    let [_, b, c, d] = address.octets();
    let [x, y, z] = NOBODY;
    [x, y, z, b, c, d]
}

/// The neighbour that an entry of ours cuts off.
fn cut_address(entry: &NeighbourMessage) -> Option<Ipv4Addr> {
    let is_ours = |attribute: &NeighbourAttribute| matches!(attribute, NeighbourAttribute::LinkLayerAddress(address) if address.starts_with(&NOBODY));
    if !entry.attributes.iter().any(is_ours) {
        return None;
    }
    entry.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => Some(*address),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses_only() {
        let link = Link { index: 2, address: Ipv4Addr::new(10, 10, 0, 2), prefix_bits: 24 };
        assert!(link.contains(Ipv4Addr::new(10, 10, 0, 200)));
        assert!(!link.contains(Ipv4Addr::new(10, 10, 1, 2)));
        assert!(Link { prefix_bits: 0, ..link }.contains(Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn only_entries_with_an_address_of_nobodys_are_cuts() {
        let address = Ipv4Addr::new(10, 10, 0, 3);
        let entry = |link_layer: &[u8]| {
            let mut entry = NeighbourMessage::default();
            entry.attributes.push(NeighbourAttribute::Destination(NeighbourAddress::Inet(address)));
            entry.attributes.push(NeighbourAttribute::LinkLayerAddress(link_layer.to_vec()));
            entry
        };
        assert_eq!(cut_address(&entry(&nobody(address))), Some(address));
        assert_eq!(cut_address(&entry(&[0x02, 0x42, 10, 10, 0, 3])), None);
    }
}
