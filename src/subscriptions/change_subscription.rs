//! Ends a subscription, lets it go on, and changes its plan.
//!
//! Every call reads the subscription at the provider before it decides, and every change stores it again afterwards; the
//! answer is what the provider says. A dearer plan with the same interval takes effect at once and is paid now; nothing
//! changes if that fails. Another one takes effect with the next period. In a trial every change is at once.

use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::Visible;
use crate::domain::ids::{PriceId, SubscriptionId};
use crate::domain::period_credits::CHANGE;
use crate::domain::plan::PlanId;
use crate::domain::subscription::{
    ChangeTiming, InvoiceStatus, SubscriptionItem, SubscriptionReport, SubscriptionStatus,
};
use crate::plans::apply_plans::FEE_PRODUCT;
use crate::plans::plan_rows::{AppliedPlan, PlanPrice};
use crate::providers::port::{FeeChange, ItemChange, PriceChange, ProviderError};
use crate::purchases::outcome::ApplyEventError;
use crate::subscriptions::refresh::refresh;
use crate::subscriptions::subscription_rows::{self, Subscription};

/// When a subscription ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndAt {
    /// With its period.
    PeriodEnd,
    /// At once.
    Now,
}

/// A change of the plan, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The new plan.
    pub plan: PlanId,
    /// When it takes effect.
    pub timing: ChangeTiming,
    /// When that is, in milliseconds since 1970.
    pub effective_at_ms: i64,
    /// What is paid now, in minor units; negative if money is kept for later invoices.
    pub amount_due_minor: i64,
    /// What a period costs from then on, with the fee line.
    pub period_amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// The time that the amount is computed for, in seconds since 1970; `None` if nothing is paid now.
    pub proration_seconds: Option<i64>,
}

