//! Misspelt settings, and names of other programs in ordinary environments.

use super::*;

fn refused(environment: &[(&str, &str)]) -> Vec<String> {
    let values = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    unknown(&values, &|_| String::new()).into_iter().map(|error| error.to_string()).collect()
}

#[test]
fn a_misspelt_setting_is_refused_with_the_right_name() {
    // Known mistake 29.
    for (wrong, right) in [
        ("FEE_RATE_PERCENTAGE", "FEE_RATE_PERCENT"),
        ("FEE_PERCENT", "FEE_RATE_PERCENT"),
        ("FEE_FIX", "FEE_FIXED"),
        ("FEES_FIXED", "FEE_FIXED"),
        ("FEE_RATE_PERCENT_FILES", "FEE_RATE_PERCENT"),
        ("fee_rate_percent", "FEE_RATE_PERCENT"),
        ("Fee_Mode", "FEE_MODE"),
        ("TOPUP_FEE_RATE_PERCENT", "FEE_RATE_PERCENT"),
        ("CREDIT_UNIT_PRICE", "CREDIT_UNIT_AMOUNT"),
        ("CREDIT_UNIT_CREDIT", "CREDIT_UNIT_CREDITS"),
        ("CREDIT_DECIMALS", "CREDIT_DISPLAY_DECIMALS"),
        ("MAX_CREDIT", "MAX_CREDITS"),
        ("MIN_CREDITS_PER_PURCHASE", "MIN_CREDITS"),
        ("CHECKOUT_EXPIRE_MINUTES", "CHECKOUT_EXPIRES_MINUTES"),
        ("RECONCILE_EVERY", "RECONCILE_EVERY_HOURS"),
        ("RATE_LIMIT", "RATE_LIMIT_PER_MINUTE"),
        ("PAYMENT_METHOD", "PAYMENT_METHODS"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("STRIPE_SECRET", "STRIPE_SECRET_KEY"),
        ("STRIPE_SECRETKEY", "STRIPE_SECRET_KEY"),
        ("STRIPE_WEBHOOK_SECRETS", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_WEBHOOK_SECRETS_FILE", "STRIPE_WEBHOOK_SECRET_FILE"),
        ("STRIPE_WEBHOOK_SIGNING_SECRET", ""),
        ("DATABASE_URI", "DATABASE_URL"),
        ("DATABASE_URL_POOLED", "DATABASE_URL"),
        ("JWT_AUD", "JWT_AUDIENCE"),
        ("JWT_ISSUERS", "JWT_ISSUER"),
        ("JWT_JWKS_URI", "JWT_JWKS_URL"),
        ("JWT_JWK_URL", "JWT_JWKS_URL"),
        ("BIND_ADDR", "BIND_ADDRESS"),
        ("LOG_FROMAT", "LOG_FORMAT"),
        ("PUBLIC_URI", "PUBLIC_URL"),
    ] {
        let found = refused(&[(wrong, "3.9")]);
        if right.is_empty() {
            // A required setting under another name is reported as missing.
            assert_eq!(found, Vec::<String>::new(), "{wrong}");
            continue;
        }
        assert_eq!(found.len(), 1, "{wrong}");
        assert!(found[0].starts_with(wrong) && found[0].contains(&format!("did you mean {right}?")), "{found:?}");
        assert!(!found[0].contains("3.9"), "{found:?}");
    }
}

#[test]
fn a_name_that_is_like_none_of_ours_but_of_our_family_is_refused() {
    let found = refused(&[("FEE_TABLE_OF_COUNTRIES_AND_CARD_BRANDS", "x")]);
    assert!(found.len() == 1 && !found[0].contains("did you mean") && found[0].contains(".env.example"), "{found:?}");
}

#[test]
fn the_settings_themselves_are_known_also_from_files() {
    let names: Vec<&str> = all().collect();
    assert!(names.len() >= 30, "{names:?}");
    for name in names {
        assert_eq!(refused(&[(name, "x")]), Vec::<String>::new(), "{name}");
        assert_eq!(refused(&[(&format!("{name}_FILE"), "x")]), Vec::<String>::new(), "{name}_FILE");
    }
}

/// Names set by hosting platforms, database integrations, container platforms and neighbouring tools.
#[test]
fn ordinary_environments_are_left_alone() {
    let right =
        [("DATABASE_URL", "x"), ("STRIPE_SECRET_KEY", "x"), ("STRIPE_WEBHOOK_SECRET", "x"), ("JWT_SECRET", "x")];
    for names in [
        // Shells and CI.
        "PATH HOME USER LANG LC_ALL TERM SHELL PWD EDITOR LOGNAME HOSTNAME TZ TMPDIR CI LS_COLORS DEBUG VERBOSE",
        // Heroku, Render, Railway, Fly, Cloud Run, Vercel.
        "PORT DYNO DATABASE_CONNECTION_POOL_URL HEROKU_APP_NAME RENDER RENDER_EXTERNAL_URL RENDER_SERVICE_ID",
        "RAILWAY_PUBLIC_DOMAIN RAILWAY_PRIVATE_DOMAIN DATABASE_PRIVATE_URL DATABASE_PUBLIC_URL FLY_APP_NAME FLY_REGION",
        "K_SERVICE K_REVISION K_CONFIGURATION VERCEL VERCEL_URL VERCEL_ENV WEBSITE_SITE_NAME PRIMARY_REGION",
        // Databases.
        "POSTGRES_URL POSTGRES_PRISMA_URL POSTGRES_URL_NON_POOLING POSTGRES_USER POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE",
        "DATABASE_URL_UNPOOLED DATABASE_HOST DATABASE_USER DATABASE_NAME DATABASE_PASSWORD DATABASE_PORT DIRECT_URL",
        "PGHOST PGUSER PGPASSWORD PGDATABASE PGPORT PGSSLMODE SUPABASE_URL SUPABASE_JWT_SECRET SUPABASE_ANON_KEY",
        // Stripe's CLI, and Stripe settings of web apps.
        "STRIPE_API_KEY STRIPE_DEVICE_NAME STRIPE_CLI_TELEMETRY_OPTOUT STRIPE_PUBLISHABLE_KEY STRIPE_PRICE_ID STRIPE_ACCOUNT",
        "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY STRIPE_PUBLIC_KEY STRIPE_CUSTOMER_PORTAL_URL STRIPE_SECRET_KEY_TEST",
        // Logins in the same environment.
        "JWT_EXPIRES_IN JWT_EXPIRATION JWT_EXPIRY JWT_TTL JWT_REFRESH_SECRET JWT_REFRESH_EXPIRES_IN JWT_COOKIE_NAME",
        "JWT_ACCESS_TOKEN_EXPIRES JWT_PRIVATE_KEY JWT_PASSPHRASE NEXTAUTH_SECRET NEXTAUTH_URL AUTH_SECRET CLERK_SECRET_KEY",
        // Other tools' logs, addresses and origins.
        "LOG_LEVEL LOG_DIR LOG_FILE LOGLEVEL RUST_LOG RUST_BACKTRACE BIND BIND_HOST PUBLIC_DIR PUBLIC_KEY ALLOWED_HOSTS",
        "CURRENCY_API_KEY currency log port http_proxy https_proxy no_proxy WEBHOOK_URL WEBHOOK_SECRET CORS_ORIGIN",
        // An app that calls this service.
        "TOPUP_URL TOPUP_API_KEY TOPUP_WEBHOOK_SECRET TOPUP_IMAGE CREDIT FEE CHECKOUT",
    ] {
        for name in names.split_whitespace() {
            let environment: Vec<_> = right.into_iter().chain([(name, "x")]).collect();
            assert_eq!(refused(&environment), Vec::<String>::new(), "{name}");
        }
    }
    for (name, value) in [
        ("FEE_SERVICE_HOST", "10.0.0.1"),
        ("FEE_SERVICE_PORT", "80"),
        ("FEE_SERVICE_PORT_HTTP", "80"),
        ("FEE_PORT", "tcp://10.0.0.1:80"),
        ("FEE_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("CHECKOUT_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("TOPUP_PORT", "tcp://10.0.0.1:80"),
        ("TOPUP_SERVICE_HOST", "10.0.0.1"),
    ] {
        assert_eq!(refused(&[(name, value)]), Vec::<String>::new(), "{name}");
    }
    assert_eq!(refused(&[("FEE_PORT", "80")]).len(), 1);
}

#[test]
fn what_belongs_to_another_program_can_be_named() {
    let environment = [("FEE_SCHEDULE", "x"), ("JWT_MAIL_KEY", "x"), ("JWT_MAIL_TIME", "x")];
    assert_eq!(refused(&environment).len(), 3);
    let with = |ignored: &'static str| {
        let all: Vec<_> = environment.into_iter().chain([("IGNORED_SETTINGS", ignored)]).collect();
        refused(&all)
    };
    assert_eq!(with("FEE_SCHEDULE, JWT_MAIL_*"), Vec::<String>::new());
    assert_eq!(with("FEE_SCHEDULE").len(), 2);
    for wrong in ["", "*", "FEE_SCHEDULE,", "FEE_*_X", "a b"] {
        let found = with(wrong);
        assert!(found.len() == 1 && found[0].starts_with("IGNORED_SETTINGS: "), "{wrong:?}: {found:?}");
    }
}
