//! The API without HTTP: routes each request to its command.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted, account_api, balance, bank_transfer,
    billing::billing_api,
    catalog_api, connect_api, create, customer_api, dispute_api, endpoint,
    error::ApiError,
    event::Event,
    expand, intent_api, list,
    list::{Lag, Page, Range},
    lists, meter_api, method_api, pages_api,
    params::Params,
    payment_json, radar_api, refund_api,
    request::{Method, Request, precheck_expansions, read, unrecognized, wanted_expansions},
    session::{self, Session},
    session_expiry, session_json, setup_intent_api, spec,
    spec::Field,
    transfer_api, v2_api, version,
};

/// Runs a request.
pub(crate) fn handle(state: &mut State, context: &mut Context<'_>, request: &Request) -> Result<Value, ApiError> {
    let routed = route(state, context, request);
    state.follow(context);
    let answered = routed.and_then(|mut answer| {
        expand::expand(state, context.base_url, &mut answer, &wanted_expansions(&request.params)?)?;
        Ok(answer)
    });
    let render = |value: &mut Value| {
        version::render(value, context.api_version, &|object| version::former_members(state, object));
    };
    match answered {
        Ok(mut answer) => {
            render(&mut answer);
            Ok(answer)
        }
        Err(mut error) => {
            error.details.values_mut().for_each(render);
            Err(error)
        }
    }
}

fn route(state: &mut State, context: &mut Context<'_>, request: &Request) -> Result<Value, ApiError> {
    if let Some(path) = request.path.strip_prefix("/v2/") {
        return v2_api::route(state, context, request, &path.split('/').collect::<Vec<_>>());
    }
    let path = request.path.strip_prefix("/v1/").unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let params = &request.params;
    if segments.contains(&"") {
        return Err(unrecognized(request));
    }
    match (request.method, segments.as_slice()) {
        (Method::Post, ["checkout", "sessions"]) => {
            precheck_expansions(params, "checkout.session")?;
            create::create(state, context, params)
        }
        (Method::Get, ["checkout", "sessions"]) => list_sessions(state, context, params),
        (Method::Get, ["checkout", "sessions", id]) => {
            let found = session::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            Ok(session_json::session(found, context.base_url))
        }
        (Method::Post, ["checkout", "sessions", id, "expire"]) => {
            spec::check(params, accepted::ONLY_EXPAND)?;
            session_expiry::expire_now(state, context, id)?;
            Ok(session_json::session(session::find(state, id)?, context.base_url))
        }
        (Method::Get, ["checkout", "sessions", id, "line_items"]) => line_items(state, id, params),
        (Method::Get, ["payment_pages", id]) => {
            spec::check(params, accepted::ONLY_EXPAND)?;
            pages_api::retrieve(state, context, id)
        }
        (Method::Post, ["payment_pages", id, "confirm"]) => pages_api::confirm(state, context, id, params),
        (_, ["payment_intents", rest @ ..]) => intent_api::route(state, context, request, rest),
        (_, ["customers", rest @ ..]) => customer_api::route(state, context, request, rest),
        (_, ["payment_methods", rest @ ..]) => method_api::route(state, context, request, rest),
        (_, ["setup_intents", rest @ ..]) => setup_intent_api::route(state, context, request, rest),
        (_, ["products", rest @ ..]) => catalog_api::products(state, context, request, rest),
        (_, ["prices", rest @ ..]) => catalog_api::prices(state, context, request, rest),
        (_, segments) if billing_api::knows(segments) => billing_api::route(state, context, request, segments),
        (Method::Get, ["account"]) => {
            spec::check(params, accepted::ONLY_EXPAND)?;
            Ok(account_api::to_json(state.standing))
        }
        (Method::Get, ["charges"]) => lists::charges(state, params),
        (Method::Get, ["balance_transactions"]) => lists::balance_transactions(state, params),
        (Method::Get, ["balance"]) => {
            spec::check(params, accepted::ONLY_EXPAND)?;
            Ok(balance::summary(state, context.now()))
        }
        (_, ["billing", "meters", rest @ ..]) => meter_api::route(state, context, request, rest),
        (Method::Post, ["billing", "meter_events"]) => meter_api::report(state, context, params),
        (_, ["accounts", rest @ ..]) => connect_api::route(state, context, request, rest),
        (_, ["transfers", rest @ ..]) => transfer_api::transfers(state, context, request, rest),
        (_, ["payouts", rest @ ..]) => transfer_api::payouts(state, context, request, rest),
        (_, ["topups", rest @ ..]) => transfer_api::topups(state, context, request, rest),
        (Method::Post, ["test_helpers", "customers", id, "fund_cash_balance"]) => {
            bank_transfer::fund(state, context, id, params)
        }
        (_, ["refunds", rest @ ..]) => refund_api::route(state, context, request, rest),
        (_, ["disputes", rest @ ..]) => dispute_api::route(state, context, request, rest),
        (_, ["radar", "early_fraud_warnings", rest @ ..]) => radar_api::route_warnings(state, request, rest),
        (_, ["reviews", rest @ ..]) => radar_api::route_reviews(state, context, request, rest),
        (Method::Get, [kind, id]) => retrieve(state, kind, id, request),
        (Method::Get, ["events"]) => list_events(state, params),
        (Method::Get, ["webhook_endpoints"]) => {
            let page: Page = read(params, accepted::LIST)?;
            let names = ("webhook endpoint", "/v1/webhook_endpoints");
            list::page(&state.endpoints, &page, names, |endpoint| !endpoint.thin, endpoint::Endpoint::to_json)
        }
        (Method::Post, ["webhook_endpoints"]) => endpoint::create(state, context, params),
        (Method::Post, ["webhook_endpoints", id]) => endpoint::update(state, id, params),
        (Method::Delete, ["webhook_endpoints", id]) => endpoint::delete(state, id),
        _ => Err(unrecognized(request)),
    }
}

