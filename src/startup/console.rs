//! The console's settings, from the service's.

use secrecy::ExposeSecret;

use crate::app::RecurringSettings;
use crate::config::Config;
use crate::config::jwt::JwtSettings;
use crate::config::recurring::RecurringConfig;
use crate::console::settings::ConsoleSettings;
use crate::domain::fees::AssumedTax;
use crate::domain::pricing::Pricing;

/// Where Stripe shows objects.
const LIVE_DASHBOARD: &str = "https://dashboard.stripe.com/";
const TEST_DASHBOARD: &str = "https://dashboard.stripe.com/test/";

/// What the console needs to know of the settings. No secret is among them.
pub(super) fn console_settings(config: &Config) -> ConsoleSettings {
    ConsoleSettings {
        support_max_credits: config.console.support_max_credits,
        in_force: in_force(config),
        dashboard: match (config.stripe.api_base.is_some(), config.stripe.livemode) {
            (true, _) => None,
            (false, true) => Some(LIVE_DASHBOARD),
            (false, false) => Some(TEST_DASHBOARD),
        },
    }
}

fn list<T: ToString>(items: &[T]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.iter().map(T::to_string).collect::<Vec<_>>().join(", ") }
}

/// What credits cost in a currency, as a whole amount for a number of credits.
fn price(pricing: &Pricing) -> String {
    let unit = pricing.unit();
    format!("{} for {} credits", unit.amount_minor(), unit.credits())
}

fn card_rates(pricing: &Pricing) -> String {
    let rates = pricing.card_rates().to_string();
    if rates.is_empty() { "none".to_owned() } else { rates }
}

fn on_or_off(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}

/// The settings of saved cards, for the use cases.
pub(super) const fn recurring_settings(config: RecurringConfig) -> RecurringSettings {
    RecurringSettings {
        saves_cards: config.saves_cards,
        auto_topup: config.auto_topup,
        auto_topups_per_hour: config.auto_topups_per_hour,
    }
}

