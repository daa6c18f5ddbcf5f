//! Queries and rules of the audit for spends, and for what accounts hold and have in grants.

use crate::db::{Db, StoreError, args, statements};

/// A spend with the sums of its entries, its refunds, and its hold.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedSpend {
    /// Its id.
    pub id: String,
    /// Its credits.
    pub credits: i64,
    /// The number of its entries.
    pub parts: i64,
    /// The credits stored as given back.
    pub refunded_credits: i64,
    /// The hold that it captured.
    pub hold_id: Option<String>,
    /// How many entries there are.
    pub booked: i64,
    /// The sum of their credits.
    pub booked_credits: i64,
    /// The sum of its refunds.
    pub refunds: i64,
    /// The spend that captured its hold.
    pub hold_spend: Option<String>,
    /// The credits captured of its hold.
    pub hold_captured: Option<i64>,
}

/// What an account holds and has in grants, as stored and as added up.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedFunds {
    /// The account.
    pub id: String,
    /// Its balance.
    pub balance: i64,
    /// Its stored sum of held credits.
    pub held_credits: i64,
    /// The number of its entries.
    pub entries: i64,
    /// How many of them its grants reflect.
    pub settled_entries: i64,
    /// The credits of its open holds.
    pub held: i64,
    /// What remains of its grants.
    pub remaining: i64,
}

statements! {
    SPENDS = "SELECT s.id, s.credits, s.parts, s.refunded_credits, s.hold_id, \
        (SELECT COUNT(*) FROM ledger_entries e WHERE e.account_id = s.account_id AND e.sequence >= s.first_sequence \
        AND e.sequence < s.first_sequence + s.parts AND e.kind = 'spend' AND SUBSTR(e.source, 1, 38) = s.id) AS booked, \
        (SELECT CAST(COALESCE(SUM(e.credits), 0) AS BIGINT) FROM ledger_entries e WHERE e.account_id = s.account_id \
        AND e.sequence >= s.first_sequence AND e.sequence < s.first_sequence + s.parts) AS booked_credits, \
        (SELECT CAST(COALESCE(SUM(r.credits), 0) AS BIGINT) FROM spend_refunds r WHERE r.spend_id = s.id) AS refunds, \
        h.spend_id AS hold_spend, h.captured_credits AS hold_captured \
        FROM (SELECT id, account_id, credits, first_sequence, parts, refunded_credits, hold_id FROM spends \
        WHERE id >= :from ORDER BY id LIMIT :limit) s LEFT JOIN holds h ON h.id = s.hold_id ORDER BY s.id";
    FUNDS = "SELECT a.id, a.balance, a.held_credits, a.entries, a.settled_entries, \
        (SELECT CAST(COALESCE(SUM(h.credits), 0) AS BIGINT) FROM holds h \
        WHERE h.account_id = a.id AND h.state = 'open') AS held, \
        (SELECT CAST(COALESCE(SUM(g.remaining), 0) AS BIGINT) FROM grants g \
        WHERE g.account_id = a.id AND g.is_open = 1) AS remaining \
        FROM (SELECT id, balance, held_credits, entries, settled_entries FROM accounts WHERE id >= :from \
        ORDER BY id LIMIT :limit) a ORDER BY a.id";
}

impl AuditedSpend {
    /// The rules, each with what to say when it is broken.
    pub(crate) fn rules(&self) -> [(bool, String); 3] {
        let is_captured = self.hold_spend.as_ref() == Some(&self.id) && self.hold_captured == Some(self.credits);
        [
            (
                self.booked == self.parts && self.booked_credits.checked_neg() == Some(self.credits),
                format!(
                    "takes {} credits in {} entries, {} entries take {}",
                    self.credits, self.parts, self.booked, self.booked_credits
                ),
            ),
            (
                self.refunds == self.refunded_credits,
                format!("{} credits are given back, its refunds say {}", self.refunded_credits, self.refunds),
            ),
            (self.hold_id.is_none() || is_captured, "captures a hold that does not say so".to_owned()),
        ]
    }
}

impl AuditedFunds {
    /// The rules, each with what to say when it is broken.
    pub(crate) fn rules(&self) -> [(bool, String); 2] {
        let is_settled = self.settled_entries == self.entries;
        [
            (
                self.held == self.held_credits,
                format!("holds {} credits, its open holds say {}", self.held_credits, self.held),
            ),
            (
                !is_settled || self.remaining == self.balance.max(0),
                format!("has {} credits, its grants have {}", self.balance, self.remaining),
            ),
        ]
    }
}

impl Db {
    /// Spends from `from` on, ordered by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_spends(&self, from: &str, limit: i64) -> Result<Vec<AuditedSpend>, StoreError> {
        self.read_all(&SPENDS, &args![from, limit]).await
    }

    /// What accounts from `from` on hold and have in grants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_funds(&self, from: &str, limit: i64) -> Result<Vec<AuditedFunds>, StoreError> {
        self.read_all(&FUNDS, &args![from, limit]).await
    }
}
