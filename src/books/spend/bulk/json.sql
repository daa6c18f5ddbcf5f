-- SQLite: several statements sent as one text, within a transaction. Commands that are not straightforward are left out
-- (`left`) and run individually. The rules are those of `lists.sql`.
-- In memory, one of each per writing connection: the commands with what they come to, the limits that they meet, and the
-- pieces of grants that spends take.
CREATE TEMPORARY TABLE IF NOT EXISTS spending (
    number       INTEGER PRIMARY KEY NOT NULL,
    op           TEXT    NOT NULL,
    account      TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    entry        TEXT    NOT NULL,
    asked        INTEGER NOT NULL,
    credits      INTEGER NOT NULL,
    least        INTEGER NOT NULL,
    scope        TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    metadata     TEXT,
    expires_at   INTEGER NOT NULL,
    hold         TEXT,
    now_ms       INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    remaining    INTEGER,
    held         INTEGER,
    is_limited   INTEGER NOT NULL,
    ends         INTEGER
);
CREATE TEMPORARY TABLE IF NOT EXISTS meeting (
    number  INTEGER NOT NULL,
    account TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    period  TEXT    NOT NULL,
    credits INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    held    INTEGER NOT NULL,
    starts  INTEGER NOT NULL,
    place   INTEGER NOT NULL
);
CREATE TEMPORARY TABLE IF NOT EXISTS pieces (
    number   INTEGER NOT NULL,
    account  TEXT    NOT NULL,
    grant_id TEXT    NOT NULL,
    ends     INTEGER NOT NULL,
    credits  INTEGER NOT NULL,
    nth      INTEGER NOT NULL,
    part     INTEGER NOT NULL
);
DELETE FROM temp.spending;
DELETE FROM temp.meeting;
DELETE FROM temp.pieces;
INSERT INTO temp.spending (number, op, account, id, entry, asked, credits, least, scope, key, request_hash, operation, subject,
    metadata, expires_at, hold, now_ms, outcome, remaining, held, is_limited)
    SELECT input.key, value ->> 'op', value ->> 'account', value ->> 'id', value ->> 'entry', value ->> 'credits',
        -- One that accepts nothing gets nothing where nothing is available.
        CASE WHEN value ->> 'op' = 'debit' AND value ->> 'least' = 0 AND accounts.balance <= accounts.held_credits THEN 0
            ELSE value ->> 'credits' END,
        value ->> 'least', value ->> 'scope', value ->> 'key', value ->> 'request_hash',
        COALESCE(holds.operation, value ->> 'operation'), COALESCE(holds.subject, value ->> 'subject'),
        COALESCE(value ->> 'metadata', holds.metadata), value ->> 'expires_at', value ->> 'hold', value ->> 'now_ms',
        CASE
            WHEN value ->> 'op' = 'debit' AND EXISTS (SELECT 1 FROM spends
                WHERE caller = value ->> 'scope' AND idempotency_key = value ->> 'key') THEN 'known'
            WHEN value ->> 'op' = 'hold' AND EXISTS (SELECT 1 FROM holds AS known
                WHERE known.caller = value ->> 'scope' AND known.idempotency_key = value ->> 'key') THEN 'known'
            WHEN value ->> 'op' IN ('debit', 'hold') AND accounts.id IS NULL THEN 'refused'
            WHEN value ->> 'op' IN ('debit', 'hold') AND accounts.blocked_at IS NOT NULL THEN 'blocked'
            WHEN accounts.id IS NULL OR accounts.settled_entries <> accounts.entries
                OR accounts.due_at <= value ->> 'now_ms' OR accounts.blocked_at IS NOT NULL
                OR accounts.limits_from > value ->> 'now_ms' THEN 'left'
            WHEN value ->> 'op' IN ('capture', 'release') THEN CASE
                WHEN holds.account_id = accounts.id AND holds.state = 'open' AND holds.expires_at > value ->> 'now_ms'
                    AND value ->> 'credits' <= holds.credits AND accounts.balance >= accounts.held_credits THEN 'fits'
                ELSE 'left' END
            WHEN value ->> 'least' > MAX(accounts.balance - accounts.held_credits, 0) THEN 'refused'
            WHEN value ->> 'least' = 0 AND accounts.balance <= accounts.held_credits THEN 'fits'
            WHEN value ->> 'credits' > accounts.balance - accounts.held_credits THEN 'left'
            ELSE 'fits' END,
        accounts.balance, accounts.held_credits, accounts.limits_from IS NOT NULL
    FROM jsonb_each(:rows) AS input
    LEFT JOIN accounts ON accounts.id = value ->> 'account'
    LEFT JOIN holds ON holds.id = value ->> 'hold';
