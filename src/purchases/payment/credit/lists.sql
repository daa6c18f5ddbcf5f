-- PostgreSQL: one statement, so one round trip and its own commit. Rows that are not straightforward are skipped and
-- have no balance in the result.
--
-- The plan may be made while the tables are empty and used when they are large, so it must not depend on their size.
-- Hence no table is joined. A row is found by a subquery or a LATERAL with LIMIT, whose only possible plan is one
-- look-up per input row, and is changed by INSERT ... ON CONFLICT, which always uses the key. (The top-up proposed for
-- insertion comes from the table, so it always conflicts.)
--
-- Locks are taken in the order of `purchases/mod.rs`: top-ups, events, payments, accounts. Each step waits for the
-- previous one through the subquery in its WHERE.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :event::TEXT[], :event_type::TEXT[], :topup::TEXT[], :session::TEXT[], :provider::TEXT[], :payment::TEXT[],
            :account::TEXT[],
        :credits::BIGINT[], :expire_days::BIGINT[], :currency::TEXT[], :total::BIGINT[], :livemode::BIGINT[],
        :entry::TEXT[], :now_ms::BIGINT[]
    ) WITH ORDINALITY AS input (
        event, type, topup, session, provider, payment, account, credits, expire_days, currency, total, livemode, entry,
        now_ms, number
    )
),
fresh AS MATERIALIZED (
    SELECT input.number, input.event, input.type, input.payment, input.entry, input.now_ms, agreed.*
    FROM input
    CROSS JOIN LATERAL (
        SELECT id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, credits_amount,
            fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
            bonus_credits, credits_expire_days, tax_behavior, livemode,
            provider, provider_request, provider_attempt, provider_session_id, expires_at, created_at, revision
        FROM topups WHERE id = input.topup LIMIT 1
    ) AS agreed
    LEFT JOIN LATERAL (
        SELECT topup_id, state FROM payments WHERE provider_payment_id = input.payment
        AND provider = input.provider LIMIT 1
    ) AS known ON TRUE
    WHERE agreed.state <> 'paid' AND agreed.provider_session_id = input.session
    AND agreed.provider = input.provider AND agreed.account_id = input.account
    AND agreed.credits = input.credits AND agreed.currency = input.currency AND agreed.total_amount = input.total
    AND agreed.livemode = input.livemode AND COALESCE(agreed.credits_expire_days, 0) = input.expire_days
    -- A bonus is a second entry, which `apply_one` writes.
    AND agreed.bonus_credits = 0
    -- What was charged is compared with what was agreed about its tax by `apply_one` too.
    AND agreed.tax_behavior IS NULL
    AND (SELECT topup_id FROM webhook_events WHERE provider_event_id = input.event
    AND provider = input.provider LIMIT 1) IS NULL
    AND (known.state IS NULL OR (known.state = 'waiting' AND known.topup_id = input.topup))
    AND (SELECT kind FROM reversals WHERE provider_payment_id = input.payment
    AND provider = input.provider LIMIT 1) IS NULL
),
-- Every change to a top-up increments its revision under its lock. If the revision is the one that was read, nothing
-- has arrived meanwhile, not even a refund; otherwise the row is skipped.
marked AS (
    INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount,
        credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
        bonus_credits, credits_expire_days,
        livemode, provider, provider_request, provider_attempt, provider_session_id, expires_at, created_at,
        updated_at, revision, provider_payment_id, paid_at)
    SELECT id, account_id, 'paid', credits, currency, credit_unit_credits, credit_unit_amount, credits_amount,
        fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
        bonus_credits, credits_expire_days, livemode, provider,
        provider_request, provider_attempt, provider_session_id, expires_at, created_at, now_ms, revision, payment,
        now_ms
    FROM fresh ORDER BY number
    ON CONFLICT (id) DO UPDATE SET state = 'paid', paid_at = excluded.paid_at, updated_at = excluded.updated_at,
        failure_code = NULL, revision = topups.revision + 1, provider_payment_id = excluded.provider_payment_id
        WHERE topups.revision = excluded.revision AND topups.state <> 'paid'
        AND topups.provider_session_id = excluded.provider_session_id
    RETURNING id
),
paid AS MATERIALIZED (
    SELECT fresh.number, fresh.event, fresh.type, fresh.id AS topup, fresh.provider_session_id AS session,
        fresh.provider,
        fresh.payment,
        fresh.account_id AS account, fresh.credits, fresh.entry, fresh.now_ms,
        COALESCE(fresh.now_ms + fresh.credits_expire_days * 86400000, 9223372036854775807) AS ends_at
    FROM fresh JOIN marked ON marked.id = fresh.id
),
decided AS (
    INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at)
    SELECT event, provider, type, topup, 'credited', now_ms FROM paid WHERE event IS NOT NULL ORDER BY event
    RETURNING provider_event_id
),
-- A payment that now belongs to another top-up, or was found to be surplus, returns no row here.
touched AS (
    INSERT INTO payments (provider_payment_id, provider, topup_id, state, provider_session_id, writes, created_at,
        updated_at)
    SELECT payment, provider, topup, 'credited', session, 1, now_ms, now_ms FROM paid
    WHERE (SELECT COUNT(*) FROM decided) IS NOT NULL ORDER BY payment
    ON CONFLICT (provider_payment_id, provider) DO UPDATE SET writes = payments.writes + 1,
        updated_at = excluded.updated_at,
        state = excluded.state, provider_session_id = COALESCE(payments.provider_session_id,
            excluded.provider_session_id)
        WHERE payments.topup_id = excluded.topup_id AND payments.state = 'waiting'
    RETURNING provider_payment_id, provider
),
-- Nobody may settle the account before its credits end, so their end is noted here.
added AS (
    INSERT INTO accounts (id, balance, used_credits, entries, updated_at, due_at, alert_at)
    SELECT account, CAST(SUM(credits) AS BIGINT), 0, COUNT(*), MAX(now_ms), MIN(ends_at),
        CASE WHEN (SELECT is_on FROM outbox WHERE id = 1) = 1 THEN 9223372036854775807 ELSE -9223372036854775807 END
    FROM paid
    WHERE (SELECT COUNT(*) FROM touched) IS NOT NULL GROUP BY account ORDER BY account COLLATE "C"
    ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance,
        entries = accounts.entries + excluded.entries, updated_at = excluded.updated_at,
        due_at = LEAST(accounts.due_at, excluded.due_at)
    RETURNING id, balance, entries, held_credits, alert_at
),
-- Messages, while there is somebody to tell. The account's row is locked by now, which keeps them in order.
told AS (
    INSERT INTO messages (id, type, account_id, cause, created_at)
    SELECT 'msg_topup_paid_' || substr(paid.topup, 7), 'topup.paid', paid.account, paid.topup, paid.now_ms
    FROM paid JOIN added ON added.id = paid.account
    WHERE (SELECT is_on FROM outbox WHERE id = 1) = 1 ORDER BY paid.number
    ON CONFLICT (id) DO NOTHING
),
noted AS (
    INSERT INTO attention (account_id, since)
    SELECT added.id, MAX(paid.now_ms) FROM added JOIN paid ON paid.account = added.id
    WHERE added.balance - added.held_credits < added.alert_at
    OR (paid.ends_at < 9223372036854775807 AND (SELECT is_on FROM outbox WHERE id = 1) = 1)
    GROUP BY added.id
    ON CONFLICT (account_id) DO NOTHING
),
-- A payment without a row in `touched` makes the source NULL, which violates NOT NULL and rolls back the whole
-- statement.
booked AS (
    INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at)
    SELECT paid.account, added.entries - COUNT(*) OVER later, paid.entry, 'topup', paid.credits,
        added.balance - CAST(COALESCE(SUM(paid.credits) OVER later, 0) AS BIGINT),
        CASE WHEN touched.provider_payment_id IS NOT NULL THEN paid.topup END, paid.now_ms
    FROM paid
    JOIN added ON added.id = paid.account
    LEFT JOIN touched ON touched.provider_payment_id = paid.payment AND touched.provider = paid.provider
    WINDOW later AS (
        PARTITION BY paid.account ORDER BY paid.number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
    RETURNING source, balance_after
)
SELECT input.number - 1 AS number, booked.balance_after,
    CASE WHEN booked.source IS NULL THEN (
        SELECT decided.is_decided FROM (
            SELECT topup_id, 1::BIGINT AS is_decided FROM webhook_events
            WHERE provider_event_id = input.event AND provider = input.provider LIMIT 1
        ) AS decided
        CROSS JOIN LATERAL (
            SELECT provider_session_id, provider, account_id, credits, currency, total_amount, livemode, bonus_credits,
                credits_expire_days
            FROM topups WHERE id = input.topup LIMIT 1
        ) AS agreed
        WHERE agreed.provider_session_id = input.session AND agreed.provider = input.provider
        AND agreed.account_id = input.account
        AND agreed.credits = input.credits AND agreed.currency = input.currency AND agreed.total_amount = input.total
        AND agreed.livemode = input.livemode AND agreed.bonus_credits = 0
        AND COALESCE(agreed.credits_expire_days, 0) = input.expire_days
    ) END AS is_decided
FROM input LEFT JOIN booked ON booked.source = input.topup
