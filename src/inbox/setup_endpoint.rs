//! Creates the provider's endpoint for this service, or repairs it.
//!
//! Invariants: at most the endpoint with the wanted URL is changed; repeating it changes nothing. A creation whose
//! answer is lost is repeated with the same key, so that it neither makes two endpoints nor loses the secret.

use std::net::IpAddr;

use url::{Host, Url};

use crate::inbox::WEBHOOK_PATH;
use crate::ports::IdGenerator;
use crate::providers::port::{CreatedEndpoint, DeliveryEndpoint, Provider, ProviderError};

/// How often a creation is tried.
const MAX_TRIES: u32 = 3;

/// The URL at which the provider shall deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl(Url);

/// Where the provider is, which decides what it can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Whether real money moves.
    pub livemode: bool,
    /// Whether it is a sandbox of one's own, which reaches what this machine reaches.
    pub is_sandbox: bool,
}

/// Why the provider cannot deliver to a URL, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreachableUrl {
    /// The text is not a URL.
    #[error("{0:?} is not a URL such as https://credits.example.com")]
    Invalid(String),
    /// The URL has a user name, a query or a fragment.
    #[error("the URL must have no user name, query or fragment")]
    Decorated,
    /// Only this machine or its network can open it.
    #[error(
        "Stripe cannot reach {0}: only this machine or its own network can open it. Set PUBLIC_URL (or give --url) to \
         the address that the internet reaches, or forward test events with `stripe listen --forward-to {0}`"
    )]
    Local(String),
    /// Live events need TLS.
    #[error("live events are only delivered to https, and {0} is not; put a proxy with a certificate in front of it")]
    Insecure(String),
}

