//! Use cases of servers that spend credits.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::access::caller_key::{CallerKey, request_hash};
use crate::app::App;
use crate::books::hold::holds::Hold;
use crate::books::rounds::until_settled;
use crate::books::settle_account::balance_now;
use crate::books::spend::action::{
    Action, CaptureHold, Debit, ExtendHold, PlaceHold, Refusal, Shortfall, SpendCommand, SpendOutcome,
};
use crate::books::spend::spends::{Purpose, Spend};
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::ids::{HoldId, LedgerEntryId, SpendId};
use crate::domain::ledger::Funds;
use crate::measure::{self, Flow};

/// A server's request for a debit.
#[derive(Debug, Clone)]
pub struct DebitRequest {
    /// The account.
    pub account: AccountId,
    /// The credits to take; at least 1.
    pub credits: i64,
    /// What to do when there are fewer.
    pub on_shortfall: Shortfall,
    /// The fewest credits to take, if fewer than `credits` may be taken.
    pub minimum_credits: i64,
    /// What it is for.
    pub purpose: Purpose,
    /// The idempotency key.
    pub key: String,
}

/// A server's request to reserve credits.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// The account.
    pub account: AccountId,
    /// The credits to reserve; at least 1.
    pub credits: i64,
    /// The fewest credits to reserve; `credits`, if a part is of no use.
    pub minimum_credits: i64,
    /// After how many seconds it ends by itself.
    pub expires_in_seconds: i64,
    /// What it is for.
    pub purpose: Purpose,
    /// The idempotency key.
    pub key: String,
}

/// What a request did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The spend or hold.
    pub value: T,
    /// The account's credits afterwards.
    pub funds: Funds,
    /// Whether an earlier request did it.
    pub is_replay: bool,
}

