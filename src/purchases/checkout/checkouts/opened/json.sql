-- SQLite: stores the opened checkout sessions and the answers for the callers' keys. The rules of credit/json.sql
-- apply. Handles only top-ups that have not changed since they were inserted; the others are missing from the result.
CREATE TEMPORARY TABLE IF NOT EXISTS opened (
    number     INTEGER PRIMARY KEY NOT NULL,
    topup      TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    now_ms     INTEGER NOT NULL,
    caller     TEXT,
    key        TEXT
);
DELETE FROM temp.opened;
INSERT INTO temp.opened (number, topup, session, url, expires_at, now_ms, caller, key)
    SELECT input.key, topups.id, value ->> 'session', value ->> 'url', value ->> 'expires_at', value ->> 'now_ms',
        value ->> 'caller', value ->> 'key'
    FROM jsonb_each(:rows) AS input CROSS JOIN topups ON topups.id = value ->> 'topup'
    WHERE topups.state = 'creating' AND topups.provider = value ->> 'provider'
    AND +topups.provider_session_id IS NULL;
UPDATE topups SET state = 'open', provider_session_id = opened.session, session_url = opened.url,
    expires_at = opened.expires_at, updated_at = opened.now_ms, failure_code = NULL
    FROM temp.opened AS opened WHERE topups.id = opened.topup;
UPDATE idempotency_keys SET status = 200, code = NULL, lease_until = 0
    FROM temp.opened AS opened WHERE idempotency_keys.caller = opened.caller AND idempotency_keys.key = opened.key
    AND idempotency_keys.status IS NULL;
SELECT number FROM temp.opened
