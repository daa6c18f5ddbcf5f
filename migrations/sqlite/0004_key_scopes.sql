-- A caller's idempotency key belongs to what is acted on, and no longer to the credential: "caller" names the account of a
-- checkout or an adjustment, and the top-up of a refund. Of two credentials that used one key for one thing, the one that
-- came first keeps it.
UPDATE idempotency_keys
SET caller = 'checkout:' || (SELECT t.account_id FROM topups t WHERE t.id = idempotency_keys.topup_id)
WHERE NOT EXISTS (
    SELECT 1 FROM idempotency_keys other JOIN topups o ON o.id = other.topup_id
    WHERE other.key = idempotency_keys.key AND other.topup_id <> idempotency_keys.topup_id
    AND o.account_id = (SELECT t.account_id FROM topups t WHERE t.id = idempotency_keys.topup_id)
    AND (other.created_at < idempotency_keys.created_at
        OR (other.created_at = idempotency_keys.created_at AND other.topup_id < idempotency_keys.topup_id)));

UPDATE refund_requests SET caller = 'refund:' || topup_id
WHERE NOT EXISTS (
    SELECT 1 FROM refund_requests other
    WHERE other.idempotency_key = refund_requests.idempotency_key AND other.topup_id = refund_requests.topup_id
    AND (other.created_at < refund_requests.created_at
        OR (other.created_at = refund_requests.created_at AND other.id < refund_requests.id)));

UPDATE adjustments SET caller = 'adjustment:' || account_id
WHERE NOT EXISTS (
    SELECT 1 FROM adjustments other
    WHERE other.idempotency_key = adjustments.idempotency_key AND other.account_id = adjustments.account_id
    AND (other.created_at < adjustments.created_at
        OR (other.created_at = adjustments.created_at AND other.id < adjustments.id)));
