//! The names of all settings, and names that were probably meant to be one.
//!
//! A misspelt setting would be ignored silently, and customers would be charged by the default. Invariant: a name in
//! our style that is not a setting is refused with the nearest correct name. The environment also contains other
//! programs' names, so there are two rules: in a family of names that only Topup uses, every unknown name is refused;
//! elsewhere a name is refused only if it is nearly one of ours, and the correct one is not set. `IGNORED_SETTINGS`
//! exempts names from both.

use std::collections::HashMap;

use super::SettingError;
use crate::domain::currency::Currency;

/// Lists and explains every setting; anything else is not a setting.
const EXAMPLE: &str = include_str!("../../.env.example");

/// The setting that lists other programs' names.
pub(super) const IGNORED: &str = "IGNORED_SETTINGS";

/// The suffix of a setting that names a file with the value.
pub(super) const FILE_SUFFIX: &str = "_FILE";

/// Prefixes that only Topup uses.
const FAMILIES: [&str; 14] = [
    "FEE_",
    "CREDIT_",
    "CREDITS_",
    "MIN_CREDIT",
    "MAX_CREDIT",
    "CHECKOUT_",
    "RATE_LIMIT",
    "RECONCILE_",
    "PAYMENT_METHOD",
    "WEBHOOK_PAYLOAD",
    "PERSONAL_DATA",
    "PAST_DUE",
    "SUBSCRIPTIONS_",
    "JWT_",
];

/// Words after `JWT_` that concern issuing tokens, which Topup never does: settings of a login in the same environment.
const ISSUING: [&str; 14] = [
    "ACCESS",
    "BLACKLIST",
    "COOKIE",
    "EXP",
    "EXPIRATION",
    "EXPIRE",
    "EXPIRES",
    "EXPIRY",
    "LIFETIME",
    "PASSPHRASE",
    "PRIVATE",
    "REFRESH",
    "SESSION",
    "TTL",
];

/// Shorter names resemble too many others.
const MIN_SIMILAR_CHARACTERS: usize = 8;
/// How many characters may be wrong, missing, extra or swapped in a misspelt name.
const MAX_DIFFERENCES: usize = 2;
/// The least similarity for a name to be suggested.
const MIN_LIKENESS_PERCENT: usize = 45;
/// From this likeness on, the name is a slip of the pen.
const NEARLY_THE_SAME_PERCENT: usize = 70;

/// The names of all settings, without those for a currency and the variants ending in `_FILE`.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    let lines = EXAMPLE.lines().filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='));
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    lines.map(|(name, _)| name).filter(is_name).filter(|name| !is_by_currency(name))
}

/// Whether a name ends with the code of a currency, as some settings do.
fn is_by_currency(name: &str) -> bool {
    BY_CURRENCY.iter().filter_map(|beginning| name.strip_prefix(beginning)).any(is_currency)
}

/// Settings that end with the code of a currency in upper case.
const BY_CURRENCY: [&str; 4] = ["CREDIT_PRICE_", "FEE_FIXED_", "FEE_RATE_PERCENT_", "FEE_CARD_RATES_"];

/// Whether a name is a setting, or its variant with `_FILE`.
pub(super) fn is_known(name: &str) -> bool {
    let name = without_file(name);
    all().any(|known| known == name) || is_by_currency(name)
}

/// Whether this is the code of a currency in upper case, as names of settings have it.
pub(super) fn is_currency(code: &str) -> bool {
    code.bytes().all(|byte| byte.is_ascii_uppercase()) && Currency::parse(&code.to_ascii_lowercase()).is_ok()
}

fn without_file(name: &str) -> &str {
    name.strip_suffix(FILE_SUFFIX).unwrap_or(name)
}

/// The misspelt settings, each with the setting that was probably meant. `shown` describes where a name was found.
pub(super) fn unknown(values: &HashMap<String, String>, shown: &dyn Fn(&str) -> String) -> Vec<SettingError> {
    let ignored = match Ignored::read(values) {
        Ok(ignored) => ignored,
        Err(error) => return vec![error],
    };
    let mut names: Vec<&String> = values.keys().filter(|name| !is_known(name)).collect();
    names.sort();
    let foreign = |name: &str, value: &str| ignored.covers(name) || is_service_link(name, value);
    let meant = names.into_iter().filter(|name| values.get(*name).is_some_and(|value| !foreign(name, value)));
    meant
        .filter_map(|name| match judge(name, values) {
            Verdict::Foreign => None,
            Verdict::Meant(right) => {
                let message = format!(
                    "is not a setting{}; did you mean {right}? If it belongs to another program, name it in {IGNORED}",
                    shown(name)
                );
                Some(SettingError::new(name.clone(), message))
            }
            Verdict::Unknown => {
                let message = format!(
                    "is not a setting{} (.env.example has them all); remove it, or name it in {IGNORED} if it belongs \
                     to another program",
                    shown(name)
                );
                Some(SettingError::new(name.clone(), message))
            }
        })
        .collect()
}

