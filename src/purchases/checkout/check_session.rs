//! The customer came back from Stripe: how far is the purchase?
//!
//! If the webhook has not come yet, Stripe is asked, at most once per session in five seconds over all processes and within
//! [`crate::app::session_checks`]; what it says goes the same way into the books as a webhook's news. So the customer who looks at once sees the
//! credits, and does not pay again.

use crate::app::{App, with_causes};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::checkout::{PurchaseReport, TopupState};
use crate::domain::ids::{SessionId, TopupId};
use crate::domain::judge::Applied;
use crate::providers::port::ProviderError;
use crate::purchases::payment::apply_report::apply;
use crate::purchases::topups::{self, Topup};

/// How often Stripe is asked about one session.
const CHECK_INTERVAL_MS: i64 = 5_000;

/// Whose sessions a caller may see.
#[derive(Debug, Clone)]
pub enum Visible {
    /// Only those of this account.
    Account(AccountId),
    /// All of them.
    All,
}

/// Looks a purchase up by Stripe's session; `None` if there is none that the caller may know of.
///
/// # Errors
/// When the database fails. That Stripe fails is no error: then the answer is what is known here.
pub async fn check_session(app: &App, session: &SessionId, visible: &Visible) -> Result<Option<Topup>, StoreError> {
    let Some(topup) = app.db.topup_by_session(session).await? else { return Ok(None) };
    let may_see = match visible {
        Visible::Account(account) => *account == topup.account,
        Visible::All => true,
    };
    if !may_see {
        return Ok(None);
    }
    refresh(app, topup).await.map(Some)
}

/// A purchase as Stripe sees it now, if that may have changed and Stripe was not asked in the last five seconds.
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

/// Most questions come too soon, and a page that polls should cost no write.
fn was_checked_lately(app: &App, topup: &Topup) -> bool {
    let now_ms = app.clock.now_ms();
    // A time that is far ahead was written by a clock that was wrong.
    let is_believable = topup.checked_at_ms <= now_ms.saturating_add(CHECK_INTERVAL_MS);
    topup.checked_at_ms > now_ms.saturating_sub(CHECK_INTERVAL_MS) && is_believable
}

async fn claim(app: &App, topup: &Topup) -> Result<bool, StoreError> {
    app.db.write(ClaimCheck { topup: topup.id.clone(), now_ms: app.clock.now_ms() }).await
}

/// Claims the next question to Stripe about a purchase. `false` when a process asked a moment ago.
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

/// Why Stripe's word about a session is not in the books.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The session belongs to something else.
    #[error("Stripe says that the session belongs to something else")]
    OfAnother,
    /// Stripe cannot be asked.
    #[error("Stripe cannot be asked about the session")]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error("the session's state cannot be stored")]
    Store(#[from] StoreError),
}

/// Asks Stripe about a purchase's session, and brings what it says into the books.
///
/// # Errors
/// See [`AskError`].
pub(crate) async fn ask(app: &App, topup: &Topup, session: &SessionId) -> Result<Applied, AskError> {
    let report = app.provider.checkouts.read_checkout(session).await?.ok_or(AskError::OfAnother)?;
    apply_report(app, &topup.id, report).await
}

/// Brings what Stripe says of a purchase into the books, if it is about that purchase.
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
