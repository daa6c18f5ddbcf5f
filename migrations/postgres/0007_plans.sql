-- Indexes for which no plan reads a growing table from end to end, whatever the statistics say.

-- Without `id` as their last column: for an empty table an index with it looks as good as the key for finding a top-up
-- by its id, and such a plan may be kept while the table grows. Rows of one millisecond are few and can be sorted.
DROP INDEX topups_by_creation;
CREATE INDEX topups_by_creation ON topups (created_at);
DROP INDEX topups_unfinished;
CREATE INDEX topups_unfinished ON topups (created_at) WHERE state IN ('open', 'processing');
DROP INDEX topups_by_account;
CREATE INDEX topups_by_account ON topups (account_id, created_at);

-- How much of a payment is about to be refunded.
CREATE INDEX refund_requests_by_payment ON refund_requests (payment_intent_id);

-- Failures that nobody has put right.
CREATE INDEX failed_webhook_events_open ON failed_webhook_events (first_failed_at) WHERE resolved_at IS NULL;

-- Refunds and disputes that a comparison with Stripe asks about: the recent ones, and all that may still change.
CREATE INDEX reversals_by_creation ON reversals (created_at);
CREATE INDEX reversals_unsettled ON reversals (id) WHERE (kind = 'refund' AND stage = 0)
    OR (kind = 'dispute' AND status NOT IN ('won', 'lost', 'warning_closed', 'prevented'));