enum Verdict {
    /// Another program's name.
    Foreign,
    /// Probably meant to be this setting.
    Meant(String),
    /// Meant to be one of our settings, but similar to none.
    Unknown,
}

fn judge(name: &str, values: &HashMap<String, String>) -> Verdict {
    let suffix = if name.ends_with(FILE_SUFFIX) { FILE_SUFFIX } else { "" };
    let plain = without_file(name).to_ascii_uppercase();
    let plain = plain.strip_prefix("TOPUP_").filter(|rest| all().any(|known| known == *rest)).unwrap_or(&plain);
    let meant = |right: &str| Verdict::Meant(format!("{right}{suffix}"));
    let is_set = |known: &str| values.contains_key(known) || values.contains_key(&format!("{known}{FILE_SUFFIX}"));
    // In lower case, or with a prefix.
    if let Some(known) = all().find(|known| *known == plain) {
        // A single word in lower case can mean anything.
        let is_foreign = is_set(known) || !known.contains('_');
        return if is_foreign { Verdict::Foreign } else { meant(known) };
    }
    let family = FAMILIES.iter().find(|family| plain.starts_with(**family));
    if family.is_some() {
        let issuing = plain.strip_prefix("JWT_").and_then(|rest| rest.split('_').next());
        if issuing.is_some_and(|word| ISSUING.contains(&word)) {
            return Verdict::Foreign;
        }
        return nearest(plain).map_or(Verdict::Unknown, meant);
    }
    let similar = all().find(|known| !is_set(known) && is_similar(plain, known));
    similar.map_or(Verdict::Foreign, meant)
}

/// Whether a name is a near match of a setting, extends it, or is its beginning.
fn is_similar(name: &str, known: &str) -> bool {
    let is_long = |name: &str| name.len() >= MIN_SIMILAR_CHARACTERS && name.contains('_');
    let extends = name.strip_prefix(known).is_some_and(|rest| rest.starts_with('_'));
    let is_near = || strsim::osa_distance(&singular(name), &singular(known)) <= MAX_DIFFERENCES;
    is_long(name) && is_long(known) && (extends || known.starts_with(name) || is_near())
}

/// The singular, so that `PROXIES` and `PROXY` are the same word.
fn singular(name: &str) -> String {
    name.strip_suffix("IES").map_or_else(|| name.trim_end_matches('S').to_owned(), |stem| format!("{stem}Y"))
}

fn nearest(name: &str) -> Option<&'static str> {
    // What others call a price is an amount here.
    let name = name.replace("PRICE", "AMOUNT");
    let likeness_percent = |known: &str| {
        let longest = name.len().max(known.len()).max(1);
        let same = longest.saturating_sub(strsim::osa_distance(&name, known));
        same.saturating_mul(100).checked_div(longest).unwrap_or_default()
    };
    let best = all().max_by_key(|known| likeness_percent(known))?;
    // A longer name that begins with one of ours means that one, unless another is nearly the same.
    let begins = |known: &&str| name.strip_prefix(*known).is_some_and(|rest| rest.starts_with('_'));
    let beginning = all().filter(begins).max_by_key(|known| known.len());
    if let Some(beginning) = beginning.filter(|_| likeness_percent(best) < NEARLY_THE_SAME_PERCENT) {
        return Some(beginning);
    }
    (likeness_percent(best) >= MIN_LIKENESS_PERCENT).then_some(best)
}

/// Whether a variable describes another service. Kubernetes and Docker set these in every container, named after the
/// services: a service called `fee` gives `FEE_SERVICE_HOST`, `FEE_PORT` and `FEE_PORT_80_TCP_ADDR`.
fn is_service_link(name: &str, value: &str) -> bool {
    let is_port = |rest: &str| rest.starts_with(|character: char| character.is_ascii_digit());
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.split_once("_PORT_").is_some_and(|(_, rest)| is_port(rest))
}

/// The names in `IGNORED_SETTINGS`.
struct Ignored<'v>(Vec<&'v str>);

impl<'v> Ignored<'v> {
    fn read(values: &'v HashMap<String, String>) -> Result<Self, SettingError> {
        let Some(text) = values.get(IGNORED) else { return Ok(Self(Vec::new())) };
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        let is_name = |name: &&str| {
            let name = name.strip_suffix('*').unwrap_or(name);
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if names.iter().all(is_name) {
            return Ok(Self(names));
        }
        let message = "must be names of other programs' settings, comma separated; one may end in * (JWT_MAIL_*)";
        Err(SettingError::new(IGNORED, message))
    }

    fn covers(&self, name: &str) -> bool {
        self.0.iter().any(|ignored| match ignored.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == *ignored,
        })
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