-- The limits that commands meet, the one with the least room first.
INSERT INTO temp.meeting (number, account, subject, period, credits, used, held, starts, place)
    SELECT number, account_id, subject, period, credits, used, held, starts,
        ROW_NUMBER() OVER (PARTITION BY number ORDER BY credits - used - held, period, subject)
    FROM (
        SELECT spending.number, limits.account_id, limits.subject, limits.period, limits.credits, limits.held,
            CASE WHEN limits.window_start < CASE period WHEN 'day' THEN :day_ms WHEN 'month' THEN :month_ms ELSE 0 END
                THEN 0 ELSE limits.used END AS used,
            CASE period WHEN 'day' THEN :day_ms WHEN 'month' THEN :month_ms ELSE 0 END AS starts
        FROM temp.spending AS spending CROSS JOIN spend_limits AS limits
            ON limits.account_id = spending.account AND limits.subject IN ('', spending.subject)
        WHERE spending.is_limited AND spending.outcome IN ('fits', 'refused')
    );
UPDATE temp.spending SET
    credits = CASE WHEN least = 0 AND tightest.room = 0 THEN 0 ELSE spending.credits END,
    outcome = CASE WHEN least > tightest.room THEN 'limited' WHEN outcome = 'refused' THEN 'refused'
        WHEN least = 0 AND tightest.room = 0 THEN outcome
        WHEN spending.credits > tightest.room THEN 'left' ELSE outcome END
    FROM (SELECT number, MAX(credits - used - held, 0) AS room FROM temp.meeting WHERE place = 1) AS tightest
    WHERE spending.number = tightest.number AND op IN ('debit', 'hold');
UPDATE temp.spending SET outcome = 'left' WHERE number IN (
    SELECT number FROM (
        SELECT meeting.number, MAX(meeting.credits - meeting.used - meeting.held, 0) AS room,
            SUM(spending.credits) OVER (PARTITION BY meeting.account, meeting.subject, meeting.period
                ORDER BY meeting.number) AS running
        FROM temp.meeting AS meeting JOIN temp.spending AS spending ON spending.number = meeting.number
        WHERE spending.outcome = 'fits' AND spending.op IN ('debit', 'hold')
    ) WHERE running > room
);
UPDATE temp.spending SET outcome = 'left' FROM (
    SELECT number, SUM(credits) OVER (PARTITION BY account ORDER BY number) AS running
    FROM temp.spending WHERE outcome = 'fits' AND op IN ('debit', 'hold')
) AS sums WHERE spending.number = sums.number AND sums.running > MAX(spending.remaining - spending.held, 0);
UPDATE temp.spending SET ends = sums.ends FROM (
    SELECT number, SUM(credits) OVER (PARTITION BY account ORDER BY number) AS ends
    FROM temp.spending WHERE outcome = 'fits' AND op IN ('debit', 'capture')
) AS sums WHERE spending.number = sums.number;
INSERT INTO temp.pieces (number, account, grant_id, ends, credits, nth, part)
    WITH burning AS (
        SELECT account, id, ends - remaining AS begins, ends FROM (
            SELECT wanting.account, grants.id, grants.remaining,
                ROW_NUMBER() OVER burn AS place, SUM(grants.remaining) OVER burn AS ends
            FROM (
                SELECT DISTINCT account FROM temp.spending WHERE outcome = 'fits' AND op IN ('debit', 'capture')
            ) AS wanting
            CROSS JOIN grants ON grants.account_id = wanting.account AND grants.is_open = 1
            WINDOW burn AS (PARTITION BY wanting.account ORDER BY priority, expires_at, category, sequence)
        ) WHERE place <= 8
    )
    SELECT number, spending.account, burning.id, MIN(spending.ends, burning.ends),
        MIN(spending.ends, burning.ends) - MAX(spending.ends - spending.credits, burning.begins),
        ROW_NUMBER() OVER (PARTITION BY spending.account ORDER BY spending.ends, burning.ends),
        ROW_NUMBER() OVER (PARTITION BY number ORDER BY burning.ends)
    FROM temp.spending AS spending JOIN burning ON burning.account = spending.account
        AND burning.begins < spending.ends AND burning.ends > spending.ends - spending.credits
        AND spending.credits > 0
    WHERE spending.outcome = 'fits' AND spending.op IN ('debit', 'capture');
