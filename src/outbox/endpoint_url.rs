//! The address of an endpoint: what may be one, before anything is resolved.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::outbox::address::{Verdict, judge};

/// The longest address, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// Ports below are services of the system, except those of the web.
const FIRST_FREE_PORT: u16 = 1_024;
const WEB_PORTS: [u16; 2] = [80, 443];

/// Why a text cannot be the address of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It is no absolute URL.
    #[error("must be an absolute URL such as https://app.example.com/webhooks/topup")]
    NotAUrl,
    /// It is too long.
    #[error("must have at most 2048 bytes")]
    TooLong,
    /// The scheme is another.
    #[error("must begin with https://; http:// is only for the networks in WEBHOOK_ALLOWED_NETWORKS")]
    Scheme,
    /// It contains a user or a password.
    #[error("must have no user and password: requests are signed instead")]
    Credentials,
    /// It contains a fragment.
    #[error("must have no part after #, which is never sent")]
    Fragment,
    /// The port is a system service's.
    #[error("must have the port 443, 80, or one from 1024")]
    Port,
    /// The host is an address that is not public.
    #[error("must not be a private address; WEBHOOK_ALLOWED_NETWORKS names those that may be called")]
    Private,
    /// The host is an address that is never called.
    #[error("must not be this address: link-local, metadata, unspecified and multicast addresses are never called")]
    Never,
}

impl InvalidUrl {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAUrl => "invalid_url",
            Self::TooLong => "too_long",
            Self::Scheme => "https_required",
            Self::Credentials => "credentials_in_url",
            Self::Fragment => "fragment_in_url",
            Self::Port => "port_not_allowed",
            Self::Private | Self::Never => "address_not_allowed",
        }
    }
}

/// Reads the address of an endpoint. A name is resolved and judged at each attempt, because it can change.
///
/// # Errors
/// See [`InvalidUrl`].
pub fn parse(text: &str, allowed: &[IpNet]) -> Result<Url, InvalidUrl> {
    if text.len() > MAX_URL_BYTES {
        return Err(InvalidUrl::TooLong);
    }
    // The parser removes white space and line breaks silently.
    if text.chars().any(|character| character.is_whitespace() || character.is_control() || character == '\\') {
        return Err(InvalidUrl::NotAUrl);
    }
    let url = Url::parse(text).map_err(|_| InvalidUrl::NotAUrl)?;
    if !matches!(url.scheme(), "http" | "https") || (url.scheme() == "http" && allowed.is_empty()) {
        return Err(InvalidUrl::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() || text.split('/').nth(2).is_some_and(has_user) {
        return Err(InvalidUrl::Credentials);
    }
    if url.fragment().is_some() {
        return Err(InvalidUrl::Fragment);
    }
    let port = url.port_or_known_default().ok_or(InvalidUrl::Port)?;
    if port < FIRST_FREE_PORT && !WEB_PORTS.contains(&port) {
        return Err(InvalidUrl::Port);
    }
    check_host(&url, allowed)?;
    Ok(url)
}

/// An `@` before the path, even with nothing before it.
fn has_user(authority: &str) -> bool {
    authority.split(['?', '#']).next().unwrap_or_default().contains('@')
}

fn check_host(url: &Url, allowed: &[IpNet]) -> Result<(), InvalidUrl> {
    let Some(address) = literal(url) else {
        let is_name = matches!(url.host(), Some(Host::Domain(name)) if !name.trim_matches('.').is_empty());
        return if is_name { Ok(()) } else { Err(InvalidUrl::NotAUrl) };
    };
    match judge(address, allowed) {
        Verdict::Allowed => Ok(()),
        Verdict::Public if url.scheme() == "https" => Ok(()),
        Verdict::Public => Err(InvalidUrl::Scheme),
        Verdict::Private => Err(InvalidUrl::Private),
        Verdict::Never => Err(InvalidUrl::Never),
    }
}

/// The address that the URL contains instead of a name. The parser has read it in whichever notation it was written.
#[must_use]
pub fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, allowed: &[&str]) -> Result<String, InvalidUrl> {
        let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().expect("a network")).collect();
        parse(text, &allowed).map(|url| url.to_string())
    }

    #[test]
    fn an_address_in_any_notation_is_the_address() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "10.0.0.1",
            "0xa.0.0.1",
            "012.0.0.1",
            "192.168.257",
            "[fd00::1]",
        ] {
            assert_eq!(read(&format!("https://{host}/"), &[]), Err(InvalidUrl::Private), "{host}");
            assert_eq!(read(&format!("https://{host}:8443/hook"), &[]), Err(InvalidUrl::Private), "{host}");
        }
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0xa9.0xfe.0xa9.0xfe",
            "0251.0376.0251.0376",
            "169.254.43518",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[fe80::1]",
            "0",
            "0.0.0.0",
            "[::]",
            "[fd00:ec2::254]",
        ] {
            assert_eq!(read(&format!("https://{host}/"), &["0.0.0.0/0", "::/0"]), Err(InvalidUrl::Never), "{host}");
        }
    }

    #[test]
    fn what_else_cannot_be_an_endpoint() {
        for (text, error) in [
            ("", InvalidUrl::NotAUrl),
            ("hooks", InvalidUrl::NotAUrl),
            ("//app.example.com/", InvalidUrl::NotAUrl),
            ("https://", InvalidUrl::NotAUrl),
            ("https://./", InvalidUrl::NotAUrl),
            ("https://app.example.com/a b", InvalidUrl::NotAUrl),
            ("https://app.example.com/\nx", InvalidUrl::NotAUrl),
            ("https:\\\\app.example.com", InvalidUrl::NotAUrl),
            ("https://1.2.3.4.5/", InvalidUrl::NotAUrl),
            ("http://app.example.com/", InvalidUrl::Scheme),
            ("http://8.8.8.8/", InvalidUrl::Scheme),
            ("ftp://app.example.com/", InvalidUrl::Scheme),
            ("file:///etc/passwd", InvalidUrl::Scheme),
            ("gopher://app.example.com/", InvalidUrl::Scheme),
            ("https://user@app.example.com/", InvalidUrl::Credentials),
            ("https://user:secret@app.example.com/", InvalidUrl::Credentials),
            ("https://app.example.com@127.0.0.1/", InvalidUrl::Credentials),
            ("https://@app.example.com/", InvalidUrl::Credentials),
            ("https://app.example.com/#part", InvalidUrl::Fragment),
            ("https://app.example.com:22/", InvalidUrl::Port),
            ("https://app.example.com:0/", InvalidUrl::Port),
            ("https://app.example.com:1023/", InvalidUrl::Port),
        ] {
            assert_eq!(read(text, &[]), Err(error), "{text}");
        }
        assert_eq!(read(&format!("https://app.example.com/{}", "a".repeat(2_048)), &[]), Err(InvalidUrl::TooLong));
        // Plain HTTP to a public address, although there are networks where it is allowed.
        assert_eq!(read("http://8.8.8.8/", &["10.0.0.0/8"]), Err(InvalidUrl::Scheme));
    }

    #[test]
    fn what_can_be_one() {
        for text in [
            "https://app.example.com/webhooks/topup?tenant=1",
            "https://app.example.com:8443/",
            "https://8.8.8.8/",
            "https://[2606:4700:4700::1111]/",
            "https://app.example.com/a@b",
        ] {
            assert!(read(text, &[]).is_ok(), "{text}");
        }
        for text in ["http://10.1.2.3:3000/hook", "http://backend.internal:3000/hook", "https://10.1.2.3/"] {
            assert!(read(text, &["10.0.0.0/8"]).is_ok(), "{text}");
        }
    }
}
