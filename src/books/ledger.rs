//! Reads the books.

use crate::books::{auto_topup_rules, purchase_rules, spending_rules, subscription_rules};
use crate::db::Db;
use crate::db::{Statement, StoreError, args, statements};
use crate::domain::account::AccountId;
use crate::domain::burn::NEVER_MS;
use crate::domain::ledger::Balance;
use crate::messages::message_rules;

/// A ledger entry.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LedgerEntry {
    /// Its number among the account's entries, from 1, without gaps.
    pub sequence: i64,
    /// Its id.
    pub id: String,
    /// Why credits moved.
    pub kind: String,
    /// The number of credits; negative if they were taken.
    pub credits: i64,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// Its cause, such as the id of the top-up.
    pub source: String,
    /// The reason of a reversal, a promotion or a refund of a spend; `None` for other kinds.
    pub reason: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub created_at: i64,
}

statements! {
    BALANCE = "SELECT balance, used_credits, held_credits, due_at, blocked_at, entries, settled_entries, updated_at \
        FROM accounts WHERE id = :account";
    ENTRIES = "SELECT sequence, id, kind, credits, balance_after, source, reason, created_at FROM ledger_entries \
        WHERE account_id = :account AND sequence < :below_sequence ORDER BY sequence DESC LIMIT :limit";
    WRONG_BALANCES = "SELECT COUNT(*) AS wrong FROM (SELECT a.id FROM accounts a \
        LEFT JOIN ledger_entries e ON e.account_id = a.id GROUP BY a.id, a.balance, a.used_credits, a.entries \
        HAVING a.balance <> COALESCE(SUM(e.credits), 0) OR a.entries <> COUNT(e.id) \
        OR a.entries <> COALESCE(MAX(e.sequence), 0)) AS differences";
    WRONG_TOPUPS = "SELECT COUNT(*) AS wrong FROM topups t \
        LEFT JOIN ledger_entries e ON e.kind = 'topup' AND e.source = t.id \
        WHERE (t.state = 'paid') <> (e.id IS NOT NULL) \
        OR (e.id IS NOT NULL AND (e.credits <> t.credits OR e.account_id <> t.account_id))";
    WRONG_EVENTS = "SELECT COUNT(*) AS wrong FROM webhook_events w LEFT JOIN topups t ON t.id = w.topup_id \
        WHERE w.outcome = 'credited' AND (t.id IS NULL OR t.state <> 'paid')";
    /// The credits taken back follow from all refunds and disputes together, and the ledger agrees. The formula is
    /// `credits_taken` in `domain/reversal.rs`, in steps that fit into 64 bits: no more whole units than were sold
    /// (`units`), and a rest below one unit, whose product is below 10^18 by the checks of the table. What is tax on
    /// top comes off first (`net_minor` in `domain/tax.rs`): `reversed · agreed / charged`, with the agreed amount in
    /// millions and a rest. More than the charge takes all, whatever it is.
    WRONG_REVERSALS = "SELECT COUNT(*) AS wrong FROM (SELECT state, credits, taken_credits, moved, per_unit, \
        credits / per_unit AS sold, net / per_amount AS units, net % per_amount * per_unit / per_amount AS rest \
        FROM (SELECT t.state, t.credits, t.taken_credits, COALESCE(e.moved, 0) AS moved, \
        t.credit_unit_credits AS per_unit, t.credit_unit_amount AS per_amount, \
        CASE WHEN t.added_tax_amount > 0 AND t.reversed > t.total_amount + t.added_tax_amount THEN t.total_amount \
        WHEN t.added_tax_amount > 0 THEN \
        t.reversed * (t.total_amount / 1000000) / (t.total_amount + t.added_tax_amount) * 1000000 \
        + (t.reversed * (t.total_amount / 1000000) % (t.total_amount + t.added_tax_amount) * 1000000 \
        + t.reversed * (t.total_amount % 1000000)) / (t.total_amount + t.added_tax_amount) ELSE t.reversed END AS net \
        FROM (SELECT t.*, COALESCE(r.reversed, 0) AS reversed FROM topups t \
        LEFT JOIN (SELECT provider_payment_id, provider, CAST(SUM(amount - returned) AS BIGINT) AS reversed FROM \
        reversals \
        WHERE counts = 1 GROUP BY provider_payment_id, provider) r \
        ON r.provider_payment_id = t.provider_payment_id AND r.provider = t.provider) AS t \
        LEFT JOIN (SELECT topup_id, CAST(SUM(credits) AS BIGINT) AS moved FROM ledger_entries \
        WHERE kind = 'reversal' GROUP BY topup_id) e ON e.topup_id = t.id) AS charged) AS t \
        WHERE taken_credits <> -moved OR taken_credits <> CASE WHEN state <> 'paid' THEN 0 \
        WHEN units > sold THEN credits WHEN rest >= credits - units * per_unit THEN credits \
        ELSE units * per_unit + rest END";
    WRONG_PAYMENTS = "SELECT COUNT(*) AS wrong FROM payments p LEFT JOIN topups t ON t.id = p.topup_id \
        WHERE (p.state = 'credited' AND (t.id IS NULL OR t.state <> 'paid' \
        OR t.provider_payment_id <> p.provider_payment_id OR t.provider <> p.provider)) \
        OR (p.state <> 'credited' AND t.state = 'paid' AND t.provider_payment_id = p.provider_payment_id \
        AND t.provider = p.provider)";
    WRONG_ADJUSTMENTS = "SELECT COUNT(*) AS wrong FROM ledger_entries e \
        LEFT JOIN adjustments a ON a.id = e.source \
        WHERE e.kind = 'adjustment' AND (a.id IS NULL OR a.credits <> e.credits OR a.account_id <> e.account_id)";
    /// The words are in the code and not in the tables, so that a new word needs no rebuilt table.
    WRONG_WORDS = "SELECT COUNT(*) AS wrong FROM (\
        SELECT state FROM topups WHERE fee_mode NOT IN ('gross_up', 'absorb') \
        OR state NOT IN ('creating', 'open', 'processing', 'paid', 'expired', 'failed') \
        UNION ALL SELECT state FROM payments WHERE state NOT IN ('waiting', 'credited', 'surplus') \
        UNION ALL SELECT kind FROM reversals WHERE kind NOT IN ('refund', 'dispute') \
        UNION ALL SELECT state FROM refund_requests WHERE state NOT IN ('creating', 'created', 'refused') \
        UNION ALL SELECT kind FROM fraud_signals WHERE kind NOT IN ('early_warning', 'review') \
        UNION ALL SELECT kind FROM failed_webhook_events WHERE kind NOT IN ('permanent', 'transient') \
        UNION ALL SELECT kind FROM ledger_entries WHERE kind NOT IN ('topup', 'reversal', 'adjustment', \
        'spend', 'spend_refund', 'bonus', 'bonus_reversal', 'promotion', 'expiry', 'void', \
        'subscription', 'subscription_reversal') \
        UNION ALL SELECT state FROM reconciliations WHERE cause NOT IN ('command', 'schedule') \
        OR state NOT IN ('running', 'finished', 'failed')) AS words";
    WRONG_RUNNING_BALANCES = "SELECT COUNT(*) AS wrong FROM ledger_entries e \
        LEFT JOIN ledger_entries b ON b.account_id = e.account_id AND b.sequence = e.sequence - 1 \
        WHERE e.balance_after <> COALESCE(b.balance_after, 0) + e.credits";
}

