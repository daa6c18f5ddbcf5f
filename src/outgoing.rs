//! Outgoing HTTP requests: one TLS stack and one root store for every client of this process.
//!
//! Trusted are the certificate authorities that are built in and those of the system, so that a host without any still
//! reaches Stripe, and a network whose proxy or issuer has an authority of its own needs no special build. What
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name takes the place of the system's. All answers are read with a bound on their size.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

/// What may name other authorities than the system's.
const CERTIFICATE_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
/// A folder may hold hundreds of files that are not certificates.
const ERRORS_SHOWN: usize = 3;

/// A client to be completed. It follows no redirect and repeats nothing that may have been sent. It uses the proxies of the environment
/// unless told otherwise.
pub fn client() -> ClientBuilder {
    // rustls uses the process's default provider. An error means that one is installed already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default().is_err();
    let tls = ClientConfig::builder().with_root_certificates(root_store()).with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).redirect(Policy::none()).retry(reqwest::retry::never())
}

/// The same for one address. This machine's own are called without the environment's proxy.
pub fn client_to(url: &Url) -> ClientBuilder {
    if is_this_machine(url) { client().no_proxy() } else { client() }
}

/// Read once, because parsing the system's authorities means parsing a few hundred files.
fn root_store() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS.get_or_init(|| Arc::new(load_roots())).clone()
}

fn load_roots() -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let system = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(system.certs);
    let named: Vec<String> = CERTIFICATE_VARIABLES
        .iter()
        .filter_map(|name| Some(format!("{name}={}", std::env::var_os(name)?.display())))
        .collect();
    let errors: Vec<String> = system.errors.iter().take(ERRORS_SHOWN).map(ToString::to_string).collect();
    if !named.is_empty() && (added == 0 || !errors.is_empty()) {
        let (named, errors) = (named.join(" "), errors.join("; "));
        tracing::warn!(named, errors, added, "certificate authorities that the environment names cannot be read");
    } else {
        let errors = errors.join("; ");
        tracing::debug!(
            added,
            ignored,
            errors,
            "the system's certificate authorities are trusted beside the built-in ones"
        );
    }
    roots
}

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the time was over.
    #[error("the answer's body broke off")]
    Broken(#[source] reqwest::Error),
    /// It is longer than it may be. The rest was not read.
    #[error("the answer's body is too large")]
    TooLarge,
}

/// Reads the body of an answer that may have at most this many bytes.
///
/// # Errors
/// See [`BodyError`].
pub async fn bounded_body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len().saturating_add(chunk.len()) > max_bytes {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The most bytes of an answer that is only looked at.
const GLANCE_BYTES: usize = 64 * 1024;

/// An answer with any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The HTTP status.
    pub status: u16,
    /// Where it redirects to.
    pub location: Option<String>,
    /// The body; empty if it is longer than 64 KiB.
    pub body: Vec<u8>,
}

/// Why an address gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// The server's certificate is not valid.
    Certificate(String),
    /// The host's name has no address.
    Name,
    /// There was no answer in time.
    Late,
    /// No connection, or it broke.
    Connection(String),
}

/// Looks at an address once, without following redirects. An address of this machine is asked without the environment's
/// proxy.
///
/// # Errors
/// See [`Unreached`].
pub async fn glance_at(address: &str, timeout: Duration) -> Result<Glance, Unreached> {
    let failed = |error: reqwest::Error| unreached(&error.without_url());
    let url = Url::parse(address).map_err(|error| Unreached::Connection(error.to_string()))?;
    let client = client_to(&url).timeout(timeout).pool_max_idle_per_host(0).build().map_err(failed)?;
    let response = client.get(url).send().await.map_err(failed)?;
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    match bounded_body(response, GLANCE_BYTES).await {
        Ok(body) => Ok(Glance { status, location, body }),
        Err(BodyError::TooLarge) => Ok(Glance { status, location, body: Vec::new() }),
        Err(BodyError::Broken(error)) => Err(failed(error)),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The libraries in between hide their errors' types, but not their words.
fn unreached(error: &reqwest::Error) -> Unreached {
    let mut words = Vec::new();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    let last = words.last().cloned().unwrap_or_else(|| error.to_string());
    if let Some(reason) = words.iter().find_map(|word| word.split_once("invalid peer certificate: ")) {
        return Unreached::Certificate(reason.1.to_owned());
    }
    if words.iter().any(|word| word.contains("dns error") || word.contains("failed to lookup address")) {
        return Unreached::Name;
    }
    if error.is_timeout() { Unreached::Late } else { Unreached::Connection(last) }
}
