//! `GET /v1/subscriptions`: the list, with Stripe's filters. Canceled ones are shown only on request.

use serde::Deserialize;
use serde_json::Value;

use super::{
    catalog,
    subscription::{Status, Subscription},
    subscription_json,
    subscription_params::{self as accepted, Switch},
};
use crate::model::{
    State,
    error::ApiError,
    list::{self, Lag, Page, Range},
    params::Params,
    request::read,
};

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    customer: Option<String>,
    price: Option<String>,
    plan: Option<String>,
    status: Option<String>,
    collection_method: Option<String>,
    created: Option<Range>,
    current_period_end: Option<Range>,
    current_period_start: Option<Range>,
    test_clock: Option<String>,
    automatic_tax: Option<Switch>,
}

impl Filter {
    fn accepts(&self, state: &State, found: &Subscription) -> bool {
        let status = match self.status.as_deref() {
            None => found.status != Status::Canceled,
            Some("all") => true,
            Some("ended") => found.is_ended(),
            Some(status) => status == found.status.as_str(),
        };
        let price = self.price.as_ref().or(self.plan.as_ref());
        let period = found.period();
        status
            && self.customer.as_ref().is_none_or(|customer| *customer == found.customer)
            && price.is_none_or(|price| found.items.iter().any(|item| item.price == *price))
            && self.collection_method.as_ref().is_none_or(|method| *method == found.collection_method)
            && self.created.as_ref().is_none_or(|range| range.contains(found.created))
            && self.current_period_end.as_ref().is_none_or(|range| range.contains(period.end))
            && self.current_period_start.as_ref().is_none_or(|range| range.contains(period.start))
            && self.automatic_tax.as_ref().is_none_or(|tax| tax.enabled == found.automatic_tax)
            && (self.test_clock.is_none() || self.test_clock == catalog::test_clock_of(state, &found.customer))
    }
}

pub(crate) fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, accepted::LIST)?;
    list::late_page(
        (&state.subscriptions, Lag::of(state)),
        &filter.page,
        ("subscription", "/v1/subscriptions"),
        |found| filter.accepts(state, found),
        |found| subscription_json::subscription(state, found),
    )
}
