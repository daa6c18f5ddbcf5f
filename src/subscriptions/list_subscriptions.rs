//! Subscriptions with their invoices, for those who look at them.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::subscriptions::invoice_rows::Invoice;
use crate::subscriptions::subscription_rows::Subscription;

/// A subscription and its invoices, newest first.
pub type WithInvoices = (Subscription, Vec<Invoice>);

/// The subscriptions of an account, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_account(app: &App, account: &AccountId) -> Result<Vec<WithInvoices>, StoreError> {
    with_invoices(app, app.db.subscriptions_of(account).await?).await
}

/// A page of all subscriptions, newest first.
///
/// # Errors
/// When the database fails.
pub async fn page(app: &App, before: (i64, &str), limit: i64) -> Result<Vec<WithInvoices>, StoreError> {
    with_invoices(app, app.db.subscriptions(before, limit).await?).await
}

async fn with_invoices(app: &App, rows: Vec<Subscription>) -> Result<Vec<WithInvoices>, StoreError> {
    let mut found = Vec::new();
    for row in rows {
        let invoices = app.db.invoices_of(&row.provider_subscription_id).await?;
        found.push((row, invoices));
    }
    Ok(found)
}
