//! The body of a message: `{type, timestamp, data}`.
//!
//! `data` has what the message is about, and for an account its balance and number of ledger entries at the time when
//! the message was queued, read together. Within an account both only move forward from message to message.

use serde_json::{Map, Value, json};

use crate::db::{StoreError, Tx, args, statements};
use crate::domain::ledger::Funds;
use crate::domain::timestamp::rfc3339;
use crate::messages::event_type::EventType;

statements! {
    ACCOUNT = "SELECT balance, held_credits, entries FROM accounts WHERE id = :account";
    TOPUP = "SELECT credits, bonus_credits, credits_amount, fee_amount, total_amount, tax_behavior, tax_amount, currency, \
        credits_expire_days, \
        provider_payment_id, paid_at FROM topups WHERE id = :topup";
    HOLD = "SELECT credits, operation, subject, expires_at, created_at FROM holds WHERE id = :hold";
}

/// Stands in for the body of a message that cannot be made. Nothing is sent of it.
pub(crate) const UNREADABLE: &str = "";

/// A message that was not queued yet.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct RawMessage {
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) r#type: String,
    pub(crate) account_id: String,
    pub(crate) cause: String,
    pub(crate) facts: Option<String>,
    pub(crate) created_at: i64,
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    balance: i64,
    held_credits: i64,
    entries: i64,
}

#[derive(sqlx::FromRow)]
struct TopupRow {
    credits: i64,
    bonus_credits: i64,
    credits_amount: i64,
    fee_amount: i64,
    total_amount: i64,
    tax_behavior: Option<String>,
    tax_amount: i64,
    currency: String,
    credits_expire_days: Option<i64>,
    provider_payment_id: Option<String>,
    paid_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct HoldRow {
    credits: i64,
    operation: String,
    subject: String,
    expires_at: i64,
    created_at: i64,
}

/// Makes the body of a message.
pub(crate) async fn render(tx: &mut Tx, message: &RawMessage) -> Result<String, StoreError> {
    let mut data = match EventType::parse(&message.r#type) {
        Some(
            EventType::TopupPaid | EventType::TopupFailed | EventType::AutoTopupSucceeded | EventType::AutoTopupFailed,
        ) => topup(tx, &message.cause).await?,
        Some(EventType::HoldExpired) => hold(tx, &message.cause).await?,
        _ => Map::new(),
    };
    if let Some(facts) = &message.facts {
        let facts: Map<String, Value> =
            serde_json::from_str(facts).map_err(|error| StoreError::corrupt("facts of a message", error))?;
        data.extend(facts);
    }
    if !message.account_id.is_empty() {
        account(tx, &message.account_id, &mut data).await?;
    }
    Ok(body(&message.r#type, message.created_at, &data))
}

/// The body with this data.
pub(crate) fn body(event: &str, created_at_ms: i64, data: &Map<String, Value>) -> String {
    json!({ "type": event, "timestamp": rfc3339(created_at_ms), "data": data }).to_string()
}

async fn account(tx: &mut Tx, account: &str, data: &mut Map<String, Value>) -> Result<(), StoreError> {
    let row: Option<AccountRow> = tx.fetch_optional(&ACCOUNT, &args![account]).await?;
    let row = row.unwrap_or(AccountRow { balance: 0, held_credits: 0, entries: 0 });
    let funds = Funds { remaining: row.balance, held: row.held_credits };
    data.insert("accountId".to_owned(), json!(account));
    data.insert("entries".to_owned(), json!(row.entries));
    let balance = json!({
        "remainingCredits": funds.remaining,
        "heldCredits": funds.held,
        "availableCredits": funds.available(),
        "owedCredits": funds.owed(),
    });
    data.insert("balance".to_owned(), balance);
    Ok(())
}

/// What never changes of a paid or failed top-up.
async fn topup(tx: &mut Tx, topup: &str) -> Result<Map<String, Value>, StoreError> {
    let row: Option<TopupRow> = tx.fetch_optional(&TOPUP, &args![topup]).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("no top-up of a message:", topup))?;
    let days = crate::domain::expiry::ExpiryDays::new;
    let ends_at = row.credits_expire_days.and_then(days).zip(row.paid_at).map(|(days, paid_at)| days.end_ms(paid_at));
    let facts = json!({
        "topupId": topup,
        "paymentId": row.provider_payment_id,
        "credits": row.credits,
        "bonusCredits": row.bonus_credits,
        "creditsAmount": row.credits_amount,
        "feeAmount": row.fee_amount,
        "totalAmount": row.total_amount,
        "taxBehavior": row.tax_behavior,
        "taxAmount": row.tax_behavior.as_ref().and(row.paid_at).map(|_| row.tax_amount),
        "currency": row.currency,
        "paidAt": row.paid_at.and_then(rfc3339),
        "creditsExpireAt": ends_at.and_then(rfc3339),
    });
    Ok(object(facts))
}

async fn hold(tx: &mut Tx, hold: &str) -> Result<Map<String, Value>, StoreError> {
    let row: Option<HoldRow> = tx.fetch_optional(&HOLD, &args![hold]).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("no hold of a message:", hold))?;
    let named = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(object(json!({
        "holdId": hold,
        "credits": row.credits,
        "operation": named(row.operation),
        "subject": named(row.subject),
        "createdAt": rfc3339(row.created_at),
        "expiredAt": rfc3339(row.expires_at),
    })))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
