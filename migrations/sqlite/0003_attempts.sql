-- What is known about the calls that create something at Stripe, so that a crash between two of them keeps it.

-- When the idempotency key in use was first used. NULL in rows of an older version: then nothing is known.
ALTER TABLE topups ADD COLUMN key_used_at INTEGER;
-- When the latest call was made that may have been done; NULL when every call is known to have done nothing.
ALTER TABLE topups ADD COLUMN unknown_since INTEGER;
-- How many failures the key was answered with that Stripe would repeat under it.
ALTER TABLE topups ADD COLUMN key_failures INTEGER NOT NULL DEFAULT 0;

ALTER TABLE refund_requests ADD COLUMN key_used_at INTEGER;
ALTER TABLE refund_requests ADD COLUMN unknown_since INTEGER;
ALTER TABLE refund_requests ADD COLUMN key_failures INTEGER NOT NULL DEFAULT 0;

CREATE INDEX refund_requests_unsettled ON refund_requests (id) WHERE state = 'creating';
