//! Shows an account's auto top-up: its rules, where it stands, and the last attempts.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::auto_topup::Charged;
use crate::purchases::checkout::create_checkout::Checkout;
use crate::recurring::auto_topup::attempts::Attempt;
use crate::recurring::auto_topup::recovery::open_page;
use crate::recurring::auto_topup::settings::AutoTopup;

/// An account's auto top-up as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The settings and the state.
    pub auto: AutoTopup,
    /// The last attempts, newest first.
    pub attempts: Vec<Attempt>,
    /// What was charged today and this month.
    pub charged: Charged,
    /// The page on which the customer confirms a payment, while it is open.
    pub page: Option<Checkout>,
}

/// An account's auto top-up; `None` if it never had one.
///
/// # Errors
/// When the database fails.
pub async fn auto_topup(app: &App, account: &AccountId) -> Result<Option<Shown>, StoreError> {
    // The state is read last, so that it is never older than the attempts that led to it.
    let attempts = app.db.auto_topup_attempts(account).await?;
    let Some(auto) = app.db.auto_topup(account).await? else { return Ok(None) };
    let charged = app.db.auto_topup_charged(account, auto.rules.currency, app.clock.now_ms()).await?;
    let recovery = match &auto.recovery {
        Some(topup) => app.db.topup(topup).await?,
        None => None,
    };
    let page = recovery.and_then(|topup| open_page(&topup, app.clock.now_ms()));
    Ok(Some(Shown { auto, attempts, charged, page }))
}
