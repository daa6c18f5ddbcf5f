-- What was charged for a purchase although another amount was agreed, because an operator accepted it.
ALTER TABLE topups ADD COLUMN accepted_amount BIGINT;

-- The operator's word, with what was agreed and what was charged, of which a part may be tax.
CREATE TABLE accepted_events (
    event_id       TEXT    PRIMARY KEY NOT NULL,
    topup_id       TEXT    NOT NULL REFERENCES topups (id),
    outcome        TEXT    NOT NULL,
    credits        BIGINT  NOT NULL CHECK (credits > 0),
    agreed_amount  BIGINT  NOT NULL,
    charged_amount BIGINT  NOT NULL,
    tax_amount     BIGINT  NOT NULL CHECK (charged_amount - tax_amount >= agreed_amount),
    reason         TEXT    NOT NULL,
    accepted_by    TEXT    NOT NULL,
    accepted_at    BIGINT  NOT NULL
);
