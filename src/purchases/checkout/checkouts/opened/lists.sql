-- PostgreSQL: stores the opened checkout sessions and the answers for the callers' keys in one statement. The planning
-- and locking rules of credit/lists.sql apply. Handles only top-ups that have not changed since they were inserted; the
-- others are missing from the result.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :topup::TEXT[], :provider::TEXT[], :session::TEXT[], :url::TEXT[], :expires_at::BIGINT[], :now_ms::BIGINT[],
        :caller::TEXT[], :key::TEXT[]
    ) WITH ORDINALITY AS input (topup, provider, session, url, expires_at, now_ms, caller, key, number)
),
fresh AS MATERIALIZED (
    SELECT input.number, input.session, input.url, input.expires_at AS ends_at, input.now_ms, input.caller, input.key,
        agreed.*
    FROM input
    CROSS JOIN LATERAL (
        SELECT id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, credits_amount,
            fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
            bonus_credits, credits_expire_days, livemode,
            provider, provider_request, provider_attempt, provider_session_id, expires_at, created_at
        FROM topups WHERE id = input.topup LIMIT 1
    ) AS agreed
    WHERE agreed.state = 'creating' AND agreed.provider = input.provider AND agreed.provider_session_id IS NULL
),
opened AS (
    INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount,
        credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
        bonus_credits, credits_expire_days,
        livemode, provider, provider_request, provider_attempt, provider_session_id, session_url, expires_at,
        created_at, updated_at)
    SELECT id, account_id, 'open', credits, currency, credit_unit_credits, credit_unit_amount, credits_amount,
        fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
        bonus_credits, credits_expire_days, livemode, provider,
        provider_request, provider_attempt, session, url, ends_at, created_at, now_ms
    FROM fresh ORDER BY number
    ON CONFLICT (id) DO UPDATE SET state = 'open', provider_session_id = excluded.provider_session_id,
        session_url = excluded.session_url,
        expires_at = excluded.expires_at, updated_at = excluded.updated_at, failure_code = NULL
        WHERE topups.state = 'creating' AND topups.provider_session_id IS NULL
    RETURNING id
),
answered AS (
    INSERT INTO idempotency_keys (caller, key, request_hash, topup_id, lease_until, created_at)
    SELECT known.caller, known.key, known.request_hash, known.topup_id, known.lease_until, known.created_at
    FROM fresh JOIN opened ON opened.id = fresh.id
    CROSS JOIN LATERAL (
        SELECT caller, key, request_hash, topup_id, lease_until, created_at FROM idempotency_keys
        WHERE caller = fresh.caller AND key = fresh.key LIMIT 1
    ) AS known
    ORDER BY known.caller, known.key
    ON CONFLICT (caller, key) DO UPDATE SET status = 200, code = NULL, lease_until = 0
        WHERE idempotency_keys.status IS NULL
    RETURNING key
)
SELECT fresh.number - 1 AS number FROM fresh JOIN opened ON opened.id = fresh.id
