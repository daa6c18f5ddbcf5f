-- For the database that has arrays: ends purchases whose checkout expired, in one statement. The rules for its plan and its
-- locks are those of credit/lists.sql. What is not plain is left out of the result.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :event::TEXT[], :event_type::TEXT[], :topup::TEXT[], :session::TEXT[], :account::TEXT[], :credits::BIGINT[],
        :currency::TEXT[], :total::BIGINT[], :livemode::BIGINT[], :now_ms::BIGINT[]
    ) WITH ORDINALITY AS input (event, type, topup, session, account, credits, currency, total, livemode, now_ms, number)
),
fresh AS MATERIALIZED (
    SELECT input.number, input.event, input.type, input.now_ms, agreed.*
    FROM input
    CROSS JOIN LATERAL (
        SELECT id, account_id, state, credits, currency, credit_unit_amount, credits_amount, fee_amount, total_amount,
            fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee, livemode, stripe_request, stripe_attempt,
            session_id, expires_at, created_at, revision
        FROM topups WHERE id = input.topup LIMIT 1
    ) AS agreed
    WHERE agreed.state = 'open' AND agreed.session_id = input.session AND agreed.account_id = input.account
    AND agreed.credits = input.credits AND agreed.currency = input.currency AND agreed.total_amount = input.total
    AND agreed.livemode = input.livemode
    AND (SELECT id FROM webhook_events WHERE id = input.event LIMIT 1) IS NULL
),
marked AS (
    INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_amount, credits_amount, fee_amount,
        total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee, livemode, stripe_request,
        stripe_attempt, session_id, expires_at, created_at, updated_at, revision)
    SELECT id, account_id, 'expired', credits, currency, credit_unit_amount, credits_amount, fee_amount,
        total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee, livemode, stripe_request,
        stripe_attempt, session_id, expires_at, created_at, now_ms, revision
    FROM fresh ORDER BY number
    ON CONFLICT (id) DO UPDATE SET state = 'expired', updated_at = excluded.updated_at, revision = topups.revision + 1
        WHERE topups.revision = excluded.revision AND topups.state = 'open' AND topups.session_id = excluded.session_id
    RETURNING id
),
decided AS (
    INSERT INTO webhook_events (id, type, topup_id, outcome, received_at)
    SELECT fresh.event, fresh.type, fresh.id, 'expired', fresh.now_ms FROM fresh JOIN marked ON marked.id = fresh.id
    WHERE fresh.event IS NOT NULL ORDER BY fresh.event
    RETURNING id
)
SELECT fresh.number - 1 AS number FROM fresh JOIN marked ON marked.id = fresh.id
