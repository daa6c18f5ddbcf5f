//! Settings that are refused, and secrets that are never shown.

use secrecy::ExposeSecret;

use super::*;
use crate::domain::currency::Currency;
use crate::domain::expiry::ExpiryDays;
use crate::domain::fees::FeeMode;

const SECRETS: [(&str, &str); 4] = [
    ("STRIPE_SECRET_KEY", "sk_test_verysecretkey"),
    ("STRIPE_WEBHOOK_SECRET", "whsec_verysecretsigning,whsec_verysecretoldsigning"),
    ("JWT_SECRET", "verysecret-0123456789abcdefghijklmnop"),
    ("DATABASE_URL", "postgres://topup:verysecretpassword@localhost/topup"),
];

fn load(changes: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let base = SECRETS.into_iter().chain([("ALLOWED_ORIGINS", "https://app.example.com")]);
    Config::load(&base.chain(changes.iter().copied()).collect())
}

fn without(name: &str) -> Result<Config, ConfigErrors> {
    let base = SECRETS.into_iter().chain([("ALLOWED_ORIGINS", "https://app.example.com")]);
    Config::load(&base.filter(|(setting, _)| *setting != name).collect())
}

fn wrong_settings(result: Result<Config, ConfigErrors>) -> Vec<String> {
    result.expect_err("must be refused").0.into_iter().map(|error| error.setting.into_owned()).collect()
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let config = load(&[]).expect("valid");
    assert_eq!(config.bind_address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.pricing.main().currency(), Currency::USD);
    assert_eq!((config.pricing.main().smallest(), config.pricing.main().largest()), (18, 100_000));
    let unit = config.pricing.main().unit();
    assert_eq!((unit.credits(), unit.amount_minor(), config.pricing.decimals().get()), (1, 1, 0));
    assert_eq!(config.pricing.main().fees().rate.to_string(), "2.9");
    assert_eq!((config.pricing.main().fees().fixed_minor, config.pricing.main().fees().mode), (30, FeeMode::GrossUp));
    assert_eq!(config.checkout_expires_minutes, 60);
    assert_eq!(config.payment_methods, ["card"]);
    assert_eq!(config.rate_limit_per_minute.get(), 30);
    assert_eq!(config.webhook_payload_days, 30);
    assert!(config.log.json && config.log.filter == "info" && !config.stripe.livemode);
    assert_eq!(config.stripe.webhook_secrets.len(), 2);
}

#[test]
fn what_is_required_is_asked_for_by_name() {
    for setting in ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "ALLOWED_ORIGINS"] {
        assert_eq!(wrong_settings(without(setting)), [setting]);
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let wrong = wrong_settings(Config::load(
        &[("CURRENCY", "dollars"), ("FEE_RATE_PERCENT", "2,9"), ("LOG_FORMAT", "xml")].into_iter().collect(),
    ));
    for setting in
        ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "ALLOWED_ORIGINS", "CURRENCY", "FEE_RATE_PERCENT", "LOG_FORMAT"]
    {
        assert!(wrong.contains(&setting.to_owned()), "{setting} in {wrong:?}");
    }
}

