//! The keys of the product's login.

use super::{doctor, world};
use crate::support::process::Settings;
use crate::support::{Backend, FixedServer};

/// A public key as logins publish it (RFC 7517, appendix A.1).
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":"1",
    "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

fn with_login(settings: &Settings, url: &str) -> Settings {
    let mut settings = settings.clone();
    settings.remove("JWT_SECRET");
    settings.insert("JWT_JWKS_URL", url.to_owned());
    settings.insert("JWT_ISSUER", "https://login.example.com/".to_owned());
    settings.insert("JWT_AUDIENCE", "credits".to_owned());
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_set_that_cannot_be_used_is_found() {
    let (world, settings) = world(Backend::Sqlite).await;
    assert!(doctor(&settings).await.all("login.keys").is_empty(), "a shared secret needs no key set");
    let login = FixedServer::start(200, KEYS);
    let settings = with_login(&settings, &login.url);
    doctor(&settings).await.says("login.keys", "ok", "one usable key", "");
    for (status, body, detail, way_out) in [
        (200, r#"{"keys":[]}"#, "no key that fits JWT_ALGORITHMS", "set JWT_ALGORITHMS"),
        (200, "<html>", "not a key set", "correct JWT_JWKS_URL"),
        (503, "", "status 503", "whether the login runs"),
    ] {
        login.answer(status, body);
        doctor(&settings).await.says("login.keys", "failed", detail, way_out);
    }
    login.answer(200, KEYS);
    let mut other = settings.clone();
    other.insert("JWT_ALGORITHMS", "RS256".to_owned());
    doctor(&other).await.says("login.keys", "failed", "no key that fits", "what the login signs with");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_not_there_is_found() {
    let (world, settings) = world(Backend::Sqlite).await;
    let settings = with_login(&settings, "http://127.0.0.1:9/jwks.json");
    doctor(&settings).await.says(
        "login.keys",
        "failed",
        "the request for the key set failed",
        "whether the login runs",
    );
    world.finish().await;
}
