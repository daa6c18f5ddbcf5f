//! Stripe's test cards and test payment methods, and the outcome of charging them (docs: "Testing").

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use super::decline::Decline;

/// What a card that wants 3-D Secure does when the customer is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OffSession {
    /// Every charge is declined: the customer must authenticate.
    #[default]
    Refused,
    /// Charges need no authentication after the card was set up.
    OnceSetUp,
    /// The card counts as set up.
    Allowed,
}

/// The outcome of charging a payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The charge succeeds.
    Succeeds,
    /// The charge fails.
    Declined(Decline),
    /// The customer must authenticate first; then the charge succeeds, or fails with this decline.
    Challenge(Option<Decline>),
    /// The session completes unpaid; the payment succeeds or fails later.
    Delayed,
}

/// What follows a successful charge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aftermath {
    #[default]
    Nothing,
    /// The customer disputes it as fraudulent.
    DisputedAsFraudulent,
    /// The customer disputes it because the product was not received.
    DisputedAsNotReceived,
    /// The bank opens an inquiry.
    Inquiry,
    /// The money is available at once.
    AvailableAtOnce,
    /// The card's network reports it as fraud.
    FraudWarning,
    /// Refunds are pending at first.
    RefundsPend,
    /// Refunds succeed at first and fail later.
    RefundsFail,
}

/// Stripe's risk level of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Normal risk.
    Normal,
    /// Elevated risk.
    Elevated,
    /// Highest risk.
    Highest,
}

/// A card number with a known outcome.
#[derive(Debug, Clone, Copy)]
pub struct TestCard {
    /// Digits only.
    pub number: &'static str,
    /// What it does, for display.
    pub what: &'static str,
    /// The outcome of charging it.
    pub outcome: Outcome,
    /// Stripe's `pm_card_…` name, or empty.
    pub payment_method: &'static str,
}

const fn card(number: &'static str, payment_method: &'static str, outcome: Outcome, what: &'static str) -> TestCard {
    TestCard { number, what, outcome, payment_method }
}

use Decline as D;
use Outcome::{Challenge, Declined, Succeeds};

/// All cards the sandbox knows. The page lists the first ones.
#[rustfmt::skip]
pub const TEST_CARDS: &[TestCard] = &[
    card("4242424242424242", "pm_card_visa", Succeeds, "Succeeds"),
    card("4000000000003220", "pm_card_threeDSecure2Required", Challenge(None), "3-D Secure, succeeds if you pass it"),
    card("4000002500003155", "pm_card_authenticationRequiredOnSetup", Challenge(None), "3-D Secure unless set up"),
    card("4000000000000002", "pm_card_visa_chargeDeclined", Declined(D::Generic), "Declined"),
    card("4000000000009995", "pm_card_visa_chargeDeclinedInsufficientFunds", Declined(D::InsufficientFunds), "Insufficient funds"),
    card("4000000000009987", "pm_card_visa_chargeDeclinedLostCard", Declined(D::LostCard), "Lost card"),
    card("4000000000009979", "pm_card_visa_chargeDeclinedStolenCard", Declined(D::StolenCard), "Stolen card"),
    card("4000000000006975", "pm_card_visa_chargeDeclinedVelocityLimitExceeded", Declined(D::VelocityExceeded), "Too many attempts"),
    card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", Declined(D::ExpiredCard), "Expired card"),
    card("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", Declined(D::IncorrectCvc), "Wrong security code"),
    card("4000000000000119", "pm_card_chargeDeclinedProcessingError", Declined(D::ProcessingError), "Processing error"),
    card("4100000000000019", "pm_card_radarBlock", Declined(D::Blocked), "Always blocked"),
    card("4000008400001629", "", Challenge(Some(D::Generic)), "3-D Secure, declined after it"),
    card("4000008260003178", "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", Challenge(Some(D::InsufficientFunds)), "3-D Secure, then insufficient funds"),
    card("4000008400001280", "", Declined(D::Generic), "3-D Secure look-up fails"),
    card("4000002760003184", "pm_card_authenticationRequired", Challenge(None), "3-D Secure always"),
    card("4000008400000027", "", Challenge(None), "3-D Secure (US)"),
    card("4000003800000446", "pm_card_authenticationRequiredSetupForOffSession", Challenge(None), "3-D Secure on session"),
    card("4000000000000341", "pm_card_chargeCustomerFail", Declined(D::Generic), "Attaches, charges fail"),
    card("4000000000004954", "pm_card_riskLevelHighest", Succeeds, "Highest risk"),
    card("4000000000009235", "pm_card_riskLevelElevated", Succeeds, "Elevated risk"),
    card("4000000000000101", "pm_card_cvcCheckFail", Succeeds, "Security code check fails, charge succeeds"),
    card("4000000000000259", "pm_card_createDispute", Succeeds, "Succeeds, then disputed as fraudulent"),
    card("4000000000002685", "pm_card_createDisputeProductNotReceived", Succeeds, "Succeeds, then disputed as not received"),
    card("4000000000001976", "pm_card_createDisputeInquiry", Succeeds, "Succeeds, then the bank inquires"),
    card("4000000000005423", "pm_card_createIssuerFraudRecord", Succeeds, "Succeeds, then an early fraud warning"),
    card("4000000000007726", "pm_card_pendingRefund", Succeeds, "Succeeds; refunds are pending first"),
    card("4000000000005126", "pm_card_refundFail", Succeeds, "Succeeds; refunds succeed first, then fail"),
    card("4000000000000077", "pm_card_bypassPending", Succeeds, "Succeeds; funds available at once"),
    card("4000056655665556", "pm_card_visa_debit", Succeeds, "Visa debit"),
    card("5555555555554444", "pm_card_mastercard", Succeeds, "Mastercard"),
    card("2223003122003222", "", Succeeds, "Mastercard, 2 series"),
    card("5200828282828210", "pm_card_mastercard_debit", Succeeds, "Mastercard debit"),
    card("5105105105105100", "pm_card_mastercard_prepaid", Succeeds, "Mastercard prepaid"),
    card("378282246310005", "pm_card_amex", Succeeds, "American Express"),
    card("371449635398431", "", Succeeds, "American Express"),
    card("6011111111111117", "pm_card_discover", Succeeds, "Discover"),
    card("3056930009020004", "pm_card_diners", Succeeds, "Diners Club"),
    card("3566002020360505", "pm_card_jcb", Succeeds, "JCB"),
    card("4000002760000016", "pm_card_de", Succeeds, "Visa of Germany"),
    card("4000008260000000", "pm_card_gb", Succeeds, "Visa of the United Kingdom"),
    card("4000002500000003", "pm_card_fr", Succeeds, "Visa of France"),
    card("6200000000000005", "pm_card_unionpay", Succeeds, "UnionPay"),
];

