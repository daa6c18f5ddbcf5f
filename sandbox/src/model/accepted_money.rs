//! The parameters that the refund and dispute endpoints accept, by the rules of `accepted`.

use super::spec::{Field, Kind, optional, unsupported};

pub(crate) use super::accepted::ONLY_EXPAND;

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));
const LIMIT: Field = optional("limit", Kind::Integer(1));
const STARTING_AFTER: Field = optional("starting_after", TEXT);
const ENDING_BEFORE: Field = optional("ending_before", TEXT);
const CREATED: Field = optional("created", Kind::Range);

pub(crate) const ONLY_METADATA: &[Field] = &[optional("metadata", Kind::Metadata), EXPAND];

pub(crate) const CREATE_REFUND: &[Field] = &[
    optional("charge", TEXT),
    optional("payment_intent", TEXT),
    optional("amount", Kind::Integer(1)),
    optional("reason", Kind::OneOf(&["duplicate", "fraudulent", "requested_by_customer"])),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("currency"),
    unsupported("customer"),
    unsupported("instructions_email"),
    unsupported("origin"),
    unsupported("refund_application_fee"),
    unsupported("reverse_transfer"),
];

/// The lists of refunds and disputes, which belong to a charge.
pub(crate) const LIST_OF_CHARGE: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    CREATED,
    optional("charge", TEXT),
    optional("payment_intent", TEXT),
];

/// The list of reviews.
pub(crate) const LIST_OF_TIMES: &[Field] = &[LIMIT, STARTING_AFTER, ENDING_BEFORE, EXPAND, CREATED];

const EVIDENCE: &[Field] = &[
    optional("access_activity_log", Kind::Text(150_000)),
    optional("billing_address", Kind::Text(150_000)),
    optional("cancellation_policy_disclosure", Kind::Text(150_000)),
    optional("cancellation_rebuttal", Kind::Text(150_000)),
    optional("customer_email_address", Kind::Text(150_000)),
    optional("customer_name", Kind::Text(150_000)),
    optional("customer_purchase_ip", Kind::Text(150_000)),
    optional("duplicate_charge_explanation", Kind::Text(150_000)),
    optional("duplicate_charge_id", Kind::Text(150_000)),
    optional("product_description", Kind::Text(150_000)),
    optional("refund_policy_disclosure", Kind::Text(150_000)),
    optional("refund_refusal_explanation", Kind::Text(150_000)),
    optional("service_date", Kind::Text(150_000)),
    optional("shipping_address", Kind::Text(150_000)),
    optional("shipping_carrier", Kind::Text(150_000)),
    optional("shipping_date", Kind::Text(150_000)),
    optional("shipping_tracking_number", Kind::Text(150_000)),
    optional("uncategorized_text", Kind::Text(150_000)),
    optional("cancellation_policy", TEXT),
    optional("customer_communication", TEXT),
    optional("customer_signature", TEXT),
    optional("duplicate_charge_documentation", TEXT),
    optional("receipt", TEXT),
    optional("refund_policy", TEXT),
    optional("service_documentation", TEXT),
    optional("shipping_documentation", TEXT),
    optional("uncategorized_file", TEXT),
    unsupported("appeal"),
    unsupported("enhanced_evidence"),
];

pub(crate) const UPDATE_DISPUTE: &[Field] = &[
    optional("evidence", Kind::Object(EVIDENCE)),
    optional("submit", Kind::Boolean),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("intended_submission_method"),
];
