//! Refunds and disputes: their states. `take_back.rs` moves the credits.
//!
//! Invariant: states are written under the lock of their top-up's row.

use crate::db::{Db, Tx, Write, args};
use crate::db::{StoreError, statements};
use crate::domain::ids::{LedgerEntryId, PaymentId, TopupId};
use crate::domain::ledger::ReversalCause;
use crate::domain::payment::PaymentRole;
use crate::domain::provider::ProviderName;
use crate::domain::reversal::{DisputeReport, EventRef, RefundReport};
use crate::purchases::decided_events::insert_event;
use crate::purchases::payment::payments;
use crate::purchases::refund::refund_requests::{self, RefundOutcome};
use crate::purchases::reversal::dispute_messages;
use crate::purchases::reversal::take_back::{self, AppliedReversal};
use crate::purchases::topups;

/// Reports about refunds, or about a dispute, of one payment.
#[derive(Debug, Clone)]
pub struct ApplyReversals {
    /// The webhook event; `None` if we asked.
    pub event: Option<EventRef>,
    /// The top-up.
    pub topup: TopupId,
    /// The payment.
    pub payment: PaymentId,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The reports.
    pub news: ReversalNews,
    /// The id of the ledger entry, if one is written.
    pub entry: LedgerEntryId,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Reports about refunds or a dispute.
#[derive(Debug, Clone)]
pub enum ReversalNews {
    /// The refunds have reached at least these states.
    Refunds(Vec<RefundReport>),
    /// The state of a dispute, to be written only if its row still has this version; `None` if it has no row.
    Dispute(Box<DisputeReport>, Option<i64>),
}

impl ReversalNews {
    fn cause(&self) -> ReversalCause {
        match self {
            Self::Refunds(_) => ReversalCause::Refund,
            Self::Dispute(dispute, _) => ReversalCause::Dispute { won: dispute.status == "won" },
        }
    }
}

/// A stored refund or dispute.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Reversal {
    /// The provider's id.
    pub provider_reversal_id: String,
    /// The provider's name.
    pub provider: String,
    /// `refund` or `dispute`.
    pub kind: String,
    /// The payment.
    pub provider_payment_id: String,
    /// The amount, in minor units.
    pub amount: i64,
    /// The part of a counting reversal that was returned, in minor units: a dispute can be won in part, or be
    /// corrected.
    pub returned: i64,
    /// The currency.
    pub currency: String,
    /// The provider's status.
    pub status: String,
    /// 1 if it currently takes its amount, less the returned part.
    pub counts: i64,
    /// Incremented by each write.
    pub version: i64,
    /// The provider's code for the reason.
    pub reason: Option<String>,
    /// Until when evidence can be sent, in milliseconds since 1970; only for disputes.
    pub evidence_due_at: Option<i64>,
    /// When it was first recorded, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was last written, in milliseconds since 1970.
    pub updated_at: i64,
}

statements! {
    /// Forward only: a late event does not undo a newer state.
    UPSERT_REFUND = "INSERT INTO reversals (provider_reversal_id, provider, kind, provider_payment_id, amount, \
        currency, status, stage, counts, \
        version, reason, created_at, updated_at) VALUES (:id, :provider, 'refund', :payment, :amount_minor, \
        :currency, :status, :stage, :counts, 1, :reason, :now_ms, :now_ms) \
        ON CONFLICT (provider_reversal_id, provider) DO UPDATE SET status = excluded.status, stage = excluded.stage, \
        counts = excluded.counts, \
        version = reversals.version + 1, reason = COALESCE(excluded.reason, reversals.reason), \
        updated_at = excluded.updated_at \
        WHERE excluded.stage > reversals.stage OR (excluded.stage = reversals.stage AND excluded.stage < 2)";
    INSERT_DISPUTE = "INSERT INTO reversals (provider_reversal_id, provider, kind, provider_payment_id, amount, \
        currency, status, stage, counts, \
        version, reason, created_at, updated_at, returned, evidence_due_at) \
        VALUES (:id, :provider, 'dispute', :payment, :amount_minor, :currency, :status, 0, :counts, 1, :reason, \
        :now_ms, :now_ms, :returned, :evidence_due_ms) ON CONFLICT (provider_reversal_id, provider) DO NOTHING";
    UPDATE_DISPUTE = "UPDATE reversals SET amount = :amount_minor, status = :status, counts = :counts, reason = \
        COALESCE(:reason, reason), \
        version = version + 1, updated_at = :now_ms, returned = :returned, evidence_due_at = :evidence_due_ms WHERE provider_reversal_id = :id AND \
        provider = :provider AND version = :version";
    FIND = "SELECT provider_reversal_id, provider, kind, provider_payment_id, amount, returned, currency, status, \
        counts, version, reason, \
        evidence_due_at, created_at, updated_at FROM reversals WHERE provider_reversal_id = :id AND provider = :provider";
    OF_TOPUP = "SELECT r.provider_reversal_id, r.provider, r.kind, r.provider_payment_id, r.amount, r.returned, \
        r.currency, r.status, r.counts, \
        r.version, r.reason, r.evidence_due_at, r.created_at, r.updated_at FROM reversals r \
        JOIN payments p ON p.provider_payment_id = r.provider_payment_id AND p.provider = r.provider \
        WHERE p.topup_id = :topup ORDER BY r.created_at, r.provider_reversal_id LIMIT 200";
}

impl Reversal {
    /// How much money it currently gives (or will give) back to the customer, in minor units.
    #[must_use]
    pub const fn reversed_minor(&self) -> i64 {
        if self.counts == 0 { 0 } else { self.amount.saturating_sub(self.returned) }
    }
}

