-- PostgreSQL: inserts top-ups before the provider is called, and claims the callers' keys, in one statement. The
-- planning rules of credit/lists.sql apply. A top-up whose key exists already is not inserted and is missing from the
-- result.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :topup::TEXT[], :account::TEXT[], :credits::BIGINT[], :currency::TEXT[], :unit_credits::BIGINT[],
        :unit_amount::BIGINT[], :credits_amount::BIGINT[], :fee_amount::BIGINT[], :total::BIGINT[], :fee_mode::TEXT[],
        :rate::TEXT[], :fee_fixed::BIGINT[], :fee_label::TEXT[], :expected_fee::BIGINT[], :bonus::BIGINT[],
        :expire_days::BIGINT[], :tax::TEXT[], :livemode::BIGINT[],
        :provider::TEXT[], :request::TEXT[], :expires_at::BIGINT[], :now_ms::BIGINT[], :caller::TEXT[], :key::TEXT[],
        :hash::TEXT[], :lease_until::BIGINT[]
    ) WITH ORDINALITY AS input (
        topup, account, credits, currency, unit_credits, unit_amount, credits_amount, fee_amount, total, fee_mode,
        rate, fee_fixed, fee_label, expected_fee, bonus, expire_days, tax, livemode, provider, request, expires_at, now_ms,
        caller, key, hash, lease_until, number
    )
),
claimed AS (
    INSERT INTO idempotency_keys (caller, key, request_hash, topup_id, lease_until, created_at)
    SELECT caller, key, hash, topup, lease_until, now_ms FROM input WHERE key IS NOT NULL ORDER BY caller, key
    ON CONFLICT (caller, key) DO NOTHING
    RETURNING topup_id
),
written AS (
    INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount,
        credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
        bonus_credits, credits_expire_days, tax_behavior, livemode, provider, provider_request, provider_attempt, key_used_at,
        unknown_since, expires_at, created_at, updated_at)
    SELECT topup, account, 'creating', credits, currency, unit_credits, unit_amount, credits_amount, fee_amount,
        total, fee_mode, rate, fee_fixed, fee_label, expected_fee, bonus, NULLIF(expire_days, 0), tax, livemode, provider,
        request, 1, now_ms, now_ms, expires_at, now_ms, now_ms
    FROM input LEFT JOIN claimed ON claimed.topup_id = input.topup
    WHERE input.key IS NULL OR claimed.topup_id IS NOT NULL
    ORDER BY number
    RETURNING id
)
SELECT input.number - 1 AS number FROM input JOIN written ON written.id = input.topup
