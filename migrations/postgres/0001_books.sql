-- The purpose of this database. Written at the first start; a service with another mode, provider, unit or
-- number of decimals refuses to use it.
CREATE TABLE instance (
    id                      BIGINT PRIMARY KEY CHECK (id = 1),
    livemode                BIGINT NOT NULL CHECK (livemode IN (0, 1)),
    provider                TEXT   NOT NULL,
    -- What a credit is: how many of them are priced together (CREDIT_UNIT_CREDITS), and how many of their digits people
    -- read as decimals (CREDIT_DISPLAY_DECIMALS). With other values every balance would mean something else.
    credit_unit_credits     BIGINT NOT NULL CHECK (credit_unit_credits BETWEEN 1 AND 1000000),
    credit_display_decimals BIGINT NOT NULL CHECK (credit_display_decimals BETWEEN 0 AND 6),
    created_at              BIGINT NOT NULL,
    -- The key that seals what a checkout sells, so that a top-up can be told from another installation's after it is
    -- lost from this database. Generated at the first start.
    seal_key                TEXT
);

-- The current balance of each account. An account appears with its first ledger entry.
CREATE TABLE accounts (
    id              TEXT   PRIMARY KEY NOT NULL,
    balance         BIGINT NOT NULL,
    used_credits    BIGINT NOT NULL DEFAULT 0 CHECK (used_credits >= 0),
    entries         BIGINT NOT NULL CHECK (entries >= 0),
    updated_at      BIGINT NOT NULL,
    -- Reserved by open holds. What is available is the balance less this.
    held_credits    BIGINT NOT NULL DEFAULT 0 CHECK (held_credits >= 0),
    -- How many of the entries are reflected in grants. Purchases, reversals and adjustments book an entry alone; the
    -- next spend settles the account first.
    settled_entries BIGINT NOT NULL DEFAULT 0 CHECK (settled_entries >= 0 AND settled_entries <= entries),
    -- No hold and no grant ends by itself before this time. It may be too early, and is never too late.
    due_at          BIGINT NOT NULL DEFAULT 9223372036854775807,
    -- The account needs attention when less than this is available.
    alert_at        BIGINT NOT NULL DEFAULT -9223372036854775807,
    -- More credits are bought by themselves when less than this is available.
    refill_at       BIGINT NOT NULL DEFAULT -9223372036854775807,
    -- Incremented by every change of its grants and holds, so that a statement notices that its snapshot is
    -- older than its lock.
    revision        BIGINT NOT NULL DEFAULT 0,
    -- When an operator blocked spending; NULL while it may spend.
    blocked_at      BIGINT,
    -- The start of the latest day in which something was counted for one of its limits; NULL while it has none. Nothing
    -- that is counted has an earlier time.
    limits_from     BIGINT
);

CREATE INDEX accounts_due ON accounts (due_at) WHERE due_at < 9223372036854775807;

-- One row per top-up, written before the payment provider is called. Provider ids are unique together with the
-- provider's name. The id comes first in the index, because it alone is almost unique.
CREATE TABLE topups (
    id                  TEXT   PRIMARY KEY NOT NULL,
    account_id          TEXT   NOT NULL,
    state               TEXT   NOT NULL,
    credits             BIGINT NOT NULL CHECK (credits > 0),
    currency            TEXT   NOT NULL,
    -- The unit that the credits are priced by: how many credits cost how many minor units. Purchases are whole units.
    -- With these limits the product of both fits into 64 bits, which the check of the books relies on.
    credit_unit_credits BIGINT NOT NULL CHECK (credit_unit_credits BETWEEN 1 AND 1000000),
    credit_unit_amount  BIGINT NOT NULL CHECK (credit_unit_amount BETWEEN 1 AND 999999999999),
    credits_amount      BIGINT NOT NULL CHECK (credits_amount > 0),
    fee_amount          BIGINT NOT NULL CHECK (fee_amount >= 0),
    total_amount        BIGINT NOT NULL CHECK (total_amount = credits_amount + fee_amount),
    fee_mode            TEXT   NOT NULL,
    fee_rate_percent    TEXT   NOT NULL,
    fee_fixed           BIGINT NOT NULL,
    fee_label           TEXT   NOT NULL,
    expected_fee        BIGINT NOT NULL,
    -- Credits given on top when it is paid.
    bonus_credits       BIGINT NOT NULL CHECK (bonus_credits >= 0 AND bonus_credits <= credits),
    -- For how many days from the payment the credits are good; NULL: for ever.
    credits_expire_days BIGINT CHECK (credits_expire_days BETWEEN 1 AND 3650),
    -- Whether the agreed amounts contain tax (inclusive) or it comes on top (exclusive); NULL: no tax was agreed.
    tax_behavior        TEXT   CHECK (tax_behavior IN ('exclusive', 'inclusive')),
    -- The tax in the charge, which is known when it is paid, and the part of it that came on top of the agreed amount.
    tax_amount          BIGINT NOT NULL DEFAULT 0 CHECK (tax_amount >= 0),
    added_tax_amount    BIGINT NOT NULL DEFAULT 0 CHECK (added_tax_amount >= 0 AND added_tax_amount <= tax_amount),
    livemode            BIGINT NOT NULL CHECK (livemode IN (0, 1)),
    provider            TEXT   NOT NULL,
    -- The request that opens the checkout, stored so that a retry is identical, and the number of the idempotency key
    -- it is sent with.
    provider_request    TEXT   NOT NULL,
    provider_attempt    BIGINT NOT NULL,
    -- When that key was first used; NULL before the first call.
    key_used_at         BIGINT,
    -- When the latest call with an unknown result was made; NULL when every call is known to have had no effect.
    unknown_since       BIGINT,
    -- How many failures the key got that the provider would replay under it.
    key_failures        BIGINT NOT NULL DEFAULT 0,
    provider_session_id TEXT,
    session_url         TEXT,
    expires_at          BIGINT NOT NULL,
    provider_payment_id TEXT,
    failure_code        TEXT,
    -- Why the last payment attempt was declined, as the provider's code.
    decline_code        TEXT,
    declined_at         BIGINT,
    -- Incremented by every change that an event makes: serialises concurrent changes of one top-up.
    revision            BIGINT NOT NULL DEFAULT 0,
    -- How many of its credits were taken back by refunds and disputes.
    taken_credits       BIGINT NOT NULL DEFAULT 0 CHECK (taken_credits >= 0 AND taken_credits <= credits),
    -- The charged amount that an operator accepted although another amount was agreed.
    accepted_amount     BIGINT,
    -- When it was adopted from the provider's records, and by whom.
    adopted_at          BIGINT,
    adopted_by          TEXT,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    paid_at             BIGINT,
    checked_at          BIGINT NOT NULL DEFAULT 0,
    UNIQUE (provider_session_id, provider),
    CHECK ((state = 'paid') = (paid_at IS NOT NULL)),
    CHECK (tax_amount = 0 OR (tax_behavior IS NOT NULL AND state = 'paid'))
);

