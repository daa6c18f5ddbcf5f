//! The URLs to which a customer may be redirected after the checkout. Prevents open redirects, which help phishing.

use url::Url;

use super::origin::is_https_or_loopback;
pub use super::origin::{AllowedOrigin, InvalidOrigin};

/// Stripe accepts URLs of up to 5,000 characters; less than half of that is plenty.
pub const MAX_REDIRECT_URL_CHARACTERS: usize = 2_048;

/// Stripe replaces this text in a success URL with the checkout session's id.
pub const SESSION_ID_PLACEHOLDER: &str = "{CHECKOUT_SESSION_ID}";

/// A URL on an allowed origin, exactly as the caller wrote it; only an encoded placeholder is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUrl(String);

/// Why a redirect URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedirectUrl {
    /// It is too long, or has characters that browsers and servers interpret differently.
    #[error(
        "must be an absolute URL in its normal form, of at most 2048 characters, without white space, backslash, \
         control characters or a user name"
    )]
    Malformed,
    /// It is neither https nor http on loopback.
    #[error("must start with https:// (http:// only for loopback hosts)")]
    Insecure,
    /// It is an app's and not a web page: `capacitor://…`, `tauri://…`, or the host of Tauri's pages.
    #[error(
        "must be an https page, because Stripe sends customers to no other; to come back into an app use an https address \
         that opens it (Universal Links, App Links)"
    )]
    App,
    /// It is not on one of the allowed origins.
    #[error("must be on one of the allowed origins (ALLOWED_ORIGINS)")]
    ForeignOrigin,
}

impl RedirectUrl {
    /// Checks a URL.
    ///
    /// Apart from the placeholder, the text must be identical to the parsed URL, so that other software cannot read it
    /// differently from what was checked.
    ///
    /// # Errors
    /// See [`InvalidRedirectUrl`].
    pub fn parse(text: &str, allowed: &[AllowedOrigin]) -> Result<Self, InvalidRedirectUrl> {
        let suspicious = |character: char| character.is_control() || character.is_whitespace() || character == '\\';
        if text.chars().count() > MAX_REDIRECT_URL_CHARACTERS || text.chars().any(suspicious) {
            return Err(InvalidRedirectUrl::Malformed);
        }
        let text = decode_placeholder(text);
        let plain = text.replace(SESSION_ID_PLACEHOLDER, "CHECKOUT_SESSION_ID");
        let url = Url::parse(&plain).map_err(|_| InvalidRedirectUrl::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() || plain.contains('@') && authority_has_at(&plain) {
            return Err(InvalidRedirectUrl::Malformed);
        }
        let origin = url.origin().ascii_serialization();
        if !matches!(url.scheme(), "http" | "https") || allowed.iter().any(|app| app.is_app(&origin)) {
            return Err(InvalidRedirectUrl::App);
        }
        if !is_https_or_loopback(&url) {
            return Err(InvalidRedirectUrl::Insecure);
        }
        if !allowed.iter().any(|candidate| candidate.may_receive(&origin)) {
            return Err(InvalidRedirectUrl::ForeignOrigin);
        }
        // Parsing adds a slash to a bare origin; that one difference is harmless.
        let identical = url.as_str() == plain || url.as_str().strip_suffix('/') == Some(plain.as_str());
        if identical { Ok(Self(text)) } else { Err(InvalidRedirectUrl::Malformed) }
    }

    /// A URL that was checked when it was stored.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Decodes the placeholder's brackets: URL libraries encode them, and Stripe does not replace an encoded placeholder.
fn decode_placeholder(text: &str) -> String {
    let encoded = [
        "%7BCHECKOUT_SESSION_ID%7D",
        "%7bCHECKOUT_SESSION_ID%7d",
        "%7BCHECKOUT_SESSION_ID%7d",
        "%7bCHECKOUT_SESSION_ID%7D",
    ];
    encoded.iter().fold(text.to_owned(), |text, encoded| text.replace(encoded, SESSION_ID_PLACEHOLDER))
}

/// `https://@host` parses to an empty user name, so look for the `@` itself.
fn authority_has_at(text: &str) -> bool {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
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
    fn an_encoded_placeholder_is_decoded() {
        for encoded in ["%7BCHECKOUT_SESSION_ID%7D", "%7bCHECKOUT_SESSION_ID%7d", "%7BCHECKOUT_SESSION_ID%7d"] {
            let text = format!("https://app.example.com/done?a=%7B&id={encoded}#x");
            let url = RedirectUrl::parse(&text, &origins()).expect("a page");
            assert_eq!(url.as_str(), "https://app.example.com/done?a=%7B&id={CHECKOUT_SESSION_ID}#x");
        }
    }

    #[test]
    fn customers_are_sent_to_pages_that_a_star_stands_for_and_never_into_an_app() {
        let allowed = ["https://*.example.com", "capacitor://localhost", "http://tauri.localhost", "moz-extension://*"]
            .map(|text| AllowedOrigin::parse(text).expect("an origin"));
        assert!(RedirectUrl::parse("https://pr-7.example.com/done", &allowed).is_ok());
        for (text, error) in [
            ("https://a.b.example.com/", InvalidRedirectUrl::ForeignOrigin),
            ("https://example.com/", InvalidRedirectUrl::ForeignOrigin),
            ("capacitor://localhost/done", InvalidRedirectUrl::App),
            ("ionic://localhost/done", InvalidRedirectUrl::App),
            ("moz-extension://abc/done", InvalidRedirectUrl::App),
            ("http://tauri.localhost/done", InvalidRedirectUrl::App),
            ("myapp://done", InvalidRedirectUrl::App),
        ] {
            assert_eq!(RedirectUrl::parse(text, &allowed), Err(error), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_passes_is_on_an_allowed_origin(text in "(https?:)?[/\\\\]{0,3}[a-z@.:\\\\/ ?#{}A-Z0-9%-]{0,60}") {
            if let Ok(url) = RedirectUrl::parse(&text, &origins()) {
                let parsed = Url::parse(url.as_str()).expect("parses");
                let origin = parsed.origin().ascii_serialization();
                prop_assert!(origins().iter().any(|allowed| allowed.to_string() == origin));
            }
        }
    }
}
