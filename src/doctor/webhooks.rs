//! The webhook endpoint at Stripe, and whether its deliveries are accepted.

use crate::config::UsableSettings;
use crate::db::Db;
use crate::doctor::ago::ago;
use crate::doctor::finding::{About, Finding};
use crate::doctor::last_event::LastEvent;
use crate::doctor::{Limits, in_time};
use crate::domain::ids::EventId;
use crate::inbox::refusals::Refusals;
use crate::inbox::setup_endpoint::{EndpointUrl, Reach};
use crate::ports::Clock;
use crate::providers::port::{DeliveryEndpoint, Provider, ProviderError, UndeliveredEvent, VersionFit};
use crate::providers::stripe::name::NAME;

const ENDPOINT: About = ("webhook.endpoint", "Webhook endpoint");
const STATUS: About = ("webhook.status", "Endpoint's status");
const EVENTS: About = ("webhook.events", "Endpoint's event types");
const VERSION: About = ("webhook.version", "Endpoint's API version");
const SECRET: About = ("webhook.secret", "Signing secret");
const UNDELIVERED: About = ("webhook.undelivered", "Undelivered events");

/// For how long Stripe retries.
const RETRIED_SECONDS: i64 = 3 * 24 * 3_600;
/// A younger event may still be on its way.
const ON_ITS_WAY_MS: i64 = 60_000;
/// How many undelivered events are compared with the books.
const MAX_COMPARED: usize = 20;

/// What is known of deliveries, from the books and from Stripe.
#[derive(Default)]
pub(super) struct Deliveries {
    /// The last event that was applied.
    pub(super) last: Option<LastEvent>,
    /// When it happened, in milliseconds since 1970, if Stripe says.
    pub(super) last_happened_ms: Option<i64>,
    refusals: Option<Refusals>,
    /// Events about top-ups of ours that Stripe could not deliver; `None` if that is not known.
    undelivered: Option<Vec<UndeliveredEvent>>,
    /// Whether the books could be read.
    pub(super) is_known: bool,
}

impl Deliveries {
    /// Reads the books, and asks Stripe about what it finds.
    pub(super) async fn find(db: Option<&Db>, stripe: Option<&Provider>, clock: &dyn Clock, limits: Limits) -> Self {
        let Some(db) = db else { return Self::default() };
        let read = async { (db.last_event().await, db.refusals(NAME).await) };
        let Some((Ok(last), Ok(refusals))) = in_time(limits, read).await else { return Self::default() };
        let mut found = Self { last, refusals, is_known: true, ..Self::default() };
        let Some(stripe) = stripe else { return found };
        let ask = async {
            let event = found.last.as_ref().and_then(|last| EventId::parse(NAME, last.provider_event_id.as_str()).ok());
            let happened_ms = match event {
                Some(event) => stripe.endpoints.event_time_ms(&event).await.ok(),
                None => None,
            };
            (happened_ms, undelivered(db, stripe, clock.now_ms()).await)
        };
        if let Some((happened_ms, undelivered)) = in_time(limits, ask).await {
            (found.last_happened_ms, found.undelivered) = (happened_ms, undelivered);
        }
        found
    }
}

/// The undelivered events about top-ups in these books that have no effect yet.
async fn undelivered(db: &Db, stripe: &Provider, now_ms: i64) -> Option<Vec<UndeliveredEvent>> {
    let since = now_ms.div_euclid(1_000).saturating_sub(RETRIED_SECONDS);
    let mut events = stripe.endpoints.undelivered_events(since).await.ok()?;
    events.retain(|event| now_ms.saturating_sub(event.created_ms) > ON_ITS_WAY_MS);
    events.truncate(MAX_COMPARED);
    let mut open = Vec::new();
    for event in events {
        let is_ours = db.topup(&event.topup).await.ok()?.is_some();
        if is_ours && !db.is_decided_event(NAME, event.event.as_str()).await.ok()? {
            open.push(event);
        }
    }
    Some(open)
}

pub(super) fn findings(
    settings: &UsableSettings,
    endpoints: Option<&Result<Vec<DeliveryEndpoint>, ProviderError>>,
    deliveries: &Deliveries,
    clock: &dyn Clock,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some((endpoints, (public_url, stripe))) =
        endpoints.zip(settings.public_url.as_ref().zip(settings.stripe.as_ref()))
    {
        let reach = Reach { livemode: stripe.livemode, is_sandbox: stripe.api_base.is_some() };
        findings.extend(match (EndpointUrl::parse(public_url, reach), endpoints) {
            (Err(error), _) => {
                let way_out = "`topup webhooks setup` creates the endpoint once PUBLIC_URL can be reached";
                vec![if stripe.livemode {
                    Finding::failed(ENDPOINT, error.to_string(), way_out)
                } else {
                    Finding::warning(ENDPOINT, error.to_string(), way_out)
                }]
            }
            (Ok(url), Ok(endpoints)) => of_endpoints(&url, endpoints, deliveries),
            (Ok(url), Err(error)) => vec![unknown_endpoints(&url, error)],
        });
    }
    if deliveries.is_known && settings.webhook_secrets.is_some() {
        findings.push(secret(deliveries, clock.now_ms()));
    }
    findings.extend(deliveries.undelivered.as_ref().map(|events| of_undelivered(events, clock.now_ms())));
    findings
}

