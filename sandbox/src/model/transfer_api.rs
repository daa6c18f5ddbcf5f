//! `/v1/transfers`, `/v1/payouts` and `/v1/topups`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted,
    accepted_money::ONLY_METADATA,
    balance::Movement,
    connect, currency,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    metadata,
    params::Params,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
    spec::{Field, Kind, optional, required, unsupported},
    transfer,
    transfer::{Payout, TopUp, Transfer, Wanted},
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));

/// What all three accept.
const ORDER: &[Field] = &[
    required("amount", Kind::Integer(1)),
    required("currency", TEXT),
    optional("description", TEXT),
    optional("metadata", Kind::Metadata),
    EXPAND,
];
const REVERSE: &[Field] = &[
    optional("amount", Kind::Integer(1)),
    optional("description", TEXT),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("refund_application_fee"),
];
const LIST: &[Field] = &[
    optional("limit", Kind::Integer(1)),
    optional("starting_after", TEXT),
    optional("ending_before", TEXT),
    EXPAND,
    optional("created", Kind::Range),
    optional("destination", TEXT),
    optional("transfer_group", TEXT),
    optional("status", TEXT),
    optional("arrival_date", Kind::Range),
    optional("amount", Kind::Range),
];

/// An order with the checks that all three share.
fn wanted(params: &Params, more: &[Field], object: &str) -> Result<Wanted, ApiError> {
    let fields = [ORDER, more].concat();
    let mut wanted: Wanted = read(&metadata::without_unset(params), &fields)?;
    precheck_expansions(params, object)?;
    wanted.currency = currency::parse(&wanted.currency, "currency")?;
    Ok(wanted)
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    destination: Option<String>,
    transfer_group: Option<String>,
    status: Option<String>,
}

fn filter(params: &Params, without: &[&str]) -> Result<Filter, ApiError> {
    let fields: Vec<Field> = LIST.iter().copied().filter(|field| !without.contains(&field.name)).collect();
    read(params, &fields)
}

pub(crate) fn transfers(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => {
            let filter = filter(params, &["status", "arrival_date", "amount"])?;
            return list::late_page(
                (&state.transfers, Lag::of(state)),
                &filter.page,
                ("transfer", "/v1/transfers"),
                |transfer| {
                    filter.created.as_ref().is_none_or(|range| range.contains(transfer.order.created))
                        && filter.destination.as_ref().is_none_or(|account| *account == transfer.destination)
                        && (filter.transfer_group.is_none() || filter.transfer_group == transfer.order.transfer_group)
                },
                transfer::transfer_json,
            );
        }
        (Method::Post, []) => create_transfer(state, context, params)?,
        (Method::Get, [id]) => {
            transfer::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            let found = transfer::find(state, id)?;
            spec::check(&metadata::without_unset(params), ONLY_METADATA)?;
            let changed = metadata::changed(&found.order.metadata, params)?;
            let before = transfer::transfer_json(found);
            if let Some(transfer) = state.transfers.get_mut(id) {
                transfer.order.metadata = changed;
                let after = transfer::transfer_json(transfer);
                state.emit_diff(context, "transfer.updated", &before, after);
            }
            (*id).to_owned()
        }
        (Method::Get, [id, "reversals"]) => {
            spec::check(params, accepted::LIST)?;
            return transfer::find(state, id).map(transfer::reversals);
        }
        (Method::Post, [id, "reversals"]) => return reverse(state, context, id, params),
        _ => return Err(unrecognized(request)),
    };
    transfer::find(state, &id).map(transfer::transfer_json)
}

fn create_transfer(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Whereto {
        destination: String,
        source_transaction: Option<String>,
    }
    const MORE: &[Field] = &[
        required("destination", TEXT),
        optional("source_transaction", TEXT),
        optional("source_type", Kind::OneOf(&["bank_account", "card", "fpx"])),
        optional("transfer_group", TEXT),
    ];
    let wanted = wanted(params, MORE, "transfer")?;
    let whereto: Whereto = read(&metadata::without_unset(params), &[ORDER, MORE].concat())?;
    connect::find(state, &whereto.destination)
        .map_err(|_| ApiError::missing_reference("destination", &whereto.destination, "destination"))?;
    if let Some(charge) = &whereto.source_transaction
        && state.charges.get(charge).is_none()
    {
        return Err(ApiError::missing_reference("charge", charge, "source_transaction"));
    }
    let order = transfer::place(state, context, wanted, Movement::Transfer);
    let made = Transfer {
        destination: whereto.destination,
        destination_payment: context.ids.next("py_1", 23),
        source_transaction: whereto.source_transaction,
        reversals: Vec::new(),
        order,
    };
    let (id, rendered) = (made.order.id.clone(), transfer::transfer_json(&made));
    state.transfers.insert(made);
    state.emit(context, "transfer.created", rendered);
    Ok(id)
}

