//! The public address: whether this service answers there, behind a certificate that Stripe accepts.

use serde::Deserialize;
use url::Url;

use crate::config::UsableSettings;
use crate::doctor::Limits;
use crate::doctor::finding::{About, Finding};
use crate::inbox::WEBHOOK_PATH;
use crate::inbox::setup_endpoint::is_local;
use crate::outgoing::{Glance, Unreached, glance_at};

const PUBLIC_URL: About = ("public_url", "Public address");
const WEBHOOKS: About = ("public_url.webhooks", "Way of webhooks");

/// Answers of the service's own.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    status: serde_json::Value,
    #[serde(default)]
    code: Option<String>,
}

pub(super) async fn examine(settings: &UsableSettings, limits: Limits) -> Vec<Finding> {
    let Some(url) = &settings.public_url else { return Vec::new() };
    let mut findings = vec![match glance_at(&format!("{url}/health/ready"), limits.check).await {
        Ok(glance) => of_health(url, &glance, settings),
        Err(error) => unreached(url, &error),
    }];
    if findings.iter().any(|finding| finding.state == super::FindingState::Failed) {
        return findings;
    }
    let path = format!("{url}{WEBHOOK_PATH}");
    findings.push(match glance_at(&path, limits.check).await {
        // The path takes POST only, and the service says so in its own words.
        Ok(glance)
            if glance.status == 405 && body(&glance).is_some_and(|body| is_code(&body, "method_not_allowed")) =>
        {
            Finding::ok(WEBHOOKS, "the path for deliveries leads to this service")
        }
        Ok(glance) => Finding::failed(
            WEBHOOKS,
            format!("{path} does not lead to this service (status {})", glance.status),
            format!("let the proxy pass {WEBHOOK_PATH} on unchanged, without a login or a challenge in front"),
        ),
        Err(error) => unreached(&path, &error),
    });
    findings
}

fn body(glance: &Glance) -> Option<Body> {
    serde_json::from_slice(&glance.body).ok()
}

fn is_code(body: &Body, code: &str) -> bool {
    body.code.as_deref() == Some(code)
}

fn of_health(url: &str, glance: &Glance, settings: &UsableSettings) -> Finding {
    match (glance.status, body(glance)) {
        (200, Some(body)) if body.status == "ok" => of_address(url, settings),
        (503, Some(body)) if is_code(&body, "not_ready") => {
            Finding::failed(PUBLIC_URL, format!("the service at {url} is not ready"), "its log says why")
        }
        (300..=399, _) => {
            let to = glance.location.as_deref().unwrap_or("another address");
            let way_out = "set PUBLIC_URL to the address that answers itself; Stripe follows no redirects";
            Finding::failed(PUBLIC_URL, format!("{url} redirects to {to}"), way_out)
        }
        (502..=504, _) => {
            let detail = format!("something in front of {url} answers with {}", glance.status);
            Finding::failed(PUBLIC_URL, detail, "start `topup serve`, and let the proxy pass requests on to it")
        }
        (status, _) => {
            let detail = format!("what answers at {url} is not this service (status {status})");
            Finding::failed(
                PUBLIC_URL,
                detail,
                "correct PUBLIC_URL, or let the proxy pass requests on to `topup serve`",
            )
        }
    }
}

/// The address of a service that answers.
fn of_address(url: &str, settings: &UsableSettings) -> Finding {
    let (livemode, is_sandbox) =
        settings.stripe.as_ref().map_or((false, false), |stripe| (stripe.livemode, stripe.api_base.is_some()));
    let is_local = Url::parse(url).map_or(true, |url| is_local(&url));
    if livemode && !url.starts_with("https://") {
        let way_out = "put a proxy with a certificate in front, and set PUBLIC_URL to its https address";
        return Finding::failed(
            PUBLIC_URL,
            format!("{url} is not https, and live events are delivered to nothing else"),
            way_out,
        );
    }
    if is_local && !is_sandbox {
        let what = if settings.names_public_url { "PUBLIC_URL is" } else { "PUBLIC_URL is not set, so it is" };
        let detail = format!("{what} {url}, which Stripe cannot reach");
        let way_out = format!(
            "set PUBLIC_URL to the address that the internet reaches; to try, forward test events with `stripe listen \
             --forward-to {url}{WEBHOOK_PATH}`"
        );
        return Finding::warning(PUBLIC_URL, detail, way_out);
    }
    let certificate = if url.starts_with("https://") { ", its certificate is valid" } else { "" };
    Finding::ok(PUBLIC_URL, format!("this service answers at {url}{certificate}"))
}

fn unreached(url: &str, error: &Unreached) -> Finding {
    match error {
        Unreached::Certificate(reason) => Finding::failed(
            PUBLIC_URL,
            format!("the certificate of {url} is not valid: {reason}"),
            "install a certificate for this host from a public authority, with its whole chain, as Caddy or certbot do",
        ),
        Unreached::Name => Finding::failed(
            PUBLIC_URL,
            format!("the host of {url} has no address"),
            "correct PUBLIC_URL, or create the DNS record",
        ),
        Unreached::Late => Finding::failed(
            PUBLIC_URL,
            format!("{url} does not answer in time"),
            "look whether a firewall is in the way, and whether the proxy passes requests on to `topup serve`",
        ),
        Unreached::Connection(reason) => Finding::failed(
            PUBLIC_URL,
            format!("{url} cannot be reached: {reason}"),
            "start `topup serve`, or correct PUBLIC_URL; look at the proxy and the firewall",
        ),
    }
}
