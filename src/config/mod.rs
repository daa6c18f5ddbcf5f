//! Settings: turns the environment and `.env` into typed values, reports all mistakes at once, and never shows a
//! secret.
//!
//! Invariants: a [`Config`] is complete and safe to serve with. An empty setting is a mistake, never a default, because
//! an empty secret would switch off a check.

mod command;
pub mod console;
mod env_file;
mod fraud;
pub mod jwt;
mod log_filter;
mod names;
mod outgoing;
mod pricing;
pub mod recurring;
mod source;
mod subscriptions;
mod tax;
mod traces;
mod usable;
mod web;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use ipnet::IpNet;
use secrecy::SecretString;
use url::{Host, Url};

use crate::database_url::DatabaseUrl;
use crate::domain::outbox_settings::OutboxSettings;
use crate::domain::price_list::PriceList;
use crate::domain::redirect::AllowedOrigin;
use crate::domain::subscription_settings::SubscriptionSettings;
use crate::traces::settings::TraceSettings;
pub use command::CommandConfig;
use console::{ConsoleConfig, read_console};
use fraud::read_freeze;
pub use jwt::SettingError;
use jwt::{JwtSettings, RawJwt, is_placeholder};
pub use log_filter::parse_log_filter;
use pricing::read_pricing;
use recurring::{RecurringConfig, read_recurring};
use source::Reader;
pub use source::{InvalidEnvFile, Source};
pub use usable::UsableSettings;

/// The least characters after `whsec_`. Stripe's secrets have 32 or more.
const MIN_WEBHOOK_SECRET_CHARACTERS: usize = 16;

/// The settings of `serve`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address on which the service listens.
    pub bind_address: SocketAddr,
    /// The service's public URL, without a slash at the end.
    pub public_url: String,
    /// The database's address; it may hold a password.
    pub database_url: SecretString,
    /// How Stripe is called and believed.
    pub stripe: StripeSettings,
    /// How customers' tokens are verified; `None` if only API keys are used.
    pub jwt: Option<JwtSettings>,
    /// The web pages that may call the service and to which customers may be redirected.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Headers that these pages may send in addition to the ones that are always allowed, in lower case.
    pub allowed_headers: Vec<String>,
    /// The prices.
    pub pricing: PriceList,
    /// How long a checkout stays open.
    pub checkout_expires_minutes: i64,
    /// Stripe's names of the payment methods; if empty, the settings in Stripe's dashboard apply.
    pub payment_methods: Vec<String>,
    /// Whether a paid invoice is made of each purchase.
    pub makes_invoices: bool,
    /// Checkouts per account and minute.
    pub rate_limit_per_minute: NonZeroU32,
    /// How many open checkouts one account may have.
    pub max_open_checkouts: i64,
    /// The networks of proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Where Prometheus may ask; `None` for nowhere.
    pub metrics_address: Option<SocketAddr>,
    /// Where traces go; `None` for nowhere.
    pub traces: Option<TraceSettings>,
    /// The most client connections; `None` for as many as the limit of open files allows.
    pub max_connections: Option<NonZeroU32>,
    /// For how many days the payload of a failed delivery is kept; 0 means not at all.
    pub webhook_payload_days: i64,
    /// The interval between reconciliations in hours; 0 means never.
    pub reconcile_every_hours: i64,
    /// How many days each reconciliation covers.
    pub reconcile_since_days: i64,
    /// What the product is told, and how.
    pub outbox: OutboxSettings,
    /// Saved cards and what they are charged for.
    pub recurring: RecurringConfig,
    /// The operator's console.
    pub console: ConsoleConfig,
    /// How subscriptions are sold.
    pub subscriptions: SubscriptionSettings,
    /// Whether a new warning of fraud blocks the account's spending.
    pub freeze_on_fraud_warning: bool,
    /// What is logged.
    pub log: LogSettings,
    /// Hints that are logged at the start. They contain no values.
    pub warnings: Vec<String>,
}

/// How Stripe is called and its deliveries verified.
#[derive(Debug, Clone)]
pub struct StripeSettings {
    /// The API key.
    pub secret_key: SecretString,
    /// The endpoint's signing secrets, newest first; never empty in a [`Config`], always in a [`CommandConfig`].
    pub webhook_secrets: Vec<SecretString>,
    /// A sandbox's base address, with a slash at the end; none for Stripe itself.
    pub api_base: Option<String>,
    /// Whether real money moves. A key with an unknown prefix counts as live.
    pub livemode: bool,
}

