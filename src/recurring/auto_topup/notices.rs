//! What the product is told of auto top-up.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::db::{StoreError, Tx};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::Decline;
use crate::domain::ids::TopupId;
use crate::domain::timestamp::rfc3339;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};
use crate::purchases::checkout::create_checkout::Checkout;
use crate::recurring::auto_topup::settings::Pause;

async fn about_topup(
    tx: &mut Tx,
    event: EventType,
    account: &AccountId,
    topup: &TopupId,
    facts: Option<Value>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let distinction = message::digits(topup.as_str());
    let message = NewMessage { event, distinction, account: account.as_str(), cause: topup.as_str(), facts, now_ms };
    message::write(tx, &message).await
}

/// The card was charged and the credits are booked.
pub(crate) async fn succeeded(
    tx: &mut Tx,
    account: &AccountId,
    topup: &TopupId,
    now_ms: i64,
) -> Result<(), StoreError> {
    about_topup(tx, EventType::AutoTopupSucceeded, account, topup, None, now_ms).await
}

/// The bank declined a charge.
pub(crate) async fn failed(
    tx: &mut Tx,
    account: &AccountId,
    topup: &TopupId,
    (decline, pause): (&Decline, &Pause),
    now_ms: i64,
) -> Result<(), StoreError> {
    let facts = json!({
        "code": decline.code,
        "declineCode": decline.decline_code,
        "adviceCode": decline.advice_code,
        "retryAt": pause.retry_at_ms.and_then(rfc3339),
    });
    about_topup(tx, EventType::AutoTopupFailed, account, topup, Some(facts), now_ms).await
}

/// The part of a message's id for a change of an account's state. Account ids have characters that ids of messages do
/// not have.
fn of_change(account: &AccountId, changes: i64) -> String {
    let digest = hex::encode(Sha256::digest(account.as_str()));
    format!("{}_{changes}", digest.get(..32).unwrap_or_default())
}

/// No card is charged for now, or until the customer does something.
pub(crate) async fn paused(
    tx: &mut Tx,
    account: &AccountId,
    pause: &Pause,
    changes: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let facts = json!({ "reason": pause.reason.as_str(), "resumesAt": pause.retry_at_ms.and_then(rfc3339) });
    about_change(tx, EventType::AutoTopupPaused, account, (changes, facts), now_ms).await
}

/// The customer has to confirm a payment. Without an address, the product sends the customer to a page of its own, which
/// asks for one.
pub(crate) async fn action_required(
    tx: &mut Tx,
    account: &AccountId,
    page: Option<&Checkout>,
    changes: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let facts = json!({
        "topupId": page.map(|page| page.topup.as_str()),
        "url": page.map(|page| page.url.as_str()),
        "expiresAt": page.and_then(|page| rfc3339(page.expires_at_ms)),
    });
    about_change(tx, EventType::AutoTopupActionRequired, account, (changes, facts), now_ms).await
}

async fn about_change(
    tx: &mut Tx,
    event: EventType,
    account: &AccountId,
    (changes, facts): (i64, Value),
    now_ms: i64,
) -> Result<(), StoreError> {
    let (distinction, account) = (of_change(account, changes), account.as_str());
    let message = NewMessage { event, distinction: &distinction, account, cause: account, facts: Some(facts), now_ms };
    message::write(tx, &message).await
}