fn reverse(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Reverse {
        amount: Option<i64>,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
    }
    transfer::find(state, id)?;
    let wanted: Reverse = read(&metadata::without_unset(params), REVERSE)?;
    let reversal = transfer::reverse(state, context, id, wanted.amount, wanted.metadata)?;
    transfer::find(state, id).map(|transfer| transfer::reversal_json(transfer, &reversal))
}

fn find_payout<'a>(state: &'a State, id: &str) -> Result<&'a Payout, ApiError> {
    state.payouts.get(id).ok_or_else(|| ApiError::not_found("payout", id, "payout"))
}

pub(crate) fn payouts(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    const MORE: &[Field] = &[
        optional("method", Kind::OneOf(&["standard"])),
        optional("source_type", Kind::OneOf(&["bank_account", "card", "fpx"])),
        optional("statement_descriptor", Kind::Text(22)),
        unsupported("destination"),
        unsupported("payout_method"),
    ];
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => {
            let filter = filter(params, &["transfer_group", "amount"])?;
            return list::late_page(
                (&state.payouts, Lag::of(state)),
                &filter.page,
                ("payout", "/v1/payouts"),
                |payout| {
                    filter.created.as_ref().is_none_or(|range| range.contains(payout.order.created))
                        && filter.status.as_ref().is_none_or(|status| *status == payout.status)
                },
                transfer::payout_json,
            );
        }
        (Method::Post, []) => {
            let wanted = wanted(params, MORE, "payout")?;
            let order = transfer::place(state, context, wanted, Movement::Payout);
            let payout = Payout { order, status: "pending".to_owned() };
            let (id, rendered) = (payout.order.id.clone(), transfer::payout_json(&payout));
            state.payouts.insert(payout);
            state.emit(context, "payout.created", rendered);
            id
        }
        (Method::Get, [id]) => {
            find_payout(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            spec::check(&metadata::without_unset(params), ONLY_METADATA)?;
            let found = find_payout(state, id)?;
            let changed = metadata::changed(&found.order.metadata, params)?;
            change_payout(state, context, id, "payout.updated", |payout| payout.order.metadata = changed);
            (*id).to_owned()
        }
        (Method::Post, [id, "cancel"]) => {
            spec::check(params, accepted::ONLY_EXPAND)?;
            if find_payout(state, id)?.status != "pending" {
                let message = "Payouts can only be canceled while they are pending.";
                return Err(ApiError::invalid(message).executed());
            }
            change_payout(state, context, id, "payout.canceled", |payout| "canceled".clone_into(&mut payout.status));
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    find_payout(state, &id).map(transfer::payout_json)
}

fn change_payout(state: &mut State, context: &mut Context<'_>, id: &str, kind: &str, change: impl FnOnce(&mut Payout)) {
    let Some(payout) = state.payouts.get_mut(id) else { return };
    let before = transfer::payout_json(payout);
    change(payout);
    let after = transfer::payout_json(payout);
    state.emit_diff(context, kind, &before, after);
}

pub(crate) fn topups(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    const MORE: &[Field] =
        &[optional("statement_descriptor", Kind::Text(15)), optional("transfer_group", TEXT), unsupported("source")];
    let params = &request.params;
    let find = |state: &State, id: &str| {
        let found = state.topups.get(id).map(transfer::topup_json);
        found.ok_or_else(|| ApiError::not_found("topup", id, "topup"))
    };
    match (request.method, rest) {
        (Method::Get, []) => {
            let filter = filter(params, &["destination", "transfer_group", "arrival_date"])?;
            list::late_page(
                (&state.topups, Lag::of(state)),
                &filter.page,
                ("topup", "/v1/topups"),
                |topup| filter.created.as_ref().is_none_or(|range| range.contains(topup.order.created)),
                transfer::topup_json,
            )
        }
        (Method::Post, []) => {
            let wanted = wanted(params, MORE, "topup")?;
            let topup = TopUp { order: transfer::place(state, context, wanted, Movement::TopUp) };
            let rendered = transfer::topup_json(&topup);
            state.topups.insert(topup);
            state.emit(context, "topup.created", rendered.clone());
            state.emit(context, "topup.succeeded", rendered.clone());
            Ok(rendered)
        }
        (Method::Get, [id]) => {
            spec::check(params, accepted::ONLY_EXPAND)?;
            find(state, id)
        }
        _ => Err(unrecognized(request)),
    }
}
