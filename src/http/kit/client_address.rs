//! The client's address of a request, as far as it can be trusted.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// The client's address. `X-Forwarded-For` is trusted only where trusted proxies wrote it: it is read from the end, and
/// the first address that is not a trusted proxy is the client.
pub fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer;
    for text in forwarded.into_iter().rev() {
        // Stop at the first value that is not an address: no trusted proxy wrote it.
        let Some(address) = parse(text.trim()) else { break };
        client = address.to_canonical();
        if !is_trusted(&client) {
            break;
        }
    }
    Some(client)
}

/// Parses an address. Some proxies add the port (`198.51.100.1:49152`, `[2001:db8::1]:49152`), some write IPv6 in
/// brackets without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

/// The network that counts as one client: a single IPv4 address, or the /64 of IPv6 that one customer usually has.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().expect("a network"), "fd00::/8".parse().expect("a network")];
        let mut request = TestRequest::default().peer_addr(peer.parse().expect("an address"));
        for value in forwarded {
            request = request.append_header(("x-forwarded-for", *value));
        }
        client_address(&request.to_http_request(), &trusted).expect("a peer").to_string()
    }

    #[test]
    fn a_header_of_a_stranger_is_not_believed() {
        assert_eq!(address("203.0.113.7:1", &["198.51.100.1"]), "203.0.113.7");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_of_ours_is_the_client() {
        assert_eq!(address("10.0.0.1:1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1:1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1:1", &["1.2.3.4", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1:1", &["1.2.3.4, nonsense"]), "10.0.0.1");
        assert_eq!(address("10.0.0.1:1", &[]), "10.0.0.1");
        assert_eq!(address("[fd00::1]:1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(address("[::ffff:10.0.0.1]:1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn a_port_behind_the_address_does_not_hide_it() {
        for (text, expected) in [
            ("198.51.100.1:49152", "198.51.100.1"),
            ("1.2.3.4, 198.51.100.1:49152, 10.0.0.2:80", "198.51.100.1"),
            ("[2001:db8::1]:49152", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:198.51.100.1]:1", "198.51.100.1"),
        ] {
            assert_eq!(address("10.0.0.1:1", &[text]), expected, "{text}");
        }
        for text in ["198.51.100.1:", "198.51.100.1:99999", "[198.51.100.1]", "[2001:db8::1", "unknown", "_hidden", ""]
        {
            assert_eq!(address("10.0.0.1:1", &[text]), "10.0.0.1", "{text}");
        }
    }

    #[test]
    fn one_client_is_an_address_or_a_network_of_64_bits() {
        let network = |text: &str| network_of(text.parse().expect("an address")).to_string();
        assert_eq!(network("198.51.100.1"), "198.51.100.1");
        assert_eq!(network("::ffff:198.51.100.1"), "198.51.100.1");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
