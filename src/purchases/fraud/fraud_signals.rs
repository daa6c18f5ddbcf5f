//! Early fraud warnings and reviews with their latest state.
//!
//! Invariants: a signal blocks its account at most once, when it is first heard of; only an operator unblocks it. A
//! signal that is closed stays closed, whatever arrives later.

use serde_json::json;

use crate::books::block_account::{BlockChange, Outcome, set_block};
use crate::books::locked_account::LockedAccount;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::checkout::Mismatch;
use crate::domain::fraud::{FraudKind, FraudSignal};
use crate::domain::ids::{LedgerEntryId, TopupId};
use crate::domain::reversal::EventRef;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};
use crate::purchases::decided_events::insert_event;
use crate::purchases::topups;

/// A stored warning or review.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredSignal {
    /// The provider's id.
    pub provider_signal_id: String,
    /// `early_warning` or `review`.
    pub kind: String,
    /// The payment.
    pub provider_payment_id: String,
    /// The top-up.
    pub topup_id: String,
    /// The account that bought it.
    pub account_id: String,
    /// The top-up's amount, in minor units.
    pub total_amount: i64,
    /// Its currency.
    pub currency: String,
    /// The provider's word for the reason.
    pub reason: Option<String>,
    /// 1 while something can still be done about it.
    pub is_open: i64,
    /// The provider's word for how it ended.
    pub ended: Option<String>,
    /// 1 if it blocked the account.
    pub blocked_account: i64,
    /// When the provider made it, in milliseconds since 1970.
    pub occurred_at: i64,
    /// When it was first recorded, in milliseconds since 1970.
    pub created_at: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at: i64,
}

statements! {
    FIND = "SELECT is_open FROM fraud_signals WHERE provider_signal_id = :id AND provider = :provider";
    INSERT = "INSERT INTO fraud_signals (provider_signal_id, provider, kind, provider_payment_id, topup_id, reason, \
        is_open, ended, blocked_account, occurred_at, created_at, updated_at) VALUES (:id, :provider, :kind, :payment, \
        :topup, :reason, :is_open, :ended, :blocks, :occurred_at_ms, :now_ms, :now_ms)";
    UPDATE = "UPDATE fraud_signals SET is_open = CASE WHEN is_open = 0 THEN 0 ELSE CAST(:is_open AS BIGINT) END, \
        ended = COALESCE(ended, :ended), reason = COALESCE(reason, :reason), updated_at = :now_ms \
        WHERE provider_signal_id = :id AND provider = :provider";
    OF_TOPUP = "SELECT f.provider_signal_id, f.kind, f.provider_payment_id, f.topup_id, t.account_id, \
        t.total_amount + t.added_tax_amount AS total_amount, t.currency, f.reason, f.is_open, f.ended, \
        f.blocked_account, f.occurred_at, f.created_at, f.updated_at \
        FROM topups t CROSS JOIN fraud_signals f WHERE t.id = :topup AND f.topup_id = t.id \
        ORDER BY f.created_at, f.provider_signal_id LIMIT 100";
    LIST = "SELECT f.provider_signal_id, f.kind, f.provider_payment_id, f.topup_id, t.account_id, \
        t.total_amount + t.added_tax_amount AS total_amount, t.currency, f.reason, f.is_open, f.ended, \
        f.blocked_account, f.occurred_at, f.created_at, f.updated_at \
        FROM fraud_signals f CROSS JOIN topups t \
        WHERE (f.created_at, f.provider_signal_id) < (:before_ms, :before_id) AND t.id = f.topup_id \
        ORDER BY f.created_at DESC, f.provider_signal_id DESC LIMIT :limit";
    OPEN = "SELECT COUNT(*) AS open FROM fraud_signals WHERE is_open = 1";
}

#[derive(sqlx::FromRow)]
struct Known {}

#[derive(sqlx::FromRow)]
struct Open {
    open: i64,
}

/// What came of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppliedSignal {
    /// Stored. `true` if it blocked the account.
    Recorded(bool),
    /// The event was decided before.
    Duplicate,
    /// The top-up is not in this database.
    Foreign,
    /// It contradicts the agreement. Nothing was written.
    Rejected(Mismatch),
}

/// Stores a signal with its event.
#[derive(Debug, Clone)]
pub struct RecordSignal {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The top-up that the payment belongs to.
    pub topup: TopupId,
    /// The signal.
    pub signal: FraudSignal,
    /// Whether a new one blocks the account.
    pub blocks: bool,
    /// The ledger entries that settling the account writes are named after it.
    pub entry: LedgerEntryId,
    /// The current time.
    pub now_ms: i64,
}

