//! Whether Stripe computes tax. Source: Stripe's API reference, "Tax Settings", "Tax Registrations".

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::providers::port::{ProviderError, TaxSetup};
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::money::PAGE;
use crate::providers::stripe::objects::List;
use crate::providers::stripe::transport::Transport;

#[derive(Deserialize)]
struct Settings {
    status: String,
}

#[derive(Serialize)]
struct Active {
    status: &'static str,
    limit: i64,
}

pub(super) async fn read_setup(transport: &impl Transport) -> Result<TaxSetup, ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Get, "/tax/settings");
    let settings: Settings = read(&answer_to(transport, request, None).await?)?;
    let filter = Active { status: "active", limit: PAGE };
    let request = RequestBuilder::new(StripeMethod::Get, "/tax/registrations").query(&filter);
    let page: List<Box<RawValue>> = read(&answer_to(transport, request, None).await?)?;
    Ok(TaxSetup { is_active: settings.status == "active", registrations: page.data.len() })
}
