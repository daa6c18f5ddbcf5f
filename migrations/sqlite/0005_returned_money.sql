-- How much of a dispute's money is back although the rest is with the customer: it was won in part, or corrected later.
ALTER TABLE reversals ADD COLUMN returned INTEGER NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= amount);
