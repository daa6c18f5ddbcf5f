//! Collects what is learnt about payers until it is stored, so that neither checkouts nor deliveries wait for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::TopupId;
use crate::domain::payer::Payer;

/// The most top-ups to collect for. Above, what is learnt is left out: the database does not take it at the moment.
const MAX_NOTES: usize = 20_000;

/// What was learnt and is not stored yet.
#[derive(Debug, Default)]
pub struct PayerNotes(Mutex<HashMap<TopupId, Payer>>);

impl PayerNotes {
    /// Adds what was learnt about the payer of a top-up.
    pub fn note(&self, topup: &TopupId, payer: Payer) {
        let payer = payer.tidied();
        if payer.is_empty() {
            return;
        }
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = notes.remove(topup) {
            notes.insert(topup.clone(), payer.or(earlier));
        } else if notes.len() < MAX_NOTES {
            notes.insert(topup.clone(), payer);
        }
    }

    /// Takes everything that was collected.
    pub(crate) fn take(&self) -> HashMap<TopupId, Payer> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
