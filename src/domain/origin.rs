//! The web pages and apps that may use the service, as listed in `ALLOWED_ORIGINS`.
//!
//! Invariants: anything unclear is refused with an explanation of what to write instead, because an origin that matches
//! nothing looks to a browser like a service that is down. A `*` stands for one label of a host or a part of it, never
//! for a dot, and never for a whole label directly below a public suffix, where anyone can register a name. Origins of
//! apps and extensions may call the service, but customers are never redirected to them.

use std::fmt;

use url::{Host, Url};

/// Schemes of browser extensions. Firefox and Safari give each installation its own id.
const EXTENSIONS: [&str; 3] = ["chrome-extension://", "moz-extension://", "safari-web-extension://"];
/// The host of Tauri's pages on Windows and Android, over http and https.
const TAURI_HOST: &str = "tauri.localhost";
/// How many characters of a label must be fixed directly below a public suffix.
const MIN_FIXED_CHARACTERS: usize = 4;
/// The longest label of a host name.
const MAX_LABEL_CHARACTERS: usize = 63;

/// An origin of web pages or of an app that may use the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Scheme, host and port of a web page, as browsers send them.
    Page(String),
    /// The same with a `*` in the first label, between `before` and `behind`.
    Pages { before: String, behind: String, is_shared: bool },
    /// The origin of an app or an extension.
    App(String),
    /// All extensions of a browser.
    Extensions(&'static str),
}

/// Why a text is not a valid origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// It is not a scheme and a host.
    #[error("an origin is a scheme and a host such as https://app.example.com, without a path; http only for loopback")]
    Form,
    /// It is `*`.
    #[error("would let every page in; list the pages, or write * for one label: https://*.example.com")]
    Everything,
    /// It is `null`.
    #[error(
        "is the origin of files and sandboxed frames, which anybody can make; serve the page from http://localhost, or \
         list the app's own origin such as capacitor://localhost"
    )]
    Null,
    /// It has a `*` where none is supported.
    #[error(
        "a * may stand once, for the first label of a host or a part of it: https://*.example.com, \
         https://*-myteam.vercel.app; list other origins one by one"
    )]
    Wildcard,
    /// It has a `*` for every name below a public suffix.
    #[error(
        "everybody can get a name there (it is a public suffix); fix a part of the label that only yours have, such as \
         https://*-myteam.vercel.app, or use a domain of your own"
    )]
    PublicSuffix,
    /// Its scheme is not used by any known browser or app.
    #[error(
        "its scheme is not one of web pages, apps or extensions; known are https://, http:// for loopback, \
         <app's scheme>://localhost (capacitor, ionic, tauri), chrome-extension://<id>, moz-extension://<id or *> and \
         safari-web-extension://<id or *>"
    )]
    Scheme,
}

impl AllowedOrigin {
    /// Parses an origin.
    ///
    /// # Errors
    /// See [`InvalidOrigin`].
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        match text {
            "*" | "http://*" | "https://*" => return Err(InvalidOrigin::Everything),
            "null" => return Err(InvalidOrigin::Null),
            _ => {}
        }
        let text = text.strip_suffix('/').filter(|rest| !rest.ends_with('/')).unwrap_or(text);
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return app(text);
        }
        if text.contains('*') {
            return pages(text);
        }
        let (url, origin) = web_origin(text)?;
        let is_app = url.host_str() == Some(TAURI_HOST);
        Ok(Self(if is_app { Kind::App(origin) } else { Kind::Page(origin) }))
    }

    /// Whether pages of this origin, in the form browsers send it, may call the service.
    #[must_use]
    pub fn may_call(&self, origin: &str) -> bool {
        match &self.0 {
            Kind::App(app) => app == origin,
            Kind::Extensions(scheme) => origin.strip_prefix(scheme).is_some_and(is_id),
            Kind::Page(_) | Kind::Pages { .. } => self.may_receive(origin),
        }
    }

    /// Whether customers may be redirected to pages of this origin.
    #[must_use]
    pub fn may_receive(&self, origin: &str) -> bool {
        match &self.0 {
            Kind::Page(page) => page == origin,
            Kind::Pages { before, behind, .. } => {
                let label = origin.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(behind.as_str()));
                label.is_some_and(|label| is_id(label) && label.len() <= MAX_LABEL_CHARACTERS)
            }
            Kind::App(_) | Kind::Extensions(_) => false,
        }
    }

    /// Whether this is an app's origin: allowed to call, but customers are not redirected there.
    #[must_use]
    pub fn is_app(&self, origin: &str) -> bool {
        matches!(&self.0, Kind::App(app) if app == origin)
    }

    /// Whether it has a `*` below a public suffix, where others can also register a name that matches.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(&self.0, Kind::Pages { is_shared: true, .. })
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Page(origin) | Kind::App(origin) => formatter.write_str(origin),
            Kind::Pages { before, behind, .. } => write!(formatter, "{before}*{behind}"),
            Kind::Extensions(scheme) => write!(formatter, "{scheme}*"),
        }
    }
}

