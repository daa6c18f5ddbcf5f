-- What this database is for. Written at the first start; a service with another mode or currency refuses to use it.
CREATE TABLE instance (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    livemode   BIGINT  NOT NULL CHECK (livemode IN (0, 1)),
    currency   TEXT    NOT NULL,
    created_at BIGINT  NOT NULL
);

-- The current balance of each account. An account appears with its first ledger entry.
CREATE TABLE accounts (
    id           TEXT    PRIMARY KEY NOT NULL,
    balance      BIGINT  NOT NULL,
    used_credits BIGINT  NOT NULL DEFAULT 0 CHECK (used_credits >= 0),
    entries      BIGINT  NOT NULL CHECK (entries > 0),
    updated_at   BIGINT  NOT NULL
);

-- One purchase each, written before Stripe is called.
CREATE TABLE topups (
    id                 TEXT    PRIMARY KEY NOT NULL,
    account_id         TEXT    NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN ('creating', 'open', 'processing', 'paid', 'expired', 'failed')),
    credits            BIGINT  NOT NULL CHECK (credits > 0),
    currency           TEXT    NOT NULL,
    credit_unit_amount BIGINT  NOT NULL CHECK (credit_unit_amount > 0),
    credits_amount     BIGINT  NOT NULL CHECK (credits_amount > 0),
    fee_amount         BIGINT  NOT NULL CHECK (fee_amount >= 0),
    total_amount       BIGINT  NOT NULL CHECK (total_amount = credits_amount + fee_amount),
    fee_mode           TEXT    NOT NULL CHECK (fee_mode IN ('gross_up', 'absorb')),
    fee_rate_percent   TEXT    NOT NULL,
    fee_fixed          BIGINT  NOT NULL,
    fee_label          TEXT    NOT NULL,
    expected_fee       BIGINT  NOT NULL,
    livemode           BIGINT  NOT NULL CHECK (livemode IN (0, 1)),
    stripe_request     TEXT    NOT NULL,
    stripe_attempt     BIGINT  NOT NULL,
    session_id         TEXT    UNIQUE,
    session_url        TEXT,
    expires_at         BIGINT  NOT NULL,
    payment_intent_id  TEXT,
    failure_code       TEXT,
    created_at         BIGINT  NOT NULL,
    updated_at         BIGINT  NOT NULL,
    paid_at            BIGINT,
    checked_at         BIGINT  NOT NULL DEFAULT 0,
    CHECK ((state = 'paid') = (paid_at IS NOT NULL))
);

-- The books. Append-only; explains every balance.
CREATE TABLE ledger_entries (
    account_id    TEXT    NOT NULL REFERENCES accounts (id),
    sequence      BIGINT  NOT NULL CHECK (sequence > 0),
    id            TEXT    NOT NULL UNIQUE,
    kind          TEXT    NOT NULL,
    credits       BIGINT  NOT NULL CHECK (credits <> 0),
    balance_after BIGINT  NOT NULL,
    source        TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL,
    PRIMARY KEY (account_id, sequence),
    UNIQUE (kind, source)
);

CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger_entries is append-only';
END
$$;

CREATE TRIGGER ledger_entries_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

-- Events whose effect is in the books. A row commits together with its effect or not at all.
CREATE TABLE webhook_events (
    id          TEXT    PRIMARY KEY NOT NULL,
    type        TEXT    NOT NULL,
    topup_id    TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    received_at BIGINT  NOT NULL
);

-- Deliveries that had no effect: permanent ones never will, transient ones are tried again by Stripe.
CREATE TABLE failed_webhook_events (
    event_id        TEXT    PRIMARY KEY NOT NULL,
    type            TEXT    NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('permanent', 'transient')),
    error           TEXT    NOT NULL,
    attempts        BIGINT  NOT NULL,
    first_failed_at BIGINT  NOT NULL,
    last_failed_at  BIGINT  NOT NULL
);

-- The callers' idempotency keys. While a request runs it holds a lease, so that a crash does not block the key.
CREATE TABLE idempotency_keys (
    caller       TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash TEXT    NOT NULL,
    topup_id     TEXT    NOT NULL REFERENCES topups (id) DEFERRABLE INITIALLY DEFERRED,
    lease_until  BIGINT  NOT NULL,
    status       BIGINT,
    code         TEXT,
    created_at   BIGINT  NOT NULL,
    PRIMARY KEY (caller, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Credentials of servers. Only the hash of a key is known here.
CREATE TABLE api_keys (
    id         TEXT    PRIMARY KEY NOT NULL,
    name       TEXT    NOT NULL,
    key_hash   TEXT    NOT NULL UNIQUE,
    scopes     TEXT    NOT NULL,
    account_id TEXT,
    created_at BIGINT  NOT NULL,
    revoked_at BIGINT
);
