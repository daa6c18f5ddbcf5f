//! Paid top-ups that are missing in this database: after a restore, or sold by another installation on the same
//! provider account.

use std::future::Future;

use futures_util::FutureExt;

use crate::app::App;
use crate::domain::checkout::{PurchaseProgress, PurchaseReport};
use crate::domain::timestamp::DAY_MS;
use crate::providers::port::ProviderError;
use crate::purchases::adopt::adopt_purchase::seller;
use crate::purchases::adopt::seal::Proof;
use crate::reconcile::asker::Asker;
use crate::reconcile::{Pace, ReconcileError};

/// The most to return at once; after they are adopted, a new search returns the next ones.
const MAX_LOST: usize = 10_000;

/// A paid top-up that is not in this database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostPurchase {
    /// The report in the provider's list.
    pub report: PurchaseReport,
    /// Whether its seal proves that this installation sold it.
    pub is_ours: bool,
    /// A description of the installation that sold it.
    pub seller: String,
}

/// Why the search failed.
#[derive(Debug, thiserror::Error)]
pub enum FindLostError {
    /// The list of checkout sessions could not be read to its end.
    #[error("Stripe's list of checkouts could not be read to its end")]
    Provider(#[from] ProviderError),
    /// The search was stopped, or the database failed.
    #[error(transparent)]
    Ended(#[from] ReconcileError),
}

/// Reads the provider's checkout sessions of the last `since_days` days, newest first, and returns the paid ones that
/// are not in this database. Writes nothing.
///
/// # Errors
/// See [`FindLostError`].
pub async fn find_lost(
    app: &App,
    since_days: i64,
    pace: Pace,
    stop: impl Future<Output = ()> + Send,
) -> Result<Vec<LostPurchase>, FindLostError> {
    tokio::select! {
        found = find(app, since_days, pace) => found,
        () = stop => Err(ReconcileError::Stopped.into()),
    }
}

async fn find(app: &App, since_days: i64, pace: Pace) -> Result<Vec<LostPurchase>, FindLostError> {
    let since_ms = app.clock.now_ms().saturating_sub(since_days.saturating_mul(DAY_MS)).max(0);
    let (since, mut after) = (since_ms.div_euclid(1_000), None::<String>);
    let (mut asker, mut lost) = (Asker::new(pace), Vec::new());
    for _ in 0..pace.pages {
        let listed = asker.ask(|| {
            let after = after.clone();
            async move { app.provider.lists.list_checkouts(since, after.as_deref()).await }.boxed()
        });
        let listed = listed.await?;
        for report in listed.items.into_iter().filter(|report| report.progress == PurchaseProgress::Paid) {
            if app.db.topup(&report.topup).await.map_err(ReconcileError::from)?.is_none() {
                let (proof, seller) = seller(app, &report);
                lost.push(LostPurchase { report, is_ours: matches!(proof, Proof::Ours(_)), seller });
            }
        }
        after = listed.next;
        if after.is_none() || lost.len() >= MAX_LOST {
            return Ok(lost);
        }
    }
    Err(ProviderError::Unreachable("the list is too long; look less far back".to_owned()).into())
}
