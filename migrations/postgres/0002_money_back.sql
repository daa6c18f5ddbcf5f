-- Money that comes back, deliveries that failed, and the runs that compare these books with Stripe's.

-- Raised by each change that an event makes: what serialises two changes of one purchase.
ALTER TABLE topups ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
-- How many of its credits refunds and disputes have taken back.
ALTER TABLE topups ADD COLUMN taken_credits BIGINT NOT NULL DEFAULT 0
    CHECK (taken_credits >= 0 AND taken_credits <= credits);
-- Why the last attempt to pay was declined, in Stripe's word.
ALTER TABLE topups ADD COLUMN decline_code TEXT;
ALTER TABLE topups ADD COLUMN declined_at BIGINT;

CREATE INDEX topups_by_creation ON topups (created_at, id);

-- Payments at Stripe. The handler of a payment and those of its refunds and disputes write here first, so they wait for
-- each other. `waiting`: the money is not in the books (yet); `credited`: its top-up was paid by it; `surplus`: it came
-- besides that, credits nothing and should be refunded.
CREATE TABLE payments (
    payment_intent_id      TEXT    PRIMARY KEY NOT NULL,
    topup_id               TEXT    NOT NULL REFERENCES topups (id),
    state                  TEXT    NOT NULL CHECK (state IN ('waiting', 'credited', 'surplus')),
    session_id             TEXT,
    writes                 BIGINT NOT NULL CHECK (writes > 0),
    charge_id              TEXT,
    balance_transaction_id TEXT,
    -- What Stripe kept, in minor units of the currency that it settles in.
    real_fee               BIGINT,
    real_fee_currency      TEXT,
    created_at             BIGINT NOT NULL,
    updated_at             BIGINT NOT NULL
);

CREATE INDEX payments_by_topup ON payments (topup_id);

INSERT INTO payments (payment_intent_id, topup_id, state, session_id, writes, created_at, updated_at)
SELECT payment_intent_id, id, CASE WHEN state = 'paid' THEN 'credited' ELSE 'waiting' END, session_id, 1, updated_at, updated_at
FROM topups WHERE payment_intent_id IS NOT NULL;

-- Refunds and disputes by Stripe's id, each with its latest state. What a purchase owes back follows from all of them.
CREATE TABLE reversals (
    id                TEXT    PRIMARY KEY NOT NULL,
    kind              TEXT    NOT NULL CHECK (kind IN ('refund', 'dispute')),
    payment_intent_id TEXT    NOT NULL REFERENCES payments (payment_intent_id),
    amount            BIGINT NOT NULL CHECK (amount >= 0),
    currency          TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    -- How far a refund has come; it only moves forward.
    stage             BIGINT NOT NULL,
    -- Whether it takes its amount back as it stands.
    counts            BIGINT NOT NULL CHECK (counts IN (0, 1)),
    -- Raised by each write: what was fetched before another write is not written over it.
    version           BIGINT NOT NULL,
    reason            TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);

CREATE INDEX reversals_by_payment ON reversals (payment_intent_id);

-- Which purchase a reversal's entry belongs to; a top-up's entry has it as its source.
ALTER TABLE ledger_entries ADD COLUMN topup_id TEXT;
CREATE INDEX ledger_reversals_by_topup ON ledger_entries (topup_id) WHERE kind = 'reversal';

CREATE INDEX webhook_events_by_topup ON webhook_events (topup_id);

-- Refunds that somebody asked for here, written before Stripe is called.
CREATE TABLE refund_requests (
    id                TEXT    PRIMARY KEY NOT NULL,
    topup_id          TEXT    NOT NULL REFERENCES topups (id),
    payment_intent_id TEXT    NOT NULL,
    amount            BIGINT NOT NULL CHECK (amount > 0),
    currency          TEXT    NOT NULL,
    reason            TEXT,
    requested_by      TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('creating', 'created', 'refused')),
    stripe_attempt    BIGINT NOT NULL,
    refund_id         TEXT,
    failure_code      TEXT,
    caller            TEXT    NOT NULL,
    idempotency_key   TEXT    NOT NULL,
    request_hash      TEXT    NOT NULL,
    lease_until       BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX refund_requests_by_topup ON refund_requests (topup_id);

-- Credits that a person gave or took, with the reason.
CREATE TABLE adjustments (
    id              TEXT    PRIMARY KEY NOT NULL,
    account_id      TEXT    NOT NULL,
    credits         BIGINT NOT NULL CHECK (credits <> 0),
    reason          TEXT    NOT NULL,
    made_by         TEXT    NOT NULL,
    balance_after   BIGINT NOT NULL,
    caller          TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    request_hash    TEXT    NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX adjustments_by_account ON adjustments (account_id);

-- What came with the delivery, until it is erased; and since when it is put right.
ALTER TABLE failed_webhook_events ADD COLUMN payload TEXT;
ALTER TABLE failed_webhook_events ADD COLUMN resolved_at BIGINT;
CREATE INDEX failed_webhook_events_by_time ON failed_webhook_events (last_failed_at, event_id);

-- The time as the database sees it, in milliseconds since 1970: the one clock that all processes share.
CREATE VIEW database_clock AS SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT AS now_ms;

-- Work that one process at a time may do.
CREATE TABLE leases (
    name        TEXT    PRIMARY KEY NOT NULL,
    holder      TEXT    NOT NULL,
    lease_until BIGINT NOT NULL
);

-- Comparisons with Stripe's books.
CREATE TABLE reconciliations (
    id          TEXT    PRIMARY KEY NOT NULL,
    cause       TEXT    NOT NULL CHECK (cause IN ('command', 'schedule')),
    dry_run     BIGINT NOT NULL CHECK (dry_run IN (0, 1)),
    since       BIGINT NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('running', 'finished', 'failed')),
    left_over   BIGINT,
    report      TEXT,
    error       TEXT,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE INDEX reconciliations_by_start ON reconciliations (started_at, id);

-- Reads a set of rows from a JSON text, by the name and the columns that SQLite has for it: so one text of SQL does for
-- both databases.
CREATE FUNCTION json_each(rows TEXT) RETURNS TABLE (key BIGINT, value JSONB) LANGUAGE sql IMMUTABLE AS $$
    SELECT number - 1, element FROM jsonb_array_elements(rows::jsonb) WITH ORDINALITY AS elements (element, number)
$$;
