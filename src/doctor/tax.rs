//! Tax: whether Stripe would compute any. Without a registration it says nothing and adds 0.

use super::finding::{About, Finding};
use super::{Limits, in_time};
use crate::config::UsableSettings;
use crate::providers::port::{Provider, ProviderError, TaxSetup};

const TAX: About = ("stripe.tax", "Tax");

/// Nothing where no tax shall be charged.
pub(super) async fn findings(
    settings: &UsableSettings,
    provider: Option<&Provider>,
    limits: Limits,
) -> Option<Finding> {
    settings.pricing.as_ref()?.tax()?;
    let read = in_time(limits, provider?.account.read_tax_setup()).await;
    Some(judge(read.unwrap_or(Err(ProviderError::TimedOut))))
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
