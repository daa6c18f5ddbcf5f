-- For the database that has arrays: notes by which movements Stripe will say what it kept of payments, in one statement.
-- The rules for its plan and its locks are those of credit/lists.sql. What is not plain is left out of the result: a
-- top-up of another mode, a payment of another top-up.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :event::TEXT[], :event_type::TEXT[], :topup::TEXT[], :livemode::BIGINT[], :payment::TEXT[], :charge::TEXT[],
        :movement::TEXT[], :now_ms::BIGINT[]
    ) WITH ORDINALITY AS input (event, type, topup, livemode, payment, charge, movement, now_ms, number)
),
found AS MATERIALIZED (
    SELECT input.*, agreed.livemode AS agreed_livemode, paid.topup_id AS paid_topup FROM input
    LEFT JOIN LATERAL (SELECT livemode FROM topups WHERE id = input.topup LIMIT 1) AS agreed ON TRUE
    LEFT JOIN LATERAL (
        SELECT topup_id FROM payments WHERE payment_intent_id = input.payment LIMIT 1
    ) AS paid ON TRUE
),
known AS MATERIALIZED (
    SELECT * FROM found WHERE agreed_livemode = livemode AND COALESCE(paid_topup, topup) = topup
),
decided AS (
    INSERT INTO webhook_events (id, type, topup_id, outcome, received_at)
    SELECT event, type, topup, 'fee_expected', now_ms FROM known ORDER BY event
    ON CONFLICT (id) DO NOTHING
    RETURNING id
),
touched AS (
    INSERT INTO payments (payment_intent_id, topup_id, state, writes, created_at, updated_at, charge_id,
        balance_transaction_id, fee_due_at, fee_tries)
    SELECT known.payment, known.topup, 'waiting', 1, known.now_ms, known.now_ms, known.charge, known.movement,
        known.now_ms, 0
    FROM known JOIN decided ON decided.id = known.event ORDER BY known.payment
    ON CONFLICT (payment_intent_id) DO UPDATE SET writes = payments.writes + 1, updated_at = excluded.updated_at,
        charge_id = CASE WHEN payments.real_fee IS NULL THEN excluded.charge_id ELSE payments.charge_id END,
        balance_transaction_id = CASE WHEN payments.real_fee IS NULL THEN excluded.balance_transaction_id
            ELSE payments.balance_transaction_id END,
        fee_due_at = CASE WHEN payments.real_fee IS NULL THEN excluded.fee_due_at ELSE payments.fee_due_at END,
        fee_tries = CASE WHEN payments.real_fee IS NULL THEN 0 ELSE payments.fee_tries END
        WHERE payments.topup_id = excluded.topup_id
    RETURNING payment_intent_id
)
-- A payment without a row in `touched` became another top-up's at this moment. The text that is no number undoes all.
SELECT found.number - 1 AS number,
    CASE WHEN found.agreed_livemode IS NULL THEN 'foreign'
        WHEN decided.id IS NULL THEN 'duplicate'
        WHEN touched.payment_intent_id IS NOT NULL THEN 'expected'
        ELSE CAST(CAST('a payment of another top-up: ' || found.payment AS BIGINT) AS TEXT) END AS outcome
FROM found
LEFT JOIN known ON known.number = found.number
LEFT JOIN decided ON decided.id = known.event
LEFT JOIN touched ON touched.payment_intent_id = known.payment
WHERE known.number IS NOT NULL OR found.agreed_livemode IS NULL