/// What is logged, and in which format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A `tracing` filter.
    pub filter: String,
    /// Whether to write one JSON object per line instead of text for people.
    pub json: bool,
}

/// All mistakes in the settings.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not right:\n{}", .0.iter().map(|e| format!("  {}: {}", e.setting, e.message)).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors(pub Vec<SettingError>);

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// All mistakes at once, each with the setting's name and how to fix it.
    pub fn load(source: &Source) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(source);
        let bind_address = web::read_bind_address(&mut reader);
        let metrics_address = web::read_metrics_address(&mut reader);
        let public_url = reader.optional("PUBLIC_URL");
        let database_url = read_database_url(&mut reader);
        let webhook_secrets = read_webhook_secrets(&mut reader);
        let stripe = read_stripe(&mut reader, webhook_secrets);
        let jwt = read_jwt(&mut reader);
        let allowed_origins = web::read_origins(&mut reader);
        let allowed_headers = web::read_allowed_headers(&mut reader);
        let pricing = read_pricing(&mut reader);
        let checkout_expires_minutes =
            reader.in_range("CHECKOUT_EXPIRES_MINUTES", 60, 30..=1440, "minutes, from 30 to 1440 (Stripe's limits)");
        let payment_methods = read_payment_methods(&mut reader);
        let makes_invoices = reader.switch("INVOICES").unwrap_or_default();
        let rate_limit = reader.parse("RATE_LIMIT_PER_MINUTE", "30", "a whole number of 1 or more");
        let max_open = reader.in_range("MAX_OPEN_CHECKOUTS", 30, 1..=100_000, "a whole number from 1 to 100000");
        let trusted_proxies = web::read_networks(&mut reader, "TRUSTED_PROXIES");
        let max_connections = reader.is_set("MAX_CONNECTIONS").then(|| {
            reader.parse("MAX_CONNECTIONS", "", "a whole number of 1 or more; without it, what the open files allow")
        });
        let payload_days = read_payload_days(&mut reader);
        let reconcile_every = read_reconcile_every_hours(&mut reader);
        let reconcile_since = reader.in_range("RECONCILE_SINCE_DAYS", 30, 1..=90, "days, from 1 to 90");
        let outbox = outgoing::read_outbox(&mut reader);
        let recurring = read_recurring(&mut reader);
        let console = read_console(&mut reader);
        let subscriptions = subscriptions::read_subscriptions(&mut reader);
        let freeze = read_freeze(&mut reader);
        let log = read_log(&mut reader);
        let traces = traces::read_traces(&mut reader);
        let public_url = read_public_url(&mut reader, public_url, bind_address);
        // Each `None` has recorded an error, so an incomplete `Config` cannot be created.
        let books = payload_days.zip(reconcile_every).zip(reconcile_since).zip(console).zip(recurring.zip(freeze));
        let limits = rate_limit.zip(max_open).zip(subscriptions);
        match (bind_address, public_url, stripe, jwt, pricing, checkout_expires_minutes, limits, books, log) {
            (
                Some(bind_address),
                Some(public_url),
                Some(stripe),
                Some(jwt),
                Some(pricing),
                Some(checkout_expires_minutes),
                Some(((rate_limit_per_minute, max_open_checkouts), subscriptions)),
                Some((
                    (((webhook_payload_days, reconcile_every_hours), reconcile_since_days), console),
                    (recurring, freeze_on_fraud_warning),
                )),
                Some(log),
            ) if reader.errors.is_empty() => Ok(Self {
                bind_address,
                public_url,
                database_url,
                stripe,
                jwt,
                allowed_origins,
                allowed_headers,
                pricing,
                checkout_expires_minutes,
                payment_methods,
                makes_invoices,
                rate_limit_per_minute,
                max_open_checkouts,
                trusted_proxies,
                metrics_address,
                traces,
                max_connections: max_connections.flatten(),
                webhook_payload_days,
                reconcile_every_hours,
                reconcile_since_days,
                outbox,
                recurring,
                console,
                subscriptions,
                freeze_on_fraud_warning,
                log,
                warnings: reader.warnings,
            }),
            _ => Err(ConfigErrors(reader.errors)),
        }
    }

    /// Reads only the database URL, for commands that need nothing else.
    ///
    /// # Errors
    /// When it is empty or names no database that is known here.
    pub fn load_database_url(source: &Source) -> Result<SecretString, ConfigErrors> {
        let mut reader = Reader::new(source);
        let url = read_database_url(&mut reader);
        if reader.errors.is_empty() { Ok(url) } else { Err(ConfigErrors(reader.errors)) }
    }
}