fn retrieve(state: &State, kind: &str, id: &str, request: &Request) -> Result<Value, ApiError> {
    let (found, fields, missing): (_, &[Field], _) = match kind {
        "charges" => (payment_json::charge_by_id(state, id), accepted::ONLY_EXPAND, ("charge", "id")),
        "balance_transactions" => (
            state.balance_transactions.get(id).map(balance::to_json),
            accepted::ONLY_EXPAND,
            ("balance transaction", "id"),
        ),
        "events" => (
            state.events.get(id).filter(|event| !event.thin_only).map(Event::to_json),
            accepted::ONLY_EXPAND,
            ("event", "id"),
        ),
        "webhook_endpoints" => (
            state.endpoints.get(id).filter(|endpoint| !endpoint.thin).map(endpoint::Endpoint::to_json),
            accepted::ONLY_EXPAND,
            ("webhook endpoint", "webhook_endpoint"),
        ),
        _ => return Err(unrecognized(request)),
    };
    let found = found.ok_or_else(|| ApiError::not_found(missing.0, id, missing.1))?;
    spec::check(&request.params, fields)?;
    Ok(found)
}

#[derive(Debug, Deserialize)]
struct SessionFilter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    status: Option<String>,
    payment_intent: Option<String>,
    customer_details: Option<EmailFilter>,
    customer: Option<String>,
    payment_link: Option<String>,
    subscription: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EmailFilter {
    email: String,
}

impl SessionFilter {
    fn accepts(&self, session: &Session) -> bool {
        let email =
            session.customer.as_ref().and_then(|customer| customer.email.as_ref()).or(session.customer_email.as_ref());
        // No session in the sandbox has a payment link or subscription.
        let impossible = self.payment_link.is_some() || self.subscription.is_some();
        !impossible
            && self.created.as_ref().is_none_or(|range| range.contains(session.created))
            && self.status.as_ref().is_none_or(|status| status == session.status.as_str())
            && (self.customer.is_none() || self.customer == session.customer_id)
            && (self.payment_intent.is_none() || self.payment_intent == session.payment_intent)
            && self.customer_details.as_ref().is_none_or(|filter| Some(&filter.email) == email)
    }
}

fn list_sessions(state: &State, context: &Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let filter: SessionFilter = read(params, accepted::LIST_SESSIONS)?;
    list::late_page(
        (&state.sessions, Lag::of(state)),
        &filter.page,
        ("checkout.session", "/v1/checkout/sessions"),
        |session| filter.accepts(session),
        |session| session_json::session(session, context.base_url),
    )
}

fn line_items(state: &State, id: &str, params: &Params) -> Result<Value, ApiError> {
    let found = session::find(state, id)?;
    let page: Page = read(params, accepted::LIST)?;
    let mut items = super::table::Table::default();
    // Lists are newest first, but line items keep the order they were given in, so insert them in reverse.
    for item in found.line_items.iter().rev() {
        items.insert(item.clone());
    }
    let url = format!("/v1/checkout/sessions/{id}/line_items");
    list::page(&items, &page, ("line item", &url), |_| true, |item| session_json::line_item(found, item))
}

#[derive(Debug, Deserialize)]
struct EventFilter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    r#type: Option<String>,
    #[serde(default)]
    types: Vec<String>,
    delivery_success: Option<bool>,
}

impl EventFilter {
    fn accepts(&self, event: &Event) -> bool {
        let by_types = self.types.is_empty() || self.types.contains(&event.kind);
        let delivered = event.targets.iter().all(|target| target.delivered);
        by_types
            && !event.thin_only
            && self.r#type.as_ref().is_none_or(|pattern| matches(pattern, &event.kind))
            && self.created.as_ref().is_none_or(|range| range.contains(event.created))
            && self.delivery_success.is_none_or(|wanted| wanted == delivered)
    }
}

/// Whether an event type matches a pattern such as `charge.*`; `*` alone matches anything.
pub(crate) fn matches(pattern: &str, kind: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == kind,
        Some((start, end)) => {
            kind.len() >= start.len().saturating_add(end.len()) && kind.starts_with(start) && kind.ends_with(end)
        }
    }
}

fn list_events(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: EventFilter = read(params, accepted::LIST_EVENTS)?;
    if filter.r#type.is_some() && !filter.types.is_empty() {
        return Err(ApiError::invalid("You may only specify one of these parameters: type, types."));
    }
    let names = ("event", "/v1/events");
    list::late_page((&state.events, Lag::of(state)), &filter.page, names, |event| filter.accepts(event), Event::to_json)
}