fn unknown_endpoints(url: &EndpointUrl, error: &ProviderError) -> Finding {
    if !error.is_missing_permission() {
        let detail = format!("the endpoints cannot be read: {error}");
        return Finding::warning(ENDPOINT, detail, "run `topup doctor` again");
    }
    let way_out = format!(
        "add the permission Webhook Endpoints: Read to the restricted key, or look in Stripe's dashboard whether \
         there is an endpoint at {} with the events that docs/operating.md lists",
        url.as_str()
    );
    Finding::warning(ENDPOINT, "the key may not list the webhook endpoints", way_out)
}

fn of_endpoints(url: &EndpointUrl, endpoints: &[DeliveryEndpoint], deliveries: &Deliveries) -> Vec<Finding> {
    let ours: Vec<&DeliveryEndpoint> = endpoints.iter().filter(|endpoint| url.is_of(endpoint)).collect();
    let enabled: Vec<&str> =
        ours.iter().filter(|endpoint| endpoint.is_enabled).map(|endpoint| endpoint.id.as_str()).collect();
    let Some(endpoint) = ours.iter().find(|endpoint| endpoint.is_enabled).or_else(|| ours.first()) else {
        return vec![no_endpoint(url, endpoints, deliveries)];
    };
    let at = url.as_str();
    let mut findings = vec![if enabled.len() > 1 {
        let detail = format!("{} endpoints deliver to {at}, each with a secret of its own", enabled.len());
        let way_out = format!("delete all but one of {} in Stripe's dashboard (Webhooks)", enabled.join(", "));
        Finding::warning(ENDPOINT, detail, way_out)
    } else {
        Finding::ok(ENDPOINT, format!("{} delivers to {at}", endpoint.id))
    }];
    findings.push(if endpoint.is_enabled {
        Finding::ok(STATUS, "enabled")
    } else {
        let detail = format!("{} is disabled: by someone, or by Stripe after days of failures", endpoint.id);
        Finding::failed(STATUS, detail, "`topup webhooks setup` enables it; then run `topup reconcile`")
    });
    findings.push(types(endpoint));
    findings.push(version(endpoint));
    findings
}

fn no_endpoint(url: &EndpointUrl, endpoints: &[DeliveryEndpoint], deliveries: &Deliveries) -> Finding {
    let at = url.as_str();
    let host = |text: &str| url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    let near = endpoints.iter().find(|endpoint| host(&endpoint.url) == host(at));
    let near = near.map(|near| format!(" ({} delivers to {}, another path)", near.id, near.url)).unwrap_or_default();
    let detail = format!("no webhook endpoint delivers to {at}{near}");
    let way_out = "run `topup webhooks setup`, which creates it";
    let arrives = deliveries.last.is_some() && deliveries.undelivered.as_ref().is_some_and(Vec::is_empty);
    if arrives {
        let detail = format!("{detail}, but events arrive: by a destination with thin payloads or another address?");
        return Finding::warning(ENDPOINT, detail, format!("if they shall come here directly, {way_out}"));
    }
    Finding::failed(ENDPOINT, detail, way_out)
}

fn types(endpoint: &DeliveryEndpoint) -> Finding {
    let way_out = "`topup webhooks setup` subscribes it to those that are handled, and to no more";
    if !endpoint.missing_types.is_empty() {
        let detail = format!("it is not subscribed to {}", endpoint.missing_types.join(", "));
        return Finding::failed(EVENTS, detail, way_out);
    }
    if endpoint.extra_types.iter().any(|extra| extra == "*") {
        let detail = "it is subscribed to all types of events, most of which are ignored here";
        return Finding::warning(EVENTS, detail, way_out);
    }
    if !endpoint.extra_types.is_empty() {
        let detail =
            format!("it is also subscribed to {}, which nothing here handles", endpoint.extra_types.join(", "));
        return Finding::warning(EVENTS, detail, way_out);
    }
    Finding::ok(EVENTS, "all that are handled, and no more")
}

