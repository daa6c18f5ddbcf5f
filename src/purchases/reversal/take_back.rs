//! Brings the credits that are taken back, and the part of the bonus, in line with all refunds and disputes of a payment.
//!
//! Invariant: the credits taken are computed from all states, never added up event by event. Each change of them has one
//! ledger entry, whose source is the top-up and its revision, and one more if the bonus changes.

use serde_json::json;

use crate::books::entries::{self, Entry};
use crate::books::settle_account::settle_within;
use crate::db::{StoreError, Tx, args, statements};
use crate::domain::bonus::bonus_taken;
use crate::domain::burn::NEVER_MS;
use crate::domain::checkout::{Mismatch, TopupState};
use crate::domain::ids::{LedgerEntryId, PaymentId, TopupId};
use crate::domain::ledger::{EntryKind, ReversalCause};
use crate::domain::payment::PaymentRole;
use crate::domain::reversal::credits_taken;
use crate::domain::tax::Charged;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};
use crate::purchases::payment::payments;
use crate::purchases::topups;

/// The result of applying reports of refunds or a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppliedReversal {
    /// Credits moved: negative if they were taken.
    Settled {
        /// How many, without the bonus that moved with them.
        credits: i64,
        /// The account's balance afterwards.
        balance_after: i64,
    },
    /// Stored; it changes no credits.
    Unchanged,
    /// Stored; it waits for its payment.
    Waiting,
    /// Stored; its payment credited nothing, so it takes nothing.
    Surplus,
    /// The event was decided before.
    Duplicate,
    /// The top-up is not in this database.
    Foreign,
    /// It contradicts the agreement. Nothing was written.
    Rejected(Mismatch),
}

impl AppliedReversal {
    /// A stable code, stored with the event and logged.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Settled { .. } => "settled",
            Self::Unchanged => "unchanged",
            Self::Waiting => "waiting",
            Self::Surplus => "surplus",
            Self::Duplicate => "duplicate",
            Self::Foreign => "foreign",
            Self::Rejected(_) => "rejected",
        }
    }
}

statements! {
    /// Numbers the changes of a top-up. The bulk credit uses the revision to detect concurrent changes.
    RAISE_REVISION = "UPDATE topups SET revision = revision + 1, updated_at = :now_ms WHERE id = :topup \
        RETURNING revision, state, account_id, credits, credit_unit_credits, credit_unit_amount, bonus_credits, \
        credits_expire_days, total_amount, added_tax_amount, paid_at, taken_credits, provider_payment_id";
    REVERSED = "SELECT CAST(COALESCE(SUM(amount - returned), 0) AS BIGINT) AS reversed FROM reversals \
        WHERE provider_payment_id = :payment AND provider = :provider AND counts = 1";
    COUNTING_KIND = "SELECT kind FROM reversals WHERE provider_payment_id = :payment AND provider = :provider AND \
        counts = 1 ORDER BY kind LIMIT 1";
    ADOPT_PAYMENT = "UPDATE topups SET provider_payment_id = :payment WHERE id = :topup AND provider_payment_id IS \
        NULL";
    SET_TAKEN = "UPDATE topups SET taken_credits = :taken WHERE id = :topup";
}

