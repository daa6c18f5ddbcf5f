//! Queries of the audit, which read one page at a time. Each page is one statement and so its own snapshot. The
//! database computes the sums; `books/audit.rs` judges them. A page begins with the given key, so that a single row can
//! be read again.

use crate::db::Db;
use crate::db::{StoreError, args, statements};

/// An account with the sums of its entries.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedAccount {
    /// Its id.
    pub id: String,
    /// Its stored balance.
    pub balance: i64,
    /// Its stored sum of spent credits.
    pub used_credits: i64,
    /// Its stored number of entries.
    pub entries: i64,
    /// The sum of its entries.
    pub sum: i64,
    /// The credits taken by its entries of spending kinds.
    pub spent: i64,
    /// The number of its entries.
    pub count: i64,
    /// Their highest sequence number.
    pub highest: i64,
    /// How many entries do not follow from the previous one.
    pub broken: i64,
}

/// An entry with the data of its cause.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedEntry {
    /// The account.
    pub account_id: String,
    /// Its sequence number.
    pub sequence: i64,
    /// Its id.
    pub id: String,
    /// Why credits moved.
    pub kind: String,
    /// The number of credits.
    pub credits: i64,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// Its source: the id of its cause.
    pub source: String,
    /// The top-up of a reversal or bonus.
    pub topup_id: Option<String>,
    /// The top-up's account.
    pub topup_account: Option<String>,
    /// The top-up's state.
    pub topup_state: Option<String>,
    /// The top-up's number of credits.
    pub topup_credits: Option<i64>,
    /// The top-up's bonus.
    pub topup_bonus: Option<i64>,
    /// The adjustment's account.
    pub adjustment_account: Option<String>,
    /// The adjustment's number of credits.
    pub adjustment_credits: Option<i64>,
    /// The balance after the adjustment, as stored with it.
    pub adjustment_balance: Option<i64>,
    /// The grant that it moves.
    pub grant_id: Option<String>,
    /// The grant's account.
    pub grant_account: Option<String>,
    /// The spend's account.
    pub spend_account: Option<String>,
    /// The sequence number of the spend's first entry.
    pub spend_first: Option<i64>,
    /// The number of the spend's entries.
    pub spend_parts: Option<i64>,
    /// The account of the spend's refund.
    pub refund_account: Option<String>,
    /// The credits of the spend's refund.
    pub refund_credits: Option<i64>,
    /// The promotion's account.
    pub promotion_account: Option<String>,
    /// The promotion's credits.
    pub promotion_credits: Option<i64>,
    /// The balance after the promotion, as stored with it.
    pub promotion_balance: Option<i64>,
    /// The account of the subscription's period.
    pub period_account: Option<String>,
    /// The credits of the period.
    pub period_credits: Option<i64>,
}

/// A top-up with the data of its payments, refunds, disputes and entries.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedTopup {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: String,
    /// Its number of credits.
    pub credits: i64,
    /// The number of credits in a unit.
    pub credit_unit_credits: i64,
    /// The price of a unit, in minor units.
    pub credit_unit_amount: i64,
    /// How many credits are stored as taken back.
    pub taken_credits: i64,
    /// The agreed amount, in minor units.
    pub total_amount: i64,
    /// The tax that came on top of it, in minor units.
    pub added_tax_amount: i64,
    /// Its bonus.
    pub bonus_credits: i64,
    /// The payment stored as having paid it.
    pub provider_payment_id: Option<String>,
    /// How many entries grant its credits.
    pub granted: i64,
    /// How many credits its reversals moved.
    pub moved: i64,
    /// How many entries grant its bonus.
    pub bonus_granted: i64,
    /// How many credits the reversals of its bonus moved.
    pub bonus_moved: i64,
    /// How much of its payment went back, in minor units.
    pub reversed: i64,
    /// How many payments are stored as having credited it.
    pub credited_payments: i64,
    /// Its payment's stored state.
    pub payment_state: Option<String>,
    /// Its payment's stored top-up.
    pub payment_topup: Option<String>,
}

/// A refund or dispute with the data of its top-up.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedReversal {
    /// The provider's id.
    pub provider_reversal_id: String,
    /// The provider.
    pub provider: String,
    /// `refund` or `dispute`.
    pub kind: String,
    /// Stripe's name for its status.
    pub status: String,
    /// Its stored stage.
    pub stage: i64,
    /// Whether it is stored as taking its amount.
    pub counts: i64,
    /// Its amount, in minor units.
    pub amount: i64,
    /// How much of that is stored as returned although it counts, in minor units.
    pub returned: i64,
    /// Its currency.
    pub currency: String,
    /// The top-up's currency.
    pub topup_currency: String,
}

/// An adjustment with the number of its entries.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedAdjustment {
    /// Its id.
    pub id: String,
    /// How many entries it has.
    pub booked: i64,
}

/// How many entries of an account one statement reads; an account with more is read in parts.
const PART_ENTRIES: i64 = 1_000;

