//! The subnets that this host reaches by itself, as Linux tells them. Elsewhere nothing is known of them.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::observed::Route;

/// All of its routes; the default route, which reaches everything, is none.
pub(crate) fn of_host() -> Vec<Route> {
    std::fs::read_to_string("/proc/net/route").map(|table| read(&table)).unwrap_or_default()
}

/// The kernel writes an address as the number that its bytes are in memory.
fn read(table: &str) -> Vec<Route> {
    let address = |word: &str| u32::from_str_radix(word, 16).ok().map(|number| Ipv4Addr::from(number.to_ne_bytes()));
    let route = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let subnet = Ipv4Net::with_netmask(address(words.get(1)?)?, address(words.get(7)?)?).ok()?;
        Some(Route { subnet, interface: (*words.first()?).to_owned() })
    };
    table.lines().skip(1).filter_map(route).filter(|route| route.subnet.prefix_len() > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernels_table_is_understood() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
                     eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        let routes = read(table).into_iter().map(|route| format!("{} {}", route.subnet, route.interface));
        assert_eq!(routes.collect::<Vec<_>>(), ["172.17.0.0/16 docker0", "192.0.2.0/24 eth0"]);
        assert!(read("no table\nat all\n").is_empty());
    }
}
