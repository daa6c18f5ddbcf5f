//! A person puts right what no rule does: gives or takes credits, with a reason, once for each key.

use crate::access::caller_key::{CallerKey, request_hash};
use crate::access::operator::Operator;
use crate::app::App;
use crate::books::adjustments::{self, Adjustment, NewAdjustment};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::ids::{AdjustmentId, LedgerEntryId};

/// What an operator asks for.
#[derive(Debug, Clone)]
pub struct AdjustAccount {
    /// Whose credits.
    pub account: AccountId,
    /// How many; negative to take them, never 0.
    pub credits: i64,
    /// Why.
    pub reason: String,
    /// Whether the account may be a new one.
    pub create: bool,
    /// Who asks.
    pub operator: Operator,
    /// The idempotency key.
    pub key: CallerKey,
}

/// Why nothing was adjusted. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// The operator may not act for the account.
    #[error("these credentials are not for that account")]
    Forbidden,
    /// There is no such account yet, and the operator did not say that it is to be a new one.
    #[error("there is no account {0} yet")]
    UnknownAccount(String),
    /// The account has less: only refunds and disputes may take it below zero.
    #[error("the account has fewer credits than that")]
    InsufficientCredits,
    /// The idempotency key came with another request before.
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

/// Gives or takes credits, in one transaction.
///
/// # Errors
/// See [`AdjustError`].
pub async fn adjust_account(app: &App, command: AdjustAccount) -> Result<Adjustment, AdjustError> {
    if !command.operator.may_act_for(&command.account) {
        return Err(AdjustError::Forbidden);
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
        Ok(adjustments::book(tx, new).await?.map_or(Outcome::Insufficient, Outcome::Booked))
    }
}
