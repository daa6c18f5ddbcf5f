-- A top-up that is inserted after the key that names it: SQLite looks for that key by the top-up, and without an index in
-- all keys of the day.
CREATE INDEX idempotency_keys_by_topup ON idempotency_keys (topup_id);

-- All that is asked of it stands in it: by statistics of few payments SQLite preferred to read all of them.
DROP INDEX payments_without_fee;
CREATE INDEX payments_without_fee ON payments (state, created_at, payment_intent_id, real_fee) WHERE real_fee IS NULL;
