//! The background jobs of auto top-up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::schedule::Job;
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::recurring::auto_topup::charge::{look_after, tell_of};
use crate::recurring::auto_topup::resume::resume_recovered;

/// A card is charged at most about so long after the credits ran low.
const EVERY: Duration = Duration::from_millis(200);
/// How often confirmed payments are looked for.
const RECOVERIES_EVERY: Duration = Duration::from_secs(2);
/// How many accounts one process looks after at once.
const SLOTS: usize = 8;

/// The jobs: one charges cards, one goes on after a customer has confirmed a payment.
#[must_use]
pub fn auto_topup_jobs() -> [Job; 2] {
    let charger = Arc::new(Charger::default());
    let charge = Job::new("charge saved cards", EVERY, EVERY, move |app, stop| {
        let charger = charger.clone();
        async move { charger.start_due(&app, &stop).await }
    });
    let resume = Job::new("resume auto top-ups", RECOVERIES_EVERY, RECOVERIES_EVERY, |app, stop| async move {
        resume_recovered(&app, &stop).await
    });
    [charge, resume]
}

/// Looks after accounts in tasks of their own.
#[derive(Default)]
pub struct Charger {
    /// The accounts that this process looks after now.
    running: Mutex<BTreeSet<String>>,
}

/// An account that is looked after.
struct Slot {
    charger: Arc<Charger>,
    account: AccountId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.charger.running.lock().unwrap_or_else(PoisonError::into_inner).remove(self.account.as_str());
    }
}

impl Charger {
    /// Starts what is due. Does not wait for it.
    async fn start_due(self: &Arc<Self>, app: &Arc<App>, stop: &CancellationToken) -> Result<(), StoreError> {
        let limit = i64::try_from(SLOTS).unwrap_or(i64::MAX);
        for account in app.db.due_auto_topups(app.clock.now_ms(), limit).await? {
            if stop.is_cancelled() {
                break;
            }
            let Some(slot) = self.slot(account) else { continue };
            let in_task = app.clone();
            app.tasks.spawn(async move {
                if let Err(error) = look_after(&in_task, &slot.account).await {
                    tell_of(&error);
                }
            });
        }
        Ok(())
    }

    fn slot(self: &Arc<Self>, account: AccountId) -> Option<Slot> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = running.len() < SLOTS && running.insert(account.as_str().to_owned());
        is_free.then(|| Slot { charger: self.clone(), account })
    }
}

/// Looks after all accounts that are due, one after the other. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn charge_due(app: &App) -> Result<usize, StoreError> {
    let due = app.db.due_auto_topups(app.clock.now_ms(), 200).await?;
    for account in &due {
        look_after(app, account).await?;
    }
    Ok(due.len())
}
