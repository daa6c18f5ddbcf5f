//! Balance transactions: how each movement of money changed the account's balance, and Stripe's fee on it.
//!
//! Invariants: `net` is `amount` minus `fee`. A transaction never changes; a mistake is corrected by another
//! transaction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, State, table::Row};

const TWO_DAYS: i64 = 2 * 24 * 60 * 60;

/// Why money moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Movement {
    #[default]
    Charge,
    Refund,
    /// A refund that failed or was canceled: its money comes back.
    RefundFailure,
    Dispute,
    DisputeReversal,
    Transfer,
    TransferReversal,
    Payout,
    TopUp,
}

impl Movement {
    /// Stripe's `type`. Bank debits have types of their own.
    fn kind(self, source: &str) -> &'static str {
        match self {
            Self::Charge if source.starts_with("py_") => "payment",
            Self::Charge => "charge",
            Self::Refund if source.starts_with("pyr_") => "payment_refund",
            Self::Refund => "refund",
            Self::RefundFailure if source.starts_with("pyr_") => "payment_failure_refund",
            Self::RefundFailure => "refund_failure",
            Self::Dispute | Self::DisputeReversal => "adjustment",
            Self::Transfer => "transfer",
            Self::TransferReversal => "transfer_refund",
            Self::Payout => "payout",
            Self::TopUp => "topup",
        }
    }

    fn reporting_category(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
            Self::Transfer => "transfer",
            Self::TransferReversal => "transfer_reversal",
            Self::Payout => "payout",
            Self::TopUp => "topup",
        }
    }

    fn fee_description(self) -> &'static str {
        match self {
            Self::Dispute => "Dispute fee",
            _ => "Stripe processing fees",
        }
    }
}

/// A change of the balance, after Stripe's fee. Negative when money leaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BalanceTransaction {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) available_on: i64,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) net: i64,
    pub(crate) currency: String,
    /// The id of its charge, refund or dispute.
    pub(crate) source: String,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) movement: Movement,
}

impl Row for BalanceTransaction {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A movement to book. `amount` is negative when money leaves.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) movement: Movement,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) currency: &'a str,
    pub(crate) source: &'a str,
    pub(crate) description: Option<String>,
    /// The money is available now, not only in two days.
    pub(crate) at_once: bool,
}

/// The account's balance: what is available and what is not yet, by currency.
pub(crate) fn summary(state: &State, now: i64) -> Value {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for transaction in state.balance_transactions.iter() {
        let (available, pending) = sums.entry(&transaction.currency).or_default();
        let sum = if transaction.available_on <= now { available } else { pending };
        *sum = sum.saturating_add(transaction.net);
    }
    if sums.is_empty() {
        sums.insert("usd", (0, 0));
    }
    let list = |pick: fn(&(i64, i64)) -> i64| -> Vec<Value> {
        let one = |(currency, sums): (&&str, &(i64, i64))| {
            let amount = pick(sums);
            json!({ "amount": amount, "currency": currency, "source_types": { "card": amount } })
        };
        sums.iter().map(one).collect()
    };
    json!({
        "object": "balance", "available": list(|sums| sums.0), "livemode": false, "pending": list(|sums| sums.1),
    })
}

/// Books a movement of money. Returns the transaction's id.
pub(crate) fn book(state: &mut State, context: &mut Context<'_>, entry: Entry<'_>) -> String {
    let prefix = if entry.movement == Movement::Charge { "txn_3" } else { "txn_1" };
    let id = context.ids.next(prefix, 23);
    state.balance_transactions.insert(BalanceTransaction {
        id: id.clone(),
        created: context.now(),
        available_on: context.now().saturating_add(if entry.at_once { 0 } else { TWO_DAYS }),
        amount: entry.amount,
        fee: entry.fee,
        net: entry.amount.saturating_sub(entry.fee),
        currency: entry.currency.to_owned(),
        source: entry.source.to_owned(),
        description: entry.description,
        movement: entry.movement,
    });
    id
}

impl BalanceTransaction {
    /// Stripe's `type`.
    pub(crate) fn kind(&self) -> &'static str {
        self.movement.kind(&self.source)
    }
}

pub(crate) fn to_json(transaction: &BalanceTransaction) -> Value {
    let fees = (transaction.fee != 0).then(|| {
        json!({
            "amount": transaction.fee,
            "application": null,
            "currency": transaction.currency,
            "description": transaction.movement.fee_description(),
            "type": "stripe_fee",
        })
    });
    json!({
        "id": transaction.id,
        "object": "balance_transaction",
        "amount": transaction.amount,
        "available_on": transaction.available_on,
        "balance_type": "payments",
        "created": transaction.created,
        "currency": transaction.currency,
        "description": transaction.description,
        "exchange_rate": null,
        "fee": transaction.fee,
        "fee_details": Vec::from_iter(fees),
        "net": transaction.net,
        "reporting_category": transaction.movement.reporting_category(),
        "source": transaction.source,
        "status": if transaction.available_on <= transaction.created { "available" } else { "pending" },
        "type": transaction.kind(),
    })
}
