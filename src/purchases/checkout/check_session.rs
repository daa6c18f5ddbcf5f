//! The state of a top-up for the customer who returns from the hosted page.
//!
//! If the webhook has not arrived yet, the provider is asked: at most once per session in five seconds over all
//! processes, and within [`crate::app::session_checks`]. The answer is applied like a webhook event, so the customer
//! sees the credits at once and does not pay again.

use crate::app::{App, with_causes};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::Visible;
use crate::domain::checkout::{PurchaseReport, TopupState};
use crate::domain::ids::{SessionId, TopupId};
use crate::domain::judge::Applied;
use crate::providers::port::ProviderError;
use crate::purchases::payment::apply_report::apply;
use crate::purchases::topups::{self, Topup};

/// The shortest time between two checks of one session, in milliseconds.
const CHECK_INTERVAL_MS: i64 = 5_000;

/// Finds a top-up by its checkout session, refreshed from the provider. `None` if it does not exist or the caller may
/// not see it.
///
/// # Errors
/// When the database fails. A failure of the provider is not an error: the stored state is returned.
pub async fn check_session(app: &App, session: &SessionId, visible: &Visible) -> Result<Option<Topup>, StoreError> {
    let Some(topup) = app.db.topup_by_session(session).await? else { return Ok(None) };
    if !visible.has(topup.account.as_str()) {
        return Ok(None);
    }
    refresh(app, topup).await.map(Some)
}

/// Refreshes a top-up from the provider, if its state may have changed and it was not checked in the last five seconds.
///
/// # Errors
/// When the database fails.
pub(crate) async fn refresh(app: &App, topup: Topup) -> Result<Topup, StoreError> {
    let is_waiting = matches!(topup.state, TopupState::Open | TopupState::Processing);
    let Some(session) = topup.session.clone().filter(|_| is_waiting) else { return Ok(topup) };
    if was_checked_lately(app, &topup) {
        return Ok(topup);
    }
    let Some(_permit) = app.session_checks.ask(&topup.account, app.clock.now_ms()) else {
        tracing::debug!(topup = %topup.id, "too many questions to Stripe: the database answers");
        return Ok(topup);
    };
    if !claim(app, &topup).await? {
        return Ok(topup);
    }
    ask_stripe(app, &topup, &session).await;
    let gone = || StoreError::corrupt("no longer there: top-up", &topup.id);
    app.db.topup(&topup.id).await?.ok_or_else(gone)
}

/// A cheap check before the claim: most requests come too soon, and polling must not cost a write.
fn was_checked_lately(app: &App, topup: &Topup) -> bool {
    let now_ms = app.clock.now_ms();
    // A time far ahead was written with a wrong clock.
    let is_believable = topup.checked_at_ms <= now_ms.saturating_add(CHECK_INTERVAL_MS);
    topup.checked_at_ms > now_ms.saturating_sub(CHECK_INTERVAL_MS) && is_believable
}

async fn claim(app: &App, topup: &Topup) -> Result<bool, StoreError> {
    app.db.write(ClaimCheck { topup: topup.id.clone(), now_ms: app.clock.now_ms() }).await
}

/// Claims the next check of a top-up. Returns `false` if another process just made one.
struct ClaimCheck {
    topup: TopupId,
    now_ms: i64,
}

impl Write for ClaimCheck {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let not_since_ms = self.now_ms.saturating_sub(CHECK_INTERVAL_MS);
        topups::claim_check(tx, &self.topup, self.now_ms, not_since_ms).await
    }
}

/// Why the provider's report about a session was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The session belongs to something else.
    #[error("Stripe says that the session belongs to something else")]
    OfAnother,
    /// The provider cannot be asked.
    #[error("Stripe cannot be asked about the session")]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error("the session's state cannot be stored")]
    Store(#[from] StoreError),
}

/// Asks the provider about a top-up's session and applies the report.
///
/// # Errors
/// See [`AskError`].
pub(crate) async fn ask(app: &App, topup: &Topup, session: &SessionId) -> Result<Applied, AskError> {
    let report = app.provider.checkouts.read_checkout(session).await?.ok_or(AskError::OfAnother)?;
    apply_report(app, &topup.id, report).await
}

/// Applies a report, if it is about this top-up.
///
/// # Errors
/// See [`AskError`].
pub(crate) async fn apply_report(app: &App, topup: &TopupId, report: PurchaseReport) -> Result<Applied, AskError> {
    if report.topup != *topup {
        return Err(AskError::OfAnother);
    }
    Ok(apply(app, report).await?)
}

async fn ask_stripe(app: &App, topup: &Topup, session: &SessionId) {
    let topup_id = &topup.id;
    match ask(app, topup, session).await {
        Ok(Applied::Rejected(mismatch)) => {
            tracing::error!(topup = %topup_id, %session, reason = mismatch.without_accounts(), "the session is not what was agreed");
        }
        Ok(applied) => tracing::info!(topup = %topup_id, outcome = applied.as_str(), "session checked at Stripe"),
        Err(AskError::Provider(error)) => {
            tracing::warn!(topup = %topup_id, %session, %error, "Stripe cannot be asked about the session");
        }
        Err(error) => {
            tracing::error!(topup = %topup_id, %session, error = with_causes(&error), "the session was not checked");
        }
    }
}