impl EndpointUrl {
    /// The endpoint's URL from the service's public URL, or from a URL with a path of its own.
    ///
    /// # Errors
    /// See [`UnreachableUrl`].
    pub fn parse(text: &str, reach: Reach) -> Result<Self, UnreachableUrl> {
        let mut url = Url::parse(text).map_err(|_| UnreachableUrl::Invalid(text.to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(UnreachableUrl::Invalid(text.to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().or(url.fragment()).is_some() {
            return Err(UnreachableUrl::Decorated);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let path = if path.ends_with(WEBHOOK_PATH) { path } else { format!("{path}{WEBHOOK_PATH}") };
        url.set_path(&path);
        if !reach.is_sandbox && is_local(&url) {
            return Err(UnreachableUrl::Local(url.into()));
        }
        if reach.livemode && url.scheme() != "https" {
            return Err(UnreachableUrl::Insecure(url.into()));
        }
        Ok(Self(url))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether an endpoint delivers here, however its URL is written.
    #[must_use]
    pub fn is_of(&self, endpoint: &DeliveryEndpoint) -> bool {
        Url::parse(&endpoint.url).is_ok_and(|url| url == self.0)
    }
}

/// Whether only this machine or its own network reaches a URL, as far as its host says.
#[must_use]
pub fn is_local(url: &Url) -> bool {
    match url.host() {
        None => true,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.') || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(address)) => is_local_address(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_local_address(address.to_canonical()),
    }
}

fn is_local_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            let is_private = address.is_unique_local() || address.is_unicast_link_local();
            address.is_loopback() || address.is_unspecified() || is_private
        }
    }
}

/// What has to be done, decided by what the provider has.
#[derive(Debug, Clone)]
pub struct EndpointPlan {
    /// The URL.
    pub url: EndpointUrl,
    /// The endpoint that is there.
    pub endpoint: Option<DeliveryEndpoint>,
    /// The ids of further endpoints with the same URL. They are not touched.
    pub duplicates: Vec<String>,
}

/// What was done.
#[derive(Debug, Clone)]
pub enum EndpointSetup {
    /// There was none.
    Created(CreatedEndpoint),
    /// It was changed: what it was like before, and what it is like now.
    Repaired {
        /// Before.
        before: DeliveryEndpoint,
        /// Now.
        endpoint: DeliveryEndpoint,
    },
    /// It was as it must be.
    Unchanged(DeliveryEndpoint),
}

/// Whether the endpoint has to be changed.
#[must_use]
pub const fn needs_repair(endpoint: &DeliveryEndpoint) -> bool {
    !endpoint.is_enabled || !endpoint.missing_types.is_empty() || !endpoint.extra_types.is_empty()
}

/// Looks what the provider has. Of several endpoints with the URL, an enabled one is chosen.
///
/// # Errors
/// When the provider cannot be asked, or the API key may not list endpoints.
pub async fn plan_endpoint(provider: &Provider, url: EndpointUrl) -> Result<EndpointPlan, ProviderError> {
    let mut found = provider.endpoints.list_endpoints().await?;
    found.retain(|endpoint| url.is_of(endpoint));
    found.sort_by_key(|endpoint| !endpoint.is_enabled);
    let mut found = found.into_iter();
    let endpoint = found.next();
    Ok(EndpointPlan { url, endpoint, duplicates: found.map(|endpoint| endpoint.id).collect() })
}

/// Does what was planned.
///
/// # Errors
/// When the provider refuses, or does not answer.
pub async fn set_up_endpoint(
    provider: &Provider,
    ids: &dyn IdGenerator,
    plan: &EndpointPlan,
) -> Result<EndpointSetup, ProviderError> {
    let key = format!("endpoint-{:032x}", ids.id_bits());
    let endpoints = &provider.endpoints;
    match &plan.endpoint {
        Some(endpoint) if !needs_repair(endpoint) => Ok(EndpointSetup::Unchanged(endpoint.clone())),
        Some(before) => {
            let endpoint = endpoints.repair_endpoint(&before.id, &key).await?;
            Ok(EndpointSetup::Repaired { before: before.clone(), endpoint })
        }
        None => {
            let mut tries = 1;
            loop {
                match endpoints.create_endpoint(plan.url.as_str(), &key).await {
                    Err(error) if tries < MAX_TRIES && may_be_done(&error) => tries = tries.saturating_add(1),
                    created => return created.map(EndpointSetup::Created),
                }
            }
        }
    }
}

/// Whether the call may have created the endpoint, or another try may.
const fn may_be_done(error: &ProviderError) -> bool {
    matches!(error, ProviderError::TimedOut | ProviderError::Unreachable(_) | ProviderError::Failed(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: Reach = Reach { livemode: false, is_sandbox: false };
    const LIVE: Reach = Reach { livemode: true, is_sandbox: false };
    const SANDBOX: Reach = Reach { livemode: false, is_sandbox: true };

    #[test]
    fn the_path_is_added_unless_it_is_there() {
        for text in [
            "https://a.example.com",
            "https://a.example.com/",
            "https://A.example.com:443/webhooks/stripe",
            "https://a.example.com/webhooks/stripe/",
        ] {
            let url = EndpointUrl::parse(text, LIVE).unwrap();
            assert_eq!(url.as_str(), "https://a.example.com/webhooks/stripe", "{text}");
        }
        let below = EndpointUrl::parse("https://a.example.com/credits", LIVE).unwrap();
        assert_eq!(below.as_str(), "https://a.example.com/credits/webhooks/stripe");
    }

    #[test]
    fn what_stripe_cannot_reach_is_refused_except_from_a_sandbox() {
        for host in [
            "localhost:8080",
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.1.1",
            "0.0.0.0",
            "2130706433",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fd00::1]",
            "[fe80::1]",
            "topup",
            "topup.internal",
        ] {
            let text = format!("https://{host}");
            let refused = EndpointUrl::parse(&text, TEST).unwrap_err();
            assert!(matches!(&refused, UnreachableUrl::Local(_)), "{host}: {refused}");
            assert!(refused.to_string().contains("stripe listen --forward-to"), "{refused}");
            assert!(EndpointUrl::parse(&text, SANDBOX).is_ok(), "{host}");
        }
        for host in ["a.example.com", "203.0.113.7", "[2001:db8::1]"] {
            assert!(EndpointUrl::parse(&format!("https://{host}"), LIVE).is_ok(), "{host}");
        }
    }

    #[test]
    fn live_events_need_https() {
        let refused = EndpointUrl::parse("http://a.example.com", LIVE).unwrap_err();
        assert!(matches!(refused, UnreachableUrl::Insecure(_)));
        assert!(EndpointUrl::parse("http://a.example.com", TEST).is_ok());
    }

    #[test]
    fn a_text_that_is_no_plain_url_is_refused() {
        for text in ["", "credits.example.com", "ftp://a.example.com", "mailto:a@example.com"] {
            assert!(matches!(EndpointUrl::parse(text, TEST), Err(UnreachableUrl::Invalid(_))), "{text}");
        }
        for text in ["https://a:b@a.example.com", "https://a.example.com/?x=1", "https://a.example.com/#x"] {
            assert_eq!(EndpointUrl::parse(text, TEST), Err(UnreachableUrl::Decorated), "{text}");
        }
    }
}
