//! Auto top-up: what a customer agreed to, when a charge is due, and what a declined one means. Pure.

use std::fmt;

use time::{Date, Month, OffsetDateTime};

use super::timestamp::DAY_MS;

/// The pauses after the first, second and third declined charge in a row, in milliseconds. After another one, charging
/// ends until the customer turns it on again. Card networks fine a merchant that goes on for long.
const PAUSES_MS: [i64; 3] = [3_600_000, 6 * 3_600_000, 24 * 3_600_000];

/// The most charges that a customer may allow in a day.
pub const MAX_PER_DAY: i64 = 100;
/// The most characters in the version of a consent's text.
pub const MAX_VERSION_CHARACTERS: usize = 100;

/// Whether an account's card is charged when its credits run low. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoTopupState {
    /// The card is charged.
    Active,
    /// Not now; there is a reason.
    Paused,
    /// The customer turned it off.
    Off,
}

impl AutoTopupState {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Off => "off",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Off].into_iter().find(|state| state.as_str() == text)
    }
}

/// Why the card is not charged. The names are stored, and part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// The bank declined the charge; it is tried again later.
    Declined,
    /// The bank declined for good, or too many times in a row.
    CardDeclined,
    /// The bank wants the customer to confirm the payment.
    AuthenticationRequired,
    /// The card's time is over.
    CardExpired,
    /// The card was removed, or there is none.
    NoCard,
    /// The most charges of a day were made.
    DailyLimit,
    /// Another charge would exceed what the customer allowed for a month.
    MonthlyLimit,
    /// The payer disputed a payment, or the bank warns that it was fraud.
    Disputed,
    /// An automatic payment was refunded.
    Refunded,
    /// The number of credits can no longer be bought.
    NotForSale,
    /// The payment provider refused the request.
    ProviderRefused,
}

impl PauseReason {
    /// All reasons.
    pub const ALL: [Self; 11] = [
        Self::Declined,
        Self::CardDeclined,
        Self::AuthenticationRequired,
        Self::CardExpired,
        Self::NoCard,
        Self::DailyLimit,
        Self::MonthlyLimit,
        Self::Disputed,
        Self::Refunded,
        Self::NotForSale,
        Self::ProviderRefused,
    ];

    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::CardDeclined => "card_declined",
            Self::AuthenticationRequired => "authentication_required",
            Self::CardExpired => "card_expired",
            Self::NoCard => "no_card",
            Self::DailyLimit => "daily_limit",
            Self::MonthlyLimit => "monthly_limit",
            Self::Disputed => "disputed",
            Self::Refunded => "refunded",
            Self::NotForSale => "not_for_sale",
            Self::ProviderRefused => "provider_refused",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// Whether a newly saved card is reason enough to go on.
    #[must_use]
    pub const fn ends_with_a_new_card(self) -> bool {
        matches!(self, Self::CardExpired | Self::NoCard)
    }
}

/// Why a charge was declined, in the provider's codes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decline {
    /// The error's code, such as `card_declined`.
    pub code: Option<String>,
    /// The bank's reason, such as `insufficient_funds`.
    pub decline_code: Option<String>,
    /// What the network advises: `try_again_later`, `confirm_card_data` or `do_not_try_again`.
    pub advice_code: Option<String>,
}

/// What to do after a declined charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclineMeaning {
    /// The customer has to confirm a payment on a page.
    AuthenticationRequired,
    /// Another charge of this card would be declined too, or is forbidden by the network's rules.
    Final,
    /// Another charge may succeed later.
    Temporary,
}