/// Why a subscription was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such subscription, or it is another account's.
    #[error("there is no such subscription")]
    NotFound,
    /// It has ended, or does not run.
    #[error("the subscription is {0} and cannot be changed")]
    NotRunning(&'static str),
    /// Its latest invoice is not paid.
    #[error("the subscription's latest invoice is not paid; it has to be paid first (see payUrl of the subscription)")]
    PastDue,
    /// A change of its plan waits for its payment.
    #[error("an earlier change of the plan waits for its payment; pay it, or wait until it lapses after a day")]
    ChangePending,
    /// A change of its plan waits for the next period.
    #[error("a change to another plan waits for the next period; take it back first, by asking for the present plan")]
    ChangeWaits,
    /// There is no such plan, or it is not sold.
    #[error("there is no plan of this id that is sold; see GET /plans")]
    UnknownPlan,
    /// The plan has no price in the subscription's currency.
    #[error("the plan has no price in the subscription's currency")]
    NoPrice,
    /// It has this plan already.
    #[error("the subscription has this plan already")]
    SamePlan,
    /// Its present price is no plan's.
    #[error("the subscription's price is not of a plan here, so it can be changed only in Stripe's dashboard")]
    NoPlan,
    /// The provider refused the payment or the change.
    #[error("the payment provider refused the change: {0}")]
    Refused(&'static str),
    /// The provider did not do it, or it is not known.
    #[error(transparent)]
    Provider(ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProviderError> for ChangeError {
    fn from(error: ProviderError) -> Self {
        match error {
            // The provider's texts are for the log; a missing permission is for the operator.
            ProviderError::Refused(failure) if failure.status == 400 || failure.status == 402 => {
                let (code, message) = (failure.code, failure.message);
                tracing::warn!(code, message, "Stripe refused to change a subscription");
                let is_payment = failure.status == 402;
                Self::Refused(if is_payment { "the payment was declined" } else { "it is not possible now" })
            }
            error => Self::Provider(error),
        }
    }
}

impl From<ApplyEventError> for ChangeError {
    fn from(error: ApplyEventError) -> Self {
        match error {
            ApplyEventError::Provider(error) => Self::Provider(error),
            ApplyEventError::Store(error) => Self::Store(error),
            ApplyEventError::Busy => Self::Store(StoreError::Busy),
            other => Self::Provider(ProviderError::Unreachable(other.to_string())),
        }
    }
}

/// Finds a subscription that the caller may see.
///
/// # Errors
/// [`ChangeError::NotFound`], or when the database fails.
pub async fn find(app: &App, id: &SubscriptionId, visible: &Visible) -> Result<Subscription, ChangeError> {
    let row = app.db.subscription(id).await?.ok_or(ChangeError::NotFound)?;
    match visible {
        Visible::Account(account) if account.as_str() != row.account_id => Err(ChangeError::NotFound),
        _ => Ok(row),
    }
}

/// Ends a subscription.
///
/// # Errors
/// See [`ChangeError`].
pub async fn cancel(app: &App, id: &SubscriptionId, visible: &Visible, at: EndAt) -> Result<Subscription, ChangeError> {
    find(app, id, visible).await?;
    let report = read(app, id).await?;
    if !report.status.is_running() && report.status != SubscriptionStatus::Incomplete {
        // A repeated request finds what it asked for.
        return if report.status == SubscriptionStatus::Canceled {
            stored(app, id, visible).await
        } else {
            Err(ChangeError::NotRunning(report.status.as_str()))
        };
    }
    release(app, &report).await?;
    match at {
        EndAt::Now => {
            app.provider.subscriptions.cancel_now(id).await?;
        }
        EndAt::PeriodEnd if !ends_with_its_period(&report) => {
            app.provider.subscriptions.cancel_at_period_end(&report, true).await?;
        }
        EndAt::PeriodEnd => {}
    }
    tracing::info!(subscription = %id, ?at, "subscription ends");
    stored(app, id, visible).await
}

/// Whether it is decided that it ends with its period or earlier.
fn ends_with_its_period(report: &SubscriptionReport) -> bool {
    let period_end = report.items.iter().filter_map(|item| item.period_end_seconds).min();
    report.cancel_at_seconds.is_some_and(|at| report.cancels_at_period_end || period_end.is_some_and(|end| at <= end))
}

/// Lets a subscription go on whose end was decided.
///
/// # Errors
/// See [`ChangeError`].
pub async fn resume(app: &App, id: &SubscriptionId, visible: &Visible) -> Result<Subscription, ChangeError> {
    find(app, id, visible).await?;
    let report = read(app, id).await?;
    if !report.status.is_running() {
        return Err(ChangeError::NotRunning(report.status.as_str()));
    }
    if report.cancel_at_seconds.is_some() {
        app.provider.subscriptions.cancel_at_period_end(&report, false).await?;
        tracing::info!(subscription = %id, "subscription goes on");
    }
    stored(app, id, visible).await
}

/// A change that is possible.
struct Possible {
    report: SubscriptionReport,
    present: PlanPrice,
    item: SubscriptionItem,
    fee_item: Option<String>,
    plan: AppliedPlan,
    price: PlanPrice,
    timing: ChangeTiming,
}

impl Possible {
    fn change(&self, from_seconds: Option<i64>) -> PriceChange {
        let fee = match (&self.fee_item, &self.price.fee_price) {
            (Some(item), Some(price)) => {
                Some(FeeChange::Changed(ItemChange { item: item.clone(), price: price.clone() }))
            }
            (None, Some(price)) => Some(FeeChange::Added(price.clone())),
            (Some(item), None) => Some(FeeChange::Removed(item.clone())),
            (None, None) => None,
        };
        PriceChange {
            subscription: self.report.id.clone(),
            plan: ItemChange { item: self.item.id.clone(), price: self.price.id.clone() },
            fee,
            from_seconds,
        }
    }

    /// If the payment of a change now failed, one that waits for the next period would be lost.
    fn check_nothing_waits(&self, row: &Subscription) -> Result<(), ChangeError> {
        let next = row.next_plan_id.as_deref().filter(|next| *next != self.present.plan.as_str());
        let waits = self.timing == ChangeTiming::Now && self.report.schedule.is_some() && next.is_some();
        if waits { Err(ChangeError::ChangeWaits) } else { Ok(()) }
    }

    /// The prices of the next period: the plan's, its fee line's, and those of other items.
    fn later_prices(&self) -> Vec<PriceId> {
        let (item, fee_item) = (&self.item.id, self.fee_item.as_ref());
        let others = self.report.items.iter().filter(|other| other.id != *item && Some(&other.id) != fee_item);
        let own = [Some(self.price.id.clone()), self.price.fee_price.clone()].into_iter().flatten();
        own.chain(others.map(|other| other.price.clone())).collect()
    }

    /// The time that a change now is computed for: within the period, also if the clocks differ, and never later than
    /// now: what is left of the period is what is paid for.
    fn proration_seconds(&self, wanted: i64, now_seconds: i64) -> i64 {
        let start = self.item.period_start_seconds.unwrap_or(wanted);
        let end = self.item.period_end_seconds.map_or(wanted, |end| end.saturating_sub(1));
        wanted.min(now_seconds).min(end).max(start)
    }
}

/// Changes the plan. `proration_seconds` is that of a preview, so that what is charged is what was shown.
///
/// # Errors
/// See [`ChangeError`].
pub async fn change(
    app: &App,
    id: &SubscriptionId,
    visible: &Visible,
    plan: &PlanId,
    proration_seconds: Option<i64>,
) -> Result<Subscription, ChangeError> {
    let row = find(app, id, visible).await?;
    let report = read(app, id).await?;
    if report.schedule.is_some() && row.plan_id.as_deref() == Some(plan.as_str()) {
        // It has this plan, and was to change to another one: that is taken back.
        release(app, &report).await?;
        return stored(app, id, visible).await;
    }
    let possible = possible(app, report, plan).await?;
    match possible.timing {
        ChangeTiming::Now => {
            possible.check_nothing_waits(&row)?;
            // What has come about by now is still the schedule's.
            release(app, &possible.report).await?;
            let now_seconds = app.clock.now_ms().div_euclid(1_000);
            let from_seconds = proration_seconds.map(|seconds| possible.proration_seconds(seconds, now_seconds));
            app.provider.subscriptions.change_now(&possible.change(from_seconds)).await?;
        }
        ChangeTiming::AtPeriodEnd => {
            release(app, &possible.report).await?;
            let prices = possible.later_prices();
            let report = SubscriptionReport { schedule: None, ..possible.report.clone() };
            let interval = possible.plan.plan.interval;
            app.provider.subscriptions.change_at_period_end(&report, &prices, interval).await?;
        }
    }
    tracing::info!(subscription = %id, %plan, timing = possible.timing.as_str(), "the plan of a subscription changes");
    let row = stored(app, id, visible).await?;
    if possible.timing == ChangeTiming::Now {
        return Ok(row);
    }
    app.db.write(SetNextPlan { id: id.clone(), plan: plan.clone(), now_ms: app.clock.now_ms() }).await?;
    find(app, id, visible).await
}

/// Says what a change of the plan would cost, and when it would take effect.
///
/// # Errors
/// See [`ChangeError`].
pub async fn preview(app: &App, id: &SubscriptionId, visible: &Visible, plan: &PlanId) -> Result<Preview, ChangeError> {
    let row = find(app, id, visible).await?;
    let possible = possible(app, read(app, id).await?, plan).await?;
    possible.check_nothing_waits(&row)?;
    let period_amount_minor = possible.price.amount_minor.saturating_add(possible.price.fee_minor);
    let now_seconds = app.clock.now_ms().div_euclid(1_000);
    if possible.timing == ChangeTiming::AtPeriodEnd {
        let end_seconds = possible.item.period_end_seconds.unwrap_or(now_seconds);
        return Ok(Preview {
            plan: plan.clone(),
            timing: possible.timing,
            effective_at_ms: end_seconds.saturating_mul(1_000),
            amount_due_minor: 0,
            period_amount_minor,
            currency: possible.present.currency.as_str().to_owned(),
            proration_seconds: None,
        });
    }
    let seconds = possible.proration_seconds(now_seconds, now_seconds);
    let cost = app.provider.subscriptions.preview_change(&possible.change(Some(seconds))).await?;
    Ok(Preview {
        plan: plan.clone(),
        timing: possible.timing,
        effective_at_ms: seconds.saturating_mul(1_000),
        amount_due_minor: cost.amount_due_minor,
        period_amount_minor,
        currency: cost.currency,
        proration_seconds: Some(seconds),
    })
}

/// Checks that the plan can be changed now.
async fn possible(app: &App, report: SubscriptionReport, plan: &PlanId) -> Result<Possible, ChangeError> {
    let applied = app.db.plan(app.provider.name, plan).await?.filter(|applied| applied.plan.is_active);
    let applied = applied.ok_or(ChangeError::UnknownPlan)?;
    match report.status {
        SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid | SubscriptionStatus::Incomplete => {
            return Err(ChangeError::PastDue);
        }
        SubscriptionStatus::Trialing | SubscriptionStatus::Active => {}
        status => return Err(ChangeError::NotRunning(status.as_str())),
    }
    if report.is_update_pending {
        return Err(ChangeError::ChangePending);
    }
    if !is_period_paid(app, &report).await? {
        return Err(ChangeError::PastDue);
    }
    let mut present = None;
    for item in &report.items {
        if let Some(price) = app.db.plan_price(&item.price).await? {
            present = Some((item.clone(), price));
            break;
        }
    }
    let (item, present) = present.ok_or(ChangeError::NoPlan)?;
    // Another item than these was added by somebody else, and stays.
    let is_fee = |other: &&SubscriptionItem| {
        other.product.as_deref() == Some(FEE_PRODUCT) || present.fee_price.as_ref() == Some(&other.price)
    };
    let fee_item = report.items.iter().find(is_fee).map(|other| other.id.clone());
    let price = applied.price_in(present.currency).cloned().ok_or(ChangeError::NoPrice)?;
    if present.plan == *plan {
        return Err(ChangeError::SamePlan);
    }
    // In a trial nothing is paid yet, so nothing has to wait.
    let timing = if report.status == SubscriptionStatus::Trialing {
        ChangeTiming::Now
    } else {
        let (new, known) = (applied.plan.interval, app.db.plan(app.provider.name, &present.plan).await?);
        let interval = known.map_or(new, |known| known.plan.interval);
        ChangeTiming::of((present.amount_minor, interval), (price.amount_minor, new))
    };
    Ok(Possible { report, present, item, fee_item, plan: applied, price, timing })
}

/// Whether the present period is paid. A renewal is `active` for an hour before it is charged, and for days while a bank
/// debit is on its way: a change now would give money back that was not paid. The void invoice of a change that lapsed
/// says nothing of the period.
async fn is_period_paid(app: &App, report: &SubscriptionReport) -> Result<bool, ChangeError> {
    let Some(id) = report.latest_invoice.as_ref().filter(|_| report.status == SubscriptionStatus::Active) else {
        return Ok(true);
    };
    let invoice = app.provider.invoices.read_invoice(id).await?;
    Ok(match invoice.status {
        InvoiceStatus::Paid => true,
        InvoiceStatus::Void => invoice.reason == CHANGE,
        InvoiceStatus::Draft | InvoiceStatus::Open | InvoiceStatus::Uncollectible => false,
    })
}

async fn read(app: &App, id: &SubscriptionId) -> Result<SubscriptionReport, ChangeError> {
    match app.provider.subscriptions.read_subscription(id).await {
        Err(ProviderError::Unknown(_)) => Err(ChangeError::NotFound),
        result => Ok(result?),
    }
}

/// Takes back a change that waits: the provider refuses other changes of a subscription that has a schedule.
async fn release(app: &App, report: &SubscriptionReport) -> Result<(), ChangeError> {
    match &report.schedule {
        Some(schedule) => Ok(app.provider.subscriptions.release_change(schedule).await?),
        None => Ok(()),
    }
}

/// Reads the subscription again and stores it.
async fn stored(app: &App, id: &SubscriptionId, visible: &Visible) -> Result<Subscription, ChangeError> {
    refresh(app, id).await?;
    find(app, id, visible).await
}

struct SetNextPlan {
    id: SubscriptionId,
    plan: PlanId,
    now_ms: i64,
}

impl Write for SetNextPlan {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        subscription_rows::set_next_plan(tx, &self.id, Some(&self.plan), self.now_ms).await
    }
}
