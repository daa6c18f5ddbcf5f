-- The key that seals what a checkout sells, so that a purchase can be told from another installation's when these books
-- no longer know it. Made at the first start.
ALTER TABLE instance ADD COLUMN seal_key TEXT;

-- A purchase that was taken into the books from what Stripe keeps: when, and by whom.
ALTER TABLE topups ADD COLUMN adopted_at BIGINT;
ALTER TABLE topups ADD COLUMN adopted_by TEXT;

-- Why a comparison is not whole: a word for programs.
ALTER TABLE reconciliations ADD COLUMN obstacle TEXT;

-- When a key was last used, to the minute.
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
