//! Auto top-up as customers and servers see it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::auto_topup::{AutoTopupState, PauseReason, shown_code};
use crate::domain::currency::Currency;
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::recurring::auto_topup::attempts;
use crate::recurring::auto_topup::show::Shown;

/// Whether the card is charged.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The card is charged when the credits run low.
    Active,
    /// Not now; `reason` says why, and `resumesAt` until when.
    Paused,
    /// It was turned off, or never on.
    Off,
}

/// Why it is paused.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The bank declined; it is tried again at `resumesAt`.
    Declined,
    /// The bank declined for good, or too many times in a row.
    CardDeclined,
    /// The customer has to confirm a payment, at `action.url` or by `POST /auto-topup/recovery`.
    AuthenticationRequired,
    /// The card's last month is over.
    CardExpired,
    /// The card was removed, or there is none. Saving one ends the pause.
    NoCard,
    /// `maxPerDay` is reached.
    DailyLimit,
    /// Another purchase would exceed `maxPerMonthMinor`.
    MonthlyLimit,
    /// A payment of the account was disputed, or the bank warns that it was fraud.
    Disputed,
    /// An automatic payment was refunded.
    Refunded,
    /// The number of credits can no longer be bought.
    NotForSale,
    /// Stripe refused the charge; the log says why.
    ProviderRefused,
}

impl From<PauseReason> for Reason {
    fn from(reason: PauseReason) -> Self {
        match reason {
            PauseReason::Declined => Self::Declined,
            PauseReason::CardDeclined => Self::CardDeclined,
            PauseReason::AuthenticationRequired => Self::AuthenticationRequired,
            PauseReason::CardExpired => Self::CardExpired,
            PauseReason::NoCard => Self::NoCard,
            PauseReason::DailyLimit => Self::DailyLimit,
            PauseReason::MonthlyLimit => Self::MonthlyLimit,
            PauseReason::Disputed => Self::Disputed,
            PauseReason::Refunded => Self::Refunded,
            PauseReason::NotForSale => Self::NotForSale,
            PauseReason::ProviderRefused => Self::ProviderRefused,
        }
    }
}

/// What the customer agreed to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredConsent {
    #[schema(example = "2026-11-30")]
    text_version: String,
    #[schema(example = "2026-11-30T12:00:00Z")]
    given_at: String,
}

/// The rules in force.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredRules {
    #[schema(example = 500)]
    threshold_credits: i64,
    #[schema(example = 1_000)]
    credits: i64,
    #[schema(example = 3)]
    max_per_day: i64,
    /// In minor units.
    #[schema(example = 10_000)]
    max_per_month_minor: i64,
    /// The card; null for the customer's default.
    #[schema(example = "pm_1a2b3c")]
    payment_method_id: Option<String>,
    consent: StoredConsent,
}

/// A page on which the customer confirms a payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    #[schema(example = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3")]
    url: String,
    #[schema(example = "2026-11-30T13:00:00Z")]
    expires_at: String,
}

/// A charge of a saved card.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoTopupAttempt {
    /// The id of the top-up.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    topup_id: String,
    /// `running`, `paid`, `declined` or `refused`. More may be added.
    #[schema(example = "paid")]
    outcome: String,
    /// Why it was declined or refused: Stripe's code; null otherwise. A card that was reported stolen or lost shows as
    /// `generic_decline`.
    #[schema(example = "insufficient_funds")]
    code: Option<String>,
    #[schema(example = "visa")]
    card_brand: String,
    #[schema(example = "4242")]
    card_last4: String,
    #[schema(example = 1_000)]
    credits: i64,
    #[schema(example = 0)]
    bonus_credits: i64,
    /// The charge, in minor units.
    #[schema(example = 1_061)]
    total_amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// When the credits ran low.
    #[schema(example = "2026-11-30T12:00:00Z")]
    crossed_at: String,
    #[schema(example = "2026-11-30T12:00:00Z")]
    started_at: String,
    #[schema(example = "2026-11-30T12:00:01Z")]
    ended_at: Option<String>,
}

/// An account's auto top-up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoTopup {
    #[schema(example = "user_1")]
    account_id: String,
    state: State,
    /// Why it is paused; null otherwise.
    reason: Option<Reason>,
    /// When the pause ends by itself; null if it does not.
    #[schema(example = "2026-12-01T00:00:00Z")]
    resumes_at: Option<String>,
    /// The rules; null if it was never turned on.
    rules: Option<StoredRules>,
    /// The page on which the customer confirms a payment; null if there is none, or it has ended.
    action: Option<Action>,
    /// How many charges were made today (UTC), or may have been.
    #[schema(example = 1)]
    charges_today: i64,
    /// What they took this month (UTC), in minor units.
    #[schema(example = 1_061)]
    charged_this_month_minor: i64,
    /// The currency of all amounts.
    #[schema(example = "usd")]
    currency: String,
    /// The last ten, newest first.
    attempts: Vec<AutoTopupAttempt>,
}

pub(super) fn view(account: &AccountId, found: Option<Shown>, currency: Currency) -> Result<AutoTopup, ApiError> {
    let account_id = account.as_str().to_owned();
    let Some(Shown { auto, attempts, charged, page }) = found else {
        return Ok(AutoTopup {
            account_id,
            state: State::Off,
            reason: None,
            resumes_at: None,
            rules: None,
            action: None,
            charges_today: 0,
            charged_this_month_minor: 0,
            currency: currency.as_str().to_owned(),
            attempts: Vec::new(),
        });
    };
    let currency = auto.rules.currency.as_str().to_owned();
    let rules = StoredRules {
        threshold_credits: auto.rules.threshold_credits,
        credits: auto.rules.credits,
        max_per_day: auto.rules.caps.max_per_day,
        max_per_month_minor: auto.rules.caps.max_per_month_minor,
        payment_method_id: auto.rules.card.map(|card| card.as_str().to_owned()),
        consent: StoredConsent {
            text_version: auto.consent.version.as_str().to_owned(),
            given_at: rfc3339(auto.consented_at_ms)?,
        },
    };
    let action = page.map(|page| Ok::<_, ApiError>(Action { url: page.url, expires_at: rfc3339(page.expires_at_ms)? }));
    Ok(AutoTopup {
        account_id,
        state: match auto.state {
            AutoTopupState::Active => State::Active,
            AutoTopupState::Paused => State::Paused,
            AutoTopupState::Off => State::Off,
        },
        reason: auto.reason.map(Reason::from),
        resumes_at: auto.retry_at_ms.map(rfc3339).transpose()?,
        rules: Some(rules),
        action: action.transpose()?,
        charges_today: charged.today,
        charged_this_month_minor: charged.month_minor,
        currency,
        attempts: attempts.into_iter().map(attempt).collect::<Result<_, _>>()?,
    })
}

fn attempt(attempt: attempts::Attempt) -> Result<AutoTopupAttempt, ApiError> {
    Ok(AutoTopupAttempt {
        topup_id: attempt.topup_id,
        outcome: attempt.outcome,
        code: attempt.code.map(|code| shown_code(&code).to_owned()),
        card_brand: attempt.card_brand,
        card_last4: attempt.card_last4,
        credits: attempt.credits,
        bonus_credits: attempt.bonus_credits,
        total_amount: attempt.total_amount,
        currency: attempt.currency,
        crossed_at: rfc3339(attempt.crossed_at)?,
        started_at: rfc3339(attempt.started_at)?,
        ended_at: attempt.ended_at.map(rfc3339).transpose()?,
    })
}
