-- SQLite: stores which balance transactions will show the provider's fees. The rules of credit/json.sql apply. Rows
-- that are not straightforward are missing from the result: a top-up of another mode, a payment of another top-up.
CREATE TEMPORARY TABLE IF NOT EXISTS fee_news (
    number   INTEGER PRIMARY KEY NOT NULL,
    event    TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    topup    TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    payment  TEXT    NOT NULL,
    charge   TEXT    NOT NULL,
    fee_id   TEXT    NOT NULL,
    now_ms   INTEGER NOT NULL,
    outcome  TEXT    NOT NULL
);
DELETE FROM temp.fee_news;
INSERT INTO temp.fee_news (number, event, type, topup, provider, payment, charge, fee_id, now_ms, outcome)
    SELECT input.key, value ->> 'event', value ->> 'type', value ->> 'topup', value ->> 'provider',
        value ->> 'payment', value ->> 'charge', value ->> 'fee_id', value ->> 'now_ms',
        CASE WHEN topups.id IS NULL THEN 'foreign'
            WHEN EXISTS (SELECT 1 FROM webhook_events
                WHERE provider_event_id = value ->> 'event' AND provider = value ->> 'provider') THEN 'duplicate'
            ELSE 'expected' END
    FROM jsonb_each(:rows) AS input LEFT JOIN topups ON topups.id = value ->> 'topup'
    WHERE topups.id IS NULL OR (
        topups.livemode = value ->> 'livemode' AND topups.provider = value ->> 'provider'
        AND NOT EXISTS (
            SELECT 1 FROM payments WHERE provider_payment_id = value ->> 'payment' AND provider = value ->> 'provider'
            AND payments.topup_id <> topups.id
        )
    );
INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at)
    SELECT event, provider, type, topup, 'fee_expected', now_ms FROM temp.fee_news WHERE outcome = 'expected';
INSERT INTO payments (provider_payment_id, provider, topup_id, state, writes, created_at, updated_at,
    provider_charge_id, provider_fee_id, fee_due_at, fee_tries)
    SELECT payment, provider, topup, 'waiting', 1, now_ms, now_ms, charge, fee_id, now_ms, 0 FROM temp.fee_news
    WHERE outcome = 'expected'
    ON CONFLICT (provider_payment_id, provider) DO UPDATE SET writes = payments.writes + 1,
        updated_at = excluded.updated_at,
        provider_charge_id = CASE WHEN payments.real_fee IS NULL THEN excluded.provider_charge_id
            ELSE payments.provider_charge_id END,
        provider_fee_id = CASE WHEN payments.real_fee IS NULL THEN excluded.provider_fee_id
            ELSE payments.provider_fee_id END,
        fee_due_at = CASE WHEN payments.real_fee IS NULL THEN excluded.fee_due_at ELSE payments.fee_due_at END,
        fee_tries = CASE WHEN payments.real_fee IS NULL THEN 0 ELSE payments.fee_tries END;
SELECT number, outcome FROM temp.fee_news
