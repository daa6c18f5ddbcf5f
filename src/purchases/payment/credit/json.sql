-- SQLite, which has one writer and cannot write inside a query: several statements sent as one text, within a
-- transaction. Rows that are not straightforward are skipped and have no balance in the result.
-- A `+` before a column keeps its index out of the plan: by the statistics of many small accounts, the index by account
-- would look as selective as the key, and a large account would be scanned for each of its payments.
-- `jsonb_each` instead of `json_each`: otherwise a row would become text, and be parsed again, for each of its columns.
-- The payments to credit, in memory: one table per writing connection.
CREATE TEMPORARY TABLE IF NOT EXISTS fresh (
    number  INTEGER PRIMARY KEY NOT NULL,
    event   TEXT,
    type    TEXT    NOT NULL,
    topup   TEXT    NOT NULL,
    session TEXT    NOT NULL,
    provider TEXT   NOT NULL,
    payment TEXT    NOT NULL,
    account TEXT    NOT NULL,
    credits INTEGER NOT NULL,
    entry   TEXT    NOT NULL,
    now_ms  INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
);
DELETE FROM temp.fresh;
INSERT INTO temp.fresh (number, event, type, topup, session, provider, payment, account, credits, entry, now_ms,
    ends_at)
    SELECT input.key, value ->> 'event', value ->> 'type', topups.id, topups.provider_session_id, topups.provider,
        value ->> 'payment',
        topups.account_id, topups.credits, value ->> 'entry', value ->> 'now_ms',
        COALESCE(value ->> 'now_ms' + topups.credits_expire_days * 86400000, 9223372036854775807)
    FROM jsonb_each(:rows) AS input CROSS JOIN topups ON topups.id = value ->> 'topup'
    WHERE topups.state <> 'paid' AND +topups.provider_session_id = value ->> 'session'
    AND topups.provider = value ->> 'provider'
    AND +topups.account_id = value ->> 'account' AND topups.credits = value ->> 'credits'
    AND topups.currency = value ->> 'currency' AND topups.total_amount = value ->> 'total'
    AND topups.livemode = value ->> 'livemode'
    AND COALESCE(topups.credits_expire_days, 0) = value ->> 'expire_days'
    -- A bonus is a second entry, which `apply_one` writes.
    AND topups.bonus_credits = 0
    -- What was charged is compared with what was agreed about its tax by `apply_one` too.
    AND topups.tax_behavior IS NULL
    AND NOT EXISTS (SELECT 1 FROM webhook_events
        WHERE provider_event_id = value ->> 'event' AND provider = value ->> 'provider')
    AND NOT EXISTS (
        SELECT 1 FROM payments WHERE provider_payment_id = value ->> 'payment' AND provider = value ->> 'provider'
        AND (payments.state <> 'waiting' OR payments.topup_id <> topups.id)
    )
    AND NOT EXISTS (SELECT 1 FROM reversals WHERE provider_payment_id = value ->> 'payment'
    AND provider = value ->> 'provider');
UPDATE topups SET state = 'paid', paid_at = fresh.now_ms, updated_at = fresh.now_ms, failure_code = NULL,
    revision = topups.revision + 1, provider_payment_id = fresh.payment
    FROM temp.fresh AS fresh WHERE topups.id = fresh.topup;
INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at)
    SELECT event, provider, type, topup, 'credited', now_ms FROM temp.fresh WHERE event IS NOT NULL;
INSERT INTO payments (provider_payment_id, provider, topup_id, state, provider_session_id, writes, created_at,
    updated_at)
    SELECT payment, provider, topup, 'credited', session, 1, now_ms, now_ms FROM temp.fresh WHERE TRUE
    ON CONFLICT (provider_payment_id, provider) DO UPDATE SET writes = payments.writes + 1,
        updated_at = excluded.updated_at,
        state = excluded.state, provider_session_id = COALESCE(payments.provider_session_id,
            excluded.provider_session_id);
-- Nobody may settle the account before its credits end, so their end is noted here.
INSERT INTO accounts (id, balance, used_credits, entries, updated_at, due_at, alert_at)
    SELECT account, SUM(credits), 0, COUNT(*), MAX(now_ms), MIN(ends_at),
        CASE WHEN (SELECT is_on FROM outbox WHERE id = 1) = 1 THEN 9223372036854775807 ELSE -9223372036854775807 END
    FROM temp.fresh WHERE TRUE GROUP BY account
    ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance,
        entries = accounts.entries + excluded.entries, updated_at = excluded.updated_at,
        due_at = MIN(accounts.due_at, excluded.due_at);
INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at)
    SELECT fresh.account, accounts.entries - COUNT(*) OVER later, fresh.entry, 'topup', fresh.credits,
        accounts.balance - COALESCE(SUM(fresh.credits) OVER later, 0), fresh.topup, fresh.now_ms
    FROM temp.fresh AS fresh CROSS JOIN accounts ON accounts.id = fresh.account
    WINDOW later AS (
        PARTITION BY fresh.account ORDER BY fresh.number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    );
-- Messages, while there is somebody to tell.
INSERT INTO messages (id, type, account_id, cause, created_at)
    SELECT 'msg_topup_paid_' || substr(topup, 7), 'topup.paid', account, topup, now_ms FROM temp.fresh
    WHERE (SELECT is_on FROM outbox WHERE id = 1) = 1 ORDER BY number
    ON CONFLICT (id) DO NOTHING;
INSERT INTO attention (account_id, since)
    SELECT accounts.id, MAX(fresh.now_ms) FROM temp.fresh AS fresh CROSS JOIN accounts ON accounts.id = fresh.account
    WHERE accounts.balance - accounts.held_credits < accounts.alert_at
    OR (fresh.ends_at < 9223372036854775807 AND (SELECT is_on FROM outbox WHERE id = 1) = 1)
    GROUP BY accounts.id
    ON CONFLICT (account_id) DO NOTHING;
SELECT input.key AS number, ledger_entries.balance_after,
    CASE WHEN fresh.number IS NULL THEN (
        SELECT 1 FROM webhook_events CROSS JOIN topups ON topups.id = value ->> 'topup'
        WHERE webhook_events.provider_event_id = value ->> 'event'
        AND webhook_events.provider = value ->> 'provider' AND +topups.provider_session_id = value ->> 'session'
    AND topups.provider = value ->> 'provider'
        AND +topups.account_id = value ->> 'account' AND topups.credits = value ->> 'credits'
        AND topups.currency = value ->> 'currency' AND topups.total_amount = value ->> 'total'
        AND topups.livemode = value ->> 'livemode' AND topups.bonus_credits = 0
        AND COALESCE(topups.credits_expire_days, 0) = value ->> 'expire_days'
    ) END AS is_decided
    FROM jsonb_each(:rows) AS input
    LEFT JOIN temp.fresh AS fresh ON fresh.number = input.key
    LEFT JOIN ledger_entries ON ledger_entries.kind = 'topup' AND ledger_entries.source = fresh.topup
