-- When Stripe is asked what it kept of a payment: a charge was heard of, and its fee is not known. NULL: not at all, or no
-- more.
ALTER TABLE payments ADD COLUMN fee_due_at BIGINT;
ALTER TABLE payments ADD COLUMN fee_tries BIGINT NOT NULL DEFAULT 0;
CREATE INDEX payments_with_fee_due ON payments (fee_due_at) WHERE fee_due_at IS NOT NULL;

-- What a failed delivery is about, as far as it says so.
ALTER TABLE failed_webhook_events ADD COLUMN topup_id TEXT;
ALTER TABLE failed_webhook_events ADD COLUMN payment_intent_id TEXT;
CREATE INDEX failed_webhook_events_by_topup ON failed_webhook_events (topup_id) WHERE topup_id IS NOT NULL;
CREATE INDEX failed_webhook_events_by_payment ON failed_webhook_events (payment_intent_id)
    WHERE payment_intent_id IS NOT NULL;
