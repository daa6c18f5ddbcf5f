//! The details of one top-up, as the API shows them to an operator.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::expiry::ExpiryDays;
use crate::domain::tax::TaxBehavior;
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::server::accounts::{Transaction, transaction};
use crate::inbox::failed_events::FailedEvent;
use crate::purchases::explain_topup::Explanation;
use crate::purchases::payment::payments::Payment;
use crate::purchases::refund::refund_requests::RefundRequest;
use crate::purchases::reversal::reversals::Reversal;
use crate::purchases::topup_history::DecidedEvent;

/// Everything that Topup has recorded about one top-up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopupDetails {
    #[schema(example = "topup_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// `creating`, `open`, `processing`, `paid`, `expired` or `failed`.
    #[schema(example = "paid")]
    state: String,
    #[schema(example = 250)]
    credits: i64,
    /// How many of these credits refunds and disputes have taken back.
    #[schema(example = 100)]
    taken_credits: i64,
    /// The credits given on top when it is paid. A share of them is taken back with the credits; `ledgerEntries` say
    /// how many.
    #[schema(example = 0)]
    bonus_credits: i64,
    /// For how many days from the payment the credits are good; null if they never end.
    #[schema(example = 365)]
    credits_expire_days: Option<i64>,
    /// When they end; null before the payment, and if they never end.
    #[schema(example = "2027-11-21T12:01:00Z")]
    credits_expire_at: Option<String>,
    /// The currency of all amounts.
    #[schema(example = "usd")]
    currency: String,
    /// The number of credits in a unit.
    #[schema(example = 1)]
    credit_unit_credits: i64,
    /// The price of a unit, in minor units.
    #[schema(example = 1)]
    credit_unit_amount: i64,
    #[schema(example = 250)]
    credits_amount: i64,
    #[schema(example = 39)]
    fee_amount: i64,
    /// What the customer pays, in minor units, before tax that comes on top.
    #[schema(example = 289)]
    total_amount: i64,
    /// `exclusive`: tax comes on top of `totalAmount`. `inclusive`: it contains it. null: no tax was agreed.
    #[schema(example = "exclusive")]
    tax_behavior: Option<&'static str>,
    /// The tax in the charge, in minor units; null before the payment, and if no tax was agreed.
    #[schema(example = 55)]
    tax_amount: Option<i64>,
    fee: FeeDetails,
    /// The payment provider.
    #[schema(example = "stripe")]
    provider: String,
    /// The id of the checkout session; null if none is known.
    #[schema(example = "cs_test_a1b2c3")]
    session_id: Option<String>,
    /// Stripe's decline code of the last declined payment attempt.
    #[schema(example = "insufficient_funds")]
    decline_code: Option<String>,
    #[schema(example = "2026-11-21T12:00:30Z")]
    declined_at: Option<String>,
    /// When the top-up was adopted from Stripe's data, for example after a restore; otherwise null.
    #[schema(example = json!(null))]
    adopted_at: Option<String>,
    /// Who adopted it.
    #[schema(example = json!(null))]
    adopted_by: Option<String>,
    /// Why the top-up failed.
    #[schema(example = "payment_failed")]
    failure_code: Option<String>,
    #[schema(example = "2026-11-21T12:00:00Z")]
    created_at: String,
    #[schema(example = "2026-11-21T13:00:00Z")]
    expires_at: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    paid_at: Option<String>,
    payments: Vec<PaymentDetails>,
    reversals: Vec<ReversalDetails>,
    refund_requests: Vec<RefundRequestDetails>,
    events: Vec<EventDetails>,
    failed_events: Vec<FailedEventDetails>,
    ledger_entries: Vec<Transaction>,
}

/// How the fee line was calculated when the top-up was created, and the fee that Stripe charged.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeeDetails {
    /// The fee mode: `gross_up` or `absorb`.
    #[schema(example = "gross_up")]
    mode: String,
    #[schema(example = "2.9")]
    rate_percent: String,
    /// The fixed part of the fee, in minor units.
    #[schema(example = 30)]
    fixed: i64,
    #[schema(example = "Processing fee")]
    label: String,
    /// The fee that Stripe was expected to charge, in minor units.
    #[schema(example = 38)]
    expected: i64,
    /// The fee that Stripe charged for the credited payment, in minor units of `realCurrency`; null until known.
    #[schema(example = 38)]
    real: Option<i64>,
    /// The currency in which Stripe settles the payment.
    #[schema(example = "usd")]
    real_currency: Option<String>,
}