#[test]
fn settings_that_would_be_wrong_or_unsafe_do_not_serve() {
    for (setting, value) in [
        ("STRIPE_WEBHOOK_SECRET", ""),
        ("STRIPE_WEBHOOK_SECRET", " "),
        ("STRIPE_WEBHOOK_SECRET", "whsec_"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789,"),
        ("STRIPE_WEBHOOK_SECRET", "sk_test_0123456789"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcde"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_replace_me_with_the_secret"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_verysecretsigning,whsec_change-me-change-me"),
        ("STRIPE_SECRET_KEY", "sk_test_replace_me"),
        ("STRIPE_SECRET_KEY", "sk_org_0123456789abcdef"),
        ("STRIPE_SECRET_KEY", "sk_org_live_0123456789abcdef"),
        ("STRIPE_SECRET_KEY", ""),
        ("STRIPE_SECRET_KEY", "pk_test_0123456789"),
        ("STRIPE_SECRET_KEY", "whsec_0123456789"),
        ("STRIPE_SECRET_KEY", "sk_test_0123 456"),
        ("STRIPE_API_BASE", "http://stripe.example.com"),
        ("STRIPE_API_BASE", "not a url"),
        ("JWT_SECRET", ""),
        ("JWT_SECRET", "short"),
        ("JWT_ALGORITHMS", "none"),
        ("JWT_ALGORITHMS", "RS256"),
        ("JWT_JWKS_URL", "https://id.example.com/keys"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", ""),
        ("ALLOWED_ORIGINS", "https://app.example.com,http://evil.example"),
        ("BIND_ADDRESS", "localhost"),
        ("PORT", "tcp://10.0.0.1:80"),
        ("PORT", "0"),
        ("PORT", ""),
        ("ALLOWED_ORIGINS", "https://*.vercel.app"),
        ("ALLOWED_ORIGINS", "https://*"),
        ("ALLOWED_HEADERS", "*"),
        ("ALLOWED_HEADERS", "x-a,,x-b"),
        ("ALLOWED_HEADERS", "x a"),
        ("DATABASE_URL", "mysql://localhost"),
        ("CREDIT_UNIT_AMOUNT", "0"),
        ("CREDIT_UNIT_AMOUNT", "1.5"),
        ("CREDIT_UNIT_CREDITS", "0"),
        ("CREDIT_UNIT_CREDITS", "-1"),
        ("CREDIT_UNIT_CREDITS", "1000001"),
        ("CREDIT_UNIT_CREDITS", "0.5"),
        ("CREDIT_DISPLAY_DECIMALS", "-1"),
        ("CREDIT_DISPLAY_DECIMALS", "7"),
        ("CREDIT_DISPLAY_DECIMALS", "two"),
        ("MIN_CREDITS", "0"),
        ("MAX_CREDITS", "97099970"),
        ("MAX_CREDITS", "3"),
        ("MAX_CREDITS", "9007199254740992"),
        ("FEE_MODE", "none"),
        ("FEE_RATE_PERCENT", "100"),
        ("FEE_RATE_PERCENT", "0.029"),
        ("FEE_FIXED", "-1"),
        ("FEE_LABEL", " "),
        ("CHECKOUT_EXPIRES_MINUTES", "29"),
        ("CHECKOUT_EXPIRES_MINUTES", "1441"),
        ("PAYMENT_METHODS", "card,"),
        ("INVOICES", "yes"),
        ("TAX", "yes"),
        ("TAX_BEHAVIOR", "inclusive"),
        ("RATE_LIMIT_PER_MINUTE", "0"),
        ("TRUSTED_PROXIES", "anywhere"),
        ("WEBHOOK_PAYLOAD_DAYS", "-1"),
        ("WEBHOOK_PAYLOAD_DAYS", "366"),
        ("WEBHOOK_PAYLOAD_DAYS", "a month"),
        ("LOG", "not=a=filter"),
        ("LOG", "verbose"),
        ("FEE_RATE_PERCENTAGE", "3.9"),
        ("LOG_FORMAT", "yaml"),
        ("PUBLIC_URL", "credits.example.com"),
    ] {
        let errors = load(&[(setting, value)]).err().unwrap_or_else(|| panic!("{setting}={value} was taken"));
        let about = if setting == "JWT_JWKS_URL" { "JWT_" } else { setting };
        assert!(errors.0.iter().any(|error| error.setting.starts_with(about)), "{setting}={value}: {errors}");
    }
}

#[test]
fn the_port_of_a_hosting_platform_is_honoured_unless_an_address_is_set() {
    let config = load(&[("PORT", "3000")]).expect("valid");
    assert_eq!(config.bind_address.to_string(), "0.0.0.0:3000");
    assert_eq!(config.public_url, "http://127.0.0.1:3000");
    let config = load(&[("PORT", "not read"), ("BIND_ADDRESS", "127.0.0.1:9000")]).expect("valid");
    assert_eq!(config.bind_address.to_string(), "127.0.0.1:9000");
}

#[test]
fn a_star_below_a_public_suffix_is_a_warning_or_refused() {
    let config = load(&[("ALLOWED_ORIGINS", "https://*-myteam.vercel.app,https://*.example.com")]).expect("valid");
    let shared = config.warnings.iter().filter(|warning| warning.starts_with("ALLOWED_ORIGINS"));
    let shared: Vec<&String> = shared.collect();
    assert!(shared.len() == 1 && shared[0].contains("*-myteam.vercel.app"), "{shared:?}");
    let text = load(&[("ALLOWED_ORIGINS", "https://*.vercel.app")]).expect_err("refused").to_string();
    assert!(text.contains("https://*-myteam.vercel.app"), "{text}");
}

#[test]
fn a_shared_secret_whose_tokens_may_be_for_anything_is_a_warning() {
    for (changes, warned) in [
        (&[][..], "JWT_ISSUER and JWT_AUDIENCE"),
        (&[("JWT_ISSUER", "a")], "without JWT_AUDIENCE"),
        (&[("JWT_AUDIENCE", "a")], "without JWT_ISSUER"),
        (&[("JWT_ISSUER", "a"), ("JWT_AUDIENCE", "a")], ""),
    ] {
        let warnings = load(changes).expect("valid").warnings;
        assert_eq!(warnings.len(), usize::from(!warned.is_empty()), "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains(warned)), "{warnings:?}");
    }
}

#[test]
fn a_rate_written_as_a_fraction_is_refused_with_the_percentage_that_was_meant() {
    for (rate, meant) in [("0.029", "2.9"), ("0.03", "3"), ("0.0290", "2.9"), ("0.0125", "1.25"), ("0.015", "1.5")] {
        let text = load(&[("FEE_RATE_PERCENT", rate)]).expect_err("refused").to_string();
        assert!(text.contains(&format!("write {meant} for {meant} percent")), "{text}");
    }
    for rate in ["0", "0.0", "0.00", "0.1", "0.25", "0.8", "1", "2.9", "10.05"] {
        assert!(load(&[("FEE_RATE_PERCENT", rate)]).is_ok(), "{rate}");
    }
}

#[test]
fn an_organizations_key_is_refused_with_what_to_use() {
    let text = load(&[("STRIPE_SECRET_KEY", "sk_org_verysecret0123")]).expect_err("refused").to_string();
    assert!(text.contains("sk_org_…") && text.contains("rk_live_…") && !text.contains("verysecret"), "{text}");
}

#[test]
fn webhook_secrets_are_listed_with_commas_spaces_or_both() {
    for between in [",", ", ", " ,", " ", "\n", "\t,\n"] {
        let text = format!("whsec_verysecretsigning{between}whsec_verysecretoldsigning");
        let config = load(&[("STRIPE_WEBHOOK_SECRET", &text)]);
        let secrets = config.unwrap_or_else(|error| panic!("{between:?}: {error}")).stripe.webhook_secrets;
        let secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["whsec_verysecretsigning", "whsec_verysecretoldsigning"], "{between:?}");
    }
}

#[test]
fn a_live_key_never_talks_to_a_sandbox() {
    // Known mistake 22.
    for key in ["sk_live_0123456789", "rk_live_0123456789", "something_new_0123456789"] {
        let changes = [("STRIPE_SECRET_KEY", key), ("STRIPE_API_BASE", "http://127.0.0.1:12111")];
        assert_eq!(wrong_settings(load(&changes)), ["STRIPE_API_BASE"], "{key}");
        assert!(load(&[("STRIPE_SECRET_KEY", key)]).expect("valid").stripe.livemode, "{key}");
    }
    let changes = [("STRIPE_SECRET_KEY", "rk_test_0123456789"), ("STRIPE_API_BASE", "http://127.0.0.1:12111")];
    assert_eq!(load(&changes).expect("valid").stripe.api_base.as_deref(), Some("http://127.0.0.1:12111/"));
}

#[test]
fn another_currency_needs_its_own_price_and_fixed_fee() {
    assert_eq!(wrong_settings(load(&[("CURRENCY", "jpy")])), ["CREDIT_UNIT_AMOUNT", "FEE_FIXED"]);
    let config = load(&[("CURRENCY", "jpy"), ("CREDIT_UNIT_AMOUNT", "2"), ("FEE_FIXED", "0")]).expect("valid");
    assert_eq!(config.pricing.main().quote(100).map(|quote| quote.total_amount_minor), Ok(206));
}

#[test]
fn a_millionth_of_a_dollar_is_a_credit_if_the_settings_say_so() {
    let unit = [("CREDIT_UNIT_AMOUNT", "1"), ("CREDIT_UNIT_CREDITS", "10000"), ("CREDIT_DISPLAY_DECIMALS", "6")];
    let with = |max_credits| load(&[&unit[..], &[("MAX_CREDITS", max_credits)]].concat());
    let config = with("1000000000").expect("valid");
    let quote = config.pricing.main().quote(2_500_000).expect("for sale");
    assert_eq!((quote.total_amount_minor, config.pricing.decimals().format(2_500_000)), (289, "2.50".to_owned()));
    // The defaults of MIN_CREDITS and MAX_CREDITS sell 10 cents at most, or nothing.
    assert_eq!(wrong_settings(load(&unit)), ["MAX_CREDITS"]);
    let text = with("9999").expect_err("no multiple").to_string();
    assert!(text.contains("10000 credits (by CREDIT_UNIT_CREDITS") && text.contains("MAX_CREDITS (9999)"), "{text}");
}

#[test]
fn a_secret_may_come_from_a_file_but_not_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, "sk_test_fromfile\n").expect("written");
    let path = path.to_str().expect("a path");
    let base = || {
        SECRETS.into_iter().chain([("ALLOWED_ORIGINS", "https://app.example.com"), ("STRIPE_SECRET_KEY_FILE", path)])
    };
    assert_eq!(wrong_settings(Config::load(&base().collect())), ["STRIPE_SECRET_KEY"]);
    let only_file = base().filter(|(name, _)| *name != "STRIPE_SECRET_KEY").collect();
    assert_eq!(Config::load(&only_file).expect("valid").stripe.secret_key.expose_secret(), "sk_test_fromfile");
    let missing =
        base().filter(|(name, _)| *name != "STRIPE_SECRET_KEY").chain([("STRIPE_SECRET_KEY_FILE", "/nowhere")]);
    assert_eq!(wrong_settings(Config::load(&missing.collect())), ["STRIPE_SECRET_KEY"]);
    // The secret itself, in the setting for its file's path.
    let mistaken = base()
        .filter(|(name, _)| *name != "STRIPE_SECRET_KEY")
        .chain([("STRIPE_SECRET_KEY_FILE", "sk_live_verysecret")]);
    let errors = Config::load(&mistaken.collect()).expect_err("refused");
    assert!(!format!("{errors} {errors:?}").contains("verysecret"), "{errors}");
}

#[test]
fn secrets_never_show() {
    let config = load(&[]).expect("valid");
    let source: Source = SECRETS.into_iter().collect();
    let broken = [
        ("STRIPE_SECRET_KEY", "verysecret key"),
        ("STRIPE_WEBHOOK_SECRET", "verysecret"),
        ("JWT_SECRET", "verysecret"),
        ("DATABASE_URL", "verysecret"),
    ];
    let errors = Config::load(&broken.into_iter().collect()).expect_err("refused");
    for text in [format!("{config:?}"), format!("{config:#?}"), format!("{source:?}"), format!("{errors} {errors:?}")] {
        assert!(!text.contains("verysecret"), "{text}");
    }
}

#[test]
fn every_setting_of_the_example_file_is_one_that_is_read() {
    let example = include_str!("../../.env.example");
    let sources = [
        include_str!("console.rs"),
        include_str!("fraud.rs"),
        include_str!("mod.rs"),
        include_str!("outgoing.rs"),
        include_str!("pricing.rs"),
        include_str!("recurring.rs"),
        include_str!("source.rs"),
        include_str!("names.rs"),
        include_str!("subscriptions.rs"),
        include_str!("tax.rs"),
        include_str!("traces.rs"),
        include_str!("web.rs"),
    ];
    let sources = sources.concat();
    let names: Vec<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(|character| character.is_ascii_uppercase() || character == '_'))
        .collect();
    assert!(names.len() >= 25, "{names:?}");
    for name in &names {
        // The example shows settings that end with a currency for the euro.
        let name = name.trim_end_matches("_FILE").trim_end_matches("EUR");
        assert!(sources.contains(&format!("\"{name}\"")), "{name} is not read");
    }
    for line in sources.lines().filter(|line| line.contains("reader.") && line.contains("(\"")) {
        let name = line.split("(\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        if name.len() > 2 && name.chars().all(|character| character.is_ascii_uppercase() || character == '_') {
            assert!(names.contains(&name), "{name} is missing in .env.example");
        }
    }
}

