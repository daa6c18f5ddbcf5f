//! What always holds of charges of saved cards, as far as SQL can check it.

use crate::db::{Statement, statements};

statements! {
    PAID_WITHOUT_TOPUP = "SELECT COUNT(*) AS wrong FROM auto_topup_attempts a LEFT JOIN topups t ON t.id = a.topup_id \
        WHERE a.outcome = 'paid' AND (t.id IS NULL OR t.state <> 'paid')";
    /// The payment is cancelled before the charge is said to have failed.
    FAILED_AND_PAID = "SELECT COUNT(*) AS wrong FROM auto_topup_attempts a JOIN topups t ON t.id = a.topup_id \
        WHERE a.outcome IN ('declined', 'refused') AND t.state = 'paid'";
    WRONG_AGREEMENTS = "SELECT COUNT(*) AS wrong FROM auto_topup_attempts a JOIN topups t ON t.id = a.topup_id \
        WHERE a.account_id <> t.account_id OR a.amount <> t.total_amount OR a.currency <> t.currency";
    LOST_CHARGES = "SELECT COUNT(*) AS wrong FROM (SELECT a.topup_id FROM auto_topup_attempts a \
        LEFT JOIN auto_topups s ON s.account_id = a.account_id AND s.topup_id = a.topup_id \
        LEFT JOIN auto_topup_queue q ON q.account_id = a.account_id \
        WHERE a.outcome = 'running' AND (s.account_id IS NULL OR q.account_id IS NULL) \
        UNION ALL SELECT s.topup_id FROM auto_topups s LEFT JOIN auto_topup_attempts a \
        ON a.topup_id = s.topup_id AND a.outcome = 'running' \
        WHERE s.topup_id IS NOT NULL AND a.topup_id IS NULL) AS lost";
    WRONG_WORDS = "SELECT COUNT(*) AS wrong FROM (\
        SELECT outcome FROM auto_topup_attempts WHERE outcome NOT IN ('running', 'paid', 'declined', 'refused') \
        UNION ALL SELECT state FROM auto_topups WHERE state NOT IN ('active', 'paused', 'off')) AS words";
}

/// Each rule with the statement that counts where it is broken.
pub(crate) static RULES: [(&str, &Statement); 5] = [
    ("a charge of a saved card that was paid has its paid top-up", &PAID_WITHOUT_TOPUP),
    ("a charge of a saved card that failed took no money", &FAILED_AND_PAID),
    ("a charge of a saved card is for its top-up's account and amount", &WRONG_AGREEMENTS),
    ("a charge of a saved card that is under way is looked after", &LOST_CHARGES),
    ("states of auto top-up are words that the code knows", &WRONG_WORDS),
];
