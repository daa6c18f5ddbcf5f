//! `/v1/credit_notes`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    agenda,
    credit_note::{self, CreditLine, CreditNote},
    invoice::{self, InvoiceStatus},
    subscription_params::{EXPAND, TEXT, UNSET_TEXT},
};
use crate::model::{
    Context, State,
    error::ApiError,
    list::{self, Page, Range},
    metadata,
    params::Params,
    refund,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec::{self, Field, Kind, optional, required, unsupported},
};

const LINE: &[Field] = &[
    required("type", Kind::OneOf(&["custom_line_item", "invoice_line_item"])),
    optional("amount", Kind::Integer(1)),
    optional("description", TEXT),
    optional("invoice_line_item", TEXT),
    optional("quantity", Kind::Integer(1)),
    optional("unit_amount", Kind::Integer(0)),
    unsupported("metadata"),
    unsupported("tax_amounts"),
    unsupported("tax_rates"),
    unsupported("unit_amount_decimal"),
];

const CREATE: &[Field] = &[
    required("invoice", TEXT),
    optional("amount", Kind::Integer(1)),
    optional("credit_amount", Kind::Integer(0)),
    optional("lines", Kind::List(100, &Kind::Object(LINE))),
    optional("memo", TEXT),
    optional("metadata", Kind::Metadata),
    optional("out_of_band_amount", Kind::Integer(0)),
    optional("reason", Kind::OneOf(&["duplicate", "fraudulent", "order_change", "product_unsatisfactory"])),
    optional("refund_amount", Kind::Integer(0)),
    EXPAND,
    unsupported("effective_at"),
    unsupported("email_type"),
    unsupported("refunds"),
    unsupported("shipping_cost"),
];

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            credit_note::find(state, id)?;
            spec::check(params, &[EXPAND])?;
            (*id).to_owned()
        }
        (Method::Get, [id, "lines"]) => {
            let found = credit_note::find(state, id)?;
            let data: Vec<Value> = found.lines.iter().map(credit_note::line_json).collect();
            let url = format!("/v1/credit_notes/{id}/lines");
            return Ok(json!({ "object": "list", "data": data, "has_more": false, "url": url }));
        }
        (Method::Post, [id, "void"]) => {
            let customer = credit_note::find(state, id)?.customer.clone();
            spec::check(params, &[EXPAND])?;
            agenda::at_customers_time(state, context, &customer, |state, context| {
                credit_note::void(state, context, id)
            })?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            update(state, context, id, params)?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    credit_note::find(state, &id).map(credit_note::to_json)
}

#[derive(Debug, Deserialize)]
struct Wanted {
    invoice: String,
    amount: Option<i64>,
    #[serde(default)]
    credit_amount: i64,
    #[serde(default)]
    lines: Vec<WantedLine>,
    memo: Option<String>,
    #[serde(default)]
    out_of_band_amount: i64,
    reason: Option<String>,
    #[serde(default)]
    refund_amount: i64,
}

#[derive(Debug, Deserialize)]
struct WantedLine {
    amount: Option<i64>,
    description: Option<String>,
    invoice_line_item: Option<String>,
    quantity: Option<i64>,
    unit_amount: Option<i64>,
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let wanted: Wanted = read(params, CREATE)?;
    precheck_expansions(params, "credit_note")?;
    let found = state.invoices.get(&wanted.invoice).cloned();
    let found = found.ok_or_else(|| ApiError::missing_reference("invoice", &wanted.invoice, "invoice"))?;
    if !matches!(found.status, InvoiceStatus::Open | InvoiceStatus::Paid) {
        let message = "Credit notes can only be created for invoices that are open or paid.";
        return Err(ApiError::invalid(message).param("invoice"));
    }
    let metadata = metadata::changed(&BTreeMap::new(), params)?;
    let customer = found.customer.clone().unwrap_or_default();
    agenda::at_customers_time(state, context, &customer, |state, context| {
        let lines = lines_of(context, &wanted, &found)?;
        let before_payment = found.status == InvoiceStatus::Open;
        let mut note = CreditNote {
            id: context.ids.next("cn_1", 23),
            created: context.now(),
            number: format!("{}-CN-{:02}", found.number.clone().unwrap_or_default(), state.credit_notes.len()),
            invoice: found.id.clone(),
            customer: customer.clone(),
            currency: found.currency.clone(),
            lines,
            memo: wanted.memo,
            reason: wanted.reason,
            metadata,
            before_payment,
            credited: wanted.credit_amount,
            refund: None,
            off_stripe: wanted.out_of_band_amount,
            voided_at: None,
        };
        if !before_payment {
            let parts =
                wanted.credit_amount.saturating_add(wanted.out_of_band_amount).saturating_add(wanted.refund_amount);
            if parts != note.total() {
                let message = format!(
                    "The sum of credit amount, refund amount and out of band amount ({parts}) must equal the credit \
                     note amount ({}).",
                    note.total()
                );
                return Err(ApiError::invalid(message));
            }
            if wanted.refund_amount > 0 {
                let intent = found.payment_intent.clone().unwrap_or_default();
                let made = refund::of_intent(state, context, &intent, wanted.refund_amount)?;
                note.refund = Some((made, wanted.refund_amount));
            }
        }
        credit_note::issue(state, context, note)
    })
}