/// Codes after which a card must not be charged again by itself (Stripe, "Decline codes", and its page on retries).
const FINAL_CODES: [&str; 21] = [
    "card_not_supported",
    "currency_not_supported",
    "do_not_try_again",
    "expired_card",
    "fraudulent",
    "highest_risk_level",
    "incorrect_cvc",
    "incorrect_number",
    "incorrect_zip",
    "invalid_account",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "lost_card",
    "merchant_blacklist",
    "pickup_card",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
    "transaction_not_allowed",
];
/// Codes that say that the customer has to confirm. Stripe names them in either field.
const AUTHENTICATION_CODES: [&str; 2] = ["authentication_required", "authentication_not_handled"];
/// Codes that are not shown to customers: the reader may be the thief (Stripe, "Decline codes").
const HIDDEN_CODES: [&str; 5] = ["fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "stolen_card"];
/// What is shown instead.
const GENERIC_CODE: &str = "generic_decline";

impl Decline {
    /// The most specific code.
    #[must_use]
    pub fn word(&self) -> &str {
        self.decline_code.as_deref().or(self.code.as_deref()).unwrap_or("unknown")
    }

    /// What to do next. The network's advice comes first, unless the customer only has to confirm.
    #[must_use]
    pub fn meaning(&self) -> DeclineMeaning {
        let is_one_of = |codes: &[&str]| {
            let said = [self.code.as_deref(), self.decline_code.as_deref()];
            said.into_iter().flatten().any(|code| codes.contains(&code))
        };
        if is_one_of(&AUTHENTICATION_CODES) {
            return DeclineMeaning::AuthenticationRequired;
        }
        match self.advice_code.as_deref() {
            Some("do_not_try_again" | "confirm_card_data") => DeclineMeaning::Final,
            _ if is_one_of(&FINAL_CODES) => DeclineMeaning::Final,
            _ => DeclineMeaning::Temporary,
        }
    }
}

/// The code as a customer may see it.
#[must_use]
pub fn shown_code(code: &str) -> &str {
    if HIDDEN_CODES.contains(&code) { GENERIC_CODE } else { code }
}

/// How long to wait after so many declined charges in a row, in milliseconds; `None`: no longer.
#[must_use]
pub fn pause_ms(declines: i64) -> Option<i64> {
    let place = usize::try_from(declines.checked_sub(1)?).ok()?;
    PAUSES_MS.get(place).copied()
}

/// A saved card, as far as charging it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFacts {
    /// The brand, in the provider's word.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The month in which it ends, 1 to 12.
    pub exp_month: i64,
    /// The year in which it ends.
    pub exp_year: i64,
    /// The country that issued it, as two letters, if the provider says so.
    pub country: Option<String>,
}

impl CardFacts {
    /// Whether its last month is over. The provider sends no event about that.
    #[must_use]
    pub fn is_expired(&self, now_ms: i64) -> bool {
        let Some(end_ms) = self.end_ms() else { return false };
        now_ms >= end_ms
    }

    /// The start of the month after its last one; `None` if the provider's numbers are not a month.
    fn end_ms(&self) -> Option<i64> {
        let (year, month) = if self.exp_month == 12 {
            (self.exp_year.checked_add(1)?, 1)
        } else {
            (self.exp_year, self.exp_month.checked_add(1)?)
        };
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, 1).ok()?;
        OffsetDateTime::new_utc(date, time::Time::MIDNIGHT).unix_timestamp().checked_mul(1_000)
    }
}

/// What was charged so far, for the limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charged {
    /// Charges of the account today that were made, or may have been.
    pub today: i64,
    /// What they took this month, in minor units.
    pub month_minor: i64,
}

/// The most declined charges of one card in a day, and of an account in thirty days, whatever the customer does meanwhile.
/// Card networks fine a merchant beyond about 15 in thirty days; many in a row test stolen cards.
const MAX_CARD_DECLINES: i64 = 4;
const MAX_ACCOUNT_DECLINES: i64 = 15;

/// How often charges were declined lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Declines {
    /// Those of the card in the last day.
    pub of_card: i64,
    /// Those of the account in the last thirty days.
    pub of_account: i64,
}

impl Declines {
    /// Since when they are counted: those of the card, and those of the account.
    #[must_use]
    pub const fn since_ms(now_ms: i64) -> (i64, i64) {
        (now_ms.saturating_sub(DAY_MS), now_ms.saturating_sub(30 * DAY_MS))
    }

    /// Whether the card must not be charged now.
    #[must_use]
    pub const fn are_too_many(self) -> bool {
        self.of_card >= MAX_CARD_DECLINES || self.of_account >= MAX_ACCOUNT_DECLINES
    }
}

/// What a customer allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Charges per day of UTC.
    pub max_per_day: i64,
    /// Per month of UTC, in minor units.
    pub max_per_month_minor: i64,
}

impl Caps {
    /// The limit that another charge would exceed.
    #[must_use]
    pub fn exceeded_by(&self, charged: Charged, amount_minor: i64) -> Option<PauseReason> {
        if charged.month_minor.saturating_add(amount_minor) > self.max_per_month_minor {
            return Some(PauseReason::MonthlyLimit);
        }
        (charged.today >= self.max_per_day).then_some(PauseReason::DailyLimit)
    }
}

/// The text is not a version of a consent's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to {MAX_VERSION_CHARACTERS} printable characters: the version of the text that the customer agreed to"
)]
pub struct InvalidVersion;

/// Which text a customer agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentVersion(String);

impl ConsentVersion {
    /// Parses a version.
    ///
    /// # Errors
    /// When it is empty, too long, or has control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidVersion> {
        let is_valid = (1..=MAX_VERSION_CHARACTERS).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && text.trim() == text;
        if is_valid { Ok(Self(text.to_owned())) } else { Err(InvalidVersion) }
    }

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConsentVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
#[path = "auto_topup_tests.rs"]
mod tests;
