-- SQLite: inserts top-ups before the provider is called, and claims the callers' keys. The rules of credit/json.sql
-- apply. A top-up whose key exists already, in the database or before it in the group, is not inserted and is missing
-- from the result.
CREATE TEMPORARY TABLE IF NOT EXISTS begun (
    number      INTEGER PRIMARY KEY NOT NULL,
    topup       TEXT    NOT NULL,
    caller      TEXT,
    key         TEXT,
    hash        TEXT,
    lease_until INTEGER NOT NULL,
    now_ms      INTEGER NOT NULL,
    UNIQUE (caller, key)
);
DELETE FROM temp.begun;
INSERT INTO temp.begun (number, topup, caller, key, hash, lease_until, now_ms)
    SELECT input.key, value ->> 'topup', value ->> 'caller', value ->> 'key', value ->> 'hash',
        value ->> 'lease_until', value ->> 'now_ms'
    FROM jsonb_each(:rows) AS input
    WHERE NOT EXISTS (SELECT 1 FROM idempotency_keys
        WHERE idempotency_keys.caller = value ->> 'caller' AND idempotency_keys.key = value ->> 'key')
    ON CONFLICT (caller, key) DO NOTHING;
INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount,
    credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee,
    bonus_credits, credits_expire_days, tax_behavior, livemode, provider, provider_request, provider_attempt, key_used_at,
    unknown_since, expires_at, created_at, updated_at)
    SELECT begun.topup, value ->> 'account', 'creating', value ->> 'credits', value ->> 'currency',
        value ->> 'unit_credits', value ->> 'unit_amount', value ->> 'credits_amount', value ->> 'fee_amount',
        value ->> 'total',
        value ->> 'fee_mode', value ->> 'rate', value ->> 'fee_fixed', value ->> 'fee_label', value ->> 'expected_fee',
        value ->> 'bonus', NULLIF(value ->> 'expire_days', 0), value ->> 'tax', value ->> 'livemode',
        value ->> 'provider', value ->> 'request', 1, begun.now_ms, begun.now_ms,
        value ->> 'expires_at', begun.now_ms, begun.now_ms
    FROM jsonb_each(:rows) AS input CROSS JOIN temp.begun AS begun ON begun.number = input.key;
INSERT INTO idempotency_keys (caller, key, request_hash, topup_id, lease_until, created_at)
    SELECT caller, key, hash, topup, lease_until, now_ms FROM temp.begun WHERE key IS NOT NULL;
SELECT number FROM temp.begun
