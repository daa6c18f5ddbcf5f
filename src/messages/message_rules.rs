//! What always holds of messages: one exists exactly if its cause is committed, and what waits is counted.
//!
//! A cause from before the outbox was switched on has no message, and messages are deleted after some months; the
//! minute that is left out allows for transactions that were running then, and for clocks of several machines.

use crate::db::statements;

statements! {
    PAID_WITHOUT_MESSAGE = "SELECT COUNT(*) AS wrong FROM topups t WHERE t.state = 'paid' \
        AND t.paid_at > (SELECT since FROM outbox WHERE id = 1) + 60000 \
        AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = 'msg_topup_paid_' || substr(t.id, 7))";
    PAID_WITHOUT_CAUSE = "SELECT COUNT(*) AS wrong FROM messages m LEFT JOIN topups t ON t.id = m.cause \
        WHERE m.type = 'topup.paid' AND (t.id IS NULL OR t.state <> 'paid' OR t.account_id <> m.account_id)";
    REVERSED_WITHOUT_MESSAGE = "SELECT COUNT(*) AS wrong FROM ledger_entries e WHERE e.kind = 'reversal' \
        AND e.created_at > (SELECT since FROM outbox WHERE id = 1) + 60000 AND NOT EXISTS (SELECT 1 FROM messages m \
        WHERE m.id = CASE e.reason WHEN 'refund' THEN 'msg_topup_refunded_' ELSE 'msg_topup_reversed_' END \
        || replace(substr(e.source, 7), ':', '-'))";
    REVERSED_WITHOUT_CAUSE = "SELECT COUNT(*) AS wrong FROM messages m \
        LEFT JOIN ledger_entries e ON e.kind = 'reversal' AND e.source = m.cause \
        WHERE m.type IN ('topup.refunded', 'topup.reversed') AND (e.id IS NULL OR e.account_id <> m.account_id)";
    EXPIRED_WITHOUT_MESSAGE = "SELECT COUNT(*) AS wrong FROM ledger_entries e WHERE e.kind = 'expiry' \
        AND e.created_at > (SELECT since FROM outbox WHERE id = 1) + 60000 AND NOT EXISTS (SELECT 1 FROM messages m \
        WHERE m.id = 'msg_credits_expired_' || replace(e.source, ':', '-'))";
    EXPIRED_WITHOUT_CAUSE = "SELECT COUNT(*) AS wrong FROM messages m \
        LEFT JOIN ledger_entries e ON e.kind = 'expiry' AND e.source = m.cause \
        WHERE m.type = 'credits.expired' AND (e.id IS NULL OR e.account_id <> m.account_id)";
    HOLD_WITHOUT_MESSAGE = "SELECT COUNT(*) AS wrong FROM holds h WHERE h.state = 'expired' \
        AND h.updated_at > (SELECT since FROM outbox WHERE id = 1) + 60000 \
        AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = 'msg_hold_expired_' || substr(h.id, 6))";
    HOLD_WITHOUT_CAUSE = "SELECT COUNT(*) AS wrong FROM messages m LEFT JOIN holds h ON h.id = m.cause \
        WHERE m.type = 'hold.expired' AND (h.id IS NULL OR h.state NOT IN ('expired', 'captured') \
        OR h.account_id <> m.account_id)";
    DISPUTE_WITHOUT_CAUSE = "SELECT COUNT(*) AS wrong FROM messages m \
        LEFT JOIN reversals r ON r.provider_reversal_id = m.cause AND r.kind = 'dispute' \
        WHERE m.type IN ('dispute.opened', 'dispute.closed') AND r.kind IS NULL";
    WARNING_WITHOUT_CAUSE = "SELECT COUNT(*) AS wrong FROM messages m \
        LEFT JOIN fraud_signals f ON f.provider_signal_id = m.cause \
        WHERE m.type = 'dispute.warning' AND f.kind IS NULL";
    FAILED_WITHOUT_CAUSE = "SELECT COUNT(*) AS wrong FROM messages m LEFT JOIN topups t ON t.id = m.cause \
        WHERE m.type = 'topup.failed' AND (t.id IS NULL OR t.account_id <> m.account_id)";
    LOW_TWICE = "SELECT COUNT(*) AS wrong FROM (SELECT type, LAG(type) OVER (PARTITION BY account_id ORDER BY number) \
        AS earlier FROM messages WHERE type IN ('balance.low', 'balance.recovered') \
        AND created_at >= (SELECT since FROM outbox WHERE id = 1)) AS told WHERE type = earlier";
    WRONG_QUEUES = "SELECT COUNT(*) AS wrong FROM delivery_queues q \
        LEFT JOIN (SELECT endpoint_id, account_id, COUNT(*) AS waiting FROM deliveries WHERE state = 'waiting' \
        GROUP BY endpoint_id, account_id) d ON d.endpoint_id = q.endpoint_id AND d.account_id = q.account_id \
        WHERE q.waiting <> COALESCE(d.waiting, 0) OR (q.waiting = 0) <> (q.next_at = 9223372036854775807)";
    NOT_MADE = "SELECT COUNT(*) AS wrong FROM messages WHERE payload = ''";
    NOT_QUEUED = "SELECT COUNT(*) AS wrong FROM deliveries d LEFT JOIN delivery_queues q \
        ON q.endpoint_id = d.endpoint_id AND q.account_id = d.account_id \
        WHERE d.state = 'waiting' AND q.endpoint_id IS NULL";
}

/// Each rule with the statement that counts where it is broken.
pub(crate) static RULES: [(&str, &crate::db::Statement); 15] = [
    ("a paid top-up has its message", &PAID_WITHOUT_MESSAGE),
    ("a message of a paid top-up has its cause", &PAID_WITHOUT_CAUSE),
    ("a reversal has its message", &REVERSED_WITHOUT_MESSAGE),
    ("a message of a reversal has its cause", &REVERSED_WITHOUT_CAUSE),
    ("credits that expired have their message", &EXPIRED_WITHOUT_MESSAGE),
    ("a message of expired credits has its cause", &EXPIRED_WITHOUT_CAUSE),
    ("a hold that expired has its message", &HOLD_WITHOUT_MESSAGE),
    ("a message of an expired hold has its cause", &HOLD_WITHOUT_CAUSE),
    ("a message of a dispute has its cause", &DISPUTE_WITHOUT_CAUSE),
    ("a message of a warning has its cause", &WARNING_WITHOUT_CAUSE),
    ("a message of a failed top-up has its cause", &FAILED_WITHOUT_CAUSE),
    ("low and recovered balances alternate in the messages", &LOW_TWICE),
    ("a queue counts the deliveries that wait in it", &WRONG_QUEUES),
    ("a waiting delivery is in a queue", &NOT_QUEUED),
    ("the body of a message can be made", &NOT_MADE),
];