fn read_database_url(reader: &mut Reader<'_>) -> SecretString {
    let url = reader.text("DATABASE_URL", "sqlite:topup.db");
    match DatabaseUrl::parse(&url) {
        Ok(url) => url.notes.iter().for_each(|note| reader.warn("DATABASE_URL", note)),
        Err(error) => reader.error("DATABASE_URL", &error.to_string()),
    }
    SecretString::from(url)
}

fn read_reconcile_every_hours(reader: &mut Reader<'_>) -> Option<i64> {
    reader.in_range("RECONCILE_EVERY_HOURS", 24, 0..=720, "hours, from 1 to 720; 0 for never")
}

fn read_public_url(reader: &mut Reader<'_>, text: Option<String>, bind: Option<SocketAddr>) -> Option<String> {
    let Some(text) = text else {
        // 0.0.0.0 is not an address that can be opened.
        let local = |address: SocketAddr| {
            if address.ip().is_unspecified() {
                SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
            } else {
                address
            }
        };
        return bind.map(|address| format!("http://{}", local(address)));
    };
    let valid = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    if !valid {
        reader.error("PUBLIC_URL", "must be an absolute URL such as https://credits.example.com");
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn read_payload_days(reader: &mut Reader<'_>) -> Option<i64> {
    reader.in_range("WEBHOOK_PAYLOAD_DAYS", 30, 0..=365, "days, from 0 (not kept at all) to 365")
}

fn read_stripe(reader: &mut Reader<'_>, webhook_secrets: Vec<SecretString>) -> Option<StripeSettings> {
    let key = reader.required(
        "STRIPE_SECRET_KEY",
        "the API key from Stripe's dashboard (sk_test_… to try, sk_live_… or a restricted rk_live_…)",
    );
    let key = key.filter(|key| {
        let wrong = unusable_key(key);
        wrong.inspect(|message| reader.error("STRIPE_SECRET_KEY", message)).is_none()
    });
    let api_base = reader.optional("STRIPE_API_BASE");
    let livemode = key.as_ref().is_none_or(|key| !key.starts_with("sk_test_") && !key.starts_with("rk_test_"));
    let api_base = api_base.map(|text| {
        if key.is_some() && livemode {
            reader.error("STRIPE_API_BASE", "is only for a sandbox and is refused with a live key; remove it");
        }
        if !is_https_or_loopback(&text) {
            reader.error("STRIPE_API_BASE", "must be https://… or a loopback address such as http://127.0.0.1:12111");
        }
        format!("{}/", text.trim_end_matches('/'))
    });
    Some(StripeSettings { secret_key: SecretString::from(key?), webhook_secrets, api_base, livemode })
}

/// Why a text cannot be Stripe's API key.
fn unusable_key(key: &str) -> Option<&'static str> {
    if key.starts_with("pk_") {
        Some("is a publishable key (pk_…); the service needs a secret or restricted one (sk_… or rk_…)")
    } else if key.starts_with("whsec_") {
        Some("is a webhook signing secret (whsec_…); it belongs into STRIPE_WEBHOOK_SECRET")
    } else if key.starts_with("sk_org_") {
        Some(
            "is an organization's key (sk_org_…), which acts for no account by itself; use a key of the one account \
             that sells the credits (sk_live_… or a restricted rk_live_…)",
        )
    } else if is_placeholder(key) {
        Some("is the placeholder of an example; take the key from Stripe's dashboard")
    } else if !key.chars().all(|character| character.is_ascii_graphic()) {
        Some("has characters that no key has; was it copied whole?")
    } else {
        None
    }
}

fn is_https_or_loopback(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(domain))) => domain == "localhost",
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