#[derive(sqlx::FromRow)]
struct Revised {
    revision: i64,
    state: String,
    account_id: String,
    credits: i64,
    credit_unit_credits: i64,
    credit_unit_amount: i64,
    bonus_credits: i64,
    credits_expire_days: Option<i64>,
    total_amount: i64,
    added_tax_amount: i64,
    paid_at: Option<i64>,
    taken_credits: i64,
    provider_payment_id: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Counting {
    kind: String,
}

#[derive(sqlx::FromRow)]
struct Reversed {
    reversed: i64,
}

/// The cause of a reversal that was stored before its payment. A dispute takes precedence.
async fn waiting_cause(tx: &mut Tx, payment: &PaymentId) -> Result<ReversalCause, StoreError> {
    let kind = tx
        .fetch_optional::<Counting>(
            &COUNTING_KIND,
            &args![payment = payment.as_str(), provider = payment.provider().as_str()],
        )
        .await?;
    let is_dispute = kind.is_some_and(|row| row.kind == "dispute");
    Ok(if is_dispute { ReversalCause::Dispute { won: false } } else { ReversalCause::Refund })
}

/// Brings the taken credits in line with all refunds and disputes of the payment. The top-up's row must be locked.
pub(crate) async fn settle(
    tx: &mut Tx,
    topup: &TopupId,
    payment: &PaymentId,
    entry: &LedgerEntryId,
    cause: Option<ReversalCause>,
    now_ms: i64,
) -> Result<AppliedReversal, StoreError> {
    let row = tx.fetch_optional::<Revised>(&RAISE_REVISION, &args![topup = topup.as_str(), now_ms]).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("no longer there: top-up", topup))?;
    if row.state != TopupState::Paid.as_str() {
        return Ok(AppliedReversal::Waiting);
    }
    match row.provider_payment_id.as_deref() {
        Some(credited) if credited == payment.as_str() => {}
        Some(_) => return Ok(AppliedReversal::Surplus),
        // The payment's event did not name the payment.
        None => {
            tx.execute(&ADOPT_PAYMENT, &args![topup = topup.as_str(), payment = payment.as_str()]).await?;
            payments::touch(tx, payment, topup, PaymentRole::Credited, None, None, now_ms).await?;
        }
    }
    let reversed = tx
        .fetch_optional::<Reversed>(
            &REVERSED,
            &args![payment = payment.as_str(), provider = payment.provider().as_str()],
        )
        .await?;
    let reversed = reversed.map_or(0, |row| row.reversed);
    let unit = topups::credit_unit(row.credit_unit_credits, row.credit_unit_amount)?;
    let charged = Charged::with_added_tax(row.total_amount, row.added_tax_amount);
    let taken = credits_taken(row.credits, unit, charged.net_minor(reversed));
    let credits = row.taken_credits.checked_sub(taken).ok_or_else(|| StoreError::corrupt("credits of", topup))?;
    if credits == 0 {
        return Ok(AppliedReversal::Unchanged);
    }
    tx.execute(&SET_TAKEN, &args![topup = topup.as_str(), taken]).await?;
    let source = format!("{topup}:{}", row.revision);
    // Grants are named after the entry that brought them, so the two need different sources.
    let bonus_source = format!("{source}:bonus");
    let cause = match cause {
        Some(cause) => cause,
        None => waiting_cause(tx, payment).await?,
    };
    let bonus_before = bonus_taken(row.bonus_credits, row.credits, row.taken_credits);
    let bonus = bonus_before.checked_sub(bonus_taken(row.bonus_credits, row.credits, taken));
    let bonus = bonus.ok_or_else(|| StoreError::corrupt("bonus of", topup))?;
    // What is given back ends, or has ended, with the purchase.
    let expiry = topups::expiry(row.credits_expire_days)?.filter(|_| credits > 0);
    let ends_at_ms = expiry.zip(row.paid_at).map_or(NEVER_MS, |(days, paid_at)| days.end_ms(paid_at));
    // What has ended is no part of the balance, whether or not that was written down already.
    let (mut ids, mut balance_after) = (settle_within(tx, &row.account_id, entry, now_ms).await?, 0);
    // The bonus moves in the same direction as the credits, or not at all.
    let parts = [(EntryKind::Reversal, credits, &source), (EntryKind::BonusReversal, bonus, &bonus_source)];
    for (kind, moved, source) in parts {
        if moved != 0 {
            let entry = Entry {
                id: &ids.next(),
                account: &row.account_id,
                kind,
                credits: moved,
                source,
                topup: Some(topup),
                reason: Some(cause.reason(credits)),
                ends_at_ms,
            };
            balance_after = entries::book(tx, entry, now_ms).await?;
        }
    }
    let event =
        if credits < 0 && cause == ReversalCause::Refund { EventType::TopupRefunded } else { EventType::TopupReversed };
    let facts = json!({
        "topupId": topup.as_str(),
        "paymentId": payment.as_str(),
        "reason": cause.reason(credits),
        "credits": credits,
        "bonusCredits": bonus,
        "takenCredits": taken,
        "purchasedCredits": row.credits,
    });
    let message = NewMessage {
        event,
        distinction: message::digits(&source),
        account: &row.account_id,
        cause: &source,
        facts: Some(facts),
        now_ms,
    };
    message::write(tx, &message).await?;
    Ok(AppliedReversal::Settled { credits, balance_after })
}
