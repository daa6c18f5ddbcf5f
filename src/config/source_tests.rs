//! The environment and `.env` together.

use secrecy::ExposeSecret;

use super::*;
use crate::config::{Config, ConfigErrors};

fn source(file: Option<&str>, environment: &[(&str, &str)]) -> Result<Source, InvalidEnvFile> {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(text) = file {
        std::fs::write(folder.path().join(".env"), text).expect("written");
    }
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Source::from_folder(folder.path(), environment)
}

const FILE: &str = "\u{feff}export STRIPE_SECRET_KEY=sk_test_0123456789\r\nSTRIPE_WEBHOOK_SECRET: whsec_verysecretsigning, \
    whsec_verysecretoldsigning\r\nALLOWED_ORIGINS=\"https://app.example.com\"\r\n";

#[test]
fn a_file_of_any_dialect_serves_and_the_environment_wins() {
    let source = source(Some(FILE), &[("ALLOWED_ORIGINS", "https://other.example.com")]).expect("read");
    let config = Config::load(&source).expect("right");
    assert_eq!(config.stripe.secret_key.expose_secret(), "sk_test_0123456789");
    assert_eq!(config.stripe.webhook_secrets.len(), 2);
    assert_eq!(config.allowed_origins[0].to_string(), "https://other.example.com");
}

#[test]
fn a_misspelt_name_stops_every_command_and_says_its_line() {
    // Known mistake 29.
    let source = source(Some("\nFEE_RATE_PERCENTAGE=3.9\n"), &[("DATABASE_URL", "sqlite:x.db")]).expect("read");
    let all: [Result<(), ConfigErrors>; 3] = [
        Config::load(&source).map(drop),
        Config::load_database_url(&source).map(drop),
        crate::config::CommandConfig::load_payload_days(&source).map(drop),
    ];
    for result in all {
        let text = result.expect_err("refused").to_string();
        assert!(
            text.contains("FEE_RATE_PERCENTAGE: is not a setting (line 2 of .env); did you mean FEE_RATE_PERCENT?"),
            "{text}"
        );
    }
}

#[test]
fn a_setting_twice_in_the_file_is_refused_and_others_are_not_ours() {
    let text = source(Some("LOG=info\nX=1\nX=2\nLOG=warn"), &[]).expect_err("twice").to_string();
    assert!(text.contains("line 4, LOG: is set in line 1 already"), "{text}");
    assert!(source(Some("X=1\nX=2"), &[]).is_ok());
}

#[test]
fn the_line_is_that_of_the_file_only_if_its_value_counts() {
    let wrong = [("FEE_RATE_PERCENTAGE", "3.9")];
    let text = Config::load(&source(Some("FEE_RATE_PERCENTAGE=4"), &wrong).expect("read")).expect_err("refused");
    assert!(!text.to_string().contains("of .env"), "{text}");
}

#[test]
fn a_value_in_quotation_marks_of_its_own_is_explained() {
    for value in ["\"sk_test_hunter2hunter2\"", "'sk_test_hunter2hunter2'", "“sk_test_hunter2hunter2”"] {
        let source = source(None, &[("STRIPE_SECRET_KEY", value)]).expect("read");
        let text = Config::load(&source).expect_err("refused").to_string();
        assert!(text.contains("STRIPE_SECRET_KEY: has quotation marks around it"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_with_secrets_that_others_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    for (text, mode, warned) in [
        ("JWT_SECRET=x", 0o644, true),
        ("JWT_SECRET=x", 0o604, true),
        ("JWT_SECRET=x", 0o640, false),
        ("JWT_SECRET=x", 0o600, false),
        ("LOG=info", 0o644, false),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        let source = Source::from_folder(folder.path(), HashMap::new()).expect("read");
        assert_eq!(
            source.warnings().iter().any(|warning| warning.contains("chmod 600 .env")),
            warned,
            "{mode:o} {text}"
        );
    }
}