-- An account whose next grants do not cover what is taken is left as a whole.
UPDATE temp.spending SET outcome = 'left' WHERE outcome = 'fits' AND account IN (
    SELECT account FROM temp.spending AS wanting WHERE outcome = 'fits' AND op IN ('debit', 'capture') GROUP BY account
    HAVING SUM(credits) <> (SELECT COALESCE(SUM(credits), 0) FROM temp.pieces WHERE pieces.account = wanting.account)
);
DELETE FROM temp.pieces WHERE number IN (SELECT number FROM temp.spending WHERE outcome <> 'fits');
UPDATE accounts SET balance = balance - totals.taken, used_credits = used_credits + totals.taken,
    held_credits = held_credits + totals.reserved - totals.freed, entries = entries + totals.parts,
    settled_entries = settled_entries + totals.parts,
    updated_at = CASE WHEN totals.parts > 0 THEN totals.now_ms ELSE updated_at END,
    due_at = MIN(due_at, COALESCE(totals.ends_at, due_at)), revision = revision + 1,
    limits_from = CASE WHEN limits_from IS NOT NULL THEN :day_ms END
    FROM (
        SELECT spending.account, COALESCE(SUM(CASE WHEN op IN ('debit', 'capture') THEN spending.credits END), 0) AS taken,
            COALESCE(SUM(CASE WHEN op = 'hold' THEN spending.credits END), 0) AS reserved,
            COALESCE(SUM(holds.credits), 0) AS freed,
            MIN(CASE WHEN op = 'hold' THEN spending.expires_at END) AS ends_at, MAX(now_ms) AS now_ms,
            (SELECT COUNT(*) FROM temp.pieces WHERE pieces.account = spending.account) AS parts
        FROM temp.spending AS spending LEFT JOIN holds ON holds.id = spending.hold
        WHERE outcome = 'fits' GROUP BY spending.account
    ) AS totals WHERE accounts.id = totals.account;
UPDATE spend_limits SET window_start = counts.starts, used = counts.used + counts.spent,
    held = counts.held + counts.reserved - counts.freed
    FROM (
        SELECT meeting.account, meeting.subject, meeting.period, meeting.starts, meeting.used, meeting.held,
            SUM(CASE WHEN spending.op IN ('debit', 'capture') THEN spending.credits ELSE 0 END) AS spent,
            SUM(CASE WHEN spending.op = 'hold' THEN spending.credits ELSE 0 END) AS reserved,
            COALESCE(SUM(holds.credits), 0) AS freed
        FROM temp.meeting AS meeting JOIN temp.spending AS spending ON spending.number = meeting.number
        LEFT JOIN holds ON holds.id = spending.hold
        WHERE spending.outcome = 'fits'
        GROUP BY meeting.account, meeting.subject, meeting.period
    ) AS counts
    WHERE spend_limits.account_id = counts.account AND spend_limits.subject = counts.subject
    AND spend_limits.period = counts.period;
UPDATE grants SET remaining = grants.remaining - less.credits,
    is_open = CASE WHEN grants.remaining = less.credits THEN 0 ELSE 1 END
    FROM (SELECT grant_id, SUM(credits) AS credits FROM temp.pieces GROUP BY grant_id) AS less
    WHERE grants.id = less.grant_id;
INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at, grant_id)
    SELECT pieces.account, accounts.entries - counted.parts + pieces.nth,
        spending.entry || CASE WHEN part > 1 THEN ':' || part ELSE '' END, 'spend', -pieces.credits,
        accounts.balance + counted.taken - pieces.ends,
        spending.id || CASE WHEN part > 1 THEN ':' || part ELSE '' END, spending.now_ms, pieces.grant_id
    FROM temp.pieces AS pieces JOIN temp.spending AS spending ON spending.number = pieces.number
    JOIN (SELECT account, COUNT(*) AS parts, SUM(credits) AS taken FROM temp.pieces GROUP BY account) AS counted
        ON counted.account = pieces.account
    CROSS JOIN accounts ON accounts.id = pieces.account;
