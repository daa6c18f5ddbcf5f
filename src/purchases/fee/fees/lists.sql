-- PostgreSQL: stores which balance transactions will show the provider's fees, in one statement. The planning and
-- locking rules of credit/lists.sql apply. Rows that are not straightforward are missing from the result: a top-up of
-- another mode, a payment of another top-up.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :event::TEXT[], :event_type::TEXT[], :topup::TEXT[], :livemode::BIGINT[], :provider::TEXT[],
            :payment::TEXT[], :charge::TEXT[],
        :fee_id::TEXT[], :now_ms::BIGINT[]
    ) WITH ORDINALITY AS input (event, type, topup, livemode, provider, payment, charge, fee_id, now_ms, number)
),
found AS MATERIALIZED (
    SELECT input.*, agreed.livemode AS agreed_livemode, agreed.provider AS agreed_provider,
        paid.topup_id AS paid_topup FROM input
    LEFT JOIN LATERAL (SELECT livemode, provider FROM topups WHERE id = input.topup LIMIT 1) AS agreed ON TRUE
    LEFT JOIN LATERAL (
        SELECT topup_id FROM payments WHERE provider_payment_id = input.payment AND provider = input.provider LIMIT 1
    ) AS paid ON TRUE
),
known AS MATERIALIZED (
    SELECT * FROM found WHERE agreed_livemode = livemode AND agreed_provider = provider AND COALESCE(paid_topup,
        topup) = topup
),
decided AS (
    INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at)
    SELECT event, provider, type, topup, 'fee_expected', now_ms FROM known ORDER BY event
    ON CONFLICT (provider_event_id, provider) DO NOTHING
    RETURNING provider_event_id, provider
),
touched AS (
    INSERT INTO payments (provider_payment_id, provider, topup_id, state, writes, created_at, updated_at,
        provider_charge_id,
        provider_fee_id, fee_due_at, fee_tries)
    SELECT known.payment, known.provider, known.topup, 'waiting', 1, known.now_ms, known.now_ms, known.charge,
        known.fee_id,
        known.now_ms, 0
    FROM known JOIN decided ON decided.provider_event_id = known.event
    AND decided.provider = known.provider ORDER BY known.payment
    ON CONFLICT (provider_payment_id, provider) DO UPDATE SET writes = payments.writes + 1,
        updated_at = excluded.updated_at,
        provider_charge_id = CASE WHEN payments.real_fee IS NULL THEN excluded.provider_charge_id ELSE payments.provider_charge_id END,
        provider_fee_id = CASE WHEN payments.real_fee IS NULL THEN excluded.provider_fee_id
            ELSE payments.provider_fee_id END,
        fee_due_at = CASE WHEN payments.real_fee IS NULL THEN excluded.fee_due_at ELSE payments.fee_due_at END,
        fee_tries = CASE WHEN payments.real_fee IS NULL THEN 0 ELSE payments.fee_tries END
        WHERE payments.topup_id = excluded.topup_id
    RETURNING provider_payment_id, provider
)
-- A payment without a row in `touched` was just assigned to another top-up. Casting the non-numeric text fails and
-- rolls back the statement.
SELECT found.number - 1 AS number,
    CASE WHEN found.agreed_livemode IS NULL THEN 'foreign'
        WHEN decided.provider IS NULL THEN 'duplicate'
        WHEN touched.provider_payment_id IS NOT NULL THEN 'expected'
        ELSE CAST(CAST('a payment of another top-up: ' || found.payment AS BIGINT) AS TEXT) END AS outcome
FROM found
LEFT JOIN known ON known.number = found.number
LEFT JOIN decided ON decided.provider_event_id = known.event AND decided.provider = known.provider
LEFT JOIN touched ON touched.provider_payment_id = known.payment AND touched.provider = known.provider
WHERE known.number IS NOT NULL OR found.agreed_livemode IS NULL
