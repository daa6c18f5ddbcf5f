//! Top-ups for operators: lists, and the history of one top-up. Read-only.

use crate::books::ledger::LedgerEntry;
use crate::db::Db;
use crate::db::{StoreError, args, statements};
use crate::domain::ids::TopupId;
use crate::inbox::failed_events::FailedEvent;

/// A top-up in a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedTopup {
    /// The top-up's id.
    pub id: String,
    /// The account that bought it.
    pub account_id: String,
    /// The state.
    pub state: String,
    /// The number of credits.
    pub credits: i64,
    /// How many of them were taken back.
    pub taken_credits: i64,
    /// The credits given on top.
    pub bonus_credits: i64,
    /// The currency of the amount.
    pub currency: String,
    /// What the customer is charged, in minor units.
    pub total_amount: i64,
    /// How many payments were received besides the one that credited it.
    pub surplus_payments: i64,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was paid, in milliseconds since 1970.
    pub paid_at: Option<i64>,
}

/// Selects the top-ups of a list.
#[derive(Debug, Clone)]
pub struct TopupFilter {
    /// Only top-ups of this account.
    pub account: Option<String>,
    /// Only top-ups in this state.
    pub state: Option<String>,
    /// Only top-ups with surplus payments.
    pub surplus: bool,
    /// Only top-ups before this creation time and id.
    pub before: (i64, String),
    /// The most top-ups to return.
    pub limit: i64,
}

/// The fee policy that a top-up was created with.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredFeePolicy {
    /// `gross_up` or `absorb`.
    pub fee_mode: String,
    /// The percentage that the provider keeps, as decimal text.
    pub fee_rate_percent: String,
    /// The fixed fee per charge, in minor units.
    pub fee_fixed: i64,
    /// The label of the fee line.
    pub fee_label: String,
    /// When the last payment attempt was declined, in milliseconds since 1970.
    pub declined_at: Option<i64>,
    /// When the top-up was adopted from the provider's records, in milliseconds since 1970.
    pub adopted_at: Option<i64>,
    /// Who adopted it.
    pub adopted_by: Option<String>,
}

/// A decided event.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DecidedEvent {
    /// The provider's event id.
    pub provider_event_id: String,
    /// Its type.
    #[sqlx(rename = "type")]
    pub event_type: String,
    /// The result, in one word.
    pub outcome: String,
    /// When it was decided, in milliseconds since 1970.
    pub received_at: i64,
}

/// The columns of [`ListedTopup`], and which top-ups.
macro_rules! listed {
    ($which:literal) => {
        concat!(
            "SELECT t.id, t.account_id, t.state, t.credits, t.taken_credits, t.bonus_credits, t.currency, \
            t.total_amount + t.added_tax_amount AS total_amount, \
            (SELECT COUNT(*) FROM payments p WHERE p.topup_id = t.id AND p.state = 'surplus') AS \
            surplus_payments, t.created_at, t.paid_at FROM topups t ",
            $which
        )
    };
}

