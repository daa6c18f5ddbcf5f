//! Money that leaves the balance or comes to it without a payment: transfers to connected accounts and their reversals,
//! payouts to the bank, and top-ups of the balance.
//!
//! Invariants: reversals of a transfer never exceed it. The balance is not checked: a sandbox's account always has
//! enough.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Context, State, balance,
    balance::{Entry, Movement},
    error::ApiError,
    table::Row,
};

const TWO_DAYS: i64 = 2 * 24 * 60 * 60;

/// What transfers, payouts and top-ups have in common, with Stripe's names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) balance_transaction: String,
}

/// A transfer to a connected account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(crate) order: Order,
    pub(crate) destination: String,
    pub(crate) destination_payment: String,
    pub(crate) source_transaction: Option<String>,
    pub(crate) reversals: Vec<Reversal>,
}

/// Money that came back from a connected account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reversal {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) balance_transaction: String,
}

/// A payout to the bank. It is on its way until the test moves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payout {
    pub(crate) order: Order,
    pub(crate) status: String,
}

/// Money from the bank to the balance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TopUp {
    pub(crate) order: Order,
}

macro_rules! rows {
    ($($row:ty),*) => {$(
        impl Row for $row {
            fn id(&self) -> &str {
                &self.order.id
            }

            fn created(&self) -> Option<i64> {
                Some(self.order.created)
            }
        }
    )*};
}
rows!(Transfer, Payout, TopUp);

impl Transfer {
    pub(crate) fn amount_reversed(&self) -> i64 {
        self.reversals.iter().fold(0, |sum, reversal| sum.saturating_add(reversal.amount))
    }
}

/// What the caller asks for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) transfer_group: Option<String>,
}

/// Books the money and returns the order. A top-up brings money; the others take it.
pub(crate) fn place(state: &mut State, context: &mut Context<'_>, wanted: Wanted, movement: Movement) -> Order {
    let prefix = match movement {
        Movement::Transfer => "tr_1",
        Movement::Payout => "po_1",
        _ => "tu_1",
    };
    let id = context.ids.next(prefix, 23);
    let amount = if movement == Movement::TopUp { wanted.amount } else { wanted.amount.saturating_neg() };
    let balance_transaction = book(state, context, &id, (amount, &wanted.currency), movement);
    Order {
        id,
        created: context.now(),
        amount: wanted.amount,
        currency: wanted.currency,
        description: wanted.description,
        metadata: wanted.metadata,
        statement_descriptor: wanted.statement_descriptor,
        transfer_group: wanted.transfer_group,
        balance_transaction,
    }
}

fn book(
    state: &mut State,
    context: &mut Context<'_>,
    source: &str,
    (amount, currency): (i64, &str),
    movement: Movement,
) -> String {
    let entry = Entry { movement, amount, fee: 0, currency, source, description: None, at_once: true };
    balance::book(state, context, entry)
}

/// Takes back a part of a transfer, or what is left of it.
pub(crate) fn reverse(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    amount: Option<i64>,
    metadata: BTreeMap<String, String>,
) -> Result<Reversal, ApiError> {
    let found = find(state, id)?;
    let left = found.order.amount.saturating_sub(found.amount_reversed());
    let amount = amount.unwrap_or(left);
    if amount > left || left == 0 {
        let message = format!("Reversal amount ({amount}) is greater than unreversed amount on transfer ({left})");
        return Err(ApiError::invalid(message).param("amount").executed());
    }
    let (before, currency) = (transfer_json(found), found.order.currency.clone());
    let reversal_id = context.ids.next("trr_1", 23);
    let balance_transaction = book(state, context, &reversal_id, (amount, &currency), Movement::TransferReversal);
    let reversal = Reversal { id: reversal_id, created: context.now(), amount, metadata, balance_transaction };
    if let Some(transfer) = state.transfers.get_mut(id) {
        transfer.reversals.insert(0, reversal.clone());
        let after = transfer_json(transfer);
        state.emit_diff(context, "transfer.reversed", &before, after);
    }
    Ok(reversal)
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Transfer, ApiError> {
    state.transfers.get(id).ok_or_else(|| ApiError::not_found("transfer", id, "transfer"))
}

pub(crate) fn reversal_json(transfer: &Transfer, reversal: &Reversal) -> Value {
    json!({
        "id": reversal.id,
        "object": "transfer_reversal",
        "amount": reversal.amount,
        "balance_transaction": reversal.balance_transaction,
        "created": reversal.created,
        "currency": transfer.order.currency,
        "destination_payment_refund": null,
        "metadata": reversal.metadata,
        "source_refund": null,
        "transfer": transfer.order.id,
    })
}

/// The list of a transfer's reversals, newest first.
pub(crate) fn reversals(transfer: &Transfer) -> Value {
    let data: Vec<Value> = transfer.reversals.iter().map(|reversal| reversal_json(transfer, reversal)).collect();
    json!({
        "object": "list", "data": data, "has_more": false,
        "url": format!("/v1/transfers/{}/reversals", transfer.order.id),
    })
}

pub(crate) fn transfer_json(transfer: &Transfer) -> Value {
    let order = &transfer.order;
    let reversed = transfer.amount_reversed();
    json!({
        "id": order.id,
        "object": "transfer",
        "amount": order.amount,
        "amount_reversed": reversed,
        "balance_transaction": order.balance_transaction,
        "created": order.created,
        "currency": order.currency,
        "description": order.description,
        "destination": transfer.destination,
        "destination_payment": transfer.destination_payment,
        "livemode": false,
        "metadata": order.metadata,
        "reversals": reversals(transfer),
        "reversed": reversed >= order.amount,
        "source_transaction": transfer.source_transaction,
        "source_type": "card",
        "transfer_group": order.transfer_group,
    })
}

pub(crate) fn payout_json(payout: &Payout) -> Value {
    let order = &payout.order;
    json!({
        "id": order.id,
        "object": "payout",
        "amount": order.amount,
        "application_fee": null,
        "application_fee_amount": null,
        "arrival_date": order.created.saturating_add(TWO_DAYS),
        "automatic": false,
        "balance_transaction": order.balance_transaction,
        "created": order.created,
        "currency": order.currency,
        "description": order.description,
        "destination": "ba_1SandboxSandboxSandboxSan",
        "failure_balance_transaction": null,
        "failure_code": null,
        "failure_message": null,
        "livemode": false,
        "metadata": order.metadata,
        "method": "standard",
        "original_payout": null,
        "payout_method": null,
        "reconciliation_status": "not_applicable",
        "reversed_by": null,
        "source_type": "card",
        "statement_descriptor": order.statement_descriptor,
        "status": payout.status,
        "trace_id": null,
        "type": "bank_account",
    })
}

pub(crate) fn topup_json(topup: &TopUp) -> Value {
    let order = &topup.order;
    json!({
        "id": order.id,
        "object": "topup",
        "amount": order.amount,
        "balance_transaction": order.balance_transaction,
        "created": order.created,
        "currency": order.currency,
        "description": order.description,
        "expected_availability_date": order.created,
        "failure_code": null,
        "failure_message": null,
        "initiated_by": "user",
        "livemode": false,
        "metadata": order.metadata,
        "source": null,
        "statement_descriptor": order.statement_descriptor,
        "status": "succeeded",
        "transfer_group": order.transfer_group,
    })
}
