-- Why credits of a purchase were taken back, or returned. NULL for entries of other kinds, and for those from before.
ALTER TABLE ledger_entries ADD COLUMN reason TEXT;

-- A person closed a failed delivery: it never had an effect, and needs nobody's attention any more.
ALTER TABLE failed_webhook_events ADD COLUMN closed_at INTEGER;
ALTER TABLE failed_webhook_events ADD COLUMN closed_by TEXT;
ALTER TABLE failed_webhook_events ADD COLUMN close_reason TEXT;
