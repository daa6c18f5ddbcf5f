//! Applies a provider's report about a payment. Used by webhooks, the return page and the reconciliation.

use crate::app::App;
use crate::db::{Db, StoreError};
use crate::domain::checkout::{PurchaseProgress, PurchaseReport};
use crate::domain::ids::LedgerEntryId;
use crate::domain::judge::Applied;
use crate::measure::{self, Flow};
use crate::purchases::payment::apply::ApplyPayment;
use crate::purchases::payment::endings::EndPurchase;

/// Applies a provider's report about a payment.
///
/// # Errors
/// When the database fails. Then nothing was written.
pub(crate) async fn apply(app: &App, report: PurchaseReport) -> Result<Applied, StoreError> {
    let command = ApplyPayment {
        report,
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        reversal_entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        now_ms: app.clock.now_ms(),
    };
    let topup = command.report.topup.clone();
    let lost = || Err(StoreError::Corrupt("a command without an outcome".to_owned()));
    let applied = app.db.apply(vec![command]).await.into_iter().next().unwrap_or_else(lost);
    if let Ok(Applied::Credited { credits, balance_after }) = &applied {
        measure::credits(Flow::Sold, *credits);
        tracing::info!(%topup, credits, balance_after, "credited");
    }
    applied
}

impl Db {
    /// Applies reports, sharing commits with other callers' reports. A failing one does not affect the others. Results
    /// are in the order of the commands, each returned after its effect is durable.
    pub async fn apply(&self, commands: Vec<ApplyPayment>) -> Vec<Result<Applied, StoreError>> {
        futures_util::future::join_all(commands.into_iter().map(|command| self.apply_report(command))).await
    }

    async fn apply_report(&self, command: ApplyPayment) -> Result<Applied, StoreError> {
        match command.report.progress {
            PurchaseProgress::Expired => self.submit(EndPurchase(command)).await,
            _ => self.submit(command).await,
        }
    }
}
