//! `/v1/invoices`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    agenda, change, collect,
    collect::By,
    interval::Period,
    invoice::{self, BillingReason, Invoice, InvoiceStatus},
    invoice_json,
    invoice_params::{self as accepted},
    issue::{self, Draft},
    lines, preview_api,
    subscription_params::{EXPAND, Switch},
};
use crate::model::{
    Context, State, currency, customer,
    error::ApiError,
    list::{self, Lag, Page, Range},
    metadata, methods,
    params::{Param, Params},
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
    table::Table,
};

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, context, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Post, ["create_preview"]) => return preview_api::create(state, context, params),
        (Method::Get, [id]) => {
            invoice::find(state, id)?;
            spec::check(params, &[EXPAND])?;
            (*id).to_owned()
        }
        (Method::Get, [id, "lines"]) => return list_lines(state, id, params),
        (Method::Delete, [id]) => return delete(state, context, id, params),
        (Method::Post, [id]) => {
            update(state, context, id, params)?;
            (*id).to_owned()
        }
        (Method::Post, [id, action]) => {
            let customer = invoice::find(state, id)?.customer.clone().unwrap_or_default();
            let action = Action::parse(action).ok_or_else(|| unrecognized(request))?;
            agenda::at_customers_time(state, context, &customer, |state, context| {
                act(state, context, (id, action), params)
            })?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    invoice::find(state, &id).map(|found| invoice_json::invoice(state, found, context.base_url))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    customer: Option<String>,
    currency: Option<String>,
    pending_invoice_items_behavior: Option<String>,
    subscription: Option<String>,
    auto_advance: Option<bool>,
    automatic_tax: Option<Switch>,
    automatically_finalizes_at: Option<i64>,
    collection_method: Option<String>,
    custom_fields: Option<Value>,
    days_until_due: Option<i64>,
    default_payment_method: Option<String>,
    description: Option<String>,
    due_date: Option<i64>,
    footer: Option<String>,
}

/// Creates a draft of the customer's waiting items; without them, an empty one.
fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let wanted: Wanted = read(&metadata::without_unset(params), &accepted::create_fields())?;
    precheck_expansions(params, "invoice")?;
    let of = wanted.subscription.as_deref();
    let of = match of {
        Some(id) => {
            let found = state.subscriptions.get(id);
            Some(found.ok_or_else(|| ApiError::missing_reference("subscription", id, "subscription"))?.clone())
        }
        None => None,
    };
    let customer = wanted.customer.clone().or_else(|| of.as_ref().map(|of| of.customer.clone()));
    let customer = customer.ok_or_else(|| ApiError::missing_param("customer"))?;
    let found = customer::referenced(state, &customer, "customer")?;
    let fallback = found.currency.clone();
    let wanted_currency = match &wanted.currency {
        Some(text) => Some(currency::parse(text, "currency")?),
        None => of.as_ref().map(|of| of.currency.clone()),
    };
    let metadata = metadata::changed(&BTreeMap::new(), params)?;
    if wanted.collection_method.as_deref() == Some("send_invoice")
        && wanted.days_until_due.is_none()
        && wanted.due_date.is_none()
    {
        let message =
            "If invoice collection method is `send_invoice`, you must specify `days_until_due` or `due_date`.";
        return Err(ApiError::invalid(message).param("days_until_due"));
    }
    agenda::at_customers_time(state, context, &customer, |state, context| {
        let own = wanted_currency
            .or_else(|| lines::any_waiting_currency(state, &customer))
            .or(fallback)
            .unwrap_or_else(|| "usd".to_owned());
        let includes = wanted.pending_invoice_items_behavior.as_deref() == Some("include") || of.is_some();
        let of = of.as_ref().map(|of| of.id.as_str());
        let waiting = if includes { lines::waiting(state, &customer, of, &own) } else { Vec::new() };
        let now = context.now();
        let draft = Draft {
            customer: customer.clone(),
            subscription: wanted.subscription.clone(),
            reason: BillingReason::Manual,
            currency: own,
            lines: waiting.iter().map(|item| lines::of_invoice_item(context, item)).collect(),
            period: Period { start: now, end: now },
            automatic_tax: wanted.automatic_tax.as_ref().is_some_and(|tax| tax.enabled),
            id: None,
        };
        let mut made = issue::build(state, context, draft);
        made.metadata = metadata;
        apply(&mut made, &wanted, params);
        if made.auto_advance && made.finalizes_at.is_none() {
            made.finalizes_at = Some(now.saturating_add(issue::DRAFT_SECONDS));
        }
        let id = issue::store(state, context, made);
        lines::take_up(state, &waiting, &id);
        Ok(id)
    })
}