fn read_webhook_secrets(reader: &mut Reader<'_>) -> Vec<SecretString> {
    let hint = "the signing secret of the webhook endpoint (whsec_…), or several, comma separated, newest first";
    let Some(text) = reader.required("STRIPE_WEBHOOK_SECRET", hint) else { return Vec::new() };
    // Both separators are common; either is accepted between two secrets. A trailing comma is a mistake.
    let secrets: Vec<&str> = text.split(',').flat_map(|part| part.trim().split(char::is_whitespace)).collect();
    // With a published secret, anyone could sign events that are accepted.
    let is_secret = |secret: &&str| {
        secret.strip_prefix("whsec_").is_some_and(|rest| rest.len() >= MIN_WEBHOOK_SECRET_CHARACTERS)
            && !is_placeholder(secret)
    };
    if !secrets.iter().all(is_secret) {
        let message = "each secret must be a real one: whsec_ and at least 16 more characters, as Stripe shows it";
        reader.error("STRIPE_WEBHOOK_SECRET", message);
    }
    secrets.into_iter().map(SecretString::from).collect()
}

/// The outer `None` means a mistake; the inner one means that only API keys are used.
#[expect(clippy::option_option, reason = "a mistake and a deliberate absence are two things")]
fn read_jwt(reader: &mut Reader<'_>) -> Option<Option<JwtSettings>> {
    let raw = RawJwt {
        secret: reader.optional("JWT_SECRET"),
        public_key: reader.optional("JWT_PUBLIC_KEY"),
        jwks_url: reader.optional("JWT_JWKS_URL"),
        algorithms: reader.optional("JWT_ALGORITHMS"),
        issuer: reader.optional("JWT_ISSUER"),
        audience: reader.optional("JWT_AUDIENCE"),
        authorized_parties: reader.optional("JWT_AUTHORIZED_PARTIES"),
        account_claim: reader.optional("JWT_ACCOUNT_CLAIM"),
        admin_scope: reader.optional("JWT_ADMIN_SCOPE"),
        admin_claim: reader.optional("JWT_ADMIN_CLAIM"),
    };
    match raw.parse() {
        Ok(settings) => {
            if let Some(settings) = &settings {
                warn_of_any_token(reader, settings);
            }
            Some(settings)
        }
        Err(errors) => {
            reader.errors.extend(errors);
            None
        }
    }
}

/// Several programs often share a secret, and each may issue tokens for its own purposes.
fn warn_of_any_token(reader: &mut Reader<'_>, settings: &JwtSettings) {
    let is_shared = settings.keys.iter().any(|key| matches!(key, jwt::JwtKey::Secret(_)));
    let unchecked = match (settings.issuers.is_empty(), settings.audience.is_empty()) {
        _ if !is_shared || !settings.authorized_parties.is_empty() => return,
        (false, false) => return,
        (true, true) => "JWT_ISSUER and JWT_AUDIENCE",
        (true, false) => "JWT_ISSUER",
        (false, true) => "JWT_AUDIENCE",
    };
    let message = format!(
        "without {unchecked} any token signed with it is taken, whatever it was issued for; set what your tokens have as \
         iss and aud"
    );
    reader.warn("JWT_SECRET", &message);
}

fn read_payment_methods(reader: &mut Reader<'_>) -> Vec<String> {
    let text = reader.text("PAYMENT_METHODS", "card");
    if text == "dashboard" {
        return Vec::new();
    }
    let methods: Vec<String> = text.split(',').map(|method| method.trim().to_owned()).collect();
    let is_name = |method: &String| {
        !method.is_empty()
            && method.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if !methods.iter().all(is_name) {
        reader.error("PAYMENT_METHODS", "must be Stripe's names, comma separated, such as card,link, or dashboard");
    }
    methods
}

fn read_log(reader: &mut Reader<'_>) -> Option<LogSettings> {
    let filter = reader.text("LOG", "info");
    let filter = parse_log_filter(&filter).map_err(|message| reader.error("LOG", &message)).ok();
    match reader.text("LOG_FORMAT", "json").as_str() {
        "json" => Some(LogSettings { filter: filter?, json: true }),
        "pretty" => Some(LogSettings { filter: filter?, json: false }),
        _ => {
            reader.error("LOG_FORMAT", "must be json or pretty");
            None
        }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
