//! Applies plans: says what will change, makes products and prices at the provider, and stores the plans.
//!
//! Invariants: applying the same plans again changes nothing. A price never changes: another amount, interval or fee is
//! another price, which takes the lookup key over, and running subscriptions keep the former one. The plan is stored
//! after its prices exist, so a run that stops anywhere can be repeated.

use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::currency::Currency;
use crate::domain::ids::PriceId;
use crate::domain::plan::{Interval, Plan};
use crate::domain::provider::ProviderName;
use crate::domain::tax::TaxBehavior;
use crate::plans::plan_rows::{self, AppliedPlan, PlanPrice};
use crate::providers::port::{FoundPrice, PriceSpec, ProductSpec, ProviderError};

/// The product of the fee line at the provider. No plan has it: the products of plans begin with `topup_`.
pub(crate) const FEE_PRODUCT: &str = "topup-fee";

/// A change that applying a plan makes or would make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanChange {
    /// The plan.
    pub plan: String,
    /// What changes, in words.
    pub change: String,
}

/// Why plans were not applied. Those before the failing one were.
#[derive(Debug, thiserror::Error)]
pub enum ApplyPlansError {
    /// Subscriptions of the former price would get the credits of a period of another length.
    #[error(
        "plan {plan}: interval: it is {former} and cannot be changed, because running subscriptions keep their price; give \
        the new plan another id, and set active = false for this one"
    )]
    IntervalChanged {
        /// The plan.
        plan: String,
        /// Its interval.
        former: String,
    },
    /// The fee line of a price would make the charge too large.
    #[error("plan {plan}: amount.{currency}: with the fee line it is more than the largest charge; lower it")]
    TooLarge {
        /// The plan.
        plan: String,
        /// The currency.
        currency: String,
    },
    /// The provider did not do it.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A price as it should be.
struct WantedPrice {
    currency: Currency,
    plan: PriceSpec,
    fee: Option<PriceSpec>,
}

/// Applies plans, or only says what would change. Plans that are stored and not among these stay as they are.
///
/// # Errors
/// See [`ApplyPlansError`].
pub async fn apply_plans(app: &App, plans: &[Plan], dry_run: bool) -> Result<Vec<PlanChange>, ApplyPlansError> {
    let mut changes = Vec::new();
    for plan in plans {
        changes.extend(apply_plan(app, plan, dry_run).await?);
    }
    Ok(changes)
}

async fn apply_plan(app: &App, plan: &Plan, dry_run: bool) -> Result<Vec<PlanChange>, ApplyPlansError> {
    let stored = app.db.plan(app.provider.name, &plan.id).await?;
    if let Some(former) = stored.as_ref().map(|stored| stored.plan.interval).filter(|former| *former != plan.interval) {
        return Err(ApplyPlansError::IntervalChanged { plan: plan.id.to_string(), former: former.to_string() });
    }
    let mut changes = described(plan, stored.as_ref());
    let wanted = wanted_prices(app, plan)?;
    let mut found = Vec::new();
    for price in &wanted {
        let (of_plan, of_fee) = (find(app, &price.plan).await?, find_optional(app, price.fee.as_ref()).await?);
        changes.extend(described_price(plan, stored.as_ref(), price, of_plan.as_ref(), of_fee.as_ref()));
        found.push((of_plan, of_fee));
    }
    let changes: Vec<PlanChange> =
        changes.into_iter().map(|change| PlanChange { plan: plan.id.to_string(), change }).collect();
    // What kind of thing a plan is to the tax office stands at the provider alone.
    if dry_run || (changes.is_empty() && app.pricing.tax_code().is_none()) {
        return Ok(changes);
    }
    let product = product(app, plan);
    app.provider.plans.put_product(&product).await?;
    if wanted.iter().any(|price| price.fee.is_some()) {
        let name = app.pricing.main().fees().label.clone();
        let tax_code = app.pricing.tax_code().cloned();
        let fee = ProductSpec { id: FEE_PRODUCT.to_owned(), name, is_active: true, tax_code };
        app.provider.plans.put_product(&fee).await?;
    }
    if changes.is_empty() {
        return Ok(changes);
    }
    let mut prices = Vec::new();
    for (price, (of_plan, of_fee)) in wanted.iter().zip(found) {
        let id = create_unless_found(app, &price.plan, of_plan).await?;
        let fee_price = match &price.fee {
            Some(fee) => Some(create_unless_found(app, fee, of_fee).await?),
            None => None,
        };
        prices.push(PlanPrice {
            id,
            plan: plan.id.clone(),
            currency: price.currency,
            amount_minor: price.plan.amount_minor,
            fee_minor: price.fee.as_ref().map_or(0, |fee| fee.amount_minor),
            tax: price.plan.tax,
            fee_price,
        });
    }
    let write = PutPlan {
        plan: plan.clone(),
        product: product.id,
        provider: app.provider.name,
        prices,
        now_ms: app.clock.now_ms(),
    };
    app.db.write(write).await?;
    tracing::info!(plan = %plan.id, changes = changes.len(), "plan applied");
    Ok(changes)
}

