//! Outgoing HTTP requests: one TLS stack and one root store for every client of this process.
//!
//! Trusts the built-in certificate authorities and the system's, so that a host without any still reaches Stripe, and a
//! network whose proxy or issuer has its own authority needs no special build. `SSL_CERT_FILE` and `SSL_CERT_DIR`
//! replace the system's.

use std::sync::{Arc, OnceLock};

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::{ClientConfig, RootCertStore};

/// A client builder. The client follows no redirects and never resends a request that may have been sent. It uses the
/// proxies from the environment unless told otherwise.
pub fn client() -> ClientBuilder {
    // rustls uses the process's default provider. An error means that one is installed already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default().is_err();
    let tls = ClientConfig::builder().with_root_certificates(root_store()).with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).redirect(Policy::none()).retry(reqwest::retry::never())
}

/// Read once, because parsing the system's authorities means parsing a few hundred files.
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