/// Names and values, as `.env.example` has them.
fn in_force(config: &Config) -> Vec<(&'static str, String)> {
    let (prices, stripe) = (&config.pricing, &config.stripe);
    let pricing = prices.main();
    let fees = pricing.fees();
    let others = |of: fn(&Pricing) -> String| {
        let shown = |pricing: &Pricing| format!("{} {}", of(pricing), pricing.currency());
        list(&prices.all().skip(1).map(shown).collect::<Vec<_>>())
    };
    let set = |is_set: bool| if is_set { "set (not shown)" } else { "not set" }.to_owned();
    let is_sqlite = config.database_url.expose_secret().starts_with("sqlite:");
    let database = if is_sqlite { "SQLite" } else { "PostgreSQL" };
    let methods = &config.payment_methods;
    let of_tokens = |read: fn(&JwtSettings) -> Vec<String>| list(&config.jwt.as_ref().map(read).unwrap_or_default());
    let traces = config.traces.as_ref();
    let (taxed, tax_code) = (prices.tax(), prices.tax_code());
    let tax = |read: fn(AssumedTax) -> String| taxed.map_or_else(|| "no tax".to_owned(), read);
    let (bonuses, low_balance) = (pricing.bonuses().to_string(), config.outbox.low_balance_credits);
    vec![
        ("STRIPE_SECRET_KEY", format!("{} mode (not shown)", if stripe.livemode { "live" } else { "test" })),
        ("STRIPE_WEBHOOK_SECRET", format!("{} secrets (not shown)", stripe.webhook_secrets.len())),
        ("STRIPE_API_BASE", stripe.api_base.clone().unwrap_or_else(|| "Stripe".to_owned())),
        ("ALLOWED_ORIGINS", list(&config.allowed_origins)),
        ("ALLOWED_HEADERS", list(&config.allowed_headers)),
        ("JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL", set(config.jwt.is_some())),
        ("JWT_ALGORITHMS", of_tokens(|jwt| jwt.algorithms.iter().map(|name| format!("{name:?}")).collect())),
        ("JWT_ISSUER", of_tokens(|jwt| jwt.issuers.clone())),
        ("JWT_AUDIENCE", of_tokens(|jwt| jwt.audience.clone())),
        ("JWT_AUTHORIZED_PARTIES", of_tokens(|jwt| jwt.authorized_parties.clone())),
        ("JWT_ACCOUNT_CLAIM", of_tokens(|jwt| vec![jwt.account_claim.clone()])),
        ("JWT_ADMIN_SCOPE", of_tokens(|jwt| jwt.admin_scope.clone().into_iter().collect())),
        ("JWT_ADMIN_CLAIM", of_tokens(|jwt| vec![jwt.admin_claim.clone()])),
        ("BIND_ADDRESS", config.bind_address.to_string()),
        ("PUBLIC_URL", config.public_url.clone()),
        ("DATABASE_URL", format!("{database} (not shown)")),
        ("TRUSTED_PROXIES", list(&config.trusted_proxies)),
        ("MAX_CONNECTIONS", config.max_connections.map_or_else(|| "by open files".to_owned(), |most| most.to_string())),
        ("METRICS_ADDRESS", config.metrics_address.map_or_else(|| "none".to_owned(), |address| address.to_string())),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", traces.map_or_else(|| "none".to_owned(), |traces| traces.url.clone())),
        ("OTEL_EXPORTER_OTLP_HEADERS", set(traces.is_some_and(|traces| !traces.headers.is_empty()))),
        ("OTEL_SERVICE_NAME", traces.map_or_else(|| "topup".to_owned(), |traces| traces.service_name.clone())),
        ("OTEL_TRACES_SAMPLER", traces.map_or_else(|| "none".to_owned(), |traces| traces.sampling.name())),
        (
            "OTEL_TRACES_SAMPLER_ARG",
            traces.map_or_else(|| "none".to_owned(), |traces| traces.sampling.share.to_string()),
        ),
        ("RATE_LIMIT_PER_MINUTE", config.rate_limit_per_minute.to_string()),
        ("MAX_OPEN_CHECKOUTS", config.max_open_checkouts.to_string()),
        ("CURRENCY", pricing.currency().as_str().to_owned()),
        ("CREDIT_UNIT_CREDITS", prices.unit_credits().to_string()),
        ("CREDIT_UNIT_AMOUNT", price(pricing)),
        ("CREDIT_PRICE_EUR", others(price)),
        ("FEE_FIXED_EUR", others(|pricing| pricing.fees().fixed_minor.to_string())),
        ("FEE_RATE_PERCENT_EUR", others(|pricing| pricing.fees().rate.to_string())),
        ("FEE_CARD_RATES_EUR", others(card_rates)),
        ("CREDIT_DISPLAY_DECIMALS", pricing.decimals().get().to_string()),
        ("MIN_CREDITS", pricing.smallest().to_string()),
        ("MAX_CREDITS", pricing.largest().to_string()),
        ("FEE_MODE", fees.mode.as_str().to_owned()),
        ("FEE_RATE_PERCENT", fees.rate.to_string()),
        ("FEE_FIXED", fees.fixed_minor.to_string()),
        ("FEE_CARD_RATES", card_rates(pricing)),
        ("FEE_LABEL", fees.label.clone()),
        ("BONUS_TIERS", if bonuses.is_empty() { "none".to_owned() } else { bonuses }),
        ("CREDITS_EXPIRE_DAYS", pricing.expiry().map_or_else(|| "never".to_owned(), |days| days.get().to_string())),
        ("CHECKOUT_EXPIRES_MINUTES", config.checkout_expires_minutes.to_string()),
        ("PAYMENT_METHODS", if methods.is_empty() { "dashboard".to_owned() } else { methods.join(",") }),
        ("INVOICES", on_or_off(config.makes_invoices)),
        ("TAX", if taxed.is_some() { "automatic" } else { "off" }.to_owned()),
        ("TAX_BEHAVIOR", tax(|tax| tax.behavior.as_str().to_owned())),
        ("TAX_CODE_CREDITS", tax_code.map_or_else(|| "Stripe's default".to_owned(), |code| code.as_str().to_owned())),
        ("TAX_ASSUMED_RATE_PERCENT", tax(|tax| tax.rate.to_string())),
        ("TAX_IDS", on_or_off(prices.asks_tax_ids())),
        ("WEBHOOK_PAYLOAD_DAYS", config.webhook_payload_days.to_string()),
        ("RECONCILE_EVERY_HOURS", config.reconcile_every_hours.to_string()),
        ("RECONCILE_SINCE_DAYS", config.reconcile_since_days.to_string()),
        ("WEBHOOK_SIGNING_KEY", set(config.outbox.signing_key.is_some())),
        ("WEBHOOK_ALLOWED_NETWORKS", list(&config.outbox.allowed_networks)),
        ("LOW_BALANCE_CREDITS", low_balance.map_or_else(|| "never".to_owned(), |credits| credits.to_string())),
        ("SUBSCRIPTIONS_MAX", config.subscriptions.max_running.to_string()),
        ("PAST_DUE_GRACE_DAYS", config.subscriptions.grace_days.to_string()),
        ("SAVED_CARDS", on_or_off(config.recurring.saves_cards)),
        ("AUTO_TOPUP", on_or_off(config.recurring.auto_topup)),
        ("AUTO_TOPUPS_PER_HOUR", config.recurring.auto_topups_per_hour.to_string()),
        ("FREEZE_ON_FRAUD_WARNING", on_or_off(config.freeze_on_fraud_warning)),
        ("CONSOLE", "on".to_owned()),
        ("SUPPORT_MAX_CREDITS", config.console.support_max_credits.to_string()),
        ("PERSONAL_DATA_DAYS", config.console.personal_data_days.to_string()),
        ("LOG", config.log.filter.clone()),
        ("LOG_FORMAT", if config.log.json { "json" } else { "pretty" }.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::config::Source;

    use super::*;

    /// `PORT` is shown as a part of the address, and the other decides only which names are refused.
    const NOT_SHOWN: [&str; 2] = ["PORT", "IGNORED_SETTINGS"];

    #[test]
    fn every_setting_is_shown_and_no_secret() {
        let settings = [
            ("STRIPE_SECRET_KEY", "sk_test_verysecret"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_verysecretverysecret"),
            ("ALLOWED_ORIGINS", "https://app.example.com"),
            ("DATABASE_URL", "postgres://user:verysecret@host/topup"),
            ("JWT_SECRET", "verysecret-8f3a1c5e7b9d2046af13ce5790bd8642"),
            ("JWT_ISSUER", "https://login.example.com/"),
            ("WEBHOOK_SIGNING_KEY", "verysecret-1b4d7f9a2c5e8036bd24ef6801ca9753"),
        ];
        let config = Config::load(&settings.into_iter().collect::<Source>()).expect("settings");
        let shown = in_force(&config);
        let lines = include_str!("../../.env.example").lines();
        let names = lines.filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('=')).map(|(name, _)| name);
        let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let mut missing: Vec<&str> = names.filter(is_name).filter(|name| !NOT_SHOWN.contains(name)).collect();
        assert!(missing.len() > 30, "{missing:?}");
        missing.retain(|name| !shown.iter().any(|(all, _)| all.split(", ").any(|each| each == *name)));
        assert!(missing.is_empty(), "{missing:?}");
        assert!(!format!("{shown:?}").contains("verysecret"), "{shown:?}");
        assert!(shown.contains(&("JWT_ISSUER", "https://login.example.com/".to_owned())), "{shown:?}");
    }
}