fn product_id(plan: &Plan) -> String {
    format!("topup_{}", plan.id)
}

fn product(app: &App, plan: &Plan) -> ProductSpec {
    let tax_code = app.pricing.tax_code().cloned();
    ProductSpec { id: product_id(plan), name: plan.name.clone(), is_active: plan.is_active, tax_code }
}

/// The prices of a plan. Where credits are not sold in a currency, no fee is known, and there is no fee line.
fn wanted_prices(app: &App, plan: &Plan) -> Result<Vec<WantedPrice>, ApplyPlansError> {
    let tax = app.pricing.main().fees().tax_behavior();
    let mut wanted = Vec::new();
    for (currency, amount) in &plan.amounts {
        let too_large =
            || ApplyPlansError::TooLarge { plan: plan.id.to_string(), currency: currency.as_str().to_owned() };
        let fee = match app.pricing.of(Some(*currency)) {
            Ok(pricing) => {
                let charge = pricing.fees().charge_minor(*amount, *currency).map_err(|_| too_large())?;
                charge.checked_sub(*amount).ok_or_else(too_large)?
            }
            Err(_) => 0,
        };
        let lookup_key = format!("topup_{}_{currency}", plan.id);
        let fee = (fee > 0).then(|| PriceSpec {
            lookup_key: format!("{lookup_key}_fee"),
            product: FEE_PRODUCT.to_owned(),
            currency: currency.as_str().to_owned(),
            amount_minor: fee,
            interval: plan.interval,
            tax,
        });
        let of_plan = PriceSpec {
            lookup_key,
            product: product_id(plan),
            currency: currency.as_str().to_owned(),
            amount_minor: *amount,
            interval: plan.interval,
            tax,
        };
        wanted.push(WantedPrice { currency: *currency, plan: of_plan, fee });
    }
    Ok(wanted)
}

async fn find(app: &App, price: &PriceSpec) -> Result<Option<FoundPrice>, ProviderError> {
    app.provider.plans.find_price(price).await
}

async fn find_optional(app: &App, price: Option<&PriceSpec>) -> Result<Option<FoundPrice>, ProviderError> {
    match price {
        Some(price) => find(app, price).await,
        None => Ok(None),
    }
}

/// The former holder of the lookup key is a part of the idempotency key: the amount may return to an earlier one.
async fn create_unless_found(
    app: &App,
    price: &PriceSpec,
    found: Option<FoundPrice>,
) -> Result<PriceId, ProviderError> {
    let former = match found {
        Some(found) if found.fits => return Ok(found.id),
        Some(found) => found.id.to_string(),
        None => "none".to_owned(),
    };
    let Interval { unit, count } = price.interval;
    let tax = price.tax.map(|behavior| format!("-{}", behavior.as_str())).unwrap_or_default();
    let PriceSpec { lookup_key, amount_minor, .. } = price;
    let key = format!("price-{lookup_key}-{amount_minor}-{}{count}{tax}-after-{former}", unit.as_str());
    app.provider.plans.create_price(price, &key).await
}

