//! The settings of messages to the product's endpoints.

use secrecy::SecretString;

use super::jwt::is_placeholder;
use super::source::Reader;
use super::web::read_networks;
use crate::domain::credit_unit::MAX_CREDITS;
use crate::domain::outbox_settings::OutboxSettings;

/// The fewest characters of a key. A random one in hexadecimal has 64.
const MIN_KEY_CHARACTERS: usize = 32;

pub(super) fn read_outbox(reader: &mut Reader<'_>) -> OutboxSettings {
    let low_balance_credits = if reader.is_set("LOW_BALANCE_CREDITS") {
        reader.in_range("LOW_BALANCE_CREDITS", 1, 1..=MAX_CREDITS, "a whole number of credits, 1 or more")
    } else {
        None
    };
    let key = reader.optional("WEBHOOK_SIGNING_KEY").filter(|key| {
        let is_key = key.chars().count() >= MIN_KEY_CHARACTERS && !is_placeholder(key);
        if !is_key {
            let message = "must be at least 32 unguessable characters, such as the output of `openssl rand -hex 32`";
            reader.error("WEBHOOK_SIGNING_KEY", message);
        }
        is_key
    });
    let allowed_networks = read_networks(reader, "WEBHOOK_ALLOWED_NETWORKS");
    OutboxSettings { low_balance_credits, signing_key: key.map(SecretString::from), allowed_networks }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::Source;

    fn read(settings: &[(&str, &str)]) -> (OutboxSettings, Vec<String>) {
        let source: Source = settings.iter().copied().collect();
        let mut reader = Reader::new(&source);
        let outbox = read_outbox(&mut reader);
        (outbox, reader.errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn without_settings_nothing_private_is_called_and_no_balance_is_low() {
        let (outbox, errors) = read(&[]);
        assert_eq!((outbox.low_balance_credits, outbox.allowed_networks.len(), errors.len()), (None, 0, 0));
        assert!(outbox.signing_key.is_none());
    }

    #[test]
    fn the_settings_are_read() {
        let key = "0123456789abcdef0123456789abcdef";
        let (outbox, errors) = read(&[
            ("LOW_BALANCE_CREDITS", "1000"),
            ("WEBHOOK_SIGNING_KEY", key),
            ("WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8, ::1"),
        ]);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(outbox.low_balance_credits, Some(1_000));
        assert_eq!(outbox.signing_key.as_ref().map(ExposeSecret::expose_secret), Some(key));
        assert_eq!(outbox.allowed_networks.len(), 2);
        assert!(!format!("{outbox:?}").contains(key));
    }

    #[test]
    fn a_wrong_value_is_a_mistake_with_a_way_out() {
        for (name, value, way_out) in [
            ("LOW_BALANCE_CREDITS", "0", "1 or more"),
            ("LOW_BALANCE_CREDITS", "-5", "1 or more"),
            ("LOW_BALANCE_CREDITS", "1.5", "1 or more"),
            ("LOW_BALANCE_CREDITS", "", "remove it"),
            ("WEBHOOK_SIGNING_KEY", "short", "openssl rand -hex 32"),
            ("WEBHOOK_SIGNING_KEY", "", "remove it"),
            ("WEBHOOK_ALLOWED_NETWORKS", "private", "no network such as 10.0.0.0/8"),
            ("WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/99", "no network such as 10.0.0.0/8"),
        ] {
            let (_, errors) = read(&[(name, value)]);
            assert!(errors.first().is_some_and(|error| error.contains(way_out)), "{name}={value}: {errors:?}");
            assert!(errors.iter().all(|error| !error.contains("short")), "the key is shown: {errors:?}");
        }
    }
}
