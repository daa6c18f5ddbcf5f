//! What always holds of the credits of subscriptions, as far as SQL can check it.

use crate::db::{Statement, statements};

statements! {
    WRONG_PERIODS = "SELECT COUNT(*) AS wrong FROM subscription_grants g \
        LEFT JOIN ledger_entries e ON e.kind = 'subscription' AND e.source = g.id \
        WHERE (g.credits > 0) <> (e.id IS NOT NULL) \
        OR (e.id IS NOT NULL AND (e.credits <> g.credits OR e.account_id <> g.account_id))";
    ENTRIES_WITHOUT_PERIOD = "SELECT COUNT(*) AS wrong FROM ledger_entries e \
        LEFT JOIN subscription_grants g ON g.id = e.source WHERE e.kind = 'subscription' AND g.id IS NULL";
    /// The source of such an entry is the grant's id, a colon and four digits.
    WRONG_TAKEN = "SELECT COUNT(*) AS wrong FROM subscription_grants g LEFT JOIN (SELECT \
        SUBSTR(source, 1, LENGTH(source) - 5) AS grant_id, CAST(SUM(credits) AS BIGINT) AS moved FROM ledger_entries \
        WHERE kind = 'subscription_reversal' GROUP BY SUBSTR(source, 1, LENGTH(source) - 5)) m ON m.grant_id = g.id \
        WHERE g.taken_credits <> -COALESCE(m.moved, 0)";
    NOT_PAID = "SELECT COUNT(*) AS wrong FROM subscription_grants g JOIN subscription_invoices i \
        ON i.provider_invoice_id = g.provider_invoice_id AND i.provider = g.provider WHERE i.status <> 'paid'";
    /// The period that follows is paid by then.
    EARLY_ENDS = "SELECT COUNT(*) AS wrong FROM ledger_entries e JOIN grants g ON g.id = e.grant_id \
        JOIN subscription_grants s ON s.id = g.id WHERE e.kind = 'expiry' AND g.expires_at > e.created_at \
        AND NOT EXISTS (SELECT 1 FROM subscription_grants n WHERE n.provider_subscription_id = s.provider_subscription_id \
        AND n.provider = s.provider AND n.kind = 'period' AND n.period_start >= s.period_end \
        AND n.created_at <= e.created_at)";
    WRONG_PAST_DUE = "SELECT COUNT(*) AS wrong FROM subscriptions \
        WHERE (status = 'past_due') <> (past_due_since IS NOT NULL)";
    WRONG_WORDS = "SELECT COUNT(*) AS wrong FROM (\
        SELECT status FROM subscriptions WHERE status NOT IN ('incomplete', 'incomplete_expired', 'trialing', 'active', \
        'past_due', 'unpaid', 'canceled', 'paused') \
        UNION ALL SELECT status FROM subscription_invoices WHERE status NOT IN ('draft', 'open', 'paid', \
        'uncollectible', 'void') \
        UNION ALL SELECT kind FROM subscription_grants WHERE kind NOT IN ('period', 'trial') \
        UNION ALL SELECT kind FROM subscription_reversals WHERE kind NOT IN ('refund', 'dispute') \
        UNION ALL SELECT state FROM subscription_checkouts WHERE state NOT IN ('creating', 'open', 'completed', \
        'expired', 'refused') \
        UNION ALL SELECT rollover FROM plans WHERE rollover NOT IN ('expire', 'keep', 'cap') \
        OR interval_unit NOT IN ('day', 'week', 'month', 'year')) AS words";
}

/// Each rule with the statement that counts where it is broken.
pub(crate) static RULES: [(&str, &Statement); 7] = [
    ("credits of a period are granted once, by its grant", &WRONG_PERIODS),
    ("an entry of a period has its grant", &ENTRIES_WITHOUT_PERIOD),
    ("what is taken back of a period is what its entries say", &WRONG_TAKEN),
    ("credits of a period come from a paid invoice", &NOT_PAID),
    ("credits of a period end before their time only when the next one is paid", &EARLY_ENDS),
    ("what is past due has a time since when", &WRONG_PAST_DUE),
    ("states of subscriptions are words that the code knows", &WRONG_WORDS),
];
