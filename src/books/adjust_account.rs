//! Adjustments: an operator grants or takes credits where no rule does, with a reason and an idempotency key.

use crate::access::caller_key::{CallerKey, request_hash};
use crate::access::operator::Operator;
use crate::app::App;
use crate::books::adjustments::{self, Adjustment, NewAdjustment};
use crate::books::settle_account::settle_account;
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::ids::{AdjustmentId, LedgerEntryId};

/// An operator's request for an adjustment.
#[derive(Debug, Clone)]
pub struct AdjustAccount {
    /// The account.
    pub account: AccountId,
    /// The number of credits; negative to take them, never 0.
    pub credits: i64,
    /// The reason.
    pub reason: String,
    /// Whether the account may be new.
    pub create: bool,
    /// The operator.
    pub operator: Operator,
    /// The idempotency key.
    pub key: CallerKey,
}

/// Why an adjustment was refused. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// The operator may not act for the account.
    #[error("these credentials are not for that account")]
    Forbidden,
    /// The account does not exist yet, and the operator did not allow a new one.
    #[error("there is no account {0} yet")]
    UnknownAccount(String),
    /// The account has fewer credits than are to be taken: only refunds and disputes may take it below zero.
    #[error("the account has fewer credits than that")]
    InsufficientCredits,
    /// The idempotency key was used with a different request.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

enum Outcome {
    Booked(Adjustment),
    Insufficient,
    UnknownAccount,
}

/// Adjusts an account in one transaction.
///
/// # Errors
/// See [`AdjustError`].
pub async fn adjust_account(app: &App, command: AdjustAccount) -> Result<Adjustment, AdjustError> {
    if !command.operator.may_act_for(&command.account) {
        return Err(AdjustError::Forbidden);
    }
    if command.credits < 0 {
        // What has ended by now cannot be taken.
        settle_account(app, &command.account).await?;
    }
    let hash = request_hash(&[command.account.as_str(), &command.credits.to_string(), &command.reason]);
    let (create, name) = (command.create, command.account.to_string());
    let new = NewAdjustment {
        id: AdjustmentId::from_bits(app.ids.id_bits()),
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        account: command.account,
        credits: command.credits,
        reason: command.reason,
        made_by: command.operator.name,
        scope: command.key.scope,
        key: command.key.key,
        request_hash: hash.clone(),
        now_ms: app.clock.now_ms(),
    };
    match app.db.write(BookAdjustment { new, create }).await? {
        Outcome::Booked(adjustment) if adjustment.request_hash != hash => Err(AdjustError::OtherRequest),
        Outcome::Booked(adjustment) => {
            let Adjustment { id, credits, made_by, .. } = &adjustment;
            tracing::info!(id, credits, made_by, "credits adjusted by hand");
            Ok(adjustment)
        }
        Outcome::Insufficient => Err(AdjustError::InsufficientCredits),
        Outcome::UnknownAccount => Err(AdjustError::UnknownAccount(name)),
    }
}

/// Books an adjustment, or finds the earlier one with the same key.
struct BookAdjustment {
    new: NewAdjustment,
    create: bool,
}

impl Write for BookAdjustment {
    type Output = Outcome;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome, StoreError> {
        let new = &self.new;
        if let Some(earlier) = adjustments::find_by_key(tx, &new.scope, &new.key).await? {
            return Ok(Outcome::Booked(earlier));
        }
        if !self.create && !adjustments::has_account(tx, &new.account).await? {
            return Ok(Outcome::UnknownAccount);
        }
        if let Some(adjustment) = adjustments::book(tx, new).await? {
            return Ok(Outcome::Booked(adjustment));
        }
        // The same request may have taken the credits while this one waited for the account.
        Ok(adjustments::find_by_key(tx, &new.scope, &new.key).await?.map_or(Outcome::Insufficient, Outcome::Booked))
    }
}
