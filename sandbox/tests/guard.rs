//! The request guard: only this machine, and no other origin.

use reqwest::Method;

use crate::support::start;

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_host_is_refused_everywhere() {
    let world = start().await;
    for path in ["/", "/v1/events", "/_sandbox/requests", "/c/pay/x", "/nothing"] {
        let answer = world.send(Method::GET, path, &[], &[("host", "sandbox.example.com")]).await.unwrap();
        assert_eq!(answer.status, 403, "{path}");
    }
    let local = format!("localhost:{}", world.sandbox.address().port());
    let answer = world.send(Method::GET, "/v1/events", &[], &[("host", &local)]).await.unwrap();
    assert_eq!(answer.status, 200);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_cannot_post() {
    let world = start().await;
    let own = world.sandbox.url();
    for (origin, status) in [("https://evil.example", 403), ("null", 403), (own.as_str(), 200)] {
        let headers = [("origin", origin)];
        let answer = world.send(Method::POST, "/_sandbox/release", &[], &headers).await.unwrap();
        assert_eq!(answer.status, status, "{origin}");
    }
    world.sandbox.stop().await;
}