fn lines_of(context: &mut Context<'_>, wanted: &Wanted, found: &invoice::Invoice) -> Result<Vec<CreditLine>, ApiError> {
    if wanted.lines.is_empty() {
        let amount = wanted.amount.ok_or_else(|| ApiError::missing_param("amount"))?;
        return Ok(vec![CreditLine {
            id: context.ids.next("cnli_1", 23),
            amount,
            quantity: Some(1),
            unit_amount: Some(amount),
            description: None,
            invoice_line: None,
        }]);
    }
    let mut made = Vec::new();
    for (place, line) in wanted.lines.iter().enumerate() {
        let of = line.invoice_line_item.as_ref().map(|id| {
            found.lines.iter().find(|own| own.id == *id).ok_or_else(|| {
                ApiError::missing_reference("invoice line item", id, &format!("lines[{place}][invoice_line_item]"))
            })
        });
        let of = of.transpose()?;
        let quantity = line.quantity.unwrap_or(1);
        let by_unit = line.unit_amount.map(|unit| unit.saturating_mul(quantity));
        let by_line = of.map(|own| match (line.quantity, own.quantity) {
            (Some(part), Some(whole)) if whole > 0 => own.amount.saturating_mul(part).div_euclid(whole),
            _ => own.amount,
        });
        let amount = line.amount.or(by_unit).or(by_line);
        let amount = amount.ok_or_else(|| ApiError::missing_param(&format!("lines[{place}][unit_amount]")))?;
        made.push(CreditLine {
            id: context.ids.next("cnli_1", 23),
            amount,
            quantity: Some(quantity),
            unit_amount: line.unit_amount,
            description: line.description.clone().or_else(|| of.and_then(|own| own.description.clone())),
            invoice_line: line.invoice_line_item.clone(),
        });
    }
    Ok(made)
}

fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = credit_note::find(state, id)?.clone();
    let fields = [optional("memo", UNSET_TEXT), optional("metadata", Kind::Metadata), EXPAND];
    let wanted = spec::check(&metadata::without_unset(params), &fields)?;
    let metadata = metadata::changed(&found.metadata, params)?;
    let before = credit_note::to_json(&found);
    if let Some(note) = state.credit_notes.get_mut(id) {
        note.metadata = metadata;
        if let Some(memo) = wanted.get("memo") {
            note.memo = memo.as_str().map(str::to_owned);
        }
    }
    let after = credit_note::to_json(credit_note::find(state, id)?);
    if before != after {
        state.emit_diff(context, "credit_note.updated", &before, after);
    }
    Ok(())
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Filter {
        #[serde(flatten)]
        page: Page,
        created: Option<Range>,
        customer: Option<String>,
        invoice: Option<String>,
    }
    let fields = [
        optional("limit", Kind::Integer(1)),
        optional("starting_after", TEXT),
        optional("ending_before", TEXT),
        optional("created", Kind::Range),
        optional("customer", TEXT),
        optional("invoice", TEXT),
        EXPAND,
    ];
    let filter: Filter = read(params, &fields)?;
    list::page(
        &state.credit_notes,
        &filter.page,
        ("credit note", "/v1/credit_notes"),
        |note| {
            filter.created.as_ref().is_none_or(|range| range.contains(note.created))
                && filter.customer.as_ref().is_none_or(|customer| *customer == note.customer)
                && filter.invoice.as_ref().is_none_or(|invoice| *invoice == note.invoice)
        },
        credit_note::to_json,
    )
}