/// A payment at Stripe.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentDetails {
    #[schema(example = "pi_3a1b2c3")]
    payment_id: String,
    /// `credited`: the payment that paid for the credits. `surplus`: an additional payment, which credits nothing and
    /// should be refunded. `waiting`: a payment whose money is not booked.
    #[schema(example = "credited")]
    role: String,
    #[schema(example = "cs_test_a1b2c3")]
    session_id: Option<String>,
    #[schema(example = "ch_3a1b2c3")]
    charge_id: Option<String>,
    #[schema(example = "txn_3a1b2c3")]
    fee_id: Option<String>,
    #[schema(example = 38)]
    real_fee: Option<i64>,
    #[schema(example = "usd")]
    real_fee_currency: Option<String>,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
}

/// A refund or a dispute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReversalDetails {
    /// Stripe's id of the refund or dispute.
    #[schema(example = "re_3a1b2c3")]
    id: String,
    /// `refund` or `dispute`.
    #[schema(example = "refund")]
    kind: String,
    #[schema(example = "pi_3a1b2c3")]
    payment_id: String,
    #[schema(example = 100)]
    amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// Stripe's status of the refund or dispute.
    #[schema(example = "succeeded")]
    status: String,
    /// Whether its amount currently counts as taken back.
    #[schema(example = true)]
    counts: bool,
    #[schema(example = "requested_by_customer")]
    reason: Option<String>,
    #[schema(example = "2026-11-21T12:05:00Z")]
    created_at: String,
    #[schema(example = "2026-11-21T12:05:00Z")]
    updated_at: String,
}

/// A refund requested through Topup.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundRequestDetails {
    #[schema(example = "refund_019a0000000070008000000000000000")]
    id: String,
    /// `creating`: not made yet, or the outcome is unknown; a repeated request with the same key continues it, and
    /// `failureCode` has the last error. `created`: made. `refused`: refused by Stripe.
    #[schema(example = "created")]
    state: String,
    #[schema(example = "pi_3a1b2c3")]
    payment_id: String,
    #[schema(example = 100)]
    amount: i64,
    #[schema(example = "usd")]
    currency: String,
    #[schema(example = "requested_by_customer")]
    reason: Option<String>,
    /// Who requested the refund: an API key with its name, or a token's subject.
    #[schema(example = "API key key_019a0000000070008000000000000000 (back office)")]
    requested_by: String,
    /// Stripe's id of the refund.
    #[schema(example = "re_3a1b2c3")]
    refund_id: Option<String>,
    #[schema(example = 100)]
    credits_taken: Option<i64>,
    /// The part of the bonus that was taken with them.
    #[schema(example = 0)]
    bonus_credits_taken: Option<i64>,
    /// Why Stripe refused the refund, or why it has not been made yet.
    #[schema(example = "already_refunded")]
    failure_code: Option<String>,
    #[schema(example = "2026-11-21T12:05:00Z")]
    created_at: String,
}

/// An event from Stripe that was processed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventDetails {
    #[schema(example = "evt_1a2b3c")]
    id: String,
    #[serde(rename = "type")]
    #[schema(example = "checkout.session.completed")]
    event_type: String,
    /// The outcome, as a code.
    #[schema(example = "credited")]
    outcome: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    received_at: String,
}

/// A failed event that names the top-up or one of its payments. It is listed only while its payload is stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedEventDetails {
    #[schema(example = "evt_1a2b3c")]
    id: String,
    #[serde(rename = "type")]
    #[schema(example = "checkout.session.completed")]
    event_type: String,
    /// `permanent` or `transient`; see `FailedWebhookEvent`.
    #[schema(example = "permanent")]
    kind: String,
    #[schema(example = "amount_total is 288, agreed was 289")]
    error: String,
    #[schema(example = 1)]
    attempts: i64,
    #[schema(example = "2026-11-21T12:01:00Z")]
    last_failed_at: String,
    /// When the event was resolved; null if it is not.
    #[schema(example = "2026-11-21T12:02:00Z")]
    resolved_at: Option<String>,
}

impl TryFrom<Explanation> for TopupDetails {
    type Error = ApiError;

