//! What the product is told of subscriptions.
//!
//! Each message is written with its cause. Its id follows from the cause, so that no cause has two.

use serde_json::{Value, json};

use crate::db::{StoreError, Tx};
use crate::domain::subscription::SubscriptionStatus;
use crate::domain::timestamp::rfc3339;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};
use crate::subscriptions::invoice_rows::Invoice;
use crate::subscriptions::subscription_rows::Subscription;

/// What a backend needs to know of a subscription.
fn facts(row: &Subscription) -> Value {
    json!({
        "subscriptionId": row.provider_subscription_id,
        "planId": row.plan_id,
        "status": row.status,
        "periodStart": row.period_start.and_then(rfc3339),
        "periodEnd": row.period_end.and_then(rfc3339),
        "trialEnd": row.trial_end.and_then(rfc3339),
        "cancelAt": row.cancel_at.and_then(rfc3339),
        "nextPlanId": row.next_plan_id,
    })
}

fn with(mut facts: Value, more: Value) -> Value {
    if let (Value::Object(facts), Value::Object(more)) = (&mut facts, more) {
        facts.extend(more);
    }
    facts
}

async fn write(
    tx: &mut Tx,
    event: EventType,
    row: &Subscription,
    distinction: &str,
    facts: Value,
    now_ms: i64,
) -> Result<(), StoreError> {
    let message = NewMessage {
        event,
        distinction,
        account: &row.account_id,
        cause: &row.provider_subscription_id,
        facts: Some(facts),
        now_ms,
    };
    message::write(tx, &message).await
}

/// Whether a change of a subscription is worth a message.
pub(crate) fn is_news(before: &Subscription, after: &Subscription) -> bool {
    before.has_started != after.has_started
        || before.plan_id != after.plan_id
        || before.cancel_at != after.cancel_at
        || before.status != after.status
}

/// Tells what changed of a subscription. The account's row is locked.
pub(crate) async fn changed(
    tx: &mut Tx,
    before: &Subscription,
    after: &Subscription,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = after.provider_subscription_id.as_str();
    // Each write of the row has another number.
    let numbered = format!("{id}:{}", after.revision);
    if before.has_started == 0 && after.has_started == 1 {
        write(tx, EventType::SubscriptionStarted, after, id, facts(after), now_ms).await?;
    } else if before.has_started == 1 && before.plan_id != after.plan_id {
        let more = json!({ "formerPlanId": before.plan_id });
        write(tx, EventType::SubscriptionChanged, after, &numbered, with(facts(after), more), now_ms).await?;
    }
    let has_ended = after.status == SubscriptionStatus::Canceled.as_str();
    if has_ended && before.status != after.status {
        let more = json!({ "reason": after.cancel_reason, "endedAt": after.ended_at.and_then(rfc3339) });
        return write(tx, EventType::SubscriptionEnded, after, id, with(facts(after), more), now_ms).await;
    }
    match (before.cancel_at, after.cancel_at) {
        (None, Some(_)) if !has_ended => {
            let more = json!({ "reason": after.cancel_reason });
            write(tx, EventType::SubscriptionCanceling, after, &numbered, with(facts(after), more), now_ms).await
        }
        // It goes on after all.
        (Some(_), None) if !has_ended => {
            write(tx, EventType::SubscriptionChanged, after, &numbered, facts(after), now_ms).await
        }
        _ => Ok(()),
    }
}

/// Tells that a further period is paid.
pub(crate) async fn renewed(
    tx: &mut Tx,
    row: &Subscription,
    invoice: &Invoice,
    credits: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let more = json!({
        "invoiceId": invoice.provider_invoice_id,
        "invoiceNumber": invoice.number,
        "amountPaid": invoice.amount_paid,
        "currency": invoice.currency,
        "credits": credits,
    });
    write(tx, EventType::SubscriptionRenewed, row, &invoice.provider_invoice_id, with(facts(row), more), now_ms).await
}

/// Tells that an attempt to pay an invoice failed, or waits for the customer.
pub(crate) async fn not_paid(
    tx: &mut Tx,
    row: &Subscription,
    invoice: &Invoice,
    needs_action: bool,
    now_ms: i64,
) -> Result<(), StoreError> {
    let event = if needs_action { EventType::SubscriptionActionRequired } else { EventType::SubscriptionPaymentFailed };
    let more = json!({
        "invoiceId": invoice.provider_invoice_id,
        "invoiceNumber": invoice.number,
        "amountDue": invoice.total.saturating_sub(invoice.amount_paid),
        "currency": invoice.currency,
        "attempt": invoice.attempts,
        "nextAttemptAt": invoice.next_attempt_at.and_then(rfc3339),
        "payUrl": invoice.hosted_url,
    });
    let distinction = format!("{}:{}", invoice.provider_invoice_id, invoice.attempts);
    write(tx, event, row, &distinction, with(facts(row), more), now_ms).await
}

/// Tells that a trial ends soon.
pub(crate) async fn trial_ends(tx: &mut Tx, row: &Subscription, now_ms: i64) -> Result<(), StoreError> {
    let distinction = format!("{}:{}", row.provider_subscription_id, row.trial_end.unwrap_or_default());
    write(tx, EventType::SubscriptionTrialEnding, row, &distinction, facts(row), now_ms).await
}