#[test]
fn bonuses_and_the_end_of_credits_are_read_and_mistakes_name_their_setting() {
    let load = |name, value| load(&[(name, value)]);
    let quote = load("BONUS_TIERS", "100:5%").expect("valid").pricing.main().quote(200).expect("for sale");
    assert_eq!((quote.bonus_credits, quote.expiry), (10, None));
    let days = load("CREDITS_EXPIRE_DAYS", "365").expect("valid").pricing.expiry();
    assert_eq!(days.map(ExpiryDays::get), Some(365));
    for (name, value) in [
        ("BONUS_TIERS", "100:5"),
        ("BONUS_TIERS", "200:5%,100:10%"),
        ("BONUS_TIERS", "100:101%"),
        ("BONUS_TIERS", ""),
        ("CREDITS_EXPIRE_DAYS", "0"),
        ("CREDITS_EXPIRE_DAYS", "3651"),
        ("CREDITS_EXPIRE_DAYS", "a year"),
        ("CREDITS_EXPIRE_DAYS", ""),
    ] {
        let errors = load(name, value).expect_err(value);
        assert!(errors.0.iter().any(|error| error.setting == name), "{name}={value}: {errors}");
    }
}

#[test]
fn each_currency_has_its_price_and_its_fee() {
    let prices =
        [("CREDIT_PRICE_EUR", "0.95"), ("FEE_FIXED_EUR", "25"), ("CREDIT_PRICE_JPY", "2"), ("FEE_FIXED_JPY", "0")];
    let list = load(&prices).expect("valid").pricing;
    assert_eq!(list.sold_in(), ["usd", "eur", "jpy"]);
    let eur = list.by_code(Some("eur")).expect("sold");
    assert_eq!((eur.unit().credits(), eur.unit().amount_minor(), eur.fees().fixed_minor), (20, 19, 25));
    assert_eq!(eur.fees().rate.to_string(), "2.9");
    let cheaper = [prices.as_slice(), &[("FEE_RATE_PERCENT_EUR", "1.5")]].concat();
    let list = load(&cheaper).expect("valid").pricing;
    assert_eq!(list.by_code(Some("eur")).expect("sold").fees().rate.to_string(), "1.5");
    // So may saved cards, by the country of the card; each currency has its own table.
    let cards = [prices.as_slice(), &[("FEE_CARD_RATES", "US:2.9%,other:4.4%"), ("FEE_CARD_RATES_EUR", "EEA:1.5%")]];
    let list = load(&cards.concat()).expect("valid").pricing;
    let rate = |code: &str, country| list.by_code(Some(code)).expect("sold").for_card(country).fees().rate.to_string();
    assert_eq!(
        (rate("usd", Some("DE")), rate("usd", Some("US")), rate("usd", None)),
        ("4.4".into(), "2.9".into(), "2.9".into())
    );
    assert_eq!((rate("eur", Some("DE")), rate("eur", Some("US"))), ("1.5".into(), "2.9".into()));
    // The main currency's price may have decimals as well; what a credit is does not follow from it.
    let main = load(&[("CREDIT_PRICE_USD", "0.5")]).expect("valid").pricing;
    assert_eq!((main.main().unit().credits(), main.unit_credits()), (2, 1));
}

