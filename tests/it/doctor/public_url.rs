//! The public address: nothing, something else, a proxy without a service, a wrong certificate.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use super::{doctor, serve, settings, world};
use crate::support::process::Settings;
use crate::support::serve::World;
use crate::support::{Backend, FixedServer};

fn at(settings: &Settings, url: &str) -> Settings {
    let mut settings = settings.clone();
    settings.insert("PUBLIC_URL", url.to_owned());
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_does_not_run_or_has_another_address_is_found() {
    let (world, settings) = world(Backend::Sqlite).await;
    doctor(&settings).await.says("public_url", "failed", "cannot be reached", "start `topup serve`");
    let process = serve(&settings).await;
    let report = doctor(&settings).await;
    report.says("public_url", "ok", "this service answers at", "");
    report.ok("public_url.webhooks");
    doctor(&at(&settings, "http://topup.invalid")).await.says("public_url", "failed", "", "PUBLIC_URL");
    process.terminate();
    assert!(process.ended().await.0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_answers_in_place_of_the_service_is_told_apart() {
    let (world, settings) = world(Backend::Sqlite).await;
    let other = FixedServer::start(200, "hello");
    let settings = at(&settings, &other.url);
    let not_ready = r#"{"code":"not_ready","status":503}"#;
    for (status, body, detail, way_out) in [
        (200, "hello", "is not this service (status 200)", "correct PUBLIC_URL"),
        (404, "{}", "is not this service (status 404)", "`topup serve`"),
        (302, "", "redirects to another address", "set PUBLIC_URL to the address that answers itself"),
        (502, "", "answers with 502", "start `topup serve`"),
        (503, "", "answers with 503", "start `topup serve`"),
        (503, not_ready, "is not ready", "its log"),
    ] {
        other.answer(status, body);
        let report = doctor(&settings).await;
        report.says("public_url", "failed", detail, way_out);
        assert!(report.all("public_url.webhooks").is_empty(), "{status}");
    }
    other.answer(200, r#"{"status":"ok"}"#);
    let report = doctor(&settings).await;
    report.ok("public_url");
    report.says(
        "public_url.webhooks",
        "failed",
        "/webhooks/stripe does not lead to this service",
        "let the proxy pass",
    );
    world.finish().await;
}

/// Serves TLS with a certificate of no authority.
fn self_signed() -> String {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/auth/testdata");
    let certificate = CertificateDer::from_pem_file(data.join("rsa_a_certificate.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(data.join("rsa_a_private.pem")).expect("a key");
    rustls::crypto::ring::default_provider().install_default().ok();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).expect("they fit");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut tls = ServerConnection::new(config.clone()).expect("a connection");
            let mut tls = Stream::new(&mut tls, &mut stream);
            // The client goes away as soon as it has seen the certificate.
            if tls.read(&mut [0; 1_024]).is_ok() {
                tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}").ok();
            }
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_stripe_would_not_accept_is_found() {
    let world = World::new(Backend::Sqlite).await;
    let settings = at(&settings(&world), &self_signed());
    doctor(&settings).await.says(
        "public_url",
        "failed",
        "the certificate of https://localhost",
        "from a public authority",
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_this_machine_is_of_no_use_to_stripe_itself() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    let process = serve(&settings).await;
    settings.remove("STRIPE_API_BASE");
    settings.insert("HTTPS_PROXY", "http://127.0.0.1:9".to_owned());
    doctor(&settings).await.says("public_url", "warning", "which Stripe cannot reach", "stripe listen --forward-to");
    settings.insert("STRIPE_SECRET_KEY", "rk_live_0123456789abcdef".to_owned());
    doctor(&settings).await.says("public_url", "failed", "is not https", "a proxy with a certificate");
    settings.remove("PUBLIC_URL");
    settings.insert("STRIPE_SECRET_KEY", "rk_test_0123456789abcdef".to_owned());
    doctor(&settings).await.says("public_url", "warning", "PUBLIC_URL is not set", "set PUBLIC_URL");
    process.terminate();
    assert!(process.ended().await.0);
    world.finish().await;
}