statements! {
    LIST = listed!(
        "WHERE (t.created_at, t.id) < (:before_ms, :before_id) \
        AND (CAST(:account AS TEXT) IS NULL OR t.account_id = :account) AND (CAST(:state AS TEXT) IS NULL OR t.state \
        = :state) \
        AND (CAST(:surplus AS BIGINT) = 0 OR EXISTS \
        (SELECT 1 FROM payments p WHERE p.topup_id = t.id AND p.state = 'surplus')) \
        ORDER BY t.created_at DESC, t.id DESC LIMIT :limit"
    );
    LISTED = listed!("WHERE t.id = :id");
    BY_AMOUNT = listed!(
        "WHERE t.created_at >= :from_ms AND t.created_at < :to_ms AND t.total_amount + t.added_tax_amount = :amount_minor \
        ORDER BY t.created_at DESC LIMIT :limit"
    );
    FEE_POLICY = "SELECT fee_mode, fee_rate_percent, fee_fixed, fee_label, declined_at, \
        adopted_at, adopted_by FROM topups WHERE id = :topup";
    EVENTS = "SELECT provider_event_id, type, outcome, received_at FROM webhook_events WHERE topup_id = :topup \
        ORDER BY received_at, provider_event_id LIMIT 200";
    /// A failed delivery names the top-up or one of its payments, if that much could be read. The unary plus keeps
    /// planners from reading all failures in the order of time; `CROSS JOIN` keeps SQLite from starting with all
    /// failures.
    FAILED = "SELECT f.provider_event_id, f.provider, f.type, f.kind, f.error, f.attempts, f.first_failed_at, \
        f.last_failed_at, \
        COALESCE(f.resolved_at, (SELECT e.received_at FROM webhook_events e WHERE e.provider_event_id = \
        f.provider_event_id \
        AND e.provider = f.provider)) AS resolved_at, \
        f.closed_at, f.closed_by, f.close_reason, f.payload_at, CAST(CASE WHEN f.payload IS NULL THEN 0 ELSE 1 END \
        AS BIGINT) AS has_payload \
        FROM (SELECT n.provider_event_id, n.provider FROM failed_webhook_events n WHERE n.topup_id = :topup UNION \
        SELECT m.provider_event_id, m.provider FROM payments p CROSS JOIN failed_webhook_events m WHERE p.topup_id = \
        :topup \
        AND m.provider_payment_id = p.provider_payment_id AND m.provider = p.provider) AS named \
        CROSS JOIN failed_webhook_events f WHERE f.provider_event_id = named.provider_event_id \
        AND f.provider = named.provider \
        ORDER BY +f.first_failed_at, f.provider_event_id LIMIT 100";
    ENTRIES = "SELECT sequence, id, kind, credits, balance_after, source, reason, created_at FROM ledger_entries \
        WHERE (kind = 'topup' AND source = :topup) OR (kind = 'reversal' AND topup_id = :topup) \
        OR (kind = 'bonus' AND source = :topup) OR (kind = 'bonus_reversal' AND topup_id = :topup) \
        ORDER BY sequence LIMIT 200";
}

impl Db {
    /// Lists top-ups, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_topups(&self, filter: &TopupFilter) -> Result<Vec<ListedTopup>, StoreError> {
        let values = args![
            before_ms = filter.before.0,
            before_id = filter.before.1.as_str(),
            account = filter.account.as_deref(),
            state = filter.state.as_deref(),
            surplus = filter.surplus,
            limit = filter.limit
        ];
        self.read_all(&LIST, &values).await
    }

    /// A top-up as it is shown in lists.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listed_topup(&self, id: &str) -> Result<Option<ListedTopup>, StoreError> {
        self.read_optional(&LISTED, &args![id]).await
    }

    /// The top-ups over an amount that were opened within a time, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topups_by_amount(
        &self,
        amount_minor: i64,
        (from_ms, to_ms): (i64, i64),
        limit: i64,
    ) -> Result<Vec<ListedTopup>, StoreError> {
        self.read_all(&BY_AMOUNT, &args![amount_minor, from_ms, to_ms, limit]).await
    }

    /// The fee policy that a top-up was created with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fee_policy_of(&self, topup: &TopupId) -> Result<Option<StoredFeePolicy>, StoreError> {
        self.read_optional(&FEE_POLICY, &args![topup = topup.as_str()]).await
    }

    /// The decided events of a top-up, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events_of(&self, topup: &TopupId) -> Result<Vec<DecidedEvent>, StoreError> {
        self.read_all(&EVENTS, &args![topup = topup.as_str()]).await
    }

    /// The failed deliveries that can be attributed to a top-up, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed_events_of(&self, topup: &TopupId) -> Result<Vec<FailedEvent>, StoreError> {
        self.read_all(&FAILED, &args![topup = topup.as_str()]).await
    }

    /// The ledger entries of a top-up, in ledger order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries_of(&self, topup: &TopupId) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read_all(&ENTRIES, &args![topup = topup.as_str()]).await
    }
}
