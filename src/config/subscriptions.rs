//! The settings of subscriptions.

use super::source::Reader;
use crate::domain::subscription_settings::SubscriptionSettings;

/// Reads how subscriptions are sold; `None` after a mistake.
pub(super) fn read_subscriptions(reader: &mut Reader<'_>) -> Option<SubscriptionSettings> {
    let usual = SubscriptionSettings::default();
    let hint = "a whole number from 1 to 100: how many subscriptions of one account may run at once";
    let max_running = reader.in_range("SUBSCRIPTIONS_MAX", usual.max_running, 1..=100, hint);
    let hint = "days, from 0 (none) to 60: how long a subscription whose renewal is not paid still entitles";
    let grace_days = reader.in_range("PAST_DUE_GRACE_DAYS", usual.grace_days, 0..=60, hint);
    let (max_running, grace_days) = max_running.zip(grace_days)?;
    Some(SubscriptionSettings { max_running, grace_days })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn read(settings: &[(&str, &str)]) -> (Option<SubscriptionSettings>, Vec<String>) {
        let source: Source = settings.iter().copied().collect();
        let mut reader = Reader::new(&source);
        let subscriptions = read_subscriptions(&mut reader);
        (subscriptions, reader.errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_settings_are_read_and_have_defaults() {
        assert_eq!(read(&[]).0, Some(SubscriptionSettings { max_running: 1, grace_days: 3 }));
        let (read, errors) = read(&[("SUBSCRIPTIONS_MAX", "5"), ("PAST_DUE_GRACE_DAYS", "0")]);
        assert_eq!((read, errors), (Some(SubscriptionSettings { max_running: 5, grace_days: 0 }), Vec::new()));
    }

    #[test]
    fn a_wrong_value_is_a_mistake_with_a_way_out() {
        for (name, value, way_out) in [
            ("SUBSCRIPTIONS_MAX", "0", "1 to 100"),
            ("SUBSCRIPTIONS_MAX", "many", "1 to 100"),
            ("PAST_DUE_GRACE_DAYS", "-1", "0 (none) to 60"),
            ("PAST_DUE_GRACE_DAYS", "61", "0 (none) to 60"),
        ] {
            let (read, errors) = read(&[(name, value)]);
            assert!(read.is_none() && errors.iter().any(|error| error.contains(way_out)), "{name}={value}: {errors:?}");
        }
    }
}
