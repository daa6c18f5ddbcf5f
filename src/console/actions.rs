//! What people do in the console, each by the use case of the admin API, and written into the operator log.

use crate::access::caller_key::CallerKey;
use crate::app::App;
use crate::books::adjust_account::{AdjustAccount, AdjustError, adjust_account};
use crate::books::adjustments::Adjustment;
use crate::books::block_account::{BlockAccount, BlockError, block_account};
use crate::console::operator_log::{Begun, Change, Phase, begin, end};
use crate::console::person::Session;
use crate::console::words::{money, of_credits};
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::ids::{ChangeId, PaymentId, TopupId};
use crate::domain::refund::{PaidAs, RefundAsk};
use crate::inbox::failed_deliveries::{self, Closed, Replayed};
use crate::purchases::check_topup::{CheckTopupError, Checked, check_topup};
use crate::purchases::refund::refund_topup::{
    RefundError, RefundPreview, RefundTopup, RefundTrouble, Refunded, preview_refund, refund_topup,
};
use crate::reconcile::{Options, Pace, ReconcileError, RunCause, reconcile};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The key may not move so many credits today.
    #[error("this key may move {left} more credits today")]
    OverLimit {
        /// How many are left.
        left: i64,
    },
    /// The form was used for something else before, or was refused before.
    #[error("this form was sent before, with another content or without success")]
    OtherChange,
    /// The key was revoked meanwhile.
    #[error("the key of this session was revoked")]
    Revoked,
    /// It is about something that does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Another comparison is running.
    #[error("a comparison with Stripe is running already")]
    Running,
    /// The refund failed.
    #[error(transparent)]
    Refund(#[from] RefundError),
    /// The adjustment failed.
    #[error(transparent)]
    Adjust(#[from] AdjustError),
    /// The account was not blocked or unblocked.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The provider could not be asked.
    #[error(transparent)]
    Check(#[from] CheckTopupError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who does something, with the limit for keys of scope `support`.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The session.
    pub session: Session,
    /// How many credits a key of scope `support` may move in a day.
    pub support_max_credits: i64,
}

impl Actor {
    /// Writes a change down, or says why it may not be made.
    pub(crate) async fn begin(&self, app: &App, change: &Change) -> Result<(), ActionError> {
        self.begin_once(app, change).await.map(drop)
    }

    /// The same for what can be made once only. `false` if the form was sent before.
    pub(crate) async fn begin_once(&self, app: &App, change: &Change) -> Result<bool, ActionError> {
        match begin(app, &self.session, change, self.support_max_credits).await? {
            Begun::Again => Ok(false),
            Begun::New => Ok(true),
            Begun::OtherChange => Err(ActionError::OtherChange),
            Begun::OverLimit { left } => Err(ActionError::OverLimit { left }),
            Begun::Revoked => Err(ActionError::Revoked),
        }
    }

    pub(crate) async fn end(&self, app: &App, change: &Change, phase: Phase, detail: String) -> Result<(), StoreError> {
        end(app, &self.session, change, phase, detail).await
    }
}

/// A refund that someone wants to make.
#[derive(Debug, Clone)]
pub struct RefundWish {
    /// The id of the form.
    pub id: ChangeId,
    /// The top-up.
    pub topup: TopupId,
    /// How much.
    pub ask: RefundAsk,
    /// A surplus payment; `None` for the credited one.
    pub payment: Option<PaymentId>,
    /// The provider's code for the reason.
    pub reason: String,
}

/// The credits that count for a refund: those that it takes, and for a surplus payment, which takes none, those of its
/// top-up.
fn counted(preview: &RefundPreview) -> i64 {
    let facts = &preview.facts.refundable;
    let all = facts.credits.saturating_add(facts.bonus_credits);
    match (&preview.plan, facts.paid_as) {
        (_, PaidAs::Surplus) | (Err(_), _) => all,
        (Ok(plan), _) => plan.credits.saturating_add(plan.bonus_credits),
    }
}

/// Refunds a top-up.
///
/// # Errors
/// See [`ActionError`]. After an error that says that the outcome is not known, the same form continues the refund.
pub async fn refund(app: &App, actor: &Actor, wish: RefundWish) -> Result<Refunded, ActionError> {
    let RefundWish { id, topup, ask, payment, reason } = wish;
    let operator = actor.session.operator.clone();
    let preview = preview_refund(app, &topup, payment.as_ref(), ask, &operator).await?;
    let preview = preview.ok_or(ActionError::NotFound("top-up or payment"))?;
    let what = match ask {
        RefundAsk::Everything => "everything".to_owned(),
        RefundAsk::Unspent => "what is unspent".to_owned(),
        RefundAsk::Credits(credits) => of_credits(credits, app.pricing.decimals()),
        RefundAsk::Amount(amount) => money(amount, &preview.facts.currency),
    };
    let of = payment.as_ref().map_or_else(String::new, |payment| format!(" of {payment}"));
    let key = CallerKey::of_refund(&topup, format!("console-{id}"));
    let change = Change {
        id,
        action: "refund",
        subject: topup.to_string(),
        account: Some(preview.facts.account.to_string()),
        credits: counted(&preview),
        detail: format!("{what}{of}, {reason}"),
    };
    actor.begin(app, &change).await?;
    match refund_topup(app, RefundTopup { topup, ask, payment, reason, operator, key }).await {
        Ok(refunded) => {
            let request = &refunded.request;
            let taken =
                request.credits_taken.unwrap_or_default().saturating_add(request.bonus_taken.unwrap_or_default());
            let detail = format!(
                "{} went back ({}), and {} were taken",
                money(request.amount, &request.currency),
                request.provider_refund_id.as_deref().unwrap_or_default(),
                of_credits(taken, app.pricing.decimals())
            );
            actor.end(app, &change, Phase::Done, detail).await?;
            Ok(refunded)
        }
        Err(error) => {
            if is_final(&error) {
                actor.end(app, &change, Phase::Refused, error.to_string()).await?;
            }
            Err(error.into())
        }
    }
}

/// Whether it is certain that the refund was not made, and will not be by the same request.
const fn is_final(error: &RefundError) -> bool {
    match error {
        RefundError::NotFound
        | RefundError::NoSuchPayment
        | RefundError::NotPossible(_)
        | RefundError::RefusedByProvider(_)
        | RefundError::OtherRequest => true,
        RefundError::Provider(trouble) => matches!(trouble, RefundTrouble::NotPossible(_) | RefundTrouble::Refused),
        RefundError::StillRunning | RefundError::NotBooked(_) | RefundError::Store(_) => false,
    }
}

/// Adjusts an account.
///
/// # Errors
/// See [`ActionError`].
pub async fn adjust(
    app: &App,
    actor: &Actor,
    id: ChangeId,
    account: AccountId,
    credits: i64,
    reason: String,
) -> Result<Adjustment, ActionError> {
    let change = Change {
        id: id.clone(),
        action: "adjustment",
        subject: account.to_string(),
        account: Some(account.to_string()),
        credits: credits.saturating_abs(),
        detail: format!("{}: {reason}", of_credits(credits, app.pricing.decimals())),
    };
    actor.begin(app, &change).await?;
    let key = CallerKey::of_adjustment(&account, format!("console-{id}"));
    let operator = actor.session.operator.clone();
    let command = AdjustAccount { account, credits, reason, create: false, operator, key };
    match adjust_account(app, command).await {
        Ok(made) => {
            let balance = of_credits(made.balance_after, app.pricing.decimals());
            let detail = format!("{}; the balance is now {balance}", made.id);
            actor.end(app, &change, Phase::Done, detail).await?;
            Ok(made)
        }
        Err(AdjustError::Store(error)) => Err(error.into()),
        Err(error) => {
            actor.end(app, &change, Phase::Refused, error.to_string()).await?;
            Err(error.into())
        }
    }
}

/// Blocks or unblocks an account.
///
/// # Errors
/// See [`ActionError`].
pub async fn set_blocked(
    app: &App,
    actor: &Actor,
    id: ChangeId,
    account: AccountId,
    is_blocked: bool,
    reason: String,
) -> Result<(), ActionError> {
    let change = Change {
        id,
        action: if is_blocked { "block" } else { "unblock" },
        subject: account.to_string(),
        account: Some(account.to_string()),
        credits: 0,
        detail: reason.clone(),
    };
    actor.begin(app, &change).await?;
    let request = BlockAccount { account, is_blocked, reason, operator: actor.session.operator.clone() };
    match block_account(app, request).await {
        Ok(_) => Ok(actor.end(app, &change, Phase::Done, String::new()).await?),
        Err(BlockError::Store(error)) => Err(error.into()),
        Err(error) => {
            actor.end(app, &change, Phase::Refused, error.to_string()).await?;
            Err(error.into())
        }
    }
}

/// Processes a failed delivery again.
///
/// # Errors
/// See [`ActionError`].
pub async fn replay(app: &App, actor: &Actor, id: ChangeId, event: &str) -> Result<Replayed, ActionError> {
    let change = about(id, "replay", event);
    if app.db.failed_event(event).await?.is_none() {
        return Err(ActionError::NotFound("failed delivery"));
    }
    actor.begin(app, &change).await?;
    let replayed = failed_deliveries::replay(app, event).await?.ok_or(ActionError::NotFound("failed delivery"))?;
    let phase = if replayed.is_resolved() { Phase::Done } else { Phase::Refused };
    actor.end(app, &change, phase, format!("{}: {}", replayed.outcome(), replayed.detail())).await?;
    Ok(replayed)
}

/// Closes a failed delivery that will never have an effect.
///
/// # Errors
/// See [`ActionError`].
pub async fn close(app: &App, actor: &Actor, id: ChangeId, event: &str, reason: &str) -> Result<Closed, ActionError> {
    if app.db.failed_event(event).await?.is_none() {
        return Err(ActionError::NotFound("failed delivery"));
    }
    let change = Change { detail: reason.to_owned(), ..about(id, "close_delivery", event) };
    actor.begin(app, &change).await?;
    let by = &actor.session.operator.name;
    let closed = failed_deliveries::close(&app.db, app.clock.as_ref(), event, by, reason).await?;
    let closed = closed.ok_or(ActionError::NotFound("failed delivery"))?;
    let (phase, detail) = match closed {
        Closed::Done => (Phase::Done, ""),
        Closed::NotOpen => (Phase::Refused, "it was not open"),
    };
    actor.end(app, &change, phase, detail.to_owned()).await?;
    Ok(closed)
}

/// Asks the provider about a top-up and applies the answer.
///
/// # Errors
/// See [`ActionError`].
pub async fn check(app: &App, actor: &Actor, id: ChangeId, topup: &TopupId) -> Result<Checked, ActionError> {
    let stored = app.db.topup(topup).await?.ok_or(ActionError::NotFound("top-up"))?;
    let change = Change { account: Some(stored.account.to_string()), ..about(id, "ask_stripe", topup.as_str()) };
    actor.begin(app, &change).await?;
    match check_topup(app, topup, &actor.session.operator).await {
        Ok(checked) => {
            actor.end(app, &change, Phase::Done, format!("{}: {}", checked.outcome, checked.detail)).await?;
            Ok(checked)
        }
        Err(CheckTopupError::Store(error)) => Err(error.into()),
        Err(error) => {
            actor.end(app, &change, Phase::Refused, error.to_string()).await?;
            Err(error.into())
        }
    }
}

fn about(id: ChangeId, action: &'static str, subject: &str) -> Change {
    Change { id, action, subject: subject.to_owned(), account: None, credits: 0, detail: String::new() }
}

/// Writes down that a comparison with the provider is wanted, unless one is running.
///
/// # Errors
/// See [`ActionError`].
pub async fn begin_reconciliation(app: &App, actor: &Actor, id: ChangeId) -> Result<Change, ActionError> {
    let latest = app.db.reconciliations(5).await?;
    if latest.iter().any(|run| run.state == "running") {
        return Err(ActionError::Running);
    }
    let change = about(id, "reconcile", app.provider.name.as_str());
    actor.begin(app, &change).await?;
    Ok(change)
}

/// Compares the books with the provider's and applies what is missing. This can take minutes.
///
/// # Errors
/// When the database fails; the failure of the comparison itself is in its record.
pub async fn run_reconciliation(app: &App, actor: &Actor, change: &Change, since_days: i64) -> Result<(), StoreError> {
    let options = Options { cause: RunCause::Command, dry_run: false, since_days, pace: Pace::default() };
    match reconcile(app, options, std::future::pending::<()>()).await {
        Ok(ended) => {
            let detail = format!("{}: {} differences are left", ended.id, ended.report.left_over);
            actor.end(app, change, Phase::Done, detail).await
        }
        Err(ReconcileError::Store(error)) => Err(error),
        Err(error) => actor.end(app, change, Phase::Refused, error.to_string()).await,
    }
}
