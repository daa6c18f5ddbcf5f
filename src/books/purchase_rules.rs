//! What always holds of the bonuses of purchases, and of credits that end.

use crate::db::statements;

statements! {
    WRONG_BONUSES = "SELECT COUNT(*) AS wrong FROM topups t \
        LEFT JOIN ledger_entries e ON e.kind = 'bonus' AND e.source = t.id \
        WHERE (t.state = 'paid' AND t.bonus_credits > 0) <> (e.id IS NOT NULL) \
        OR (e.id IS NOT NULL AND (e.credits <> t.bonus_credits OR e.account_id <> t.account_id \
        OR e.topup_id IS NULL OR e.topup_id <> t.id))";
    /// The formula is `bonus_taken` in `domain/bonus.rs`. Its product fits into 64 bits up to 3,037,000,499 credits,
    /// because a bonus is never more than the credits; `topup audit` checks larger purchases too.
    WRONG_BONUS_REVERSALS = "SELECT COUNT(*) AS wrong FROM topups t \
        LEFT JOIN (SELECT topup_id, CAST(SUM(credits) AS BIGINT) AS moved FROM ledger_entries \
        WHERE kind = 'bonus_reversal' GROUP BY topup_id) e ON e.topup_id = t.id \
        WHERE -COALESCE(e.moved, 0) <> CASE WHEN t.taken_credits = 0 THEN 0 \
        WHEN t.taken_credits = t.credits THEN t.bonus_credits \
        WHEN t.credits <= 3037000499 THEN t.bonus_credits - t.bonus_credits * (t.credits - t.taken_credits) / t.credits \
        ELSE -COALESCE(e.moved, 0) END";
    /// A bonus ends with its purchase, unless an operator ended it earlier.
    WRONG_PURCHASE_GRANTS = "SELECT COUNT(*) AS wrong FROM grants g \
        LEFT JOIN topups t ON t.id = g.topup_id \
        LEFT JOIN ledger_entries e ON e.account_id = g.account_id AND e.sequence = g.sequence \
        WHERE (g.kind IN ('purchase', 'bonus')) <> (g.topup_id IS NOT NULL) OR (g.topup_id IS NOT NULL \
        AND (t.id IS NULL OR e.id IS NULL OR e.source <> t.id OR g.id <> \
        CASE WHEN g.kind = 'purchase' THEN t.id ELSE t.id || ':bonus' END OR (g.voided_at IS NULL AND g.expires_at <> \
        COALESCE(e.created_at + t.credits_expire_days * 86400000, 9223372036854775807))))";
    /// What a subscription's period left can end before its time; another rule says when.
    WRONG_ENDS = "SELECT COUNT(*) AS wrong FROM ledger_entries e LEFT JOIN grants g ON g.id = e.grant_id \
        WHERE e.kind IN ('expiry', 'void') AND (g.id IS NULL OR (g.expires_at > e.created_at \
        AND g.kind <> 'subscription'))";
    /// The grants of settled entries, and the purchases that grants do not know of yet.
    WRONG_DUE_TIMES = "SELECT COUNT(*) AS wrong FROM accounts a \
        WHERE EXISTS (SELECT 1 FROM grants g WHERE g.account_id = a.id AND g.is_open = 1 AND g.expires_at < a.due_at) \
        OR EXISTS (SELECT 1 FROM ledger_entries e JOIN topups t ON t.id = e.source \
        WHERE e.account_id = a.id AND e.sequence > a.settled_entries AND e.kind IN ('topup', 'bonus') \
        AND e.created_at + t.credits_expire_days * 86400000 < a.due_at)";
}

/// Each rule with the statement that counts where it is broken.
pub(crate) static RULES: [(&str, &crate::db::Statement); 5] = [
    ("the bonus of a top-up is granted once, when it is paid", &WRONG_BONUSES),
    ("what is taken back of a bonus is its share of the credits taken back", &WRONG_BONUS_REVERSALS),
    ("purchases and bonuses end as agreed", &WRONG_PURCHASE_GRANTS),
    ("no credits end before their time", &WRONG_ENDS),
    ("an account is due when the first of its credits end", &WRONG_DUE_TIMES),
];
