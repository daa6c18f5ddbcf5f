//! The settings of the operator's console.

use super::Reader;

/// The most credits that `SUPPORT_MAX_CREDITS` may allow.
const MOST_CREDITS: i64 = 1_000_000_000_000_000;

/// The settings of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Whether the service has the console.
    pub is_on: bool,
    /// How many credits a key of scope `support` may refund and adjust in a day.
    pub support_max_credits: i64,
    /// For how many days personal data of payers is kept.
    pub personal_data_days: i64,
}

/// Reads them. `None` after a mistake, which is recorded.
pub(super) fn read_console(reader: &mut Reader<'_>) -> Option<ConsoleConfig> {
    let is_on = reader.switch("CONSOLE");
    let hint = "credits that a key of scope support may move in a day, a whole number of 0 or more";
    let support_max_credits = reader.in_range("SUPPORT_MAX_CREDITS", 10_000, 0..=MOST_CREDITS, hint);
    let personal_data_days = read_personal_data_days(reader);
    Some(ConsoleConfig {
        is_on: is_on?,
        support_max_credits: support_max_credits?,
        personal_data_days: personal_data_days?,
    })
}

/// For how many days personal data of payers is kept.
pub(super) fn read_personal_data_days(reader: &mut Reader<'_>) -> Option<i64> {
    reader.in_range("PERSONAL_DATA_DAYS", 540, 0..=3_650, "days, from 0 (not kept at all) to 3650")
}