impl RecordSignal {
    /// Blocks the account. `false` if it was blocked already.
    async fn block(&self, tx: &mut Tx, account: &AccountId) -> Result<bool, StoreError> {
        // Without an entry there may be no row yet.
        LockedAccount::create(tx, account, self.now_ms).await?;
        let change = BlockChange {
            account,
            is_blocked: true,
            reason: &block_reason(&self.signal),
            made_by: "FREEZE_ON_FRAUD_WARNING",
            entry: &self.entry,
            now_ms: self.now_ms,
        };
        Ok(matches!(set_block(tx, &change).await?, Outcome::Changed))
    }
}

impl Write for RecordSignal {
    type Output = AppliedSignal;

    async fn run(&self, tx: &mut Tx) -> Result<AppliedSignal, StoreError> {
        let Some(found) = topups::lock_agreement(tx, &self.topup).await? else {
            return Ok(AppliedSignal::Foreign);
        };
        let provider = self.signal.id.provider();
        if let Err(mismatch) = found.agreement.check_reversal(provider, self.livemode, &[]) {
            return Ok(AppliedSignal::Rejected(mismatch));
        }
        if !insert_event(tx, &self.event, &self.topup, "fraud_signal", self.now_ms).await? {
            return Ok(AppliedSignal::Duplicate);
        }
        let signal = &self.signal;
        let (id, reason, ended) = (signal.id.as_str(), signal.reason.as_deref(), signal.ended.as_deref());
        let known: Option<Known> = tx.fetch_optional(&FIND, &args![id, provider = provider.as_str()]).await?;
        if known.is_some() {
            let values =
                args![id, provider = provider.as_str(), is_open = signal.is_open, ended, reason, now_ms = self.now_ms];
            tx.execute(&UPDATE, &values).await?;
            return Ok(AppliedSignal::Recorded(false));
        }
        let account = &found.agreement.account;
        let blocks = self.blocks && signal.is_open && self.block(tx, account).await?;
        let values = args![
            id,
            provider = provider.as_str(),
            kind = signal.kind.as_str(),
            payment = signal.payment.as_str(),
            topup = self.topup.as_str(),
            reason,
            is_open = signal.is_open,
            ended,
            blocks,
            occurred_at_ms = signal.occurred_at_ms,
            now_ms = self.now_ms
        ];
        tx.execute(&INSERT, &values).await?;
        // The account's row is locked before the message is written.
        if !blocks {
            LockedAccount::lock(tx, account, &self.entry, self.now_ms).await?;
        }
        tell(tx, self, account.as_str(), blocks).await?;
        Ok(AppliedSignal::Recorded(blocks))
    }
}

/// Why the account is blocked, for the person who looks at it.
fn block_reason(signal: &FraudSignal) -> String {
    let (id, payment) = (&signal.id, &signal.payment);
    match signal.kind {
        FraudKind::EarlyWarning => format!("early fraud warning {id} about payment {payment}"),
        FraudKind::Review => format!("review {id} of payment {payment}"),
    }
}

async fn tell(tx: &mut Tx, command: &RecordSignal, account: &str, blocks: bool) -> Result<(), StoreError> {
    let signal = &command.signal;
    let id = signal.id.as_str();
    let facts = json!({
        "warningId": id,
        "kind": signal.kind.as_str(),
        "topupId": command.topup.as_str(),
        "paymentId": signal.payment.as_str(),
        "reason": signal.reason,
        "accountBlocked": blocks,
    });
    let (event, now_ms) = (EventType::DisputeWarning, command.now_ms);
    let new = NewMessage { event, distinction: id, account, cause: id, facts: Some(facts), now_ms };
    message::write(tx, &new).await
}

impl Db {
    /// The warnings and reviews of a top-up, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fraud_signals_of(&self, topup: &TopupId) -> Result<Vec<StoredSignal>, StoreError> {
        self.read_all(&OF_TOPUP, &args![topup = topup.as_str()]).await
    }

    /// The warnings and reviews before a time, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fraud_signals(&self, before: (i64, &str), limit: i64) -> Result<Vec<StoredSignal>, StoreError> {
        self.read_all(&LIST, &args![before_ms = before.0, before_id = before.1, limit]).await
    }

    /// How many warnings and reviews are open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_fraud_signals(&self) -> Result<i64, StoreError> {
        Ok(self.read_optional::<Open>(&OPEN, &[]).await?.map_or(0, |row| row.open))
    }
}