-- These indexes do not end with `id`: on an empty table, such an index looks as good as the primary key for finding a
-- top-up by its id, and the plan may be kept while the table grows. Few rows share a millisecond, so they can be
-- sorted.
CREATE INDEX topups_by_creation ON topups (created_at);
CREATE INDEX topups_by_account ON topups (account_id, created_at);
-- The top-ups that reconciliation asks the provider about, whatever their age.
CREATE INDEX topups_unfinished ON topups (created_at) WHERE state IN ('open', 'processing');

-- The ledger: append-only, and the explanation of every balance.
CREATE TABLE ledger_entries (
    account_id    TEXT   NOT NULL REFERENCES accounts (id),
    sequence      BIGINT NOT NULL CHECK (sequence > 0),
    id            TEXT   NOT NULL UNIQUE,
    kind          TEXT   NOT NULL,
    credits       BIGINT NOT NULL CHECK (credits <> 0),
    balance_after BIGINT NOT NULL,
    source        TEXT   NOT NULL,
    -- The top-up of a reversal or bonus. The entry of a top-up has the top-up as its source.
    topup_id      TEXT,
    -- Why credits were taken back or returned; NULL for entries of other kinds.
    reason        TEXT,
    -- The grant whose credits an entry of these kinds moves: `spend`, `expiry`, `void`. One entry for each grant.
    grant_id      TEXT,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, sequence),
    UNIQUE (kind, source)
);

CREATE INDEX ledger_reversals_by_topup ON ledger_entries (topup_id) WHERE kind = 'reversal';
CREATE INDEX ledger_bonus_reversals_by_topup ON ledger_entries (topup_id) WHERE kind = 'bonus_reversal';

CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER ledger_entries_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

-- Credits of one origin: a purchase, a bonus, a promotion, an adjustment, or credits given back. `sequence` is that of
-- the ledger entry that brought them.
CREATE TABLE grants (
    id         TEXT   PRIMARY KEY NOT NULL,
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    sequence   BIGINT NOT NULL CHECK (sequence > 0),
    kind       TEXT   NOT NULL,
    credits    BIGINT NOT NULL CHECK (credits > 0),
    remaining  BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= credits),
    -- Whether any remain. Apart from `remaining`, so that spending a part changes no index.
    is_open    BIGINT NOT NULL CHECK (is_open IN (0, 1)),
    priority   BIGINT NOT NULL CHECK (priority BETWEEN 0 AND 100),
    -- 9223372036854775807: never.
    expires_at BIGINT NOT NULL,
    -- 0: promotional, 1: paid.
    category   BIGINT NOT NULL CHECK (category IN (0, 1)),
    -- The top-up of a purchase or bonus.
    topup_id   TEXT,
    reason     TEXT,
    -- When an operator ended it early, who, and why.
    voided_at  BIGINT,
    voided_by  TEXT,
    void_reason TEXT,
    created_at BIGINT NOT NULL,
    CHECK ((remaining > 0) = (is_open = 1))
);

CREATE INDEX grants_in_burn_order ON grants (account_id, priority, expires_at, category, sequence) WHERE is_open = 1;
-- Credits that end, for the message some days before.
CREATE INDEX grants_ending ON grants (expires_at, id) WHERE is_open = 1 AND expires_at < 9223372036854775807;
CREATE INDEX grants_by_account ON grants (account_id, sequence, id);

-- What entries that name no grant of their own did to grants. Append-only, like the ledger.
CREATE TABLE grant_moves (
    account_id TEXT   NOT NULL,
    sequence   BIGINT NOT NULL,
    grant_id   TEXT   NOT NULL REFERENCES grants (id),
    credits    BIGINT NOT NULL CHECK (credits <> 0),
    PRIMARY KEY (account_id, sequence, grant_id)
);

CREATE INDEX grant_moves_by_grant ON grant_moves (grant_id);