fn version(endpoint: &DeliveryEndpoint) -> Finding {
    let version = endpoint.api_version.as_deref().unwrap_or("the account's default");
    match endpoint.version_fit {
        VersionFit::Tested => Finding::ok(VERSION, version),
        VersionFit::Older => Finding::warning(
            VERSION,
            format!("{version} is older than the versions that this program is tested with"),
            "delete the endpoint in Stripe's dashboard and run `topup webhooks setup`, whose endpoint has a tested version",
        ),
        VersionFit::Newer => Finding::warning(
            VERSION,
            format!("{version} is newer than the versions that this program is tested with"),
            "look whether there is a newer topup",
        ),
    }
}

/// An event is only applied if its signature holds, so the last one proves the secret until a later one is refused.
fn secret(deliveries: &Deliveries, now_ms: i64) -> Finding {
    let accepted_ms = deliveries.last.as_ref().map(|last| last.received_at);
    let refused = deliveries.refusals.filter(|refused| accepted_ms.is_none_or(|at_ms| refused.last_at > at_ms));
    match (refused, accepted_ms) {
        (None, Some(at_ms)) => Finding::ok(SECRET, format!("a delivery was signed with it {}", ago(at_ms, now_ms))),
        (None, None) => Finding::warning(
            SECRET,
            "no delivery has come yet, so it is not known whether it is the endpoint's",
            "buy credits once (in test mode with the card 4242 4242 4242 4242) and run `topup doctor` again",
        ),
        (Some(refused), _) => {
            let (count, last) = (refused.refusals, ago(refused.last_at, now_ms));
            let detail = format!("{count} deliveries were signed with another secret, the last one {last}");
            let way_out = "set STRIPE_WEBHOOK_SECRET to the signing secret of the endpoint, which Stripe's dashboard \
                shows (Webhooks, the endpoint, Signing secret); while you replace it, set both, comma separated";
            let is_stranger = accepted_ms.is_some() && deliveries.undelivered.as_ref().is_some_and(Vec::is_empty);
            if is_stranger {
                let detail = format!("{detail}; Stripe has delivered everything, so they were probably not Stripe's");
                return Finding::warning(SECRET, detail, "nothing, unless you have just replaced the secret");
            }
            Finding::failed(SECRET, detail, way_out)
        }
    }
}

fn of_undelivered(events: &[UndeliveredEvent], now_ms: i64) -> Finding {
    let Some(oldest) = events.iter().min_by_key(|event| event.created_ms) else {
        return Finding::ok(UNDELIVERED, "Stripe has delivered everything of the last three days");
    };
    let detail = format!(
        "{} events about purchases here have not arrived; the oldest, {} ({}), happened {}",
        events.len(),
        oldest.event,
        oldest.event_type,
        ago(oldest.created_ms, now_ms)
    );
    let way_out = "put right what is wrong with the endpoint, the secret or the address; `topup reconcile` brings \
        them in at once, and Stripe sends them again for three days";
    Finding::failed(UNDELIVERED, detail, way_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;
    use crate::doctor::FindingState;
    use crate::ports::Clock;

    struct Noon;

    impl Clock for Noon {
        fn now_ms(&self) -> i64 {
            1_800_000_000_000
        }
    }

    fn endpoint_of(key: &str, public_url: &str) -> Finding {
        let source: Source = [("STRIPE_SECRET_KEY", key), ("PUBLIC_URL", public_url)].into_iter().collect();
        let settings = UsableSettings::read(&source);
        let findings = findings(&settings, Some(&Ok(Vec::new())), &Deliveries::default(), &Noon);
        findings.into_iter().find(|finding| finding.id == ENDPOINT.0).expect("a finding")
    }

    /// Stripe itself cannot be asked in tests, and a sandbox reaches what this machine reaches.
    #[test]
    fn an_address_that_stripe_cannot_reach_needs_another_one() {
        let local = endpoint_of("rk_test_0123456789", "http://127.0.0.1:8080");
        assert_eq!(local.state, FindingState::Warning, "events can be forwarded");
        assert!(local.detail.contains("stripe listen --forward-to http://127.0.0.1:8080/webhooks/stripe"), "{local:?}");
        for url in ["https://10.0.0.1", "http://credits.example.com"] {
            let live = endpoint_of("rk_live_0123456789", url);
            assert_eq!(live.state, FindingState::Failed, "{url}");
            assert!(live.way_out.is_some_and(|way_out| way_out.contains("`topup webhooks setup`")), "{url}");
        }
        let missing = endpoint_of("rk_live_0123456789", "https://credits.example.com");
        assert!(missing.detail.contains("no webhook endpoint delivers to https://credits.example.com/webhooks/stripe"));
    }
}
