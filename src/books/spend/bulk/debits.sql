-- PostgreSQL, for groups of debits alone: the rules are those of `lists.sql`, and the text is shorter, because the server
-- prepares each part of it anew for each group. Accounts with limits are decided by `lists.sql`.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        :place::BIGINT[], :id::TEXT[], :entry::TEXT[], :credits::BIGINT[], :least::BIGINT[], :scope::TEXT[], :key::TEXT[],
        :request_hash::TEXT[], :operation::TEXT[], :subject::TEXT[], :metadata::TEXT[], :now_ms::BIGINT[]
    ) WITH ORDINALITY AS input (
        place, id, entry, credits, least, scope, key, request_hash, operation, subject, metadata, now_ms, number
    )
),
locked AS MATERIALIZED (
    SELECT named.place, accounts.*
    FROM unnest(:accounts::TEXT[]) WITH ORDINALITY AS named (account, place)
    CROSS JOIN LATERAL (
        SELECT * FROM accounts WHERE id = named.account LIMIT 1 FOR NO KEY UPDATE
    ) AS accounts
    ORDER BY named.account
),
ready AS MATERIALIZED (
    SELECT locked.*, GREATEST(locked.balance - locked.held_credits, 0) AS available
    FROM locked
    CROSS JOIN LATERAL (SELECT entries, revision FROM accounts WHERE id = locked.id LIMIT 1) AS seen
    WHERE seen.entries = locked.entries AND seen.revision = locked.revision AND locked.settled_entries = locked.entries
    AND locked.due_at > (SELECT MAX(now_ms) FROM input) AND locked.blocked_at IS NULL AND locked.limits_from IS NULL
),
earlier AS MATERIALIZED (
    SELECT input.number
    FROM input CROSS JOIN LATERAL (
        SELECT id FROM spends WHERE caller = input.scope AND idempotency_key = input.key LIMIT 1
    ) AS known
),
-- The debits that fit are the first ones, so where each ends in what is taken is the sum up to it.
judged AS MATERIALIZED (
    SELECT asked.*, CAST(SUM(asked.taking) OVER (PARTITION BY asked.place ORDER BY asked.number) AS BIGINT) AS ends
    FROM (
        SELECT input.*, ready.available,
            CASE WHEN input.least = 0 AND ready.available = 0 THEN 0 ELSE input.credits END AS taking
        FROM input JOIN ready ON ready.place = input.place
        WHERE NOT EXISTS (SELECT 1 FROM earlier WHERE earlier.number = input.number)
    ) AS asked
    WHERE asked.taking <= asked.available
),
totals AS MATERIALIZED (
    SELECT ready.*, sums.taken, sums.now_ms
    FROM ready JOIN (
        SELECT place, MAX(ends) AS taken, MAX(now_ms) AS now_ms FROM judged WHERE ends <= available GROUP BY place
    ) AS sums ON sums.place = ready.place
),
burning AS MATERIALIZED (
    SELECT totals.place, totals.taken, open.*, CAST(open.total - open.remaining AS BIGINT) AS begins,
        CAST(open.total AS BIGINT) AS ends
    FROM totals
    CROSS JOIN LATERAL (
        SELECT next.*, SUM(remaining) OVER (ORDER BY priority, expires_at, category, sequence) AS total
        FROM (
            SELECT id, account_id, sequence, kind, credits, remaining, priority, expires_at, category, created_at
            FROM grants WHERE account_id = totals.id AND is_open = 1
            ORDER BY priority, expires_at, category, sequence LIMIT 8
        ) AS next
    ) AS open
    WHERE totals.taken > 0
),
pieces AS MATERIALIZED (
    SELECT judged.number, judged.place, judged.id AS spend, judged.entry, burning.id AS grant_id, judged.now_ms,
        LEAST(judged.ends, burning.ends) AS ends,
        LEAST(judged.ends, burning.ends) - GREATEST(judged.ends - judged.taking, burning.begins) AS credits,
        ROW_NUMBER() OVER (PARTITION BY judged.place ORDER BY judged.ends, burning.ends) AS nth,
        ROW_NUMBER() OVER (PARTITION BY judged.number ORDER BY burning.ends) AS part,
        COUNT(*) OVER (PARTITION BY judged.number) AS parts
    FROM judged JOIN burning ON burning.place = judged.place AND judged.taking > 0
    AND burning.begins < judged.ends AND burning.ends > judged.ends - judged.taking
    WHERE judged.ends <= judged.available
),
covered AS MATERIALIZED (
    SELECT totals.*, COALESCE(sums.parts, 0) AS parts, totals.balance - totals.taken AS balance_after
    FROM totals
    LEFT JOIN (
        SELECT place, COUNT(*) AS parts, CAST(SUM(credits) AS BIGINT) AS credits FROM pieces GROUP BY place
    ) AS sums ON sums.place = totals.place
    WHERE COALESCE(sums.credits, 0) = totals.taken
),
changed AS (
    INSERT INTO accounts (id, balance, used_credits, entries, updated_at, held_credits, settled_entries, due_at, revision)
    SELECT id, balance_after, used_credits + taken, entries + parts, CASE WHEN parts > 0 THEN now_ms ELSE updated_at END,
        held_credits, settled_entries + parts, due_at, revision + 1
    FROM covered
    ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, used_credits = excluded.used_credits,
        entries = excluded.entries, updated_at = excluded.updated_at, settled_entries = excluded.settled_entries,
        revision = excluded.revision
),
burned AS (
    INSERT INTO grants (id, account_id, sequence, kind, credits, remaining, is_open, priority, expires_at, category,
        created_at)
    SELECT burning.id, account_id, sequence, kind, credits, GREATEST(burning.ends - burning.taken, 0),
        CASE WHEN burning.ends > burning.taken THEN 1 ELSE 0 END, priority, expires_at, category, created_at
    FROM burning
    WHERE burning.begins < burning.taken AND EXISTS (SELECT 1 FROM covered WHERE covered.place = burning.place)
    ON CONFLICT (id) DO UPDATE SET remaining = excluded.remaining, is_open = excluded.is_open
),
booked AS (
    INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at, grant_id)
    SELECT covered.id, covered.entries + pieces.nth, pieces.entry || CASE WHEN part > 1 THEN ':' || part ELSE '' END,
        'spend', -pieces.credits, covered.balance - pieces.ends,
        pieces.spend || CASE WHEN part > 1 THEN ':' || part ELSE '' END, pieces.now_ms, pieces.grant_id
    FROM pieces JOIN covered ON covered.place = pieces.place ORDER BY covered.id, pieces.nth
),
done AS MATERIALIZED (
    SELECT judged.*, covered.id AS account, covered.entries + COALESCE(pieces.nth, 1) AS first_sequence,
        COALESCE(pieces.parts, 0) AS parts, covered.balance - judged.ends AS balance_after,
        covered.balance_after AS remaining, covered.held_credits AS held
    FROM judged JOIN covered ON covered.place = judged.place
    LEFT JOIN pieces ON pieces.number = judged.number AND pieces.part = 1
    WHERE judged.ends <= judged.available
),
spent AS (
    INSERT INTO spends (id, account_id, credits, asked_credits, operation, subject, metadata, hold_id, first_sequence,
        parts, balance_after, caller, idempotency_key, request_hash, created_at)
    SELECT id, account, taking, credits, operation, subject, metadata, NULL, first_sequence, parts, balance_after, scope,
        key, request_hash, now_ms
    FROM done
),
noted AS (
    INSERT INTO attention (account_id, since)
    SELECT id, now_ms FROM covered WHERE balance_after - held_credits < alert_at
    ON CONFLICT (account_id) DO NOTHING
),
asked_for AS (
    INSERT INTO auto_topup_queue (account_id, since, due_at, lease_until)
    SELECT id, now_ms, now_ms, 0 FROM covered WHERE balance_after - held_credits < refill_at
    ON CONFLICT (account_id) DO NOTHING
)
SELECT input.number - 1 AS number,
    CASE WHEN earlier.number IS NOT NULL THEN 'known'
        WHEN done.number IS NOT NULL THEN 'done'
        WHEN locked.id IS NULL THEN 'refused'
        -- Whether the key is known was read from the snapshot.
        WHEN locked.blocked_at IS NOT NULL THEN CASE
            WHEN (SELECT revision FROM accounts WHERE id = locked.id) = locked.revision THEN 'blocked' ELSE 'left' END
        WHEN locked.limits_from IS NOT NULL THEN 'limits'
        WHEN input.least > ready.available THEN 'refused'
        ELSE 'left' END AS outcome,
    -- What was refused is told what it was judged by, and not what others left.
    COALESCE(done.remaining, locked.balance, 0) AS remaining, COALESCE(done.held, locked.held_credits, 0) AS held,
    done.taking AS credits, done.first_sequence, done.parts, done.balance_after, input.operation, input.subject,
    input.metadata
FROM input
LEFT JOIN locked ON locked.place = input.place
LEFT JOIN ready ON ready.place = input.place
LEFT JOIN earlier ON earlier.number = input.number
LEFT JOIN done ON done.number = input.number
