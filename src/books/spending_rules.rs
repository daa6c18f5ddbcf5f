//! What always holds of grants, holds and spends.

use crate::db::statements;

statements! {
    WRONG_HELD_CREDITS = "SELECT COUNT(*) AS wrong FROM accounts a \
        LEFT JOIN (SELECT account_id, CAST(SUM(credits) AS BIGINT) AS held FROM holds WHERE state = 'open' \
        GROUP BY account_id) h ON h.account_id = a.id WHERE a.held_credits <> COALESCE(h.held, 0)";
    WRONG_REMAINDERS = "SELECT COUNT(*) AS wrong FROM accounts a \
        LEFT JOIN (SELECT account_id, CAST(SUM(remaining) AS BIGINT) AS remaining FROM grants GROUP BY account_id) g \
        ON g.account_id = a.id WHERE a.settled_entries = a.entries \
        AND COALESCE(g.remaining, 0) <> CASE WHEN a.balance > 0 THEN a.balance ELSE 0 END";
    WRONG_GRANTS = "SELECT COUNT(*) AS wrong FROM grants g \
        LEFT JOIN (SELECT grant_id, CAST(SUM(credits) AS BIGINT) AS moved FROM ledger_entries \
        WHERE grant_id IS NOT NULL GROUP BY grant_id) e ON e.grant_id = g.id \
        LEFT JOIN (SELECT grant_id, CAST(SUM(credits) AS BIGINT) AS moved FROM grant_moves GROUP BY grant_id) m \
        ON m.grant_id = g.id WHERE g.remaining <> COALESCE(e.moved, 0) + COALESCE(m.moved, 0)";
    /// What an entry brings repays a negative balance first; what it takes below zero comes from no grant.
    WRONG_MOVES = "SELECT COUNT(*) AS wrong FROM ledger_entries e JOIN accounts a ON a.id = e.account_id \
        LEFT JOIN (SELECT account_id, sequence, CAST(SUM(credits) AS BIGINT) AS moved FROM grant_moves \
        GROUP BY account_id, sequence) m ON m.account_id = e.account_id AND m.sequence = e.sequence \
        WHERE e.sequence <= a.settled_entries AND COALESCE(m.moved, 0) <> CASE WHEN e.grant_id IS NOT NULL THEN 0 \
        ELSE CASE WHEN e.balance_after > 0 THEN e.balance_after ELSE 0 END \
        - CASE WHEN e.balance_after - e.credits > 0 THEN e.balance_after - e.credits ELSE 0 END END";
    WRONG_SPENDS = "SELECT COUNT(*) AS wrong FROM spends s \
        LEFT JOIN (SELECT s.id, COUNT(*) AS parts, CAST(SUM(e.credits) AS BIGINT) AS credits FROM spends s \
        JOIN ledger_entries e ON e.account_id = s.account_id AND e.sequence >= s.first_sequence \
        AND e.sequence < s.first_sequence + s.parts AND e.kind = 'spend' GROUP BY s.id) e ON e.id = s.id \
        WHERE COALESCE(e.parts, 0) <> s.parts OR COALESCE(e.credits, 0) <> -s.credits";
    WRONG_USED_CREDITS = "SELECT COUNT(*) AS wrong FROM accounts a \
        LEFT JOIN (SELECT account_id, CAST(SUM(credits - refunded_credits) AS BIGINT) AS used FROM spends \
        GROUP BY account_id) s ON s.account_id = a.id WHERE a.used_credits <> COALESCE(s.used, 0)";
    WRONG_CAPTURES = "SELECT COUNT(*) AS wrong FROM holds h LEFT JOIN spends s ON s.id = h.spend_id \
        WHERE h.state = 'captured' AND (s.id IS NULL OR s.hold_id <> h.id OR s.account_id <> h.account_id \
        OR s.credits <> h.captured_credits)";
    WRONG_CAPTURING_SPENDS = "SELECT COUNT(*) AS wrong FROM spends s LEFT JOIN holds h ON h.id = s.hold_id \
        WHERE s.hold_id IS NOT NULL AND (h.id IS NULL OR h.state <> 'captured' OR h.spend_id <> s.id)";
    WRONG_DEBTS = "SELECT COUNT(*) AS wrong FROM ledger_entries WHERE balance_after < 0 AND credits < 0 \
        AND (kind IN ('adjustment', 'expiry', 'void') OR (kind = 'spend' AND grant_id IS NOT NULL))";
    WRONG_REFUNDED_CREDITS = "SELECT COUNT(*) AS wrong FROM spends s \
        LEFT JOIN (SELECT spend_id, CAST(SUM(credits) AS BIGINT) AS credits FROM spend_refunds GROUP BY spend_id) r \
        ON r.spend_id = s.id WHERE s.refunded_credits <> COALESCE(r.credits, 0)";
    WRONG_LIMITS = "SELECT COUNT(*) AS wrong FROM spend_limits l LEFT JOIN accounts a ON a.id = l.account_id \
        WHERE a.limits_from IS NULL OR a.limits_from < l.window_start \
        OR l.used <> (SELECT CAST(COALESCE(SUM(s.credits - s.refunded_credits), 0) AS BIGINT) FROM spends s \
        WHERE s.account_id = l.account_id AND s.created_at >= l.window_start \
        AND (l.subject = '' OR s.subject = l.subject)) \
        OR l.held <> (SELECT CAST(COALESCE(SUM(h.credits), 0) AS BIGINT) FROM holds h \
        WHERE h.account_id = l.account_id AND h.state = 'open' AND (l.subject = '' OR h.subject = l.subject))";
}

/// Each rule with the statement that counts where it is broken.
pub(crate) static RULES: [(&str, &crate::db::Statement); 11] = [
    ("held credits are those of the open holds", &WRONG_HELD_CREDITS),
    ("what remains of the grants is the balance", &WRONG_REMAINDERS),
    ("what remains of a grant follows from the entries", &WRONG_GRANTS),
    ("an entry moves its credits in the grants", &WRONG_MOVES),
    ("a spend's entries are the spend", &WRONG_SPENDS),
    ("used credits are those of the spends", &WRONG_USED_CREDITS),
    ("a captured hold has its spend", &WRONG_CAPTURES),
    ("a capturing spend has its hold", &WRONG_CAPTURING_SPENDS),
    ("only refunds and disputes take a balance below zero", &WRONG_DEBTS),
    ("credits given back follow from the refunds of spends", &WRONG_REFUNDED_CREDITS),
    ("what counts against a limit are its spends and holds", &WRONG_LIMITS),
];
