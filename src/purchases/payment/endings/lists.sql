-- PostgreSQL: ends top-ups whose checkout expired, in one statement. The planning and locking rules of credit/lists.sql
-- apply. Rows that are not straightforward are missing from the result.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :event::TEXT[], :event_type::TEXT[], :topup::TEXT[], :session::TEXT[], :provider::TEXT[], :account::TEXT[],
            :credits::BIGINT[], :expire_days::BIGINT[],
        :currency::TEXT[], :total::BIGINT[], :livemode::BIGINT[], :now_ms::BIGINT[]
    ) WITH ORDINALITY AS input (event, type, topup, session, provider, account, credits, expire_days,
        currency, total, livemode, now_ms, number)
),
fresh AS MATERIALIZED (
    SELECT input.number, input.event, input.type, input.now_ms, agreed.*
    FROM input
    CROSS JOIN LATERAL (
        SELECT id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, credits_amount,
            fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
            bonus_credits, credits_expire_days, livemode,
            provider, provider_request, provider_attempt, provider_session_id, expires_at, created_at, revision
        FROM topups WHERE id = input.topup LIMIT 1
    ) AS agreed
    WHERE agreed.state = 'open' AND agreed.provider_session_id = input.session
    AND agreed.provider = input.provider AND agreed.account_id = input.account
    AND agreed.credits = input.credits AND agreed.currency = input.currency AND agreed.total_amount = input.total
    AND agreed.livemode = input.livemode AND agreed.bonus_credits = 0
    AND COALESCE(agreed.credits_expire_days, 0) = input.expire_days
    AND (SELECT topup_id FROM webhook_events WHERE provider_event_id = input.event
    AND provider = input.provider LIMIT 1) IS NULL
),
marked AS (
    INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount,
        credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
        bonus_credits, credits_expire_days,
        livemode, provider, provider_request, provider_attempt, provider_session_id, expires_at, created_at,
        updated_at, revision)
    SELECT id, account_id, 'expired', credits, currency, credit_unit_credits, credit_unit_amount, credits_amount,
        fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
        bonus_credits, credits_expire_days, livemode, provider,
        provider_request, provider_attempt, provider_session_id, expires_at, created_at, now_ms, revision
    FROM fresh ORDER BY number
    ON CONFLICT (id) DO UPDATE SET state = 'expired', updated_at = excluded.updated_at, revision = topups.revision + 1
        WHERE topups.revision = excluded.revision AND topups.state = 'open'
        AND topups.provider_session_id = excluded.provider_session_id
    RETURNING id
),
decided AS (
    INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at)
    SELECT fresh.event, fresh.provider, fresh.type, fresh.id, 'expired',
        fresh.now_ms FROM fresh JOIN marked ON marked.id = fresh.id
    WHERE fresh.event IS NOT NULL ORDER BY fresh.event
    RETURNING provider_event_id
)
SELECT fresh.number - 1 AS number FROM fresh JOIN marked ON marked.id = fresh.id