fn apply(found: &mut Invoice, wanted: &Wanted, params: &Params) {
    let unsets = |name: &str| matches!(params.0.get(name), Some(Param::Text(text)) if text.is_empty());
    let replace = |member: &mut Option<String>, value: &Option<String>, name: &str| {
        if value.is_some() || unsets(name) {
            member.clone_from(value);
        }
    };
    replace(&mut found.description, &wanted.description, "description");
    replace(&mut found.footer, &wanted.footer, "footer");
    replace(&mut found.default_payment_method, &wanted.default_payment_method, "default_payment_method");
    if wanted.custom_fields.is_some() || unsets("custom_fields") {
        found.custom_fields.clone_from(&wanted.custom_fields);
    }
    found.auto_advance = wanted.auto_advance.unwrap_or(found.auto_advance);
    found.finalizes_at = wanted.automatically_finalizes_at.or(found.finalizes_at);
    found.days_until_due = wanted.days_until_due.or(found.days_until_due);
    found.due_date = wanted.due_date.or(found.due_date);
    if let Some(method) = &wanted.collection_method {
        found.collection_method.clone_from(method);
    }
    if let Some(tax) = &wanted.automatic_tax {
        found.automatic_tax = tax.enabled;
        lines::set_tax(&mut found.lines, tax.enabled);
    }
}

/// Changes an invoice. What it costs and how it is collected is fixed once it is final.
fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    const ALWAYS: [&str; 5] = ["metadata", "expand", "auto_advance", "default_payment_method", "description"];
    let found = invoice::find(state, id)?;
    let wanted: Wanted = read(&metadata::without_unset(params), &accepted::update_fields())?;
    let is_editable = found.status == InvoiceStatus::Draft;
    if let Some(name) = params.0.keys().find(|name| !is_editable && !ALWAYS.contains(&name.as_str())) {
        let message = format!("Finalized invoices can't be updated in this way: `{name}` is fixed.");
        return Err(ApiError::invalid(message).code("invoice_not_editable").param(name.clone()));
    }
    if let (Some(method), Some(customer)) = (&wanted.default_payment_method, &found.customer) {
        methods::check_attached(state, method, customer, "default_payment_method")?;
    }
    let metadata = metadata::changed(&found.metadata, params)?;
    change::invoice(state, context, id, &["invoice.updated"], |found| {
        found.metadata = metadata;
        apply(found, &wanted, params);
    });
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Finalize,
    Pay,
    Send,
    Void,
    MarkUncollectible,
}

impl Action {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "finalize" => Self::Finalize,
            "pay" => Self::Pay,
            "send" => Self::Send,
            "void" => Self::Void,
            "mark_uncollectible" => Self::MarkUncollectible,
            _ => return None,
        })
    }
}

fn act(
    state: &mut State,
    context: &mut Context<'_>,
    (id, action): (&str, Action),
    params: &Params,
) -> Result<(), ApiError> {
    match action {
        Action::Finalize => {
            #[derive(Deserialize)]
            struct Finalization {
                auto_advance: Option<bool>,
            }
            let wanted: Finalization = read(params, accepted::FINALIZE)?;
            finalize(state, context, id)?;
            if let Some(auto_advance) = wanted.auto_advance {
                let at = auto_advance.then(|| context.now().saturating_add(issue::DRAFT_SECONDS));
                change::invoice_silently(state, id, |found| {
                    found.auto_advance = auto_advance;
                    found.next_attempt = at.filter(|_| !found.is_sent());
                });
            }
            Ok(())
        }
        Action::Pay => pay(state, context, id, params),
        Action::Send => {
            spec::check(params, &[EXPAND])?;
            if invoice::find(state, id)?.status == InvoiceStatus::Draft {
                finalize(state, context, id)?;
            }
            change::tell_invoice(state, context, "invoice.sent", id);
            Ok(())
        }
        Action::Void => {
            spec::check(params, &[EXPAND])?;
            issue::void(state, context, id)
        }
        Action::MarkUncollectible => {
            spec::check(params, &[EXPAND])?;
            issue::mark_uncollectible(state, context, id, "user_forgiven")
        }
    }
}