    fn try_from(found: Explanation) -> Result<Self, ApiError> {
        let (topup, fees) = (found.topup, found.fees);
        let credited = found.payments.iter().find(|payment| payment.state == "credited");
        let fee = FeeDetails {
            mode: fees.fee_mode,
            rate_percent: fees.fee_rate_percent,
            fixed: fees.fee_fixed,
            label: fees.fee_label,
            expected: topup.expected_fee_minor,
            real: credited.and_then(|payment| payment.real_fee),
            real_currency: credited.and_then(|payment| payment.real_fee_currency.clone()),
        };
        Ok(Self {
            id: topup.id.to_string(),
            account_id: topup.account.to_string(),
            state: topup.state.as_str().to_owned(),
            credits: topup.credits,
            taken_credits: topup.taken_credits,
            bonus_credits: topup.bonus_credits,
            credits_expire_days: topup.expiry.map(ExpiryDays::get),
            credits_expire_at: topup.credits_expire_at_ms().map(rfc3339).transpose()?,
            currency: topup.currency.as_str().to_owned(),
            credit_unit_credits: topup.unit.credits(),
            credit_unit_amount: topup.unit.amount_minor(),
            credits_amount: topup.credits_amount_minor,
            fee_amount: topup.fee_amount_minor,
            total_amount: topup.total_amount_minor,
            tax_behavior: topup.tax.map(TaxBehavior::as_str),
            tax_amount: topup.charged_tax_minor(),
            fee,
            provider: topup.provider.to_string(),
            session_id: topup.session.map(|session| session.to_string()),
            decline_code: topup.decline_code,
            declined_at: fees.declined_at.map(rfc3339).transpose()?,
            adopted_at: fees.adopted_at.map(rfc3339).transpose()?,
            adopted_by: fees.adopted_by,
            failure_code: topup.failure_code,
            created_at: rfc3339(topup.created_at_ms)?,
            expires_at: rfc3339(topup.expires_at_ms)?,
            paid_at: topup.paid_at_ms.map(rfc3339).transpose()?,
            payments: found.payments.into_iter().map(payment).collect::<Result<_, _>>()?,
            reversals: found.reversals.into_iter().map(reversal).collect::<Result<_, _>>()?,
            refund_requests: found.requests.into_iter().map(refund_request).collect::<Result<_, _>>()?,
            events: found.events.into_iter().map(event).collect::<Result<_, _>>()?,
            failed_events: found.failures.into_iter().map(failed_event).collect::<Result<_, _>>()?,
            ledger_entries: found.entries.into_iter().map(transaction).collect::<Result<_, _>>()?,
        })
    }
}

fn payment(stored: Payment) -> Result<PaymentDetails, ApiError> {
    Ok(PaymentDetails {
        payment_id: stored.provider_payment_id,
        role: stored.state,
        session_id: stored.provider_session_id,
        charge_id: stored.provider_charge_id,
        fee_id: stored.provider_fee_id,
        real_fee: stored.real_fee,
        real_fee_currency: stored.real_fee_currency,
        created_at: rfc3339(stored.created_at)?,
    })
}

fn reversal(stored: Reversal) -> Result<ReversalDetails, ApiError> {
    Ok(ReversalDetails {
        id: stored.provider_reversal_id,
        kind: stored.kind,
        payment_id: stored.provider_payment_id,
        amount: stored.amount,
        currency: stored.currency,
        status: stored.status,
        counts: stored.counts != 0,
        reason: stored.reason,
        created_at: rfc3339(stored.created_at)?,
        updated_at: rfc3339(stored.updated_at)?,
    })
}

fn refund_request(stored: RefundRequest) -> Result<RefundRequestDetails, ApiError> {
    Ok(RefundRequestDetails {
        id: stored.id,
        state: stored.state,
        payment_id: stored.provider_payment_id,
        amount: stored.amount,
        currency: stored.currency,
        reason: stored.reason,
        requested_by: stored.requested_by,
        refund_id: stored.provider_refund_id,
        credits_taken: stored.credits_taken,
        bonus_credits_taken: stored.bonus_taken,
        failure_code: stored.failure_code,
        created_at: rfc3339(stored.created_at)?,
    })
}

fn event(stored: DecidedEvent) -> Result<EventDetails, ApiError> {
    let received_at = rfc3339(stored.received_at)?;
    Ok(EventDetails {
        id: stored.provider_event_id,
        event_type: stored.event_type,
        outcome: stored.outcome,
        received_at,
    })
}

fn failed_event(stored: FailedEvent) -> Result<FailedEventDetails, ApiError> {
    Ok(FailedEventDetails {
        id: stored.provider_event_id,
        event_type: stored.event_type,
        kind: stored.kind,
        error: stored.error,
        attempts: stored.attempts,
        last_failed_at: rfc3339(stored.last_failed_at)?,
        resolved_at: stored.resolved_at.map(rfc3339).transpose()?,
    })
}
