//! The settings of saved cards.

use super::{Reader, SettingError};

/// The settings of saved cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurringConfig {
    /// Whether customers may save cards.
    pub saves_cards: bool,
    /// Whether they may have saved cards charged when their credits run low.
    pub auto_topup: bool,
    /// The most such charges of all accounts in an hour.
    pub auto_topups_per_hour: i64,
}

/// Reads them. `None` after a mistake, which is recorded.
pub(super) fn read_recurring(reader: &mut Reader<'_>) -> Option<RecurringConfig> {
    let saves_cards = reader.switch("SAVED_CARDS");
    let auto_topup = reader.switch("AUTO_TOPUP");
    let hint = "charges of all accounts together in an hour, a whole number from 1 to 1000000";
    let per_hour = reader.in_range("AUTO_TOPUPS_PER_HOUR", 1_000, 1..=1_000_000, hint);
    if (saves_cards, auto_topup) == (Some(false), Some(true)) {
        reader.errors.push(SettingError::new("AUTO_TOPUP", "needs SAVED_CARDS=on: it charges saved cards"));
        return None;
    }
    Some(RecurringConfig { saves_cards: saves_cards?, auto_topup: auto_topup?, auto_topups_per_hour: per_hour? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn read(settings: &[(&str, &str)]) -> Result<RecurringConfig, Vec<String>> {
        let source: Source = settings.iter().copied().collect();
        let mut reader = Reader::new(&source);
        let read = read_recurring(&mut reader);
        read.ok_or_else(|| reader.errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn without_settings_no_card_is_saved_or_charged() {
        let off = RecurringConfig { saves_cards: false, auto_topup: false, auto_topups_per_hour: 1_000 };
        assert_eq!(read(&[]), Ok(off));
        let on = RecurringConfig { saves_cards: true, auto_topup: true, auto_topups_per_hour: 5 };
        assert_eq!(read(&[("SAVED_CARDS", "on"), ("AUTO_TOPUP", "on"), ("AUTO_TOPUPS_PER_HOUR", "5")]), Ok(on));
    }

    #[test]
    fn a_wrong_value_is_a_mistake_with_a_way_out() {
        for (settings, way_out) in [
            ([("SAVED_CARDS", "yes"), ("AUTO_TOPUP", "off")], "must be on or off"),
            ([("SAVED_CARDS", "on"), ("AUTO_TOPUP", "1")], "must be on or off"),
            ([("SAVED_CARDS", "off"), ("AUTO_TOPUP", "on")], "needs SAVED_CARDS=on"),
            ([("SAVED_CARDS", "on"), ("AUTO_TOPUPS_PER_HOUR", "0")], "from 1 to"),
        ] {
            let errors = read(&settings).expect_err("a mistake");
            assert!(errors.iter().any(|error| error.contains(way_out)), "{settings:?}: {errors:?}");
        }
    }
}
