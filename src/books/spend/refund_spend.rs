//! Refunds of spends: credits go back to the grants that they came from, last part first.

use crate::access::caller_key::{CallerKey, request_hash};
use crate::app::App;
use crate::books::give_back::{Bringing, give_back};
use crate::books::locked_account::{LockedAccount, NewEntry};
use crate::books::rounds::until_settled;
use crate::books::settle::{Settled, settle};
use crate::books::settle_account::balance_now;
use crate::books::spend::spend_refunds::{self, NewSpendRefund, SpendRefund};
use crate::books::spend::spends::{self, Spend};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::burn::spendable;
use crate::domain::ids::{LedgerEntryId, SpendId, SpendRefundId};
use crate::domain::ledger::{EntryKind, Funds};

/// A server's request to give spent credits back.
#[derive(Debug, Clone)]
pub struct RefundSpend {
    /// The spend.
    pub spend: SpendId,
    /// Its account.
    pub account: AccountId,
    /// The credits; all that were not given back yet if none are named.
    pub credits: Option<i64>,
    /// The reason.
    pub reason: Option<String>,
    /// The idempotency key.
    pub key: String,
}

/// Why nothing was given back.
#[derive(Debug, thiserror::Error)]
pub enum RefundSpendError {
    /// The spend has fewer credits that were not given back yet.
    #[error("of the spend, {left} credits can be given back")]
    TooMany {
        /// How many it has.
        left: i64,
    },
    /// The idempotency key was used with a different request.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A refund and the account's credits afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundedSpend {
    /// The refund.
    pub refund: SpendRefund,
    /// The account's credits.
    pub funds: Funds,
    /// Whether an earlier request made it.
    pub is_replay: bool,
}

/// Gives spent credits back.
///
/// # Errors
/// See [`RefundSpendError`].
pub async fn refund_spend(app: &App, request: RefundSpend) -> Result<RefundedSpend, RefundSpendError> {
    let credits = request.credits.map(|credits| credits.to_string()).unwrap_or_default();
    let hash = request_hash(&[&credits, request.reason.as_deref().unwrap_or_default()]);
    let outcome = until_settled(|| async {
        let write = BookRefund {
            id: SpendRefundId::from_bits(app.ids.id_bits()),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            key: CallerKey::of_spend_refund(&request.spend, request.key.clone()),
            request: request.clone(),
            request_hash: hash.clone(),
            now_ms: app.clock.now_ms(),
        };
        app.db.write(write).await
    });
    let (refund, funds, is_replay) = match outcome.await? {
        Outcome::Booked(refund, funds) => (refund, funds, false),
        Outcome::Known(refund) => (refund, balance_now(app, &request.account).await?.funds(), true),
        Outcome::TooMany { left } => return Err(RefundSpendError::TooMany { left }),
    };
    if refund.request_hash != hash {
        return Err(RefundSpendError::OtherRequest);
    }
    Ok(RefundedSpend { refund, funds, is_replay })
}

enum Outcome {
    Booked(SpendRefund, Funds),
    Known(SpendRefund),
    TooMany { left: i64 },
}

/// Books a refund, or finds the earlier one with the same key.
struct BookRefund {
    id: SpendRefundId,
    entry: LedgerEntryId,
    key: CallerKey,
    request: RefundSpend,
    request_hash: String,
    now_ms: i64,
}

impl Write for BookRefund {
    /// `None` while the account is being settled.
    type Output = Option<Outcome>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Outcome>, StoreError> {
        let (spend, account) = (&self.request.spend, &self.request.account);
        let locked = LockedAccount::lock(tx, account, &self.entry, self.now_ms).await?;
        if let Some(earlier) = spend_refunds::find_by_key(tx, &self.key).await? {
            return Ok(Some(Outcome::Known(earlier)));
        }
        let missing = || StoreError::corrupt("no account or spend of", spend);
        let mut account = locked.ok_or_else(missing)?;
        if settle(tx, &mut account).await? == Settled::Partly {
            account.store(tx).await?;
            return Ok(None);
        }
        let spend = spends::find(tx, spend.as_str()).await?.ok_or_else(missing)?;
        let left = spend.credits.saturating_sub(spend.refunded_credits);
        let credits = self.request.credits.unwrap_or(left);
        if credits > left || left == 0 {
            if account.is_changed() {
                account.store(tx).await?;
            }
            return Ok(Some(Outcome::TooMany { left }));
        }
        self.book(tx, &mut account, &spend, credits).await.map(Some)
    }
}

impl BookRefund {
    async fn book(
        &self,
        tx: &mut Tx,
        account: &mut LockedAccount,
        spend: &Spend,
        credits: i64,
    ) -> Result<Outcome, StoreError> {
        let entry = NewEntry {
            kind: EntryKind::SpendRefund,
            credits,
            source: self.id.as_str(),
            grant: None,
            reason: self.request.reason.as_deref(),
        };
        let sequence = account.book(tx, entry).await?;
        let parts = spends::parts_from_the_end(tx, spend, credits).await?;
        let bringing = Bringing {
            credits: spendable(credits, account.funds().remaining),
            sequence,
            source: self.id.as_str(),
            at_ms: self.now_ms,
        };
        give_back(tx, account, &parts, &bringing).await?;
        account.given_back(tx, &spend.subject, credits, spend.created_at).await?;
        spends::add_refunded(tx, &spend.id, credits).await?;
        let new = NewSpendRefund {
            id: &self.id,
            spend: &spend.id,
            account: account.id(),
            credits,
            reason: self.request.reason.as_deref(),
            balance_after: account.funds().remaining,
            key: &self.key,
            request_hash: &self.request_hash,
            now_ms: self.now_ms,
        };
        let refund = spend_refunds::insert(tx, &new).await?;
        let funds = account.store(tx).await?;
        Ok(Outcome::Booked(refund, funds))
    }
}