impl Db {
    /// Stores reports of refunds or a dispute and the resulting ledger entry, in one transaction with the event's row.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the dispute's row no longer has the given version: fetch the dispute again. Otherwise
    /// when the database fails.
    pub async fn apply_reversals(&self, command: ApplyReversals) -> Result<AppliedReversal, StoreError> {
        self.write(command).await
    }

    /// Finds a refund or dispute by the provider's id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reversal(&self, provider: ProviderName, id: &str) -> Result<Option<Reversal>, StoreError> {
        self.read_optional(&FIND, &args![id, provider = provider.as_str()]).await
    }

    /// The refunds and disputes of a top-up, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reversals_of(&self, topup: &TopupId) -> Result<Vec<Reversal>, StoreError> {
        self.read_all(&OF_TOPUP, &args![topup = topup.as_str()]).await
    }
}

impl Write for ApplyReversals {
    type Output = AppliedReversal;

    async fn run(&self, tx: &mut Tx) -> Result<AppliedReversal, StoreError> {
        apply_in(tx, self).await
    }
}

async fn apply_in(tx: &mut Tx, command: &ApplyReversals) -> Result<AppliedReversal, StoreError> {
    let Some(found) = topups::lock_agreement(tx, &command.topup).await? else {
        return Ok(AppliedReversal::Foreign);
    };
    let (agreement, provider) = (&found.agreement, command.payment.provider());
    let checked = match &command.news {
        ReversalNews::Refunds(refunds) => {
            let currencies: Vec<&str> = refunds.iter().map(|refund| refund.currency.as_str()).collect();
            agreement.check_reversal(provider, command.livemode, &currencies)
        }
        // The event and the fetched dispute each state their mode.
        ReversalNews::Dispute(dispute, _) => agreement
            .check_reversal(provider, command.livemode, &[&dispute.currency])
            .and_then(|()| agreement.check_mode(provider, dispute.livemode)),
    };
    if let Err(mismatch) = checked {
        return Ok(AppliedReversal::Rejected(mismatch));
    }
    if let Some(event) = &command.event
        && !insert_event(tx, event, &command.topup, "reversal", command.now_ms).await?
    {
        return Ok(AppliedReversal::Duplicate);
    }
    let payment = &command.payment;
    payments::touch(tx, payment, &command.topup, PaymentRole::Waiting, None, None, command.now_ms).await?;
    match &command.news {
        ReversalNews::Refunds(refunds) => {
            for refund in refunds {
                upsert_refund(tx, payment, refund, command.now_ms).await?;
            }
        }
        ReversalNews::Dispute(dispute, version) => {
            write_dispute(tx, payment, dispute, *version, command.now_ms).await?;
            let account = found.agreement.account.as_str();
            let is_new = version.is_none();
            dispute_messages::write(tx, &command.topup, account, payment, dispute, is_new, command.now_ms).await?;
        }
    }
    let applied =
        take_back::settle(tx, &command.topup, payment, &command.entry, Some(command.news.cause()), command.now_ms)
            .await?;
    if let ReversalNews::Refunds(refunds) = &command.news {
        end_requests(tx, payment, refunds, command.now_ms).await?;
    }
    Ok(applied)
}

/// A refund that names a refund request completes it, whether it was reported by webhook or fetched.
async fn end_requests(
    tx: &mut Tx,
    payment: &PaymentId,
    refunds: &[RefundReport],
    now_ms: i64,
) -> Result<(), StoreError> {
    for refund in refunds {
        if let Some(request) = &refund.request {
            let status = refund.status.as_str().to_owned();
            let outcome = RefundOutcome { refund_id: refund.id.to_string(), status };
            refund_requests::made(tx, request, payment, &outcome, now_ms).await?;
        }
    }
    Ok(())
}

async fn upsert_refund(tx: &mut Tx, payment: &PaymentId, refund: &RefundReport, now_ms: i64) -> Result<(), StoreError> {
    let values = args![
        id = refund.id.as_str(),
        provider = refund.id.provider().as_str(),
        payment = payment.as_str(),
        amount_minor = refund.amount_minor,
        currency = refund.currency.as_str(),
        status = refund.status.as_str(),
        stage = refund.status.stage(),
        counts = refund.status.counts(),
        reason = refund.reason.as_deref(),
        now_ms
    ];
    tx.execute(&UPSERT_REFUND, &values).await.map(drop)
}

async fn write_dispute(
    tx: &mut Tx,
    payment: &PaymentId,
    dispute: &DisputeReport,
    version: Option<i64>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = dispute.id.as_str();
    let reversed = dispute.reversed_minor();
    let returned = if reversed > 0 { dispute.amount_minor.saturating_sub(reversed) } else { 0 };
    let evidence_due_ms = dispute.evidence_due_seconds.map(|seconds| seconds.saturating_mul(1_000));
    let written = match version {
        None => {
            let values = args![
                id,
                provider = dispute.id.provider().as_str(),
                payment = payment.as_str(),
                amount_minor = dispute.amount_minor,
                currency = dispute.currency.as_str(),
                status = dispute.status.as_str(),
                counts = reversed > 0,
                reason = dispute.reason.as_deref(),
                now_ms,
                returned,
                evidence_due_ms
            ];
            tx.execute(&INSERT_DISPUTE, &values).await?
        }
        Some(version) => {
            let values = args![
                id,
                provider = dispute.id.provider().as_str(),
                amount_minor = dispute.amount_minor,
                status = dispute.status.as_str(),
                counts = reversed > 0,
                reason = dispute.reason.as_deref(),
                now_ms,
                version,
                returned,
                evidence_due_ms
            ];
            tx.execute(&UPDATE_DISPUTE, &values).await?
        }
    };
    if written == 1 { Ok(()) } else { Err(StoreError::Stale) }
}
