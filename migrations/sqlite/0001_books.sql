-- What this database is for. Written at the first start; a service with another mode or currency refuses to use it.
CREATE TABLE instance (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    livemode   INTEGER NOT NULL CHECK (livemode IN (0, 1)),
    currency   TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The current balance of each account. An account appears with its first ledger entry.
CREATE TABLE accounts (
    id           TEXT    PRIMARY KEY NOT NULL,
    balance      INTEGER NOT NULL,
    used_credits INTEGER NOT NULL DEFAULT 0 CHECK (used_credits >= 0),
    entries      INTEGER NOT NULL CHECK (entries > 0),
    updated_at   INTEGER NOT NULL
) STRICT;

-- One purchase each, written before Stripe is called.
CREATE TABLE topups (
    id                 TEXT    PRIMARY KEY NOT NULL,
    account_id         TEXT    NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN ('creating', 'open', 'processing', 'paid', 'expired', 'failed')),
    credits            INTEGER NOT NULL CHECK (credits > 0),
    currency           TEXT    NOT NULL,
    credit_unit_amount INTEGER NOT NULL CHECK (credit_unit_amount > 0),
    credits_amount     INTEGER NOT NULL CHECK (credits_amount > 0),
    fee_amount         INTEGER NOT NULL CHECK (fee_amount >= 0),
    total_amount       INTEGER NOT NULL CHECK (total_amount = credits_amount + fee_amount),
    fee_mode           TEXT    NOT NULL CHECK (fee_mode IN ('gross_up', 'absorb')),
    fee_rate_percent   TEXT    NOT NULL,
    fee_fixed          INTEGER NOT NULL,
    fee_label          TEXT    NOT NULL,
    expected_fee       INTEGER NOT NULL,
    livemode           INTEGER NOT NULL CHECK (livemode IN (0, 1)),
    stripe_request     TEXT    NOT NULL,
    stripe_attempt     INTEGER NOT NULL,
    session_id         TEXT    UNIQUE,
    session_url        TEXT,
    expires_at         INTEGER NOT NULL,
    payment_intent_id  TEXT,
    failure_code       TEXT,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    paid_at            INTEGER,
    checked_at         INTEGER NOT NULL DEFAULT 0,
    CHECK ((state = 'paid') = (paid_at IS NOT NULL))
) STRICT;

-- The books. Append-only; explains every balance.
CREATE TABLE ledger_entries (
    account_id    TEXT    NOT NULL REFERENCES accounts (id),
    sequence      INTEGER NOT NULL CHECK (sequence > 0),
    id            TEXT    NOT NULL UNIQUE,
    kind          TEXT    NOT NULL,
    credits       INTEGER NOT NULL CHECK (credits <> 0),
    balance_after INTEGER NOT NULL,
    source        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, sequence),
    UNIQUE (kind, source)
) STRICT;

CREATE TRIGGER ledger_entries_are_never_changed BEFORE UPDATE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is append-only');
END;

CREATE TRIGGER ledger_entries_are_never_removed BEFORE DELETE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is append-only');
END;

-- Events whose effect is in the books. A row commits together with its effect or not at all.
CREATE TABLE webhook_events (
    id          TEXT    PRIMARY KEY NOT NULL,
    type        TEXT    NOT NULL,
    topup_id    TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

-- Deliveries that had no effect: permanent ones never will, transient ones are tried again by Stripe.
CREATE TABLE failed_webhook_events (
    event_id        TEXT    PRIMARY KEY NOT NULL,
    type            TEXT    NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('permanent', 'transient')),
    error           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    first_failed_at INTEGER NOT NULL,
    last_failed_at  INTEGER NOT NULL
) STRICT;

-- The callers' idempotency keys. While a request runs it holds a lease, so that a crash does not block the key.
CREATE TABLE idempotency_keys (
    caller       TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash TEXT    NOT NULL,
    topup_id     TEXT    NOT NULL REFERENCES topups (id) DEFERRABLE INITIALLY DEFERRED,
    lease_until  INTEGER NOT NULL,
    status       INTEGER,
    code         TEXT,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Credentials of servers. Only the hash of a key is known here.
CREATE TABLE api_keys (
    id         TEXT    PRIMARY KEY NOT NULL,
    name       TEXT    NOT NULL,
    key_hash   TEXT    NOT NULL UNIQUE,
    scopes     TEXT    NOT NULL,
    account_id TEXT,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
