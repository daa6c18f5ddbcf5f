//! The keys of the product's login.

use crate::config::UsableSettings;
use crate::doctor::finding::{About, Finding};
use crate::doctor::{KeySetProbe, Limits, in_time};

const KEYS: About = ("login.keys", "Login's key set");

pub(super) async fn examine(settings: &UsableSettings, probe: &dyn KeySetProbe, limits: Limits) -> Option<Finding> {
    let jwt = settings.jwt.as_ref()?;
    let late = || Some(Err("it did not answer in time".to_owned()));
    let way_out = "correct JWT_JWKS_URL, or look whether the login runs; until then customers' tokens are refused";
    Some(match in_time(limits, probe.usable_keys(jwt)).await.unwrap_or_else(late)? {
        Ok(0) => Finding::failed(
            KEYS,
            "it has no key that fits JWT_ALGORITHMS",
            "set JWT_ALGORITHMS to what the login signs with, or correct JWT_JWKS_URL",
        ),
        Ok(1) => Finding::ok(KEYS, "it has one usable key"),
        Ok(keys) => Finding::ok(KEYS, format!("it has {keys} usable keys")),
        Err(error) => Finding::failed(KEYS, error, way_out),
    })
}