#[test]
fn a_price_that_cannot_be_right_is_refused_by_its_setting() {
    for (settings, wrong) in [
        (&[("CREDIT_PRICE_EUR", "0.95")][..], "FEE_FIXED_EUR"),
        (&[("CREDIT_PRICE_EUR", "0,95"), ("FEE_FIXED_EUR", "25")], "CREDIT_PRICE_EUR"),
        (&[("CREDIT_PRICE_EUR", "0.0000001"), ("FEE_FIXED_EUR", "25")], "CREDIT_PRICE_EUR"),
        (&[("CREDIT_PRICE_ISK", "1.5"), ("FEE_FIXED_ISK", "0")], "CREDIT_PRICE_ISK"),
        (&[("CREDIT_PRICE_EUR", "1"), ("FEE_FIXED_EUR", "-1")], "FEE_FIXED_EUR"),
        (&[("CREDIT_PRICE_EUR", "1"), ("FEE_FIXED_EUR", "1"), ("FEE_RATE_PERCENT_EUR", "100")], "FEE_RATE_PERCENT_EUR"),
        (&[("CREDIT_PRICE_USD", "1"), ("CREDIT_UNIT_AMOUNT", "1")], "CREDIT_PRICE_USD"),
        (&[("FEE_FIXED_GBP", "20")], "FEE_FIXED_GBP"),
        (&[("FEE_RATE_PERCENT_USD", "2.9")], "FEE_RATE_PERCENT_USD"),
        (&[("FEE_CARD_RATES", "US:2.9")], "FEE_CARD_RATES"),
        (&[("FEE_CARD_RATES", "US:0.029%")], "FEE_CARD_RATES"),
        (&[("FEE_CARD_RATES", "US:99.9999%")], "FEE_CARD_RATES"),
        (&[("FEE_CARD_RATES_USD", "US:2.9%")], "FEE_CARD_RATES_USD"),
        (&[("FEE_CARD_RATES_EUR", "US:2.9%")], "FEE_CARD_RATES_EUR"),
        (&[("CREDIT_PRICE_XYZ", "1")], "CREDIT_PRICE_XYZ"),
        (&[("CREDIT_PRICE_eur", "1")], "CREDIT_PRICE_eur"),
    ] {
        assert_eq!(wrong_settings(load(settings)), [wrong], "{settings:?}");
    }
}
