-- What was charged for a purchase although another amount was agreed, because an operator accepted it.
ALTER TABLE topups ADD COLUMN accepted_amount INTEGER;

-- The operator's word, with what was agreed and what was charged, of which a part may be tax.
CREATE TABLE accepted_events (
    event_id       TEXT    PRIMARY KEY NOT NULL,
    topup_id       TEXT    NOT NULL REFERENCES topups (id),
    outcome        TEXT    NOT NULL,
    credits        INTEGER NOT NULL CHECK (credits > 0),
    agreed_amount  INTEGER NOT NULL,
    charged_amount INTEGER NOT NULL,
    tax_amount     INTEGER NOT NULL CHECK (charged_amount - tax_amount >= agreed_amount),
    reason         TEXT    NOT NULL,
    accepted_by    TEXT    NOT NULL,
    accepted_at    INTEGER NOT NULL
) STRICT;
