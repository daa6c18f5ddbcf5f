-- For the database that has arrays: one statement, so one exchange and one commit of its own. What it cannot do plainly
-- is left out: then the row has no balance in the result. A race that it sees too late breaks a rule of a table (the
-- NULL below), which undoes all of it.
-- The scalar and lateral sub-selects cannot be turned into joins: the plan is made once, maybe for empty tables, and must
-- not read a table that has grown from end to end. `IS NOT DISTINCT FROM` keeps the index by account out of it: by
-- statistics of many small accounts it would look as good as the key, and a large account would be read from end to end.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::BIGINT[], $8::TEXT[], $9::BIGINT[],
        $10::BIGINT[], $11::TEXT[], $12::BIGINT[]
    ) WITH ORDINALITY AS input (
        event, type, topup, session, payment, account, credits, currency, total, livemode, entry, now_ms, number
    )
),
fresh AS MATERIALIZED (
    SELECT input.*, COALESCE(known.writes, 0) AS writes
    FROM input
    LEFT JOIN LATERAL (
        SELECT topup_id, state, writes FROM payments WHERE payment_intent_id = input.payment LIMIT 1
    ) AS known ON TRUE
    WHERE (SELECT id FROM webhook_events WHERE id = input.event) IS NULL
    AND (known.writes IS NULL OR (known.state = 'waiting' AND known.topup_id = input.topup))
    AND (SELECT id FROM reversals WHERE payment_intent_id = input.payment LIMIT 1) IS NULL
),
marked AS (
    UPDATE topups SET state = 'paid', paid_at = fresh.now_ms, updated_at = fresh.now_ms, failure_code = NULL,
        revision = topups.revision + 1, payment_intent_id = fresh.payment
    FROM fresh
    WHERE topups.id = fresh.topup AND topups.state <> 'paid' AND topups.session_id IS NOT DISTINCT FROM fresh.session
    AND topups.account_id IS NOT DISTINCT FROM fresh.account AND topups.credits = fresh.credits
    AND topups.currency = fresh.currency AND topups.total_amount = fresh.total AND topups.livemode = fresh.livemode
    RETURNING fresh.*
),
decided AS (
    INSERT INTO webhook_events (id, type, topup_id, outcome, received_at)
    SELECT event, type, topup, 'credited', now_ms FROM marked WHERE event IS NOT NULL
),
-- Reversals write the payment's row first: when its number of writes is the expected one, none came meanwhile.
touched AS (
    INSERT INTO payments (payment_intent_id, topup_id, state, session_id, writes, created_at, updated_at)
    SELECT payment, topup, 'credited', session, 1, now_ms, now_ms FROM marked ORDER BY payment
    ON CONFLICT (payment_intent_id) DO UPDATE SET writes = payments.writes + 1, updated_at = excluded.updated_at,
        state = excluded.state, session_id = COALESCE(payments.session_id, excluded.session_id)
    RETURNING payment_intent_id, topup_id, writes
),
added AS (
    INSERT INTO accounts (id, balance, used_credits, entries, updated_at)
    SELECT account, CAST(SUM(credits) AS BIGINT), 0, COUNT(*), MAX(now_ms) FROM marked GROUP BY account ORDER BY account
    ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance,
        entries = accounts.entries + excluded.entries, updated_at = excluded.updated_at
    RETURNING id, balance, entries
),
booked AS (
    INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at)
    SELECT marked.account, added.entries - COUNT(*) OVER later, marked.entry, 'topup', marked.credits,
        added.balance - CAST(COALESCE(SUM(marked.credits) OVER later, 0) AS BIGINT),
        CASE WHEN touched.topup_id = marked.topup AND touched.writes = marked.writes + 1 THEN marked.topup END,
        marked.now_ms
    FROM marked
    JOIN added ON added.id = marked.account
    LEFT JOIN touched ON touched.payment_intent_id = marked.payment
    WINDOW later AS (
        PARTITION BY marked.account ORDER BY marked.number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
    RETURNING source, balance_after
)
SELECT input.number - 1 AS number, booked.balance_after,
    CASE WHEN booked.source IS NULL THEN (
        SELECT 1::BIGINT FROM webhook_events JOIN topups ON topups.id = input.topup
        WHERE webhook_events.id = input.event AND topups.session_id IS NOT DISTINCT FROM input.session
        AND topups.account_id IS NOT DISTINCT FROM input.account AND topups.credits = input.credits
        AND topups.currency = input.currency AND topups.total_amount = input.total
        AND topups.livemode = input.livemode LIMIT 1
    ) END AS is_decided
FROM input LEFT JOIN booked ON booked.source = input.topup