/// What changes of a plan, apart from its prices.
fn described(plan: &Plan, stored: Option<&AppliedPlan>) -> Vec<String> {
    let Some(AppliedPlan { plan: old, .. }) = stored else {
        return vec![format!(
            "new plan \"{}\": {} credits each {}, rollover {}{}",
            plan.name,
            plan.credits_per_period,
            plan.interval,
            plan.rollover,
            if plan.is_active { "" } else { ", not sold yet" }
        )];
    };
    let mut changes = Vec::new();
    let mut differs = |what: &str, old: String, new: String| {
        if old != new {
            changes.push(format!("{what} {old} -> {new}"));
        }
    };
    differs("name", format!("\"{}\"", old.name), format!("\"{}\"", plan.name));
    differs("creditsPerPeriod", old.credits_per_period.to_string(), plan.credits_per_period.to_string());
    differs("rollover", old.rollover.to_string(), plan.rollover.to_string());
    differs("trialDays", old.trial_days.to_string(), plan.trial_days.to_string());
    differs("trialCredits", old.trial_credits.to_string(), plan.trial_credits.to_string());
    differs("active", old.is_active.to_string(), plan.is_active.to_string());
    for currency in old.amounts.keys().filter(|currency| !plan.amounts.contains_key(currency)) {
        changes.push(format!("no longer sold in {currency}; running subscriptions go on"));
    }
    changes
}

/// What changes of a price.
fn described_price(
    plan: &Plan,
    stored: Option<&AppliedPlan>,
    price: &WantedPrice,
    of_plan: Option<&FoundPrice>,
    of_fee: Option<&FoundPrice>,
) -> Option<String> {
    let old = stored.and_then(|stored| stored.price_in(price.currency));
    let is_found = |found: Option<&FoundPrice>, id: Option<&PriceId>| {
        found.is_some_and(|found| found.fits && id.is_none_or(|id| *id == found.id))
    };
    let fee = price.fee.as_ref().map_or(0, |fee| fee.amount_minor);
    let (currency, amount, interval) = (price.currency, price.plan.amount_minor, plan.interval);
    let shown_fee = if fee > 0 { format!(" and a fee line of {fee}") } else { String::new() };
    let Some(old) = old else {
        return Some(format!("new price {amount} {currency} each {interval}{shown_fee}"));
    };
    if old.amount_minor != amount {
        return Some(format!(
            "new price {} -> {amount} {currency} each {interval}{shown_fee}; running subscriptions keep the former one",
            old.amount_minor
        ));
    }
    if old.tax != price.plan.tax {
        let said = |tax: Option<TaxBehavior>| tax.map_or("none", TaxBehavior::as_str);
        let (old, new) = (said(old.tax), said(price.plan.tax));
        return Some(format!("tax {old} -> {new} in {currency}{shown_fee}, for new subscriptions"));
    }
    if old.fee_minor != fee {
        return Some(format!("fee line {} -> {fee} {currency}, for new subscriptions", old.fee_minor));
    }
    let fee_is_there = price.fee.is_none() || is_found(of_fee, old.fee_price.as_ref());
    if is_found(of_plan, Some(&old.id)) && fee_is_there {
        return None;
    }
    Some(format!(
        "the price of {amount} {currency} each {interval} at Stripe is not the stored one; it is made or adopted"
    ))
}

struct PutPlan {
    plan: Plan,
    product: String,
    provider: ProviderName,
    prices: Vec<PlanPrice>,
    now_ms: i64,
}

impl Write for PutPlan {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        plan_rows::put(tx, &self.plan, &self.product, self.provider, &self.prices, self.now_ms).await
    }
}
