-- PostgreSQL: one statement, so one round trip and its own commit. Commands that are not straightforward are left out
-- (`left`) and run individually.
--
-- The plan may be made while the tables are empty and used when they are large, so no table is joined: a row is found by
-- a LATERAL with LIMIT, and changed by INSERT ... ON CONFLICT, which always uses the key.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :op::TEXT[], :place::BIGINT[], :id::TEXT[], :entry::TEXT[], :credits::BIGINT[], :least::BIGINT[], :scope::TEXT[],
        :key::TEXT[], :request_hash::TEXT[], :operation::TEXT[], :subject::TEXT[], :metadata::TEXT[],
        :expires_at::BIGINT[], :hold::TEXT[], :now_ms::BIGINT[]
    ) WITH ORDINALITY AS input (
        op, place, id, entry, credits, least, scope, key, request_hash, operation, subject, metadata, expires_at, hold,
        now_ms, number
    )
),
-- Locked in the order of their names, and read as they are now, not as the statement's snapshot has them.
locked AS MATERIALIZED (
    SELECT named.place, accounts.id, accounts.balance, accounts.used_credits, accounts.held_credits, accounts.entries,
        accounts.settled_entries, accounts.due_at, accounts.alert_at, accounts.refill_at, accounts.revision,
        accounts.blocked_at, accounts.updated_at, accounts.limits_from
    FROM unnest(:accounts::TEXT[]) WITH ORDINALITY AS named (account, place)
    CROSS JOIN LATERAL (
        SELECT * FROM accounts WHERE id = named.account LIMIT 1 FOR NO KEY UPDATE
    ) AS accounts
    ORDER BY named.account
),
-- Grants and holds are read from the snapshot, so it must be as new as the lock: each change of them raises one of the
-- two numbers.
ready AS MATERIALIZED (
    SELECT locked.*, GREATEST(locked.balance - locked.held_credits, 0) AS available
    FROM locked
    CROSS JOIN LATERAL (SELECT entries, revision FROM accounts WHERE id = locked.id LIMIT 1) AS seen
    WHERE seen.entries = locked.entries AND seen.revision = locked.revision AND locked.settled_entries = locked.entries
    AND locked.due_at > (SELECT MAX(now_ms) FROM input) AND locked.blocked_at IS NULL
    AND COALESCE(locked.limits_from, 0) <= (SELECT MIN(now_ms) FROM input)
),
earlier AS MATERIALIZED (
    SELECT input.number
    FROM input CROSS JOIN LATERAL (
        (SELECT id FROM spends WHERE input.op = 'debit' AND caller = input.scope AND idempotency_key = input.key LIMIT 1)
        UNION ALL
        (SELECT id FROM holds WHERE input.op = 'hold' AND caller = input.scope AND idempotency_key = input.key LIMIT 1)
        LIMIT 1
    ) AS known
),
-- Captures within their hold and releases take nothing of what is available, so they always fit. If a reversal took what
-- is held, they are left.
freed AS MATERIALIZED (
    SELECT input.number, input.place, held.*
    FROM input JOIN ready ON ready.place = input.place
    CROSS JOIN LATERAL (SELECT * FROM holds WHERE id = input.hold LIMIT 1) AS held
    WHERE input.op IN ('capture', 'release') AND held.account_id = ready.id AND held.state = 'open'
    AND held.expires_at > input.now_ms AND input.credits <= held.credits AND ready.balance >= ready.held_credits
),
-- The limits that commands meet: those of their account, and those of their subject. In a new period, nothing is used.
met AS MATERIALIZED (
    SELECT command.number, command.place, found.account_id, found.subject, found.period, found.credits, found.held,
        found.starts, CASE WHEN found.window_start < found.starts THEN 0 ELSE found.used END AS used
    FROM (
        SELECT number, place, subject FROM input WHERE op IN ('debit', 'hold')
        UNION ALL
        SELECT number, place, subject FROM freed
    ) AS command
    JOIN ready ON ready.place = command.place AND ready.limits_from IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT *, CASE period WHEN 'day' THEN :day_ms::BIGINT WHEN 'month' THEN :month_ms::BIGINT ELSE 0 END AS starts
        FROM spend_limits WHERE account_id = ready.id AND subject IN ('', command.subject) LIMIT 6
    ) AS found
),
tightest AS MATERIALIZED (
    SELECT DISTINCT ON (number) number, subject, period, credits, used, held, starts,
        GREATEST(credits - used - held, 0) AS room
    FROM met ORDER BY number, credits - used - held, period, subject
),
-- Of what is available and within the limits, what fits one after the other. A command that alone asks for more takes no
-- part. One that accepts nothing gets nothing where there is nothing.
judged AS MATERIALIZED (
    SELECT asked.number, asked.credits, asked.available,
        SUM(asked.credits) OVER (PARTITION BY asked.place ORDER BY asked.number) AS running
    FROM (
        SELECT input.number, input.place, ready.available, COALESCE(tightest.room, input.credits) AS room,
            CASE WHEN input.least = 0 AND (ready.available = 0 OR tightest.room = 0) THEN 0 ELSE input.credits END AS credits
        FROM input JOIN ready ON ready.place = input.place LEFT JOIN tightest ON tightest.number = input.number
        WHERE input.op IN ('debit', 'hold')
        AND NOT EXISTS (SELECT 1 FROM earlier WHERE earlier.number = input.number)
    ) AS asked
    WHERE asked.credits <= asked.available AND asked.credits <= asked.room
),
beyond AS MATERIALIZED (
    SELECT DISTINCT number FROM (
        SELECT met.number, GREATEST(met.credits - met.used - met.held, 0) AS room,
            SUM(judged.credits) OVER (PARTITION BY met.place, met.subject, met.period ORDER BY met.number) AS running
        FROM met JOIN judged ON judged.number = met.number
    ) AS sums WHERE running > room
),
fitting AS MATERIALIZED (
    SELECT input.number, input.op, input.place, input.id, input.entry, input.credits AS asked_credits,
        COALESCE(judged.credits, input.credits) AS credits, input.scope, input.key, input.request_hash, input.now_ms,
        input.expires_at, input.hold, freed.credits AS reserved,
        COALESCE(freed.operation, input.operation) AS operation, COALESCE(freed.subject, input.subject) AS subject,
        COALESCE(input.metadata, freed.metadata) AS metadata
    FROM input
    LEFT JOIN freed ON freed.number = input.number
    LEFT JOIN judged ON judged.number = input.number AND judged.running <= judged.available
        AND NOT EXISTS (SELECT 1 FROM beyond WHERE beyond.number = judged.number)
    WHERE freed.number IS NOT NULL OR judged.number IS NOT NULL
),
taking AS MATERIALIZED (
    SELECT fitting.*, CAST(SUM(credits) OVER (PARTITION BY place ORDER BY number) AS BIGINT) AS ends
    FROM fitting WHERE op IN ('debit', 'capture')
),
totals AS MATERIALIZED (
    SELECT place, COALESCE(CAST(SUM(credits) FILTER (WHERE op IN ('debit', 'capture')) AS BIGINT), 0) AS taken,
        COALESCE(CAST(SUM(credits) FILTER (WHERE op = 'hold') AS BIGINT), 0)
            - COALESCE(CAST(SUM(reserved) AS BIGINT), 0) AS held,
        MIN(expires_at) FILTER (WHERE op = 'hold') AS ends_at, MAX(now_ms) AS now_ms
    FROM fitting GROUP BY place
),
burning AS MATERIALIZED (
    SELECT totals.place, open.*, CAST(open.total - open.remaining AS BIGINT) AS begins, CAST(open.total AS BIGINT) AS ends
    FROM totals JOIN ready ON ready.place = totals.place
    CROSS JOIN LATERAL (
        SELECT next.*, SUM(remaining) OVER (ORDER BY priority, expires_at, category, sequence) AS total
        FROM (
            SELECT id, account_id, sequence, kind, credits, remaining, priority, expires_at, category, created_at
            FROM grants WHERE account_id = ready.id AND is_open = 1
            ORDER BY priority, expires_at, category, sequence LIMIT 8
        ) AS next
    ) AS open
    WHERE totals.taken > 0
),
-- A spend covers a stretch of the credits that are taken from the account, a grant one of those that it gives. A piece
-- is where two of them overlap.
pieces AS MATERIALIZED (
    SELECT taking.number, taking.place, taking.id AS spend, taking.entry, burning.id AS grant_id, taking.now_ms,
        LEAST(taking.ends, burning.ends) AS ends,
        LEAST(taking.ends, burning.ends) - GREATEST(taking.ends - taking.credits, burning.begins) AS credits,
        ROW_NUMBER() OVER (PARTITION BY taking.place ORDER BY taking.ends, burning.ends) AS nth,
        ROW_NUMBER() OVER (PARTITION BY taking.number ORDER BY burning.ends) AS part
    FROM taking JOIN burning ON burning.place = taking.place AND taking.credits > 0
    AND burning.begins < taking.ends AND burning.ends > taking.ends - taking.credits
),
covered AS MATERIALIZED (
    SELECT totals.place, totals.taken, totals.held, totals.ends_at, totals.now_ms, COALESCE(sums.parts, 0) AS parts
    FROM totals
    LEFT JOIN (
        SELECT place, COUNT(*) AS parts, CAST(SUM(credits) AS BIGINT) AS credits FROM pieces GROUP BY place
    ) AS sums ON sums.place = totals.place
    WHERE COALESCE(sums.credits, 0) = totals.taken
),
changed AS (
    INSERT INTO accounts (id, balance, used_credits, entries, updated_at, held_credits, settled_entries, due_at, revision,
        limits_from)
    SELECT ready.id, ready.balance - covered.taken, ready.used_credits + covered.taken, ready.entries + covered.parts,
        CASE WHEN covered.parts > 0 THEN covered.now_ms ELSE ready.updated_at END, ready.held_credits + covered.held,
        ready.settled_entries + covered.parts, LEAST(ready.due_at, COALESCE(covered.ends_at, ready.due_at)),
        ready.revision + 1, CASE WHEN ready.limits_from IS NOT NULL THEN :day_ms::BIGINT END
    FROM covered JOIN ready ON ready.place = covered.place
    ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, used_credits = excluded.used_credits,
        entries = excluded.entries, updated_at = excluded.updated_at, held_credits = excluded.held_credits,
        settled_entries = excluded.settled_entries, due_at = excluded.due_at, revision = excluded.revision,
        limits_from = excluded.limits_from
    RETURNING id, balance, held_credits, entries, alert_at, refill_at
),
written AS MATERIALIZED (
    SELECT covered.place, covered.taken, covered.parts, covered.now_ms, changed.id AS account, changed.balance,
        changed.held_credits, changed.alert_at, changed.refill_at, changed.entries - covered.parts AS entries_before
    FROM covered JOIN ready ON ready.place = covered.place JOIN changed ON changed.id = ready.id
),
burned AS (
    INSERT INTO grants (id, account_id, sequence, kind, credits, remaining, is_open, priority, expires_at, category,
        created_at)
    SELECT burning.id, account_id, sequence, kind, burning.credits, remaining - less.credits,
        CASE WHEN remaining = less.credits THEN 0 ELSE 1 END, priority, expires_at, category, created_at
    FROM burning
    JOIN (
        SELECT pieces.grant_id, CAST(SUM(pieces.credits) AS BIGINT) AS credits
        FROM pieces JOIN written ON written.place = pieces.place GROUP BY pieces.grant_id
    ) AS less ON less.grant_id = burning.id
    ON CONFLICT (id) DO UPDATE SET remaining = excluded.remaining, is_open = excluded.is_open
    RETURNING id
),
booked AS (
    INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at, grant_id)
    SELECT written.account, written.entries_before + pieces.nth,
        pieces.entry || CASE WHEN part > 1 THEN ':' || part ELSE '' END, 'spend', -pieces.credits,
        written.balance + written.taken - pieces.ends,
        pieces.spend || CASE WHEN part > 1 THEN ':' || part ELSE '' END, pieces.now_ms, pieces.grant_id
    FROM pieces JOIN written ON written.place = pieces.place ORDER BY written.account, pieces.nth
    RETURNING id
),
shares AS MATERIALIZED (
    SELECT taking.number, COALESCE(MIN(pieces.nth), 1) AS first, COUNT(pieces.nth) AS parts
    FROM taking LEFT JOIN pieces ON pieces.number = taking.number GROUP BY taking.number
),
spent AS (
    INSERT INTO spends (id, account_id, credits, asked_credits, operation, subject, metadata, hold_id, first_sequence,
        parts, balance_after, caller, idempotency_key, request_hash, created_at)
    SELECT taking.id, written.account, taking.credits, taking.asked_credits, taking.operation, taking.subject, taking.metadata,
        taking.hold, written.entries_before + shares.first, shares.parts, written.balance + written.taken - taking.ends,
        taking.scope, taking.key, taking.request_hash, taking.now_ms
    FROM taking JOIN written ON written.place = taking.place JOIN shares ON shares.number = taking.number
    RETURNING id, credits, first_sequence, parts, balance_after
),
reserved AS (
    INSERT INTO holds (id, account_id, credits, asked_credits, state, operation, subject, metadata, expires_at, caller,
        idempotency_key, request_hash, created_at, updated_at)
    SELECT fitting.id, written.account, fitting.credits, fitting.credits, 'open', fitting.operation, fitting.subject,
        fitting.metadata, fitting.expires_at, fitting.scope, fitting.key, fitting.request_hash, fitting.now_ms,
        fitting.now_ms
    FROM fitting JOIN written ON written.place = fitting.place WHERE fitting.op = 'hold'
    RETURNING id
),
ended AS (
    INSERT INTO holds (id, account_id, credits, asked_credits, state, captured_credits, spend_id, operation, subject,
        metadata, expires_at, caller, idempotency_key, request_hash, created_at, updated_at)
    SELECT freed.id, freed.account_id, freed.credits, freed.asked_credits,
        CASE fitting.op WHEN 'capture' THEN 'captured' ELSE 'released' END,
        CASE fitting.op WHEN 'capture' THEN fitting.credits END, CASE fitting.op WHEN 'capture' THEN fitting.id END,
        freed.operation, freed.subject, freed.metadata, freed.expires_at, freed.caller, freed.idempotency_key,
        freed.request_hash, freed.created_at, fitting.now_ms
    FROM freed JOIN fitting ON fitting.number = freed.number JOIN written ON written.place = fitting.place
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, captured_credits = excluded.captured_credits,
        spend_id = excluded.spend_id, updated_at = excluded.updated_at
    RETURNING id
),
counted AS (
    INSERT INTO spend_limits (account_id, subject, period, credits, window_start, used, held)
    SELECT met.account_id, met.subject, met.period, met.credits, met.starts,
        met.used + CAST(SUM(CASE WHEN fitting.op IN ('debit', 'capture') THEN fitting.credits ELSE 0 END) AS BIGINT),
        met.held + CAST(SUM(CASE WHEN fitting.op = 'hold' THEN fitting.credits ELSE 0 END) AS BIGINT)
            - CAST(SUM(COALESCE(fitting.reserved, 0)) AS BIGINT)
    FROM met JOIN fitting ON fitting.number = met.number JOIN written ON written.place = met.place
    GROUP BY met.account_id, met.subject, met.period, met.credits, met.starts, met.used, met.held
    ON CONFLICT (account_id, subject, period) DO UPDATE SET window_start = excluded.window_start, used = excluded.used,
        held = excluded.held
),
noted AS (
    INSERT INTO attention (account_id, since)
    SELECT account, now_ms FROM written WHERE balance - held_credits < alert_at
    ON CONFLICT (account_id) DO NOTHING
),
asked_for AS (
    INSERT INTO auto_topup_queue (account_id, since, due_at, lease_until)
    SELECT account, now_ms, now_ms, 0 FROM written WHERE balance - held_credits < refill_at
    ON CONFLICT (account_id) DO NOTHING
)
SELECT input.number - 1 AS number,
    CASE WHEN earlier.number IS NOT NULL THEN 'known'
        WHEN fitting.number IS NOT NULL AND written.place IS NOT NULL THEN 'done'
        WHEN input.op IN ('debit', 'hold') AND locked.id IS NULL THEN 'refused'
        -- Whether the key is known was read from the snapshot.
        WHEN input.op IN ('debit', 'hold') AND locked.blocked_at IS NOT NULL THEN CASE
            WHEN (SELECT revision FROM accounts WHERE id = locked.id) = locked.revision THEN 'blocked' ELSE 'left' END
        WHEN input.op IN ('debit', 'hold') AND input.least > tightest.room THEN 'limited'
        WHEN input.op IN ('debit', 'hold') AND input.least > ready.available THEN 'refused'
        ELSE 'left' END AS outcome,
    -- What was refused is told what it was judged by, and not what others left.
    COALESCE(CASE WHEN fitting.number IS NOT NULL THEN written.balance END, locked.balance, 0) AS remaining,
    COALESCE(CASE WHEN fitting.number IS NOT NULL THEN written.held_credits END, locked.held_credits, 0) AS held,
    spent.credits, spent.first_sequence, spent.parts, spent.balance_after, freed.credits AS hold_credits,
    freed.asked_credits AS hold_asked_credits, freed.expires_at AS hold_expires_at, freed.created_at AS hold_created_at,
    freed.request_hash AS hold_request_hash, fitting.operation, fitting.subject, fitting.metadata,
    tightest.subject AS limit_subject, tightest.period AS limit_period, tightest.credits AS limit_credits,
    tightest.used AS limit_used, tightest.held AS limit_held, tightest.starts AS limit_starts
FROM input
LEFT JOIN locked ON locked.place = input.place
LEFT JOIN ready ON ready.place = input.place
LEFT JOIN earlier ON earlier.number = input.number
LEFT JOIN fitting ON fitting.number = input.number
LEFT JOIN freed ON freed.number = input.number
LEFT JOIN tightest ON tightest.number = input.number
LEFT JOIN written ON written.place = input.place
LEFT JOIN spent ON spent.id = input.id
