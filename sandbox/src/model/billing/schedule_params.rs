//! The parameters that creating and updating a subscription schedule accept.

use super::subscription_params::{EXPAND, NEW_ITEM, PRORATION, TEXT};
use crate::model::spec::{Field, Kind, optional, required, unsupported};

const PHASE: &[Field] = &[
    optional("items", Kind::List(20, &Kind::Object(NEW_ITEM))),
    optional("start_date", TEXT),
    optional("end_date", TEXT),
    optional("iterations", Kind::Integer(1)),
    optional(
        "duration",
        Kind::Object(&[
            required("interval", Kind::OneOf(&["day", "month", "week", "year"])),
            optional("interval_count", Kind::Integer(1)),
        ]),
    ),
    optional("proration_behavior", PRORATION),
    optional("metadata", Kind::Metadata),
    optional("trial_end", Kind::Integer(0)),
    optional("currency", TEXT),
    unsupported("add_invoice_items"),
    unsupported("application_fee_percent"),
    unsupported("automatic_tax"),
    unsupported("billing_cycle_anchor"),
    unsupported("billing_thresholds"),
    unsupported("collection_method"),
    unsupported("default_payment_method"),
    unsupported("default_tax_rates"),
    unsupported("description"),
    unsupported("discounts"),
    unsupported("invoice_settings"),
    unsupported("on_behalf_of"),
    unsupported("transfer_data"),
    unsupported("trial"),
];

const SETTINGS: &[Field] = &[
    optional("collection_method", Kind::OneOf(&["charge_automatically", "send_invoice"])),
    optional("default_payment_method", TEXT),
    unsupported("application_fee_percent"),
    unsupported("automatic_tax"),
    unsupported("billing_cycle_anchor"),
    unsupported("billing_thresholds"),
    unsupported("description"),
    unsupported("invoice_settings"),
    unsupported("on_behalf_of"),
    unsupported("transfer_data"),
];

pub(crate) const SHARED: [Field; 5] = [
    optional("default_settings", Kind::Object(SETTINGS)),
    optional("end_behavior", Kind::OneOf(&["cancel", "none", "release", "renew"])),
    optional("metadata", Kind::Metadata),
    optional("phases", Kind::List(10, &Kind::Object(PHASE))),
    EXPAND,
];
