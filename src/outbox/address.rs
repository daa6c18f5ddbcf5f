//! Which addresses a request may be sent to.
//!
//! Whoever can add an endpoint could otherwise make this service call what only it can reach: a metadata service, a
//! database, an admin page. An address is judged in every form that it can take: IPv4 within IPv6, translated,
//! tunnelled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Metadata services with addresses that an operator might permit as a part of a private network: Amazon's by IPv6,
/// Alibaba's, Oracle's.
const METADATA: [IpAddr; 3] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

/// The result of looking at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A public address.
    Public,
    /// In one of the permitted networks.
    Allowed,
    /// Not public, and in no permitted network.
    Private,
    /// Never called, whatever is permitted: link-local addresses and metadata services, unspecified and multicast ones.
    Never,
}

/// Judges an address, and every address that it may stand for. The worst of them counts.
#[must_use]
pub fn judge(address: IpAddr, allowed: &[IpNet]) -> Verdict {
    let meant = forms(address);
    if meant.iter().any(|form| is_never(*form)) {
        return Verdict::Never;
    }
    let is_allowed = |form: &IpAddr| allowed.iter().any(|network| network.contains(form));
    if is_allowed(&address) || meant.iter().all(is_allowed) {
        return Verdict::Allowed;
    }
    if meant.iter().all(|form| is_public(*form)) { Verdict::Public } else { Verdict::Private }
}

/// The address, and the IPv4 addresses within it. An IPv4 address written as IPv6 is only the IPv4 address.
fn forms(address: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(v6) = address else { return vec![address] };
    match v6.segments() {
        // The deprecated ::/96 with an IPv4 address. `::` and `::1` are themselves.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => vec![v4(high, low)],
        // ::ffff:0:0/96; SIIT, ::ffff:0:a.b.c.d; NAT64, 64:ff9b::/96. A network's own prefix of NAT64, 64:ff9b:1::/48, is
        // not public.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => vec![v4(high, low)],
        // Teredo: the server, and the client, whose bits are inverted.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            vec![address, v4(server_high, server_low), v4(!high, !low)]
        }
        // 6to4, and ISATAP.
        [0x2002, high, low, ..] | [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => vec![address, v4(high, low)],
        _ => vec![address],
    }
}

fn v4(high: u16, low: u16) -> IpAddr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

fn is_never(address: IpAddr) -> bool {
    let is_special = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast(),
    };
    is_special || METADATA.contains(&address)
}

/// Whether it is a global unicast address, by the special-purpose registries of IANA (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // "This network", private, loopback, multicast, reserved.
        (0 | 10 | 127 | 224.., _, _)
        // Shared between carriers.
        | (100, 64..=127, _)
        | (169, 254, _)
        | (172, 16..=31, _)
        // Protocol assignments, documentation, 6to4 relays, private.
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (192, 168, _)
        // Benchmarks, documentation.
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113) => true,
        _ => false,
    };
    !is_special
}

const fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Teredo and 6to4 are judged by the IPv4 addresses within.
        [0x2001, 0x0000, ..] => true,
        // Documentation, and protocol assignments (2001::/23), among them ORCHID and benchmarks.
        [0x2001, 0x0db8 | 0x0001..=0x01ff, ..] | [0x3fff, 0x0000..=0x0fff, ..] => false,
        // Only 2000::/3 is assigned for global unicast.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
