//! The settings themselves.

use crate::config::{Config, ConfigErrors, Source, UsableSettings};
use crate::doctor::finding::{About, Finding};

pub(super) const SETTINGS: About = ("settings", "Settings");
const HINT: About = ("settings.hint", "Settings");
const PAYLOADS: About = ("settings.payloads", "Payloads of failed deliveries");
const PROXIES: About = ("settings.proxies", "Reverse proxy");

pub(super) fn findings(source: &Source, settings: &UsableSettings) -> Vec<Finding> {
    let mut findings = match Config::load(source) {
        Ok(_) => vec![Finding::ok(SETTINGS, "all are valid")],
        Err(ConfigErrors(errors)) => {
            let way_out = "correct it in the environment or in .env; .env.example explains every setting";
            let failed = |error| Finding::failed(SETTINGS, format!("{error}"), way_out);
            errors.iter().map(failed).collect()
        }
    };
    let see = "docs/settings.md explains it";
    findings.extend(settings.warnings.iter().map(|warning| Finding::warning(HINT, warning, see)));
    if settings.webhook_payload_days == Some(0) {
        let way_out = "set WEBHOOK_PAYLOAD_DAYS to some days, unless the data may not be kept at all";
        let detail = "WEBHOOK_PAYLOAD_DAYS=0: a delivery that fails cannot be replayed here, only sent again by Stripe";
        findings.push(Finding::warning(PAYLOADS, detail, way_out));
    }
    let is_https = settings.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    if is_https && settings.trusted_proxies.as_ref().is_some_and(Vec::is_empty) {
        let detail = "PUBLIC_URL is https, so a proxy is in front, but TRUSTED_PROXIES is not set: all clients count \
            as one address";
        findings.push(Finding::warning(
            PROXIES,
            detail,
            "set TRUSTED_PROXIES to the proxy's network, such as 10.0.0.0/8",
        ));
    }
    findings
}
