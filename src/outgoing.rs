//! HTTP requests to others: one TLS stack and one root store for every client of this process.
//!
//! Trusted are the certificate authorities that are built in and those of the system, so that a host without any still
//! reaches Stripe, and a network whose proxy or issuer has an authority of its own needs no special build. What
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name takes the place of the system's.

use std::sync::{Arc, OnceLock};

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::{ClientConfig, RootCertStore};

/// A client to be completed. It follows no redirect and repeats nothing that may have been sent. It uses the proxies of the environment
/// unless told otherwise.
pub fn client() -> ClientBuilder {
    // TLS takes the process's default provider. An error means that there is one already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default().is_err();
    let tls = ClientConfig::builder().with_root_certificates(root_store()).with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).redirect(Policy::none()).retry(reqwest::retry::never())
}

/// Read once: the system's authorities are a few hundred files' worth of parsing.
fn root_store() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS.get_or_init(|| Arc::new(load_roots())).clone()
}

fn load_roots() -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!(%error, "a certificate authority of the system cannot be read");
    }
    let (added, ignored) = roots.add_parsable_certificates(system.certs);
    tracing::debug!(added, ignored, "the system's certificate authorities are trusted beside the built-in ones");
    roots
}