-- Credits spent: debits and captured holds. Its entries are `parts` in number and begin at `first_sequence`.
CREATE TABLE spends (
    id               TEXT   PRIMARY KEY NOT NULL,
    account_id       TEXT   NOT NULL,
    credits          BIGINT NOT NULL CHECK (credits >= 0),
    asked_credits    BIGINT NOT NULL CHECK (asked_credits >= credits),
    refunded_credits BIGINT NOT NULL DEFAULT 0 CHECK (refunded_credits >= 0 AND refunded_credits <= credits),
    operation        TEXT   NOT NULL,
    subject          TEXT   NOT NULL,
    metadata         TEXT,
    hold_id          TEXT,
    first_sequence   BIGINT NOT NULL,
    parts            BIGINT NOT NULL CHECK (parts >= 0),
    balance_after    BIGINT NOT NULL,
    caller           TEXT   NOT NULL,
    idempotency_key  TEXT   NOT NULL,
    request_hash     TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX spends_by_account ON spends (account_id, created_at);

-- Credits reserved for a spend whose size is not known yet.
CREATE TABLE holds (
    id               TEXT   PRIMARY KEY NOT NULL,
    account_id       TEXT   NOT NULL,
    -- How many it reserves: while it is open, a part of the account's held credits.
    credits          BIGINT NOT NULL CHECK (credits > 0),
    asked_credits    BIGINT NOT NULL CHECK (asked_credits >= credits),
    state            TEXT   NOT NULL,
    captured_credits BIGINT,
    spend_id         TEXT,
    operation        TEXT   NOT NULL,
    subject          TEXT   NOT NULL,
    metadata         TEXT,
    expires_at       BIGINT NOT NULL,
    caller           TEXT   NOT NULL,
    idempotency_key  TEXT   NOT NULL,
    request_hash     TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    CHECK ((state = 'captured') = (spend_id IS NOT NULL)),
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX holds_open ON holds (account_id, expires_at) WHERE state = 'open';

-- How many credits may be spent from an account, or by a subject within it (`''`: the whole account), in a period.
-- `used` counts in the period that begins at `window_start`; in a later one it begins at 0 again.
CREATE TABLE spend_limits (
    account_id   TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    period       TEXT   NOT NULL CHECK (period IN ('day', 'month', 'total')),
    credits      BIGINT NOT NULL CHECK (credits >= 0),
    window_start BIGINT NOT NULL,
    -- Spent in the period, less what was given back of it.
    used         BIGINT NOT NULL CHECK (used >= 0),
    -- Reserved by open holds.
    held         BIGINT NOT NULL CHECK (held >= 0),
    PRIMARY KEY (account_id, subject, period)
);

-- Spent credits given back, each with the reason.
CREATE TABLE spend_refunds (
    id              TEXT   PRIMARY KEY NOT NULL,
    spend_id        TEXT   NOT NULL REFERENCES spends (id),
    account_id      TEXT   NOT NULL,
    credits         BIGINT NOT NULL CHECK (credits > 0),
    reason          TEXT,
    balance_after   BIGINT NOT NULL,
    caller          TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    request_hash    TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX spend_refunds_by_spend ON spend_refunds (spend_id);

-- Credits given by an operator, often for a limited time; each with its grant of the same id.
CREATE TABLE promotions (
    id              TEXT   PRIMARY KEY NOT NULL,
    account_id      TEXT   NOT NULL,
    credits         BIGINT NOT NULL CHECK (credits > 0),
    reason          TEXT   NOT NULL,
    made_by         TEXT   NOT NULL,
    balance_after   BIGINT NOT NULL,
    caller          TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    request_hash    TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

-- How much of an hour was spent, for what and by whom, added up from a stretch of the account's entries. An hour is
-- written once, after its end, and each hour has a row of empty words; to delete whole hours changes no answer.
CREATE TABLE usage_hours (
    account_id       TEXT   NOT NULL,
    hour             BIGINT NOT NULL,
    operation        TEXT   NOT NULL,
    subject          TEXT   NOT NULL,
    credits          BIGINT NOT NULL CHECK (credits >= 0),
    refunded_credits BIGINT NOT NULL CHECK (refunded_credits >= 0),
    spends           BIGINT NOT NULL CHECK (spends >= 0),
    first_sequence   BIGINT NOT NULL CHECK (first_sequence > 0),
    last_sequence    BIGINT NOT NULL CHECK (last_sequence >= first_sequence),
    PRIMARY KEY (account_id, hour, operation, subject)
);

-- Each time that an operator blocked or unblocked an account, and why.
CREATE TABLE account_blocks (
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    number     BIGINT NOT NULL CHECK (number > 0),
    is_blocked BIGINT NOT NULL CHECK (is_blocked IN (0, 1)),
    reason     TEXT   NOT NULL,
    made_by    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
);

-- The currency in which an account buys when a purchase names none. An account need not have credits yet.
CREATE TABLE account_currencies (
    account_id TEXT   PRIMARY KEY NOT NULL,
    currency   TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Accounts to be looked at: fewer credits are available than `alert_at`, or they bring credits that end.
CREATE TABLE attention (
    account_id TEXT   PRIMARY KEY NOT NULL,
    since      BIGINT NOT NULL
);

-- What was last told of an account's balance. Without a row, the account is neither low nor empty.
CREATE TABLE alerts (
    account_id  TEXT   PRIMARY KEY NOT NULL,
    -- The account's own threshold; NULL: that of the settings, 0: none.
    low_credits BIGINT CHECK (low_credits >= 0),
    is_low      BIGINT NOT NULL CHECK (is_low IN (0, 1)),
    is_depleted BIGINT NOT NULL CHECK (is_depleted IN (0, 1)),
    -- How often that changed.
    changes     BIGINT NOT NULL CHECK (changes >= 0),
    updated_at  BIGINT NOT NULL
);

-- The provider's customer of an account, who keeps its cards. Never more than one at a time.
CREATE TABLE customers (
    account_id           TEXT    NOT NULL,
    provider             TEXT    NOT NULL,
    livemode             BIGINT  NOT NULL CHECK (livemode IN (0, 1)),
    -- NULL while it is being made, and after the provider deleted it.
    provider_customer_id TEXT,
    -- Counts the customers that were made or tried: a part of the idempotency key.
    generation           BIGINT  NOT NULL CHECK (generation >= 1),
    created_at           BIGINT  NOT NULL,
    updated_at           BIGINT  NOT NULL,
    PRIMARY KEY (account_id, provider, livemode),
    UNIQUE (provider_customer_id, provider)
);

-- Auto top-up: what a customer agreed to, and where it stands. The consent is kept as evidence.
CREATE TABLE auto_topups (
    account_id        TEXT   PRIMARY KEY NOT NULL,
    state             TEXT   NOT NULL,
    -- Why it is paused, and when the pause ends by itself.
    reason            TEXT,
    retry_at          BIGINT,
    -- Credits are bought when fewer than this are available, and how many.
    threshold         BIGINT NOT NULL CHECK (threshold >= 1),
    credits           BIGINT NOT NULL CHECK (credits >= 1),
    -- That of the caps and of the purchases.
    currency          TEXT   NOT NULL,
    -- Charges per day of UTC, and minor units per month of UTC.
    max_per_day       BIGINT NOT NULL CHECK (max_per_day >= 1),
    max_per_month     BIGINT NOT NULL CHECK (max_per_month >= 1),
    provider          TEXT   NOT NULL,
    -- The card; NULL for the customer's default.
    payment_method_id TEXT,
    -- Where a customer who has to confirm a payment is sent afterwards.
    return_url        TEXT   NOT NULL,
    consent_version   TEXT   NOT NULL,
    consent_by        TEXT   NOT NULL,
    consent_ip        TEXT,
    consent_agent     TEXT,
    consented_at      BIGINT NOT NULL,
    -- Declined charges in a row.
    declines          BIGINT NOT NULL CHECK (declines >= 0),
    -- The purchase that is being charged, and the one with which the customer confirms a payment.
    topup_id          TEXT,
    recovery_topup_id TEXT,
    -- How often the state changed.
    changes           BIGINT NOT NULL CHECK (changes >= 1),
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    CHECK ((state = 'paused') = (reason IS NOT NULL))
);

CREATE INDEX auto_topups_recovering ON auto_topups (recovery_topup_id) WHERE recovery_topup_id IS NOT NULL;

-- Accounts whose credits ran low, one row until that is settled. Written by the write that left too few.
CREATE TABLE auto_topup_queue (
    account_id  TEXT   PRIMARY KEY NOT NULL,
    since       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    -- The process that works on it, until when by the database's clock.
    holder      TEXT,
    lease_until BIGINT NOT NULL
);

CREATE INDEX auto_topup_queue_due ON auto_topup_queue (due_at);

-- Charges of saved cards: one row for each purchase that was made this way, or tried.
CREATE TABLE auto_topup_attempts (
    topup_id          TEXT   PRIMARY KEY NOT NULL REFERENCES topups (id),
    account_id        TEXT   NOT NULL,
    -- When the credits ran low.
    crossed_at        BIGINT NOT NULL,
    amount            BIGINT NOT NULL CHECK (amount > 0),
    currency          TEXT   NOT NULL,
    outcome           TEXT   NOT NULL,
    code              TEXT,
    payment_method_id TEXT   NOT NULL,
    card_brand        TEXT   NOT NULL,
    card_last4        TEXT   NOT NULL,
    card_country      TEXT,
    -- The consent that it was made with.
    consent_version   TEXT   NOT NULL,
    consented_at      BIGINT NOT NULL,
    started_at        BIGINT NOT NULL,
    ended_at          BIGINT,
    CHECK ((outcome = 'running') = (ended_at IS NULL))
);

CREATE INDEX auto_topup_attempts_by_account ON auto_topup_attempts (account_id, started_at);
CREATE INDEX auto_topup_attempts_by_time ON auto_topup_attempts (started_at);
-- Never two at a time.
CREATE UNIQUE INDEX auto_topup_attempts_running ON auto_topup_attempts (account_id) WHERE outcome = 'running';

-- Whether messages are written, which is while there is an endpoint. One row.
CREATE TABLE outbox (
    id           BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    is_on        BIGINT NOT NULL CHECK (is_on IN (0, 1)),
    -- Since when every cause has its message; NULL while it is off.
    since        BIGINT,
    -- The key that endpoints' secrets are derived from, unless the settings have one, and the hash of the key in use.
    signing_key  TEXT,
    key_hash     TEXT,
    -- The threshold of the settings that all accounts up to `looked_up_to` were looked at with; NULL there: all accounts.
    low_credits  BIGINT,
    looked_up_to TEXT
);

INSERT INTO outbox (id, is_on) VALUES (1, 0);

-- Where the product wants to hear of events. A deleted endpoint keeps its row for the records of its deliveries.
CREATE TABLE endpoints (
    id               TEXT   PRIMARY KEY NOT NULL,
    url              TEXT   NOT NULL,
    -- Separated by spaces; empty for all.
    types            TEXT   NOT NULL,
    description      TEXT   NOT NULL,
    state            TEXT   NOT NULL,
    -- Why it is disabled: `operator`, `failing` or `gone`.
    disabled_reason  TEXT,
    secret_version   BIGINT NOT NULL CHECK (secret_version > 0),
    -- Until when the secret before this version signs, too.
    old_secret_until BIGINT NOT NULL,
    -- The first of the failures since the last success.
    failing_since    BIGINT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);

-- Events for the product. A row is committed together with its cause. `number` is the order within an account, because
-- the account's row is locked when one is inserted.
CREATE TABLE messages (
    number           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    -- Follows from the cause, so that no cause has two messages.
    id               TEXT   NOT NULL UNIQUE,
    type             TEXT   NOT NULL,
    -- Empty if it is about no account.
    account_id       TEXT   NOT NULL,
    -- The id of what it is about.
    cause            TEXT   NOT NULL,
    -- What the rows of the cause do not tell, as a JSON object.
    facts            TEXT,
    -- The body that endpoints get; NULL until the message is queued for them.
    payload          TEXT,
    created_at       BIGINT NOT NULL
);

CREATE INDEX messages_new ON messages (number) WHERE payload IS NULL;
CREATE INDEX messages_by_time ON messages (created_at, number);

-- Messages for an endpoint.
CREATE TABLE deliveries (
    endpoint_id     TEXT   NOT NULL REFERENCES endpoints (id),
    message_number  BIGINT NOT NULL REFERENCES messages (number),
    account_id      TEXT   NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    attempts        BIGINT NOT NULL CHECK (attempts >= 0),
    -- Failed attempts since it was queued or resent, which decide about the next pause.
    failures        BIGINT NOT NULL CHECK (failures >= 0),
    last_status     BIGINT,
    last_error      TEXT,
    last_attempt_at BIGINT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, message_number)
);

CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, account_id, message_number) WHERE state = 'waiting';
CREATE INDEX deliveries_by_state ON deliveries (endpoint_id, state, message_number);
CREATE INDEX deliveries_by_message ON deliveries (message_number);

-- The deliveries of one account to one endpoint, which go out one after the other. One process at a time works on it.
CREATE TABLE delivery_queues (
    endpoint_id  TEXT   NOT NULL REFERENCES endpoints (id),
    account_id   TEXT   NOT NULL,
    -- How many deliveries wait in it.
    waiting      BIGINT NOT NULL CHECK (waiting >= 0),
    -- When its next attempt is due; 9223372036854775807: none waits.
    next_at      BIGINT NOT NULL,
    lease_holder TEXT,
    lease_until  BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, account_id)
);

CREATE INDEX delivery_queues_due ON delivery_queues (endpoint_id, next_at) WHERE next_at < 9223372036854775807;

CREATE TABLE delivery_attempts (
    endpoint_id    TEXT   NOT NULL REFERENCES endpoints (id),
    message_number BIGINT NOT NULL REFERENCES messages (number),
    attempt        BIGINT NOT NULL CHECK (attempt > 0),
    status         BIGINT,
    error          TEXT,
    milliseconds   BIGINT NOT NULL,
    attempted_at   BIGINT NOT NULL,
    PRIMARY KEY (message_number, endpoint_id, attempt)
);

CREATE TRIGGER grant_moves_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON grant_moves
FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

-- Payments at the provider. Crediting a payment and applying its refunds and disputes both write this row first, so
-- they wait for each other. `waiting`: not credited (yet); `credited`: it paid for its top-up; `surplus`: a further
-- payment of a paid top-up, which credits nothing and should be refunded.
CREATE TABLE payments (
    provider_payment_id TEXT   NOT NULL,
    provider            TEXT   NOT NULL,
    topup_id            TEXT   NOT NULL REFERENCES topups (id),
    state               TEXT   NOT NULL,
    provider_session_id TEXT,
    writes              BIGINT NOT NULL CHECK (writes > 0),
    -- What a payment without credits charged, in minor units. That of one with credits follows from its top-up.
    charged_amount      BIGINT,
    provider_charge_id  TEXT,
    provider_fee_id     TEXT,
    -- The provider's fee, in minor units of its settlement currency.
    real_fee            BIGINT,
    real_fee_currency   TEXT,
    -- When to ask the provider for the fee: the charge is known and the fee is not. NULL: never, or no longer.
    fee_due_at          BIGINT,
    fee_tries           BIGINT NOT NULL DEFAULT 0,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    PRIMARY KEY (provider_payment_id, provider)
);

CREATE INDEX payments_by_topup ON payments (topup_id);
-- For exports.
CREATE INDEX payments_by_creation ON payments (created_at);
-- A covering index: with statistics of few payments, SQLite preferred to scan the table.
CREATE INDEX payments_without_fee ON payments (state, created_at, provider_payment_id, provider, real_fee)
    WHERE real_fee IS NULL;
CREATE INDEX payments_with_fee_due ON payments (fee_due_at) WHERE fee_due_at IS NOT NULL;
CREATE INDEX payments_in_surplus ON payments (provider_payment_id) WHERE state = 'surplus';
CREATE INDEX surplus_payments ON payments (topup_id) WHERE state = 'surplus';

-- Refunds and disputes with their latest state. Together they determine how many credits a top-up owes back.
CREATE TABLE reversals (
    provider_reversal_id TEXT   NOT NULL,
    provider             TEXT   NOT NULL,
    kind                 TEXT   NOT NULL,
    provider_payment_id  TEXT   NOT NULL,
    amount               BIGINT NOT NULL CHECK (amount >= 0),
    -- How much of a dispute's money came back although the customer keeps the rest: it was won in part, or corrected
    -- later.
    returned             BIGINT NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= amount),
    currency             TEXT   NOT NULL,
    status               TEXT   NOT NULL,
    -- The progress of a refund, which only increases.
    stage                BIGINT NOT NULL,
    -- Whether its amount currently counts as reversed.
    counts               BIGINT NOT NULL CHECK (counts IN (0, 1)),
    -- Incremented by every write, so that data fetched before another write does not overwrite it.
    version              BIGINT NOT NULL,
    reason               TEXT,
    -- Until when evidence can be sent; only for disputes, and only if the provider says so.
    evidence_due_at      BIGINT,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (provider_reversal_id, provider),
    FOREIGN KEY (provider_payment_id, provider) REFERENCES payments (provider_payment_id, provider)
);

CREATE INDEX reversals_by_payment ON reversals (provider_payment_id, provider);
-- The reversals that reconciliation asks the provider about: the recent ones, and all that can still change.
CREATE INDEX reversals_by_creation ON reversals (created_at);
CREATE INDEX reversals_unsettled ON reversals (provider_reversal_id) WHERE (kind = 'refund' AND stage = 0)
    OR (kind = 'dispute' AND status NOT IN ('won', 'lost', 'warning_closed', 'prevented'));

-- Warnings of fraud and reviews, with their latest state.
CREATE TABLE fraud_signals (
    provider_signal_id  TEXT    NOT NULL,
    provider            TEXT    NOT NULL,
    kind                TEXT    NOT NULL,
    provider_payment_id TEXT    NOT NULL,
    topup_id            TEXT    NOT NULL REFERENCES topups (id),
    reason              TEXT,
    -- Whether something can still be done: the payment was neither refunded nor disputed, or the review is open.
    is_open             BIGINT  NOT NULL CHECK (is_open IN (0, 1)),
    -- How a review ended.
    ended               TEXT,
    -- Whether it blocked the account when it was first heard of.
    blocked_account     BIGINT  NOT NULL CHECK (blocked_account IN (0, 1)),
    occurred_at         BIGINT  NOT NULL,
    created_at          BIGINT  NOT NULL,
    updated_at          BIGINT  NOT NULL,
    PRIMARY KEY (provider_signal_id, provider)
);

CREATE INDEX fraud_signals_by_topup ON fraud_signals (topup_id);
CREATE INDEX fraud_signals_by_creation ON fraud_signals (created_at, provider_signal_id);
CREATE INDEX fraud_signals_open ON fraud_signals (created_at) WHERE is_open = 1;

-- Refunds requested through the API, written before the provider is called.
CREATE TABLE refund_requests (
    id                  TEXT   PRIMARY KEY NOT NULL,
    topup_id            TEXT   NOT NULL REFERENCES topups (id),
    provider            TEXT   NOT NULL,
    provider_payment_id TEXT   NOT NULL,
    amount              BIGINT NOT NULL CHECK (amount > 0),
    currency            TEXT   NOT NULL,
    reason              TEXT,
    requested_by        TEXT   NOT NULL,
    state               TEXT   NOT NULL,
    -- As in `topups`.
    provider_attempt    BIGINT NOT NULL,
    key_used_at         BIGINT,
    unknown_since       BIGINT,
    key_failures        BIGINT NOT NULL DEFAULT 0,
    provider_refund_id  TEXT,
    -- The result, so that a repeated request gets the same answer.
    refund_status       TEXT,
    credits_taken       BIGINT,
    bonus_taken         BIGINT,
    balance_after       BIGINT,
    failure_code        TEXT,
    caller              TEXT   NOT NULL,
    idempotency_key     TEXT   NOT NULL,
    request_hash        TEXT   NOT NULL,
    lease_until         BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX refund_requests_by_topup ON refund_requests (topup_id);
-- For the sum of a payment's requested refunds.
CREATE INDEX refund_requests_by_payment ON refund_requests (provider_payment_id, provider);
CREATE INDEX refund_requests_unsettled ON refund_requests (id) WHERE state = 'creating';

-- Credits added or removed by an operator, with the reason.
CREATE TABLE adjustments (
    id              TEXT   PRIMARY KEY NOT NULL,
    account_id      TEXT   NOT NULL,
    credits         BIGINT NOT NULL CHECK (credits <> 0),
    reason          TEXT   NOT NULL,
    made_by         TEXT   NOT NULL,
    balance_after   BIGINT NOT NULL,
    caller          TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    request_hash    TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX adjustments_by_account ON adjustments (account_id);

-- Events whose effect is in the books. A row is committed together with its effect, or not at all. The id of a
-- subscription stands in `topup_id` for an event about that.
CREATE TABLE webhook_events (
    provider_event_id TEXT   NOT NULL,
    provider          TEXT   NOT NULL,
    type              TEXT   NOT NULL,
    topup_id          TEXT   NOT NULL,
    outcome           TEXT   NOT NULL,
    received_at       BIGINT NOT NULL,
    PRIMARY KEY (provider_event_id, provider)
);

CREATE INDEX webhook_events_by_topup ON webhook_events (topup_id);

-- Deliveries without effect: permanent failures never have one, transient ones are retried by the provider. An event
-- with a row in webhook_events is resolved, whatever `resolved_at` says.
CREATE TABLE failed_webhook_events (
    provider_event_id   TEXT   NOT NULL,
    provider            TEXT   NOT NULL,
    type                TEXT   NOT NULL,
    kind                TEXT   NOT NULL,
    error               TEXT   NOT NULL,
    attempts            BIGINT NOT NULL,
    -- The objects it is about, if known.
    topup_id            TEXT,
    provider_payment_id TEXT,
    -- The payload, until it is erased, and when it arrived. A replay does not reset that time.
    payload             TEXT,
    payload_at          BIGINT,
    first_failed_at     BIGINT NOT NULL,
    last_failed_at      BIGINT NOT NULL,
    resolved_at         BIGINT,
    -- Closed by an operator: it never had an effect and needs no more attention.
    closed_at           BIGINT,
    closed_by           TEXT,
    close_reason        TEXT,
    PRIMARY KEY (provider_event_id, provider)
);

CREATE INDEX failed_webhook_events_by_time ON failed_webhook_events (first_failed_at, provider_event_id);
CREATE INDEX failed_webhook_events_open ON failed_webhook_events (first_failed_at) WHERE resolved_at IS NULL;
CREATE INDEX failed_webhook_events_by_payload ON failed_webhook_events (payload_at) WHERE payload IS NOT NULL;
CREATE INDEX failed_webhook_events_by_topup ON failed_webhook_events (topup_id) WHERE topup_id IS NOT NULL;
CREATE INDEX failed_webhook_events_by_payment ON failed_webhook_events (provider_payment_id)
    WHERE provider_payment_id IS NOT NULL;

-- Payments accepted by an operator although their amount differs from the agreed one: both amounts, and the part of the
-- charged one that is tax.
CREATE TABLE accepted_events (
    provider_event_id TEXT   NOT NULL,
    provider          TEXT   NOT NULL,
    topup_id          TEXT   NOT NULL REFERENCES topups (id),
    outcome           TEXT   NOT NULL,
    credits           BIGINT NOT NULL CHECK (credits > 0),
    agreed_amount     BIGINT NOT NULL,
    charged_amount    BIGINT NOT NULL,
    tax_amount        BIGINT NOT NULL CHECK (charged_amount - tax_amount >= agreed_amount),
    reason            TEXT   NOT NULL,
    accepted_by       TEXT   NOT NULL,
    accepted_at       BIGINT NOT NULL,
    PRIMARY KEY (provider_event_id, provider)
);

-- Refunds and reconciliation look up the amount charged for a top-up.
CREATE INDEX accepted_events_by_topup ON accepted_events (topup_id);

-- Plans that are sold by subscription. An operator declares them; applying makes their product and prices at the
-- provider.
CREATE TABLE plans (
    id                  TEXT   PRIMARY KEY NOT NULL,
    name                TEXT   NOT NULL,
    interval_unit       TEXT   NOT NULL,
    interval_count      BIGINT NOT NULL CHECK (interval_count > 0),
    credits_per_period  BIGINT NOT NULL CHECK (credits_per_period > 0),
    -- What happens to credits that are left when the next period is paid: `expire`, `keep`, or `cap` with a number.
    rollover            TEXT   NOT NULL,
    rollover_cap        BIGINT CHECK (rollover_cap >= 0),
    trial_days          BIGINT NOT NULL CHECK (trial_days >= 0),
    trial_credits       BIGINT NOT NULL CHECK (trial_credits >= 0),
    is_active           BIGINT NOT NULL CHECK (is_active IN (0, 1)),
    provider            TEXT   NOT NULL,
    provider_product_id TEXT   NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    CHECK ((rollover = 'cap') = (rollover_cap IS NOT NULL))
);

-- The prices of plans, also former ones: subscriptions that run on them go on. Which plan a price belongs to is decided
-- here and never read from the provider.
CREATE TABLE plan_prices (
    provider_price_id     TEXT   NOT NULL,
    provider              TEXT   NOT NULL,
    plan_id               TEXT   NOT NULL REFERENCES plans (id),
    currency              TEXT   NOT NULL,
    -- What a period costs, in minor units, and the fee line beside it.
    amount                BIGINT NOT NULL CHECK (amount > 0),
    fee_amount            BIGINT NOT NULL CHECK (fee_amount >= 0),
    provider_fee_price_id TEXT,
    -- Whether the amounts contain tax; NULL: none is charged.
    tax_behavior          TEXT   CHECK (tax_behavior IN ('exclusive', 'inclusive')),
    is_current            BIGINT NOT NULL CHECK (is_current IN (0, 1)),
    created_at            BIGINT NOT NULL,
    PRIMARY KEY (provider_price_id, provider),
    CHECK ((fee_amount > 0) = (provider_fee_price_id IS NOT NULL))
);

CREATE UNIQUE INDEX plan_prices_in_force ON plan_prices (plan_id, currency) WHERE is_current = 1;

-- Checkouts that begin a subscription, written before the provider is called. The columns of the calls are those of
-- `topups`.
CREATE TABLE subscription_checkouts (
    id                  TEXT   PRIMARY KEY NOT NULL,
    account_id          TEXT   NOT NULL,
    plan_id             TEXT   NOT NULL REFERENCES plans (id),
    state               TEXT   NOT NULL,
    provider            TEXT   NOT NULL,
    provider_request    TEXT   NOT NULL,
    provider_attempt    BIGINT NOT NULL,
    key_used_at         BIGINT NOT NULL,
    unknown_since       BIGINT,
    key_failures        BIGINT NOT NULL,
    provider_session_id TEXT,
    session_url         TEXT,
    expires_at          BIGINT NOT NULL,
    caller              TEXT   NOT NULL,
    idempotency_key     TEXT   NOT NULL,
    request_hash        TEXT   NOT NULL,
    lease_until         BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    UNIQUE (caller, idempotency_key)
);

CREATE INDEX subscription_checkouts_by_account ON subscription_checkouts (account_id, created_at);

-- Subscriptions, as the provider last said. Times in milliseconds since 1970.
CREATE TABLE subscriptions (
    provider_subscription_id TEXT   NOT NULL,
    provider                 TEXT   NOT NULL,
    account_id               TEXT   NOT NULL,
    provider_customer_id     TEXT   NOT NULL,
    -- NULL if its price is no plan's.
    plan_id                  TEXT   REFERENCES plans (id),
    provider_price_id        TEXT,
    status                   TEXT   NOT NULL,
    period_start             BIGINT,
    period_end               BIGINT,
    trial_start              BIGINT,
    trial_end                BIGINT,
    -- When it ends, if that is decided.
    cancel_at                BIGINT,
    canceled_at              BIGINT,
    ended_at                 BIGINT,
    cancel_reason            TEXT,
    -- The beginning of the period that is not paid, while it is past due.
    past_due_since           BIGINT,
    -- The plan of the next period, if a change to it waits for the end of this one.
    next_plan_id             TEXT   REFERENCES plans (id),
    provider_schedule_id     TEXT,
    -- A change of the plan waits for its payment.
    is_update_pending        BIGINT NOT NULL CHECK (is_update_pending IN (0, 1)),
    -- It runs although its account may not have so many.
    is_extra                 BIGINT NOT NULL CHECK (is_extra IN (0, 1)),
    -- Whether the product was told that it began.
    has_started              BIGINT NOT NULL CHECK (has_started IN (0, 1)),
    -- Incremented by every write, so that data fetched before another write does not overwrite it.
    revision                 BIGINT NOT NULL,
    created_at               BIGINT NOT NULL,
    updated_at               BIGINT NOT NULL,
    PRIMARY KEY (provider_subscription_id, provider)
);

CREATE INDEX subscriptions_by_account ON subscriptions (account_id, created_at);
CREATE INDEX subscriptions_by_creation ON subscriptions (created_at);
-- Those that reconciliation asks the provider about, whatever their age.
CREATE INDEX subscriptions_unfinished ON subscriptions (created_at)
    WHERE status NOT IN ('canceled', 'incomplete_expired');
CREATE INDEX subscriptions_extra ON subscriptions (account_id) WHERE is_extra = 1;

-- Invoices of subscriptions, as the provider last said.
CREATE TABLE subscription_invoices (
    provider_invoice_id      TEXT   NOT NULL,
    provider                 TEXT   NOT NULL,
    provider_subscription_id TEXT   NOT NULL,
    account_id               TEXT   NOT NULL,
    number                   TEXT,
    status                   TEXT   NOT NULL,
    reason                   TEXT   NOT NULL,
    currency                 TEXT   NOT NULL,
    total                    BIGINT NOT NULL,
    -- The tax in the total, and the part of it that came on top of the prices.
    tax_amount               BIGINT NOT NULL,
    added_tax_amount         BIGINT NOT NULL,
    amount_paid              BIGINT NOT NULL,
    -- What its lines that brought credits cost, and at most its total: refunds count against this first.
    credits_amount           BIGINT NOT NULL CHECK (credits_amount >= 0),
    attempts                 BIGINT NOT NULL CHECK (attempts >= 0),
    -- The latest attempt whose failure the product was told of.
    told_attempt             BIGINT NOT NULL CHECK (told_attempt >= 0),
    -- Whether the customer has to do something for that attempt.
    needs_action             BIGINT NOT NULL CHECK (needs_action IN (0, 1)),
    next_attempt_at          BIGINT,
    hosted_url               TEXT,
    created_at               BIGINT NOT NULL,
    paid_at                  BIGINT,
    -- When it was first known here to be paid.
    booked_at                BIGINT,
    updated_at               BIGINT NOT NULL,
    PRIMARY KEY (provider_invoice_id, provider),
    FOREIGN KEY (provider_subscription_id, provider) REFERENCES subscriptions (provider_subscription_id, provider)
);

CREATE INDEX subscription_invoices_by_booking ON subscription_invoices (booked_at);
CREATE INDEX subscription_invoices_by_subscription ON subscription_invoices (provider_subscription_id, created_at);

-- The credits of a paid period or of a trial. The id is that of the grant, and the source of its ledger entry:
-- subscription, price and beginning of the period. A period that an earlier grant covers brings the difference, or
-- nothing.
CREATE TABLE subscription_grants (
    id                       TEXT   PRIMARY KEY NOT NULL,
    kind                     TEXT   NOT NULL,
    account_id               TEXT   NOT NULL,
    provider_subscription_id TEXT   NOT NULL,
    provider                 TEXT   NOT NULL,
    provider_invoice_id      TEXT   NOT NULL,
    provider_price_id        TEXT   NOT NULL,
    plan_id                  TEXT   NOT NULL REFERENCES plans (id),
    period_start             BIGINT NOT NULL,
    period_end               BIGINT NOT NULL,
    -- What became of credits that are left, when it was booked.
    rollover                 TEXT    NOT NULL,
    -- The plan's credits for the period, and how many of them this grant gave.
    worth                    BIGINT NOT NULL CHECK (worth >= 0),
    credits                  BIGINT NOT NULL CHECK (credits >= 0 AND credits <= worth),
    -- How many were taken back by refunds and disputes, and how many of those from the grant itself.
    taken_credits            BIGINT NOT NULL CHECK (taken_credits >= 0 AND taken_credits <= credits),
    taken_own                BIGINT NOT NULL CHECK (taken_own >= 0 AND taken_own <= taken_credits),
    -- Numbers the changes of what is taken.
    revision                 BIGINT NOT NULL,
    created_at               BIGINT NOT NULL,
    FOREIGN KEY (provider_invoice_id, provider) REFERENCES subscription_invoices (provider_invoice_id, provider)
);

CREATE INDEX subscription_grants_by_subscription ON subscription_grants (provider_subscription_id, period_end);
CREATE INDEX subscription_grants_by_invoice ON subscription_grants (provider_invoice_id);
CREATE INDEX subscription_grants_by_creation ON subscription_grants (created_at, id);
CREATE INDEX subscription_grants_of_trials ON subscription_grants (account_id) WHERE kind = 'trial';

-- Refunds and disputes of payments of invoices, with their latest state. The columns are those of `reversals`.
CREATE TABLE subscription_reversals (
    provider_reversal_id TEXT   NOT NULL,
    provider             TEXT   NOT NULL,
    kind                 TEXT   NOT NULL,
    provider_payment_id  TEXT   NOT NULL,
    provider_invoice_id  TEXT   NOT NULL,
    amount               BIGINT NOT NULL CHECK (amount >= 0),
    returned             BIGINT NOT NULL CHECK (returned >= 0 AND returned <= amount),
    currency             TEXT   NOT NULL,
    status               TEXT   NOT NULL,
    stage                BIGINT NOT NULL,
    counts               BIGINT NOT NULL CHECK (counts IN (0, 1)),
    version              BIGINT NOT NULL,
    reason               TEXT,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (provider_reversal_id, provider),
    FOREIGN KEY (provider_invoice_id, provider) REFERENCES subscription_invoices (provider_invoice_id, provider)
);

CREATE INDEX subscription_reversals_by_payment ON subscription_reversals (provider_payment_id);
CREATE INDEX subscription_reversals_by_creation ON subscription_reversals (created_at);
CREATE INDEX subscription_reversals_by_invoice ON subscription_reversals (provider_invoice_id);
CREATE INDEX subscription_reversals_unsettled ON subscription_reversals (provider_reversal_id)
    WHERE (kind = 'refund' AND stage = 0)
    OR (kind = 'dispute' AND status NOT IN ('won', 'lost', 'warning_closed', 'prevented'));

-- The configuration of the provider's customer portal, made at its first use, and a hash of what it contains.
CREATE TABLE portal_configurations (
    provider                  TEXT   PRIMARY KEY NOT NULL,
    provider_configuration_id TEXT   NOT NULL,
    content_hash              TEXT   NOT NULL,
    updated_at                BIGINT NOT NULL
);

-- The callers' idempotency keys. A key belongs to what the request acts on, such as an account's checkouts, and not to
-- the credential it was sent with. A running request holds a lease, so that a crash does not block the key.
CREATE TABLE idempotency_keys (
    caller       TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    request_hash TEXT   NOT NULL,
    topup_id     TEXT   NOT NULL REFERENCES topups (id) DEFERRABLE INITIALLY DEFERRED,
    lease_until  BIGINT NOT NULL,
    status       BIGINT,
    code         TEXT,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (caller, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_by_topup ON idempotency_keys (topup_id);

-- API keys of servers. Only the hash of a key is stored.
CREATE TABLE api_keys (
    id           TEXT   PRIMARY KEY NOT NULL,
    name         TEXT   NOT NULL,
    key_hash     TEXT   NOT NULL UNIQUE,
    scopes       TEXT   NOT NULL,
    account_id   TEXT,
    created_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    -- With a precision of one minute.
    last_used_at BIGINT
);

-- People who are signed in to the console. Each row stands for an API key that was exchanged for a cookie; only the hash
-- of the cookie's token is stored. A session ends with its time, by signing out, or with its key.
CREATE TABLE console_sessions (
    token_hash TEXT   PRIMARY KEY NOT NULL,
    key_id     TEXT   NOT NULL REFERENCES api_keys (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX console_sessions_by_end ON console_sessions (expires_at);

-- What operators did in the console. A change is written before it is made (`asked`) and once more when its outcome is
-- known (`done`, `refused`), under the same id. Append-only.
CREATE TABLE operator_log (
    change_id  TEXT   NOT NULL,
    phase      TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    made_by    TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    account_id TEXT,
    -- What counts against the day of a key of scope `support`. A refusal has the negative number.
    credits    BIGINT NOT NULL,
    detail     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (change_id, phase)
);

CREATE INDEX operator_log_by_time ON operator_log (created_at, change_id, phase);
CREATE INDEX operator_log_by_key ON operator_log (key_id, created_at);
CREATE INDEX operator_log_by_account ON operator_log (account_id, created_at) WHERE account_id IS NOT NULL;

CREATE TRIGGER operator_log_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

-- Who paid, with what and from where: personal data beside the books, erased after PERSONAL_DATA_DAYS and on request.
-- `email` is in lower case, as it is searched for. An erased row stays, without content, so that nothing comes back.
CREATE TABLE payers (
    topup_id     TEXT   PRIMARY KEY NOT NULL,
    email        TEXT,
    name         TEXT,
    card_brand   TEXT,
    card_last4   TEXT,
    card_country TEXT,
    client_ip    TEXT,
    user_agent   TEXT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    erased_at    BIGINT
);

CREATE INDEX payers_by_email ON payers (email, created_at) WHERE email IS NOT NULL;
CREATE INDEX payers_by_card ON payers (card_last4, created_at) WHERE card_last4 IS NOT NULL;
CREATE INDEX payers_by_age ON payers (created_at) WHERE erased_at IS NULL;

-- What moved in the ledger on a day that is over, for the overview. Filled when it is first looked at.
CREATE TABLE ledger_days (
    day     BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    credits BIGINT NOT NULL,
    entries BIGINT NOT NULL CHECK (entries >= 0),
    PRIMARY KEY (day, kind)
);

-- Deliveries whose signature none of our secrets made: one row for each provider, so that strangers cannot fill it.
CREATE TABLE webhook_refusals (
    provider TEXT   PRIMARY KEY NOT NULL,
    refusals BIGINT NOT NULL,
    last_at  BIGINT NOT NULL
);

-- Reconciliation runs.
CREATE TABLE reconciliations (
    id          TEXT   PRIMARY KEY NOT NULL,
    cause       TEXT   NOT NULL,
    dry_run     BIGINT NOT NULL CHECK (dry_run IN (0, 1)),
    since       BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    left_over   BIGINT,
    report      TEXT,
    error       TEXT,
    -- Why a run is incomplete, as a machine-readable code.
    obstacle    TEXT,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE INDEX reconciliations_by_start ON reconciliations (started_at, id);

-- Work that only one process may do at a time.
CREATE TABLE leases (
    name        TEXT   PRIMARY KEY NOT NULL,
    holder      TEXT   NOT NULL,
    lease_until BIGINT NOT NULL
);

-- The database's time in milliseconds since 1970: the one clock that all processes share.
CREATE VIEW database_clock AS SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT AS now_ms;

-- One row that is written to test whether writes succeed.
CREATE TABLE write_probe (
    id     BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    probes BIGINT NOT NULL,
    filler TEXT   NOT NULL
);

INSERT INTO write_probe (id, probes, filler) VALUES (1, 0, '');