#[derive(sqlx::FromRow)]
struct Part {
    sum: i64,
    spent: i64,
    count: i64,
    highest: i64,
    broken: i64,
}

statements! {
    ACCOUNTS = "SELECT a.id, a.balance, a.used_credits, a.entries, \
        CAST(COALESCE(SUM(e.credits), 0) AS BIGINT) AS sum, \
        CAST(COALESCE(SUM(CASE WHEN e.kind IN ('spend', 'spend_refund') THEN -e.credits ELSE 0 END), 0) \
        AS BIGINT) AS spent, COUNT(e.id) AS count, COALESCE(MAX(e.sequence), 0) AS highest, \
        CAST(COALESCE(SUM(CASE WHEN e.balance_after <> COALESCE(b.balance_after, 0) + e.credits \
        OR (e.sequence > 1 AND b.id IS NULL) THEN 1 ELSE 0 END), 0) AS BIGINT) AS broken \
        FROM (SELECT id, balance, used_credits, entries FROM accounts WHERE id >= :from ORDER BY id LIMIT :limit) a \
        LEFT JOIN ledger_entries e ON e.account_id = a.id AND a.entries <= :part_entries \
        LEFT JOIN ledger_entries b ON b.account_id = e.account_id AND b.sequence = e.sequence - 1 \
        GROUP BY a.id, a.balance, a.used_credits, a.entries ORDER BY a.id";
    /// A part of one account's entries. Entries committed up to the account's row never change.
    PART = "SELECT CAST(COALESCE(SUM(e.credits), 0) AS BIGINT) AS sum, \
        CAST(COALESCE(SUM(CASE WHEN e.kind IN ('spend', 'spend_refund') THEN -e.credits ELSE 0 END), 0) \
        AS BIGINT) AS spent, COUNT(e.id) AS count, COALESCE(MAX(e.sequence), 0) AS highest, \
        CAST(COALESCE(SUM(CASE WHEN e.balance_after <> COALESCE(b.balance_after, 0) + e.credits \
        OR (e.sequence > 1 AND b.id IS NULL) THEN 1 ELSE 0 END), 0) AS BIGINT) AS broken \
        FROM (SELECT account_id, sequence, id, kind, credits, balance_after FROM ledger_entries \
        WHERE account_id = :account AND sequence > :after AND sequence <= :until ORDER BY sequence LIMIT :limit) e \
        LEFT JOIN ledger_entries b ON b.account_id = e.account_id AND b.sequence = e.sequence - 1";
    ENTRIES = "SELECT e.account_id, e.sequence, e.id, e.kind, e.credits, e.balance_after, e.source, e.topup_id, \
        t.account_id AS topup_account, t.state AS topup_state, t.credits AS topup_credits, \
        t.bonus_credits AS topup_bonus, \
        j.account_id AS adjustment_account, j.credits AS adjustment_credits, j.balance_after AS adjustment_balance, \
        e.grant_id, g.account_id AS grant_account, s.account_id AS spend_account, s.first_sequence AS spend_first, \
        s.parts AS spend_parts, b.account_id AS refund_account, b.credits AS refund_credits, \
        p.account_id AS promotion_account, p.credits AS promotion_credits, p.balance_after AS promotion_balance, \
        q.account_id AS period_account, q.credits AS period_credits \
        FROM (SELECT account_id, sequence, id, kind, credits, balance_after, source, topup_id, grant_id FROM \
        ledger_entries \
        WHERE (account_id, sequence) >= (:from_account, :from_sequence) ORDER BY account_id, sequence LIMIT :limit) e \
        LEFT JOIN topups t ON t.id = CASE WHEN e.kind = 'topup' THEN e.source ELSE e.topup_id END \
        LEFT JOIN adjustments j ON j.id = CASE WHEN e.kind = 'adjustment' THEN e.source END \
        LEFT JOIN grants g ON g.id = e.grant_id \
        LEFT JOIN spends s ON s.id = CASE WHEN e.kind = 'spend' THEN SUBSTR(e.source, 1, 38) END \
        LEFT JOIN spend_refunds b ON b.id = CASE WHEN e.kind = 'spend_refund' THEN e.source END \
        LEFT JOIN promotions p ON p.id = CASE WHEN e.kind = 'promotion' THEN e.source END \
        LEFT JOIN subscription_grants q ON q.id = CASE WHEN e.kind = 'subscription' THEN e.source \
        WHEN e.kind = 'subscription_reversal' THEN SUBSTR(e.source, 1, LENGTH(e.source) - 5) END \
        ORDER BY e.account_id, e.sequence";
    TOPUPS = "SELECT t.id, t.state, t.credits, t.credit_unit_credits, t.credit_unit_amount, t.taken_credits, \
        t.bonus_credits, t.total_amount, t.added_tax_amount, t.provider, t.provider_payment_id, \
        (SELECT COUNT(*) FROM ledger_entries e WHERE e.kind = 'topup' AND e.source = t.id) AS granted, \
        (SELECT CAST(COALESCE(SUM(e.credits), 0) AS BIGINT) FROM ledger_entries e \
        WHERE e.kind = 'reversal' AND e.topup_id = t.id) AS moved, \
        (SELECT COUNT(*) FROM ledger_entries e WHERE e.kind = 'bonus' AND e.source = t.id) AS bonus_granted, \
        (SELECT CAST(COALESCE(SUM(e.credits), 0) AS BIGINT) FROM ledger_entries e \
        WHERE e.kind = 'bonus_reversal' AND e.topup_id = t.id) AS bonus_moved, \
        (SELECT CAST(COALESCE(SUM(r.amount - r.returned), 0) AS BIGINT) FROM reversals r \
        WHERE r.provider_payment_id = t.provider_payment_id AND r.provider = t.provider AND r.counts = 1) AS reversed, \
        (SELECT COUNT(*) FROM payments c WHERE c.topup_id = t.id AND c.state = 'credited') AS credited_payments, \
        p.state AS payment_state, p.topup_id AS payment_topup \
        FROM (SELECT id, state, credits, bonus_credits, credit_unit_credits, credit_unit_amount, taken_credits, total_amount, \
        added_tax_amount, provider, provider_payment_id FROM topups WHERE id >= :from ORDER BY id LIMIT :limit) t \
        LEFT JOIN payments p ON p.provider_payment_id = t.provider_payment_id AND p.provider = t.provider \
        ORDER BY t.id";
    REVERSALS = "SELECT r.provider_reversal_id, r.provider, r.kind, r.status, r.stage, r.counts, r.amount, \
        r.returned, r.currency, t.currency AS topup_currency \
        FROM (SELECT provider_reversal_id, provider, kind, status, stage, counts, amount, returned, currency, \
        provider_payment_id \
        FROM reversals WHERE (provider_reversal_id, provider) >= (:from, :from_provider) \
        ORDER BY provider_reversal_id, provider LIMIT :limit) r \
        JOIN payments p ON p.provider_payment_id = r.provider_payment_id AND p.provider = r.provider \
        JOIN topups t ON t.id = p.topup_id ORDER BY r.provider_reversal_id, r.provider";
    ADJUSTMENTS = "SELECT j.id, (SELECT COUNT(*) FROM ledger_entries e WHERE e.kind = 'adjustment' \
        AND e.source = j.id) AS booked FROM (SELECT id FROM adjustments WHERE id >= :from ORDER BY id LIMIT :limit) j \
        ORDER BY j.id";
}

