//! The settings for web access: address, origins, headers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use super::Reader;
use crate::domain::redirect::AllowedOrigin;

/// More headers than any page sends.
const MAX_ALLOWED_HEADERS: usize = 50;

/// The address on which the service listens. Hosting platforms set `PORT` and reach the service from outside the
/// machine, so it then listens on all addresses.
pub(super) fn read_bind_address(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    if reader.is_set("BIND_ADDRESS") || !reader.is_set("PORT") {
        return reader.parse("BIND_ADDRESS", "127.0.0.1:8080", "an IP address and a port such as 0.0.0.0:8080");
    }
    let port = reader.optional("PORT")?;
    let port = port.trim().parse::<u16>().ok().filter(|port| *port > 0);
    if port.is_none() {
        reader.error("PORT", "must be a port from 1 to 65535 (it is read because BIND_ADDRESS is not set)");
    }
    port.map(|port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
}

/// `None` if nothing is to be measured, or the setting is wrong.
pub(super) fn read_metrics_address(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    if !reader.is_set("METRICS_ADDRESS") {
        return None;
    }
    reader.parse("METRICS_ADDRESS", "", "an IP address and a port such as 127.0.0.1:9464")
}

pub(super) fn read_origins(reader: &mut Reader<'_>) -> Vec<AllowedOrigin> {
    let hint = "the web pages that may sell credits, comma separated, such as https://app.example.com";
    let Some(text) = reader.required("ALLOWED_ORIGINS", hint) else { return Vec::new() };
    let mut origins = Vec::new();
    for part in text.split(',').map(str::trim) {
        match AllowedOrigin::parse(part) {
            Ok(origin) => origins.push(origin),
            Err(error) => reader.error("ALLOWED_ORIGINS", &format!("{part:?}: {error}")),
        }
    }
    for origin in origins.iter().filter(|origin| origin.is_shared()) {
        let message = format!(
            "others can get a name there that {origin} matches, too, and customers can then be sent to their pages; for \
             real money list your own pages"
        );
        reader.warn("ALLOWED_ORIGINS", &message);
    }
    origins
}

/// Headers that pages may send in addition to the ones that are always allowed.
pub(super) fn read_allowed_headers(reader: &mut Reader<'_>) -> Vec<String> {
    let Some(text) = reader.optional("ALLOWED_HEADERS") else { return Vec::new() };
    let headers: Vec<String> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$%&'+^`|~".contains(&byte))
    };
    if headers.len() > MAX_ALLOWED_HEADERS || !headers.iter().all(is_name) {
        reader.error("ALLOWED_HEADERS", "must be names of headers, comma separated, such as x-request-source; not *");
    }
    headers
}

/// Networks, comma separated; an address is a network of one.
pub(super) fn read_networks(reader: &mut Reader<'_>, setting: &str) -> Vec<IpNet> {
    let Some(text) = reader.optional(setting) else { return Vec::new() };
    let mut networks = Vec::new();
    for part in text.split(',').map(str::trim) {
        let network = part.parse::<IpNet>().ok().or_else(|| part.parse::<IpAddr>().map(IpNet::from).ok());
        match network {
            Some(network) => networks.push(network),
            None => reader.error(setting, &format!("{part:?} is no network such as 10.0.0.0/8")),
        }
    }
    networks
}
