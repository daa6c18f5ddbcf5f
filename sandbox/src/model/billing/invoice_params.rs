//! The parameters of the endpoints of invoices, invoice items and invoice payments.

use super::subscription_params::{AUTOMATIC_TAX, CHANGED_ITEM, EXPAND, PRORATION, SINGLE_PRICE, TEXT, UNSET_TEXT};
use crate::model::spec::{Field, Kind, optional, required, unsupported};

const LIMIT: Field = optional("limit", Kind::Integer(1));
const STARTING_AFTER: Field = optional("starting_after", TEXT);
const ENDING_BEFORE: Field = optional("ending_before", TEXT);
const COLLECTION: Kind = Kind::OneOf(&["charge_automatically", "send_invoice"]);
const PERIOD: Kind = Kind::Object(&[required("start", Kind::Integer(0)), required("end", Kind::Integer(0))]);
const CUSTOM_FIELDS: Kind =
    Kind::Unset(&Kind::List(4, &Kind::Object(&[required("name", Kind::Text(40)), required("value", Kind::Text(140))])));

/// What both creating and updating an invoice accept.
const SHARED: &[Field] = &[
    optional("auto_advance", Kind::Boolean),
    optional("automatic_tax", AUTOMATIC_TAX),
    optional("automatically_finalizes_at", Kind::Integer(0)),
    optional("collection_method", COLLECTION),
    optional("custom_fields", CUSTOM_FIELDS),
    optional("days_until_due", Kind::Integer(0)),
    optional("default_payment_method", UNSET_TEXT),
    optional("description", Kind::Unset(&Kind::Text(1_500))),
    optional("due_date", Kind::Integer(0)),
    optional("footer", UNSET_TEXT),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("account_tax_ids"),
    unsupported("application_fee_amount"),
    unsupported("default_source"),
    unsupported("default_tax_rates"),
    unsupported("discounts"),
    unsupported("effective_at"),
    unsupported("issuer"),
    unsupported("number"),
    unsupported("on_behalf_of"),
    unsupported("payment_settings"),
    unsupported("rendering"),
    unsupported("shipping_cost"),
    unsupported("shipping_details"),
    unsupported("statement_descriptor"),
    unsupported("transfer_data"),
];

pub(crate) fn create_fields() -> Vec<Field> {
    let own = [
        optional("customer", TEXT),
        optional("currency", TEXT),
        optional("pending_invoice_items_behavior", Kind::OneOf(&["exclude", "include"])),
        optional("subscription", TEXT),
        unsupported("customer_account"),
        unsupported("from_invoice"),
    ];
    SHARED.iter().copied().chain(own).collect()
}

pub(crate) fn update_fields() -> Vec<Field> {
    SHARED.to_vec()
}

pub(crate) const LIST: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    optional("collection_method", COLLECTION),
    optional("created", Kind::Range),
    optional("customer", TEXT),
    optional("due_date", Kind::Range),
    optional("status", Kind::OneOf(&["draft", "open", "paid", "uncollectible", "void"])),
    optional("subscription", TEXT),
    unsupported("customer_account"),
];

pub(crate) const LINES: &[Field] = &[LIMIT, STARTING_AFTER, ENDING_BEFORE, EXPAND];

pub(crate) const PAY: &[Field] = &[
    optional("payment_method", TEXT),
    optional("off_session", Kind::Boolean),
    optional("paid_out_of_band", Kind::Boolean),
    optional("forgive", Kind::Boolean),
    EXPAND,
    unsupported("mandate"),
    unsupported("source"),
];

pub(crate) const FINALIZE: &[Field] = &[optional("auto_advance", Kind::Boolean), EXPAND];

const PREVIEWED: &[Field] = &[
    optional("items", Kind::List(20, &Kind::Object(CHANGED_ITEM))),
    optional("billing_cycle_anchor", Kind::OneOf(&["now", "unchanged"])),
    optional("cancel_at_period_end", Kind::Boolean),
    optional("cancel_now", Kind::Boolean),
    optional("proration_behavior", PRORATION),
    optional("proration_date", Kind::Integer(0)),
    optional("trial_end", TEXT),
    unsupported("billing_mode"),
    unsupported("billing_schedules"),
    unsupported("cancel_at"),
    unsupported("default_tax_rates"),
    unsupported("resume_at"),
    unsupported("start_date"),
];

/// `POST /v1/invoices/create_preview`
pub(crate) const PREVIEW: &[Field] = &[
    optional("customer", TEXT),
    optional("subscription", TEXT),
    optional("subscription_details", Kind::Object(PREVIEWED)),
    optional("automatic_tax", AUTOMATIC_TAX),
    optional("currency", TEXT),
    optional("preview_mode", Kind::OneOf(&["next", "recurring"])),
    EXPAND,
    unsupported("customer_account"),
    unsupported("customer_details"),
    unsupported("discounts"),
    unsupported("invoice_items"),
    unsupported("issuer"),
    unsupported("on_behalf_of"),
    unsupported("schedule"),
    unsupported("schedule_details"),
];

/// What both creating and updating an invoice item accept.
const OF_ITEM: &[Field] = &[
    optional("amount", Kind::Integer(i64::MIN)),
    optional("description", Kind::Unset(&TEXT)),
    optional("discountable", Kind::Boolean),
    optional("metadata", Kind::Metadata),
    optional("period", PERIOD),
    optional("price_data", Kind::Object(SINGLE_PRICE)),
    optional("pricing", Kind::Object(&[optional("price", TEXT)])),
    optional("price", TEXT),
    optional("quantity", Kind::Integer(0)),
    optional("tax_behavior", Kind::OneOf(&["exclusive", "inclusive", "unspecified"])),
    EXPAND,
    unsupported("discounts"),
    unsupported("tax_code"),
    unsupported("tax_rates"),
    unsupported("unit_amount"),
    unsupported("unit_amount_decimal"),
    unsupported("quantity_decimal"),
];

pub(crate) fn create_item_fields() -> Vec<Field> {
    let own = [
        optional("customer", TEXT),
        optional("currency", TEXT),
        optional("invoice", TEXT),
        optional("subscription", TEXT),
        unsupported("customer_account"),
    ];
    OF_ITEM.iter().copied().chain(own).collect()
}

pub(crate) fn update_item_fields() -> Vec<Field> {
    OF_ITEM.to_vec()
}

pub(crate) const LIST_ITEMS: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    optional("created", Kind::Range),
    optional("customer", TEXT),
    optional("invoice", TEXT),
    optional("pending", Kind::Boolean),
    unsupported("customer_account"),
];

pub(crate) const LIST_PAYMENTS: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    optional("created", Kind::Range),
    optional("invoice", TEXT),
    optional("status", Kind::OneOf(&["canceled", "open", "paid"])),
    optional(
        "payment",
        Kind::Object(&[
            required("type", Kind::OneOf(&["charge", "payment_intent", "payment_record"])),
            optional("payment_intent", TEXT),
            optional("payment_record", TEXT),
        ]),
    ),
];