/// The sandbox's own payment method: the session completes unpaid and a control settles it later.
pub(crate) const DELAYED_PAYMENT_METHOD: &str = "pm_sandbox_delayed";

impl TestCard {
    /// The test card with this number; `None` for any other number.
    #[must_use]
    pub fn by_number(number: &str) -> Option<&'static TestCard> {
        TEST_CARDS.iter().find(|card| card.number == number)
    }

    pub(crate) fn by_payment_method(name: &str) -> Option<&'static TestCard> {
        // Stripe has the declining methods with and without the brand in their names.
        let full = name.replacen("pm_card_chargeDeclined", "pm_card_visa_chargeDeclined", 1);
        TEST_CARDS.iter().find(|card| !name.is_empty() && [name, &full].contains(&card.payment_method))
    }
}

pub(crate) fn off_session(number: &str) -> OffSession {
    match number {
        "4000002500003155" | "4000008260003178" => OffSession::OnceSetUp,
        "4000003800000446" => OffSession::Allowed,
        _ => OffSession::Refused,
    }
}

pub(crate) fn attaches_anyway(number: &str) -> bool {
    number == "4000000000000341"
}

/// Sixteen characters that are the same for the same number.
pub(crate) fn fingerprint(number: &str) -> String {
    hex::encode(Sha256::digest(number.as_bytes())).chars().take(16).collect()
}

pub(crate) fn risk(number: &str) -> Risk {
    match number {
        "4000000000004954" | "4100000000000019" => Risk::Highest,
        "4000000000009235" => Risk::Elevated,
        _ => Risk::Normal,
    }
}

pub(crate) fn aftermath(number: &str) -> Aftermath {
    match number {
        "4000000000000259" => Aftermath::DisputedAsFraudulent,
        "4000000000002685" => Aftermath::DisputedAsNotReceived,
        "4000000000001976" => Aftermath::Inquiry,
        "4000000000000077" => Aftermath::AvailableAtOnce,
        "4000000000005423" => Aftermath::FraudWarning,
        "4000000000007726" => Aftermath::RefundsPend,
        "4000000000005126" => Aftermath::RefundsFail,
        _ => Aftermath::Nothing,
    }
}

/// The card network, by the first digits.
pub(crate) fn brand(number: &str) -> &'static str {
    match number.as_bytes() {
        [b'4', ..] => "visa",
        [b'5' | b'2', ..] => "mastercard",
        [b'3', b'4' | b'7', ..] => "amex",
        [b'3', b'5', ..] => "jcb",
        [b'3', ..] => "diners",
        [b'6', b'2', ..] => "unionpay",
        [b'6', ..] => "discover",
        _ => "unknown",
    }
}

pub(crate) fn funding(number: &str) -> &'static str {
    match number {
        "4000056655665556" | "5200828282828210" => "debit",
        "5105105105105100" => "prepaid",
        _ => "credit",
    }
}

pub(crate) fn country(number: &str) -> &'static str {
    match (number, number.get(6..9)) {
        ("4000000000003220", _) => "IE",
        // The test cards of other countries contain the country's number.
        (_, Some("250")) => "FR",
        (_, Some("276")) => "DE",
        (_, Some("380")) => "IT",
        (_, Some("826")) => "GB",
        _ => "US",
    }
}

/// Whether the check digit of a card number is right (Luhn).
pub(crate) fn passes_luhn(number: &str) -> bool {
    let mut sum = 0_u32;
    for (position, digit) in number.chars().rev().enumerate() {
        let Some(digit) = digit.to_digit(10) else {
            return false;
        };
        let doubled = digit.saturating_mul(2);
        sum = sum.saturating_add(match (position % 2, doubled) {
            (0, _) => digit,
            (_, 10..) => doubled.saturating_sub(9),
            _ => doubled,
        });
    }
    !number.is_empty() && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_card_has_a_right_check_digit_and_occurs_once() {
        for (position, card) in TEST_CARDS.iter().enumerate() {
            assert!(passes_luhn(card.number), "{}", card.number);
            let first = TEST_CARDS.iter().position(|other| other.number == card.number);
            assert_eq!(first, Some(position), "{} occurs twice", card.number);
        }
        assert!(!passes_luhn("4242424242424241"));
    }
}
