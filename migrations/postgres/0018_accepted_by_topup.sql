-- What was charged for a purchase is looked up when it is refunded and compared.
CREATE INDEX accepted_events_by_topup ON accepted_events (topup_id);
