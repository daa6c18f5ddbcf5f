//! Tax: whether Stripe would compute any. Without a registration it says nothing and adds 0.

use super::finding::{About, Finding};
use super::{Limits, in_time};
use crate::config::UsableSettings;
use crate::db::Db;
use crate::domain::tax::TaxBehavior;
use crate::plans::plan_rows::AppliedPlan;
use crate::providers::port::{Provider, ProviderError, TaxSetup};
use crate::providers::stripe::name::NAME;

const TAX: About = ("stripe.tax", "Tax");

/// Nothing where no tax shall be charged, except of plans that have another tax.
pub(super) async fn findings(
    settings: &UsableSettings,
    db: Option<&Db>,
    provider: Option<&Provider>,
    limits: Limits,
) -> Vec<Finding> {
    let Some(pricing) = &settings.pricing else { return Vec::new() };
    let tax = pricing.main().fees().tax_behavior();
    let setup = match provider.filter(|_| tax.is_some()) {
        Some(provider) => {
            let read = in_time(limits, provider.account.read_tax_setup()).await;
            Some(judge(read.unwrap_or(Err(ProviderError::TimedOut))))
        }
        None => None,
    };
    let plans = match db {
        Some(db) => other_plans(db, tax, limits).await,
        None => None,
    };
    // That all is well is said only if it is.
    let setup = setup.filter(|setup| plans.is_none() || setup.way_out.is_some());
    setup.into_iter().chain(plans).collect()
}

/// Plans whose prices were applied with another tax. A database that cannot be read is found elsewhere.
async fn other_plans(db: &Db, tax: Option<TaxBehavior>, limits: Limits) -> Option<Finding> {
    let plans = in_time(limits, db.plans(NAME)).await?.ok()?;
    let is_other = |plan: &&AppliedPlan| plan.plan.is_active && plan.prices.iter().any(|price| price.tax != tax);
    let others: Vec<&str> = plans.iter().filter(is_other).map(|plan| plan.plan.id.as_str()).collect();
    if others.is_empty() {
        return None;
    }
    let detail = format!("these plans were applied with another TAX or TAX_BEHAVIOR: {}", others.join(", "));
    Some(Finding::warning(TAX, detail, "run `topup plans apply` again"))
}

fn judge(setup: Result<TaxSetup, ProviderError>) -> Finding {
    match setup {
        Ok(TaxSetup { is_active: false, .. }) => {
            let way_out =
                "complete the settings of Tax in Stripe's dashboard (Settings, Tax): the head office is missing";
            Finding::failed(TAX, "TAX=automatic, and Stripe Tax is not set up: Stripe refuses the checkouts", way_out)
        }
        Ok(TaxSetup { registrations: 0, .. }) => {
            let way_out = "add where the business is registered in Stripe's dashboard (Tax, Registrations)";
            let detail = "TAX=automatic, and Stripe Tax has no active registration: the tax is 0 everywhere";
            Finding::warning(TAX, detail, way_out)
        }
        Ok(TaxSetup { registrations: 1, .. }) => Finding::ok(TAX, "Stripe Tax is set up, with 1 registration"),
        Ok(TaxSetup { registrations, .. }) => {
            Finding::ok(TAX, format!("Stripe Tax is set up, with {registrations} registrations"))
        }
        Err(error) if error.is_missing_permission() => {
            let detail = "the key may not read it: whether the tax is 0 everywhere cannot be told";
            let way_out = "add the permissions to read Tax settings and registrations to the restricted key in Stripe's \
                dashboard";
            Finding::warning(TAX, detail, way_out)
        }
        Err(error) => Finding::warning(TAX, format!("cannot be read: {error}"), "run `topup doctor` again"),
    }
}