impl Db {
    /// Accounts from `from` on, ordered by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_accounts(&self, from: &str, limit: i64) -> Result<Vec<AuditedAccount>, StoreError> {
        let mut accounts: Vec<AuditedAccount> =
            self.read_all(&ACCOUNTS, &args![from, limit, part_entries = PART_ENTRIES]).await?;
        for account in accounts.iter_mut().filter(|account| account.entries > PART_ENTRIES) {
            self.add_up(account).await?;
        }
        Ok(accounts)
    }

    /// Reads the entries of a large account in parts, up to the number in its row: later entries were added after the
    /// row was read.
    async fn add_up(&self, account: &mut AuditedAccount) -> Result<(), StoreError> {
        (account.sum, account.spent, account.count, account.highest, account.broken) = (0, 0, 0, 0, 0);
        loop {
            let (after, until) = (account.highest, account.entries);
            let values = args![account = account.id.as_str(), after, until, limit = PART_ENTRIES];
            let part: Option<Part> = self.read_optional(&PART, &values).await?;
            let Some(part) = part.filter(|part| part.count > 0) else { return Ok(()) };
            account.sum = account.sum.saturating_add(part.sum);
            account.spent = account.spent.saturating_add(part.spent);
            account.count = account.count.saturating_add(part.count);
            account.broken = account.broken.saturating_add(part.broken);
            account.highest = part.highest;
        }
    }

    /// Entries from this account and sequence number on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_entries(&self, from: (&str, i64), limit: i64) -> Result<Vec<AuditedEntry>, StoreError> {
        self.read_all(&ENTRIES, &args![from_account = from.0, from_sequence = from.1, limit]).await
    }

    /// Top-ups from `from` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_topups(&self, from: &str, limit: i64) -> Result<Vec<AuditedTopup>, StoreError> {
        self.read_all(&TOPUPS, &args![from, limit]).await
    }

    /// Refunds and disputes from `from` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_reversals(&self, from: (&str, &str), limit: i64) -> Result<Vec<AuditedReversal>, StoreError> {
        self.read_all(&REVERSALS, &args![from = from.0, from_provider = from.1, limit]).await
    }

    /// Adjustments from `from` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_adjustments(&self, from: &str, limit: i64) -> Result<Vec<AuditedAdjustment>, StoreError> {
        self.read_all(&ADJUSTMENTS, &args![from, limit]).await
    }
}