INSERT INTO spends (id, account_id, credits, asked_credits, operation, subject, metadata, hold_id, first_sequence, parts,
    balance_after, caller, idempotency_key, request_hash, created_at)
    SELECT spending.id, spending.account, spending.credits, spending.asked, operation, subject, metadata, hold,
        accounts.entries - COALESCE(counted.parts, 0) + COALESCE(shares.first, 1), COALESCE(shares.parts, 0),
        accounts.balance + COALESCE(counted.taken, 0) - spending.ends, scope, spending.key, request_hash, now_ms
    FROM temp.spending AS spending CROSS JOIN accounts ON accounts.id = spending.account
    LEFT JOIN (SELECT account, COUNT(*) AS parts, SUM(credits) AS taken FROM temp.pieces GROUP BY account) AS counted
        ON counted.account = spending.account
    LEFT JOIN (SELECT number, MIN(nth) AS first, COUNT(*) AS parts FROM temp.pieces GROUP BY number) AS shares
        ON shares.number = spending.number
    WHERE spending.outcome = 'fits' AND spending.op IN ('debit', 'capture');
INSERT INTO holds (id, account_id, credits, asked_credits, state, operation, subject, metadata, expires_at, caller,
    idempotency_key, request_hash, created_at, updated_at)
    SELECT id, account, credits, credits, 'open', operation, subject, metadata, expires_at, scope, spending.key,
        request_hash, now_ms, now_ms
    FROM temp.spending AS spending WHERE outcome = 'fits' AND op = 'hold';
UPDATE holds SET state = CASE op WHEN 'capture' THEN 'captured' ELSE 'released' END,
    captured_credits = CASE op WHEN 'capture' THEN spending.credits END,
    spend_id = CASE op WHEN 'capture' THEN spending.id END, updated_at = spending.now_ms
    FROM temp.spending AS spending
    WHERE holds.id = spending.hold AND spending.outcome = 'fits' AND spending.op IN ('capture', 'release');
INSERT INTO attention (account_id, since)
    SELECT accounts.id, MAX(now_ms) FROM temp.spending AS spending CROSS JOIN accounts ON accounts.id = spending.account
    WHERE outcome = 'fits' AND accounts.balance - accounts.held_credits < accounts.alert_at GROUP BY accounts.id
    ON CONFLICT (account_id) DO NOTHING;
INSERT INTO auto_topup_queue (account_id, since, due_at, lease_until)
    SELECT accounts.id, MAX(now_ms), MAX(now_ms), 0
    FROM temp.spending AS spending CROSS JOIN accounts ON accounts.id = spending.account
    WHERE outcome = 'fits' AND accounts.balance - accounts.held_credits < accounts.refill_at GROUP BY accounts.id
    ON CONFLICT (account_id) DO NOTHING;
SELECT spending.number, CASE outcome WHEN 'fits' THEN 'done' ELSE outcome END AS outcome,
    -- What was refused is told what it was judged by, and not what others left.
    COALESCE(CASE outcome WHEN 'fits' THEN accounts.balance ELSE spending.remaining END, 0) AS remaining,
    COALESCE(CASE outcome WHEN 'fits' THEN accounts.held_credits ELSE spending.held END, 0) AS held,
    spends.credits, spends.first_sequence, spends.parts, spends.balance_after, holds.credits AS hold_credits,
    holds.asked_credits AS hold_asked_credits, holds.expires_at AS hold_expires_at, holds.created_at AS hold_created_at,
    holds.request_hash AS hold_request_hash, spending.operation, spending.subject, spending.metadata,
    meeting.subject AS limit_subject, meeting.period AS limit_period, meeting.credits AS limit_credits,
    meeting.used AS limit_used, meeting.held AS limit_held, meeting.starts AS limit_starts
    FROM temp.spending AS spending
    LEFT JOIN temp.meeting AS meeting ON meeting.number = spending.number AND meeting.place = 1
    LEFT JOIN accounts ON accounts.id = spending.account
    LEFT JOIN spends ON outcome = 'fits' AND op IN ('debit', 'capture') AND spends.id = spending.id
    LEFT JOIN holds ON holds.id = spending.hold
