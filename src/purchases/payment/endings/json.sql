-- SQLite: ends top-ups whose checkout expired. The rules of credit/json.sql apply. Rows that are not straightforward
-- are missing from the result.
CREATE TEMPORARY TABLE IF NOT EXISTS ended (
    number   INTEGER PRIMARY KEY NOT NULL,
    event    TEXT,
    type     TEXT    NOT NULL,
    topup    TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    now_ms   INTEGER NOT NULL
);
DELETE FROM temp.ended;
INSERT INTO temp.ended (number, event, type, topup, provider, now_ms)
    SELECT input.key, value ->> 'event', value ->> 'type', topups.id, topups.provider, value ->> 'now_ms'
    FROM jsonb_each(:rows) AS input CROSS JOIN topups ON topups.id = value ->> 'topup'
    WHERE +topups.state = 'open' AND +topups.provider_session_id = value ->> 'session'
    AND topups.provider = value ->> 'provider'
    AND +topups.account_id = value ->> 'account' AND topups.credits = value ->> 'credits'
    AND topups.currency = value ->> 'currency' AND topups.total_amount = value ->> 'total'
    AND topups.livemode = value ->> 'livemode' AND topups.bonus_credits = 0
    AND COALESCE(topups.credits_expire_days, 0) = value ->> 'expire_days'
    AND NOT EXISTS (SELECT 1 FROM webhook_events
        WHERE provider_event_id = value ->> 'event' AND provider = value ->> 'provider');
UPDATE topups SET state = 'expired', updated_at = ended.now_ms, revision = topups.revision + 1
    FROM temp.ended AS ended WHERE topups.id = ended.topup;
INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at)
    SELECT event, provider, type, topup, 'expired', now_ms FROM temp.ended WHERE event IS NOT NULL;
SELECT number FROM temp.ended
