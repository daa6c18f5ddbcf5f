//! Promotions: an operator gives credits, with a reason, often for a limited time.

use crate::access::caller_key::{CallerKey, request_hash};
use crate::access::operator::Operator;
use crate::app::App;
use crate::books::grant::grant_list::Grant;
use crate::books::grant::promotions::{self, NewPromotion, Promotion};
use crate::books::grants::{self, NewGrant};
use crate::books::locked_account::{LockedAccount, NewEntry};
use crate::books::rounds::until_settled;
use crate::books::settle::{Settled, settle};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::burn::{BurnOrder, Category, GrantKind};
use crate::domain::ids::{GrantId, LedgerEntryId};
use crate::domain::ledger::EntryKind;

/// An operator's request to give credits.
#[derive(Debug, Clone)]
pub struct Promote {
    /// The account.
    pub account: AccountId,
    /// The number of credits, at least 1.
    pub credits: i64,
    /// Whether money was paid for them elsewhere.
    pub category: Category,
    /// Lower numbers are spent first; 0 to 100.
    pub priority: i64,
    /// When they end, in milliseconds since 1970; `NEVER_MS` for never.
    pub expires_at_ms: i64,
    /// The reason.
    pub reason: String,
    /// Whether the account may be new.
    pub create: bool,
    /// The operator.
    pub operator: Operator,
    /// The idempotency key.
    pub key: String,
}

/// Why a promotion was refused. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// The operator may not act for the account.
    #[error("these credentials are not for that account")]
    Forbidden,
    /// The account does not exist yet, and the operator did not allow a new one.
    #[error("there is no account {0} yet")]
    UnknownAccount(String),
    /// The end is not in the future.
    #[error("the credits would have ended already")]
    AlreadyEnded,
    /// The idempotency key was used with a different request.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

enum Outcome {
    Booked(Promotion),
    Known(Promotion),
    UnknownAccount,
    AlreadyEnded,
}

/// Gives credits to an account.
///
/// # Errors
/// See [`PromoteError`].
pub async fn promote(app: &App, request: Promote) -> Result<Grant, PromoteError> {
    if !request.operator.may_act_for(&request.account) {
        return Err(PromoteError::Forbidden);
    }
    let hash = request_hash(&[
        &request.credits.to_string(),
        request.category.as_str(),
        &request.priority.to_string(),
        &request.expires_at_ms.to_string(),
        &request.reason,
    ]);
    let outcome = until_settled(|| async {
        let write = BookPromotion {
            id: GrantId::from_bits(app.ids.id_bits()),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            key: CallerKey::of_promotion(&request.account, request.key.clone()),
            request: request.clone(),
            request_hash: hash.clone(),
            now_ms: app.clock.now_ms(),
        };
        app.db.write(write).await
    });
    match outcome.await? {
        Outcome::Known(promotion) if promotion.request_hash != hash => Err(PromoteError::OtherRequest),
        Outcome::Known(promotion) => grant_of(app, &promotion).await,
        Outcome::Booked(promotion) => {
            tracing::info!(grant = promotion.id, credits = request.credits, "credits given");
            grant_of(app, &promotion).await
        }
        Outcome::UnknownAccount => Err(PromoteError::UnknownAccount(request.account.to_string())),
        Outcome::AlreadyEnded => Err(PromoteError::AlreadyEnded),
    }
}

async fn grant_of(app: &App, promotion: &Promotion) -> Result<Grant, PromoteError> {
    let missing = || StoreError::corrupt("no grant of promotion", &promotion.id);
    Ok(app.db.grant(&promotion.id).await?.ok_or_else(missing)?)
}

/// Books a promotion, or finds the earlier one with the same key.
struct BookPromotion {
    id: GrantId,
    entry: LedgerEntryId,
    key: CallerKey,
    request: Promote,
    request_hash: String,
    now_ms: i64,
}

impl Write for BookPromotion {
    /// `None` while the account is being settled.
    type Output = Option<Outcome>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Outcome>, StoreError> {
        if let Some(earlier) = promotions::find_by_key(tx, &self.key).await? {
            return Ok(Some(Outcome::Known(earlier)));
        }
        if self.request.expires_at_ms <= self.now_ms {
            return Ok(Some(Outcome::AlreadyEnded));
        }
        if self.request.create {
            LockedAccount::create(tx, &self.request.account, self.now_ms).await?;
        }
        let locked = LockedAccount::lock(tx, &self.request.account, &self.entry, self.now_ms).await?;
        let Some(mut account) = locked else { return Ok(Some(Outcome::UnknownAccount)) };
        if settle(tx, &mut account).await? == Settled::Partly {
            account.store(tx).await?;
            return Ok(None);
        }
        self.book(tx, &mut account).await.map(|booked| Some(Outcome::Booked(booked)))
    }
}

impl BookPromotion {
    async fn book(&self, tx: &mut Tx, account: &mut LockedAccount) -> Result<Promotion, StoreError> {
        let Promote { credits, reason, .. } = &self.request;
        let entry = NewEntry {
            kind: EntryKind::Promotion,
            credits: *credits,
            source: self.id.as_str(),
            grant: None,
            reason: Some(reason),
        };
        let sequence = account.book(tx, entry).await?;
        let order = BurnOrder {
            priority: self.request.priority,
            expires_at_ms: self.request.expires_at_ms,
            category: self.request.category,
            sequence,
        };
        let (id, kind) = (self.id.as_str(), GrantKind::Promotion);
        let grant = NewGrant { id, kind, credits: *credits, order, topup: None, reason: Some(reason) };
        let balance_after = account.funds().remaining;
        grants::open(tx, account, grant, balance_after).await?;
        let promotion = NewPromotion {
            id: &self.id,
            account: account.id(),
            credits: *credits,
            reason,
            made_by: &self.request.operator.name,
            balance_after,
            key: &self.key,
            request_hash: &self.request_hash,
            now_ms: self.now_ms,
        };
        promotions::insert(tx, &promotion).await?;
        account.store(tx).await?;
        Ok(Promotion { id: self.id.to_string(), request_hash: self.request_hash.clone() })
    }
}