/// An invoice that comes to nothing is paid as soon as it is final.
fn finalize(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    issue::finalize(state, context, id)?;
    if invoice::find(state, id)?.amount_remaining() == 0 {
        collect::mark_paid(state, context, id, false);
    }
    Ok(())
}

fn pay(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    struct Payment {
        payment_method: Option<String>,
        #[serde(default)]
        paid_out_of_band: bool,
    }
    let wanted: Payment = read(params, accepted::PAY)?;
    if invoice::find(state, id)?.status == InvoiceStatus::Draft {
        finalize(state, context, id)?;
    }
    let found = invoice::find(state, id)?;
    match found.status {
        // It came to nothing, and is paid by now.
        InvoiceStatus::Paid if found.amount_due() == 0 && params.0.is_empty() => return Ok(()),
        InvoiceStatus::Paid => return Err(ApiError::invalid("Invoice is already paid").code("invoice_already_paid")),
        InvoiceStatus::Open | InvoiceStatus::Uncollectible => {}
        InvoiceStatus::Draft | InvoiceStatus::Void => {
            let message = format!("This invoice cannot be paid: it is {}.", found.status.as_str());
            return Err(ApiError::invalid(message).code("invoice_not_editable"));
        }
    }
    if wanted.paid_out_of_band {
        issue::withdraw(state, context, id);
        collect::mark_paid(state, context, id, true);
        return Ok(());
    }
    let customer = found.customer.clone();
    if let (Some(method), Some(customer)) = (&wanted.payment_method, &customer) {
        methods::check_usable(methods::find(state, method)?, Some(customer))?;
    }
    collect::attempt(state, context, id, wanted.payment_method, By::Request)
}

fn delete(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<Value, ApiError> {
    let found = invoice::find(state, id)?.clone();
    spec::check(params, &[])?;
    if found.status != InvoiceStatus::Draft || found.subscription.is_some() {
        let message = "You can only delete draft invoices that do not belong to a subscription.";
        return Err(ApiError::invalid(message).code("invoice_not_editable"));
    }
    let rendered = invoice_json::invoice(state, &found, context.base_url);
    change::drop_invoice(state, id);
    for line in &found.lines {
        if let invoice::Source::InvoiceItem(item) = &line.source {
            state.invoice_items.remove(item);
        }
    }
    state.emit(context, "invoice.deleted", rendered);
    Ok(json!({ "id": id, "object": "invoice", "deleted": true }))
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    collection_method: Option<String>,
    created: Option<Range>,
    customer: Option<String>,
    due_date: Option<Range>,
    status: Option<String>,
    subscription: Option<String>,
}

impl Filter {
    fn accepts(&self, found: &Invoice) -> bool {
        self.collection_method.as_ref().is_none_or(|method| *method == found.collection_method)
            && self.created.as_ref().is_none_or(|range| range.contains(found.created))
            && (self.customer.is_none() || self.customer == found.customer)
            && self.due_date.as_ref().is_none_or(|range| found.due_date.is_some_and(|at| range.contains(at)))
            && self.status.as_ref().is_none_or(|status| status == found.status.as_str())
            && (self.subscription.is_none() || self.subscription == found.subscription)
    }
}

fn list(state: &State, context: &Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, accepted::LIST)?;
    list::late_page(
        (&state.invoices, Lag::of(state)),
        &filter.page,
        ("invoice", "/v1/invoices"),
        |found| filter.accepts(found),
        |found| invoice_json::invoice(state, found, context.base_url),
    )
}

fn list_lines(state: &State, id: &str, params: &Params) -> Result<Value, ApiError> {
    let found = invoice::find(state, id)?;
    let page: Page = read(params, accepted::LINES)?;
    let mut rows = Table::default();
    // Lists are newest first, but lines keep their order.
    found.lines.iter().rev().for_each(|line| rows.insert(line.clone()));
    let url = format!("/v1/invoices/{id}/lines");
    list::page(&rows, &page, ("line item", &url), |_| true, |line| invoice_json::line(found, line))
}