/// Whether a text is a part of a label or an extension's id. It has no dot, so it never spans labels.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Parses a URL that consists of its origin only.
fn web_origin(text: &str) -> Result<(Url, String), InvalidOrigin> {
    let url = Url::parse(text).map_err(|_| InvalidOrigin::Form)?;
    let origin = url.origin().ascii_serialization();
    if is_https_or_loopback(&url) && text == origin { Ok((url, origin)) } else { Err(InvalidOrigin::Form) }
}

fn pages(text: &str) -> Result<AllowedOrigin, InvalidOrigin> {
    let (before, behind) = text.split_once('*').ok_or(InvalidOrigin::Wildcard)?;
    let fixed = before.split_once("://").map_or("", |(_, label)| label);
    let (rest_of_label, base) = behind.split_once('.').ok_or(InvalidOrigin::Wildcard)?;
    if behind.contains('*') || fixed.contains('.') {
        return Err(InvalidOrigin::Wildcard);
    }
    // With a letter in place of the `*` it must be a valid origin.
    let (url, _) = web_origin(&format!("{before}x{behind}"))?;
    if url.host_str().is_some_and(|host| host.ends_with(TAURI_HOST)) {
        return Err(InvalidOrigin::Wildcard);
    }
    let base = base.split(':').next().unwrap_or_default();
    let is_shared = url.scheme() == "https" && psl::domain_str(base).is_none();
    if is_shared && fixed.len().saturating_add(rest_of_label.len()) < MIN_FIXED_CHARACTERS {
        return Err(InvalidOrigin::PublicSuffix);
    }
    Ok(AllowedOrigin(Kind::Pages { before: before.to_owned(), behind: behind.to_owned(), is_shared }))
}

fn app(text: &str) -> Result<AllowedOrigin, InvalidOrigin> {
    if let Some((scheme, id)) = EXTENSIONS.iter().find_map(|scheme| Some((*scheme, text.strip_prefix(scheme)?))) {
        return match id {
            // Extensions from Chrome's store have fixed ids, so a `*` is unnecessary.
            "*" if scheme != "chrome-extension://" => Ok(AllowedOrigin(Kind::Extensions(scheme))),
            id if is_id(id) => Ok(AllowedOrigin(Kind::App(text.to_owned()))),
            _ => Err(InvalidOrigin::Wildcard),
        };
    }
    let Some((scheme, host)) = text.split_once("://") else { return Err(InvalidOrigin::Form) };
    let is_scheme = scheme.starts_with(|character: char| character.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte));
    let is_of_the_web = ["ftp", "file", "ws", "wss", "data", "javascript", "blob", "about"].contains(&scheme);
    if is_scheme && !is_of_the_web && host == "localhost" {
        return Ok(AllowedOrigin(Kind::App(text.to_owned())));
    }
    Err(InvalidOrigin::Scheme)
}

/// Whether a URL is https, or http to this machine.
pub(super) fn is_https_or_loopback(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(domain))) => domain == "localhost" || domain.ends_with(".localhost"),
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
