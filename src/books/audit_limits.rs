//! Queries and rules of the audit for limits of spending.

use crate::db::{Db, StoreError, args, statements};

/// A limit with what counts against it, as stored and as added up.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedLimit {
    /// The account.
    pub account_id: String,
    /// The part of the account; empty for the whole account.
    pub subject: String,
    /// The period.
    pub period: String,
    /// What is stored as spent.
    pub used: i64,
    /// What is stored as held.
    pub held: i64,
    /// The spends in the period, less what was given back of them.
    pub spent: i64,
    /// The open holds.
    pub reserved: i64,
    /// Whether the account says that it has limits, and none of them is of a later day.
    pub is_known: i64,
}

statements! {
    LIMITS = "SELECT l.account_id, l.subject, l.period, l.used, l.held, \
        (SELECT CAST(COALESCE(SUM(s.credits - s.refunded_credits), 0) AS BIGINT) FROM spends s \
        WHERE s.account_id = l.account_id AND s.created_at >= l.window_start \
        AND (l.subject = '' OR s.subject = l.subject)) AS spent, \
        (SELECT CAST(COALESCE(SUM(h.credits), 0) AS BIGINT) FROM holds h WHERE h.account_id = l.account_id \
        AND h.state = 'open' AND (l.subject = '' OR h.subject = l.subject)) AS reserved, \
        (SELECT COUNT(*) FROM accounts a WHERE a.id = l.account_id AND a.limits_from >= l.window_start) AS is_known \
        FROM (SELECT account_id, subject, period, window_start, used, held FROM spend_limits \
        WHERE (account_id, subject, period) >= (:account, :subject, :period) \
        ORDER BY account_id, subject, period LIMIT :limit) l ORDER BY l.account_id, l.subject, l.period";
}

impl AuditedLimit {
    /// The rules, each with what to say when it is broken.
    pub(crate) fn rules(&self) -> [(bool, String); 3] {
        [
            (self.used == self.spent, format!("counts {} spent credits, its spends say {}", self.used, self.spent)),
            (
                self.held == self.reserved,
                format!("counts {} held credits, its open holds say {}", self.held, self.reserved),
            ),
            (self.is_known == 1, "is not noted with its account".to_owned()),
        ]
    }
}

impl Db {
    /// Limits from a place on (account, subject and period), in this order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audited_limits(&self, from: (&str, &str, &str), limit: i64) -> Result<Vec<AuditedLimit>, StoreError> {
        let (account, subject, period) = from;
        self.read_all(&LIMITS, &args![account, subject, period, limit]).await
    }
}
