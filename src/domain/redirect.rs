//! Where a customer may be sent after the checkout. An open redirect is a phishing tool; this is what closes it.

use url::{Host, Url};

/// Stripe takes URLs of up to 5,000 characters; half of that is more than anybody needs.
pub const MAX_REDIRECT_URL_CHARACTERS: usize = 2_048;

/// Stripe replaces this text in a success URL by the session's id.
pub const SESSION_ID_PLACEHOLDER: &str = "{CHECKOUT_SESSION_ID}";

/// Scheme, host and port of a web page that may use the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(String);

/// Why a text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is a scheme and a host such as https://app.example.com, without a path; http only for loopback")]
pub struct InvalidOrigin;

impl AllowedOrigin {
    /// Reads an origin.
    ///
    /// # Errors
    /// When it has more than scheme, host and port, or is not https (http is allowed for loopback).
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        let origin = url.origin().ascii_serialization();
        if !is_https_or_loopback(&url) || text.trim_end_matches('/') != origin {
            return Err(InvalidOrigin);
        }
        Ok(Self(origin))
    }

    /// The origin as browsers send it in the `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A URL of an allowed origin, exactly as the caller wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUrl(String);

/// Why a customer is not sent to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedirectUrl {
    /// Too long, or with characters that browsers and servers read in different ways.
    #[error(
        "must be an absolute URL in its normal form, of at most 2048 characters, without white space, backslash, \
         control characters or a user name"
    )]
    Malformed,
    /// Not https, and not http on loopback.
    #[error("must start with https:// (http:// only for loopback hosts)")]
    Insecure,
    /// Not one of the origins that the operator allowed.
    #[error("must be on one of the allowed origins (ALLOWED_ORIGINS)")]
    ForeignOrigin,
}

impl RedirectUrl {
    /// Checks a URL.
    ///
    /// Apart from the placeholder, the parsed URL and the text must be identical: what was checked is what is sent on,
    /// and nobody else can read it in another way.
    ///
    /// # Errors
    /// See [`InvalidRedirectUrl`].
    pub fn parse(text: &str, allowed: &[AllowedOrigin]) -> Result<Self, InvalidRedirectUrl> {
        let suspicious = |character: char| character.is_control() || character.is_whitespace() || character == '\\';
        if text.chars().count() > MAX_REDIRECT_URL_CHARACTERS || text.chars().any(suspicious) {
            return Err(InvalidRedirectUrl::Malformed);
        }
        let plain = text.replace(SESSION_ID_PLACEHOLDER, "CHECKOUT_SESSION_ID");
        let url = Url::parse(&plain).map_err(|_| InvalidRedirectUrl::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() || plain.contains('@') && authority_has_at(&plain) {
            return Err(InvalidRedirectUrl::Malformed);
        }
        if !is_https_or_loopback(&url) {
            return Err(InvalidRedirectUrl::Insecure);
        }
        let origin = url.origin().ascii_serialization();
        if !allowed.iter().any(|candidate| candidate.0 == origin) {
            return Err(InvalidRedirectUrl::ForeignOrigin);
        }
        // A bare origin gets a slash when it is parsed; that one difference means nothing.
        let identical = url.as_str() == plain || url.as_str().strip_suffix('/') == Some(plain.as_str());
        if identical { Ok(Self(text.to_owned())) } else { Err(InvalidRedirectUrl::Malformed) }
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `https://@host` parses to an empty user name; the sign is refused all the same.
fn authority_has_at(text: &str) -> bool {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

fn is_https_or_loopback(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(domain))) => domain == "localhost" || domain.ends_with(".localhost"),
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origins() -> Vec<AllowedOrigin> {
        ["https://app.example.com", "https://shop.example.com:8443", "http://localhost:3000", "http://127.0.0.1:8080"]
            .map(|text| AllowedOrigin::parse(text).expect("an origin"))
            .to_vec()
    }

    #[test]
    fn urls_of_allowed_origins_pass_unchanged() {
        for text in [
            "https://app.example.com/done?session={CHECKOUT_SESSION_ID}",
            "https://app.example.com/{CHECKOUT_SESSION_ID}/done#top",
            "https://app.example.com",
            "https://app.example.com/",
            "https://shop.example.com:8443/a%20b?x=1&y=2",
            "http://localhost:3000/back",
            "http://127.0.0.1:8080/?session_id={CHECKOUT_SESSION_ID}",
            "https://app.example.com/mail?to=a@b.example",
        ] {
            assert_eq!(RedirectUrl::parse(text, &origins()).map(|url| url.as_str().to_owned()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_success_url_is_no_open_redirect() {
        // Known mistake 17.
        for text in [
            "",
            "/relative",
            "//evil.example/",
            "https:/app.example.com",
            "https:app.example.com",
            "https://evil.example/",
            "https://app.example.com.evil.example/",
            "https://app.example.com@evil.example/",
            "https://app.example.com:pw@evil.example/",
            "https://evil.example\\@app.example.com/",
            "https://user@app.example.com/",
            "https://@app.example.com/",
            "https://app.example.com\\evil/",
            "https://app.example.com/ x",
            "https://app.example.com/\tx",
            "https://app.example.com/\u{0}",
            "https://APP.example.com/",
            "https://app.example.com:443/",
            "https://app.example.com/a/../b",
            "https://app.example.com/%2e%2e/b",
            "https://app.example.com/ü",
            "https://app.example.com:8443/",
            "http://app.example.com/",
            "http://localhost:3001/",
            "http://192.168.0.1:8080/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://{CHECKOUT_SESSION_ID}.example.com/",
            "https://app.example.com./",
        ] {
            assert!(RedirectUrl::parse(text, &origins()).is_err(), "{text:?}");
        }
        let long = format!("https://app.example.com/{}", "a".repeat(MAX_REDIRECT_URL_CHARACTERS));
        assert!(RedirectUrl::parse(&long, &origins()).is_err());
    }

    #[test]
    fn an_origin_is_scheme_and_host_only() {
        for text in [
            "https://app.example.com/path",
            "app.example.com",
            "http://app.example.com",
            "*",
            "null",
            "https://a.example?x",
            "https://*.example.com/x",
            "https://u@a.example",
        ] {
            assert_eq!(AllowedOrigin::parse(text), Err(InvalidOrigin), "{text}");
        }
        assert_eq!(
            AllowedOrigin::parse("https://app.example.com/").map(|o| o.0),
            Ok("https://app.example.com".to_owned())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_passes_is_on_an_allowed_origin(text in "(https?:)?[/\\\\]{0,3}[a-z@.:\\\\/ ?#{}A-Z0-9%-]{0,60}") {
            if let Ok(url) = RedirectUrl::parse(&text, &origins()) {
                let parsed = Url::parse(url.as_str()).expect("parses");
                let origin = parsed.origin().ascii_serialization();
                prop_assert!(origins().iter().any(|allowed| allowed.as_str() == origin));
            }
        }
    }
}
