//! Test account numbers for SEPA debits, their outcomes, and the mistakes in other numbers (docs: "Testing", SEPA).
//! Real account numbers are refused.

use serde::{Deserialize, Serialize};

/// How long a debit takes that Stripe's page calls immediate.
const A_MOMENT_MS: i64 = 2_000;

const THREE_MINUTES_MS: i64 = 3 * 60 * 1_000;

/// The outcome of a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DebitEnding {
    /// The payment succeeds.
    Succeeds,
    /// The payment fails.
    Fails,
    /// The payment succeeds and the account holder disputes it at once.
    Disputed,
}

/// A test account number with a known outcome.
#[derive(Debug, Clone, Copy)]
pub struct TestIban {
    /// Without spaces.
    pub iban: &'static str,
    /// What it does, for display.
    pub what: &'static str,
    /// How long the debit takes, in milliseconds.
    pub after_ms: i64,
    /// The outcome of the debit.
    pub ending: DebitEnding,
}

const fn iban(iban: &'static str, after_ms: i64, ending: DebitEnding, what: &'static str) -> TestIban {
    TestIban { iban, what, after_ms, ending }
}

/// All account numbers that the sandbox knows.
#[rustfmt::skip]
pub const TEST_IBANS: &[TestIban] = &[
    iban("AT611904300234573201", A_MOMENT_MS, DebitEnding::Succeeds, "Succeeds after a moment"),
    iban("AT321904300235473204", THREE_MINUTES_MS, DebitEnding::Succeeds, "Succeeds after three minutes"),
    iban("AT861904300235473202", A_MOMENT_MS, DebitEnding::Fails, "Fails after a moment"),
    iban("AT051904300235473205", THREE_MINUTES_MS, DebitEnding::Fails, "Fails after three minutes"),
    iban("IT60X0542811101000000123456", A_MOMENT_MS, DebitEnding::Fails, "Fails after a moment"),
    iban("AT591904300235473203", A_MOMENT_MS, DebitEnding::Disputed, "Succeeds, then is disputed"),
];

/// What is kept of the account. The number itself is not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SepaDebit {
    pub(crate) country: String,
    pub(crate) bank_code: String,
    pub(crate) last4: String,
    pub(crate) mandate: String,
    pub(crate) after_ms: i64,
    pub(crate) ending: DebitEnding,
}

/// Why an account number is refused, in the words shown to the customer.
pub(crate) fn mistake(typed: &str) -> Option<&'static str> {
    let iban = compact(typed);
    if iban.is_empty() {
        return Some("Your IBAN is incomplete.");
    }
    if !passes_check(&iban) {
        return Some("The IBAN you entered is invalid.");
    }
    let known = TEST_IBANS.iter().any(|test| test.iban == iban);
    (!known).then_some("The IBAN you entered is not one of the test IBANs.")
}

/// Converts to upper case and removes spaces.
pub(crate) fn compact(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

/// The ISO 13616 check: rearranged, and read as a number with A = 10, the remainder by 97 is 1.
fn passes_check(iban: &str) -> bool {
    let (Some(start), Some(rest)) = (iban.get(..4), iban.get(4..)) else {
        return false;
    };
    if !(15..=34).contains(&iban.len()) || !iban.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let remainder = rest.chars().chain(start.chars()).filter_map(|c| c.to_digit(36)).fold(0_u32, |sum, digit| {
        let shift = if digit > 9 { 100 } else { 10 };
        sum.saturating_mul(shift).saturating_add(digit).rem_euclid(97)
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::{TEST_IBANS, mistake, passes_check};

    #[test]
    fn every_test_number_has_right_check_digits_and_a_changed_one_has_not() {
        for test in TEST_IBANS {
            assert!(passes_check(test.iban), "{}", test.iban);
            assert!(!passes_check(&test.iban.replacen(['A', 'I'], "D", 1)), "{}", test.iban);
        }
        for wrong in ["", "AT", "AT61", "AT611904300234573202", "AT6119043002345732O1", "ÄT611904300234573201"] {
            assert!(!passes_check(wrong), "{wrong}");
        }
        assert!(passes_check("GB82WEST12345698765432"), "letters count too");
    }

    #[test]
    fn a_number_may_be_typed_with_spaces_and_in_lower_case_but_not_be_a_real_one() {
        assert_eq!(mistake("at61 1904 3002 3457 3201"), None);
        assert_eq!(mistake("GB82 WEST 1234 5698 7654 32"), Some("The IBAN you entered is not one of the test IBANs."));
        assert_eq!(mistake(" "), Some("Your IBAN is incomplete."));
    }
}