#[derive(sqlx::FromRow)]
struct BalanceRow {
    balance: i64,
    used_credits: i64,
    held_credits: i64,
    due_at: i64,
    blocked_at: Option<i64>,
    entries: i64,
    settled_entries: i64,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct Wrong {
    wrong: i64,
}

impl Db {
    /// An account's balance; all zeros if it has no entry yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn balance(&self, account: &AccountId) -> Result<Balance, StoreError> {
        let row = self.read_optional::<BalanceRow>(&BALANCE, &args![account = account.as_str()]).await?;
        let (remaining, used) = row.as_ref().map_or((0, 0), |row| (row.balance, row.used_credits));
        Ok(Balance {
            account: account.clone(),
            remaining_credits: remaining,
            used_credits: used,
            total_credits: remaining.checked_add(used).ok_or_else(|| StoreError::corrupt("balance of", account))?,
            held_credits: row.as_ref().map_or(0, |row| row.held_credits),
            is_blocked: row.as_ref().is_some_and(|row| row.blocked_at.is_some()),
            is_settled: row.as_ref().is_none_or(|row| row.settled_entries == row.entries),
            due_at_ms: row.as_ref().map_or(NEVER_MS, |row| row.due_at),
            updated_at_ms: row.filter(|row| row.entries > 0).map(|row| row.updated_at),
        })
    }

    /// The entries of an account below a sequence number, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries(
        &self,
        account: &AccountId,
        below_sequence: i64,
        limit: i64,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read_all(&ENTRIES, &args![account = account.as_str(), below_sequence, limit]).await
    }

    /// Checks the books for consistency. Returns the names of the broken rules.
    ///
    /// Rules: each balance is the sum of its entries; entries are numbered without gaps and each running balance
    /// follows from the previous one; each paid top-up has exactly one entry with its credits and other top-ups have
    /// none; the effect of each decided event is in the books.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn broken_rules(&self) -> Result<Vec<&'static str>, StoreError> {
        let rules: [(&'static str, &'static Statement); 8] = [
            ("balance = sum of entries", &WRONG_BALANCES),
            ("credits of a top-up are granted once, when it is paid", &WRONG_TOPUPS),
            ("a decided event's effect is there", &WRONG_EVENTS),
            ("what is taken back is what refunds and disputes say", &WRONG_REVERSALS),
            ("a payment that credited is its top-up's", &WRONG_PAYMENTS),
            ("an adjustment's entry is the adjustment", &WRONG_ADJUSTMENTS),
            ("running balances follow from one another", &WRONG_RUNNING_BALANCES),
            ("states and kinds are words that the code knows", &WRONG_WORDS),
        ];
        let mut broken = Vec::new();
        for rules in [
            &rules[..],
            &purchase_rules::RULES,
            &spending_rules::RULES,
            &subscription_rules::RULES,
            &message_rules::RULES,
            &auto_topup_rules::RULES,
        ] {
            broken.extend(self.broken_among(rules).await?.into_iter().map(|(rule, _)| rule));
        }
        Ok(broken)
    }

    /// The broken ones of these rules, each with the number of rows, by one snapshot for each.
    pub(crate) async fn broken_among(
        &self,
        rules: &[(&'static str, &'static Statement)],
    ) -> Result<Vec<(&'static str, i64)>, StoreError> {
        let mut broken = Vec::new();
        for (rule, statement) in rules {
            let row: Option<Wrong> = self.read_optional(statement, &[]).await?;
            let wrong = row.map(|row| row.wrong);
            if wrong != Some(0) {
                broken.push((*rule, wrong.unwrap_or_default()));
            }
        }
        Ok(broken)
    }
}