/// Why a request did nothing.
#[derive(Debug, thiserror::Error)]
pub enum SpendError {
    /// A rule forbids it.
    #[error("the credits cannot be spent")]
    Refused(Refusal),
    /// The idempotency key was used with a different request.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes credits.
///
/// # Errors
/// See [`SpendError`].
pub async fn debit(app: &App, request: DebitRequest) -> Result<Answer<Spend>, SpendError> {
    let key = CallerKey::of_debit(&request.account, request.key);
    let hash = hash(
        &request.purpose,
        &[
            &request.credits.to_string(),
            &request.minimum_credits.to_string(),
            if request.on_shortfall == Shortfall::Cap { "cap" } else { "reject" },
        ],
    );
    let action = Action::Debit(Debit {
        id: SpendId::from_bits(app.ids.id_bits()),
        credits: request.credits,
        on_shortfall: request.on_shortfall,
        minimum_credits: request.minimum_credits,
        purpose: request.purpose,
        key: key.clone(),
        request_hash: hash.clone(),
    });
    match run(app, &request.account, action).await? {
        SpendOutcome::Spent(spend, funds) => Ok(Answer { value: *spend, funds, is_replay: false }),
        SpendOutcome::Known => {
            let spend = app.db.spend_by_key(&key).await?.ok_or_else(|| lost("spend"))?;
            if spend.request_hash != hash {
                return Err(SpendError::OtherRequest);
            }
            replayed(app, &request.account, spend).await
        }
        other => Err(refused(other)),
    }
}

/// Reserves credits.
///
/// # Errors
/// See [`SpendError`].
pub async fn place_hold(app: &App, request: HoldRequest) -> Result<Answer<Hold>, SpendError> {
    let key = CallerKey::of_hold(&request.account, request.key);
    let hash = hash(
        &request.purpose,
        &[&request.credits.to_string(), &request.minimum_credits.to_string(), &request.expires_in_seconds.to_string()],
    );
    let action = Action::Hold(PlaceHold {
        id: HoldId::from_bits(app.ids.id_bits()),
        credits: request.credits,
        minimum_credits: request.minimum_credits,
        expires_at_ms: after_seconds(app, request.expires_in_seconds),
        purpose: request.purpose,
        key: key.clone(),
        request_hash: hash.clone(),
    });
    match run(app, &request.account, action).await? {
        SpendOutcome::Held(hold, funds) => Ok(Answer { value: *hold, funds, is_replay: false }),
        SpendOutcome::Known => {
            let hold = app.db.hold_by_key(&key).await?.ok_or_else(|| lost("hold"))?;
            if hold.request_hash != hash {
                return Err(SpendError::OtherRequest);
            }
            replayed(app, &request.account, hold).await
        }
        other => Err(refused(other)),
    }
}

/// Spends what a hold reserves, or more, or less.
///
/// # Errors
/// See [`SpendError`].
pub async fn capture_hold(
    app: &App,
    account: &AccountId,
    hold: &HoldId,
    credits: i64,
    on_shortfall: Shortfall,
    metadata: Option<String>,
) -> Result<Answer<Spend>, SpendError> {
    let spend = SpendId::from_bits(app.ids.id_bits());
    let action = Action::Capture(CaptureHold { hold: hold.clone(), spend, credits, on_shortfall, metadata });
    match run(app, account, action).await? {
        SpendOutcome::Spent(spend, funds) => Ok(Answer { value: *spend, funds, is_replay: false }),
        SpendOutcome::Known => {
            let spend = app.db.spend_by_key(&CallerKey::of_capture(hold)).await?.ok_or_else(|| lost("spend"))?;
            replayed(app, account, spend).await
        }
        other => Err(refused(other)),
    }
}

/// Reserves more, or for longer. The new end is counted from now.
///
/// # Errors
/// See [`SpendError`].
pub async fn extend_hold(
    app: &App,
    account: &AccountId,
    hold: &HoldId,
    credits: Option<i64>,
    expires_in_seconds: Option<i64>,
) -> Result<Answer<Hold>, SpendError> {
    let expires_at_ms = expires_in_seconds.map(|seconds| after_seconds(app, seconds));
    change_hold(app, account, Action::Extend(ExtendHold { hold: hold.clone(), credits, expires_at_ms })).await
}

/// Frees what a hold reserves.
///
/// # Errors
/// See [`SpendError`].
pub async fn release_hold(app: &App, account: &AccountId, hold: &HoldId) -> Result<Answer<Hold>, SpendError> {
    change_hold(app, account, Action::Release(hold.clone())).await
}

async fn change_hold(app: &App, account: &AccountId, action: Action) -> Result<Answer<Hold>, SpendError> {
    match run(app, account, action).await? {
        SpendOutcome::Held(hold, funds) => Ok(Answer { value: *hold, funds, is_replay: false }),
        other => Err(refused(other)),
    }
}

/// Runs an action, again while the account is being settled.
async fn run(app: &App, account: &AccountId, action: Action) -> Result<SpendOutcome, SpendError> {
    let with_limits = AtomicBool::new(false);
    let outcome = until_settled(|| async {
        let now_ms = app.clock.now_ms();
        let command = SpendCommand {
            account: account.clone(),
            action: action.clone(),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            now_ms,
            with_limits: with_limits.load(Ordering::Relaxed) || app.limits_seen.is_recent(now_ms),
        };
        Ok(match app.db.submit(command).await? {
            SpendOutcome::Again => None,
            SpendOutcome::HasLimits => {
                app.limits_seen.note(now_ms);
                with_limits.store(true, Ordering::Relaxed);
                None
            }
            outcome => Some(outcome),
        })
    });
    let outcome = outcome.await?;
    match (&action, &outcome) {
        (_, SpendOutcome::Spent(spend, _)) => measure::credits(Flow::Spent, spend.credits),
        (Action::Hold(_), SpendOutcome::Held(hold, _)) => measure::credits(Flow::Held, hold.credits),
        _ => {}
    }
    Ok(outcome)
}

async fn replayed<T>(app: &App, account: &AccountId, value: T) -> Result<Answer<T>, SpendError> {
    Ok(Answer { value, funds: balance_now(app, account).await?.funds(), is_replay: true })
}

fn hash(purpose: &Purpose, parts: &[&str]) -> String {
    let purpose = [purpose.operation.as_str(), &purpose.subject, purpose.metadata.as_deref().unwrap_or_default()];
    request_hash(&[parts, &purpose].concat())
}

fn after_seconds(app: &App, seconds: i64) -> i64 {
    app.clock.now_ms().saturating_add(seconds.saturating_mul(1_000))
}

fn refused(outcome: SpendOutcome) -> SpendError {
    match outcome {
        SpendOutcome::Refused(refusal) => SpendError::Refused(refusal),
        other => StoreError::Corrupt(format!("an outcome of another command: {other:?}")).into(),
    }
}

fn lost(what: &str) -> StoreError {
    StoreError::Corrupt(format!("no {what} of a key that is known"))
}
