//! The parameters that the payment intent endpoints and the lists of charges and balance transactions accept, by the
//! rules of `accepted`.

use super::{
    address::ADDRESS,
    method_params::{MANDATE_DATA, METHOD, METHOD_OPTIONS},
    spec::{Field, Kind, optional, required, unsupported},
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));
const LIMIT: Field = optional("limit", Kind::Integer(1));
const STARTING_AFTER: Field = optional("starting_after", TEXT);
const ENDING_BEFORE: Field = optional("ending_before", TEXT);
const CREATED: Field = optional("created", Kind::Range);

const OFF_SESSION: Field = optional("off_session", Kind::OneOf(&["false", "one_off", "recurring", "true"]));
const FUTURE_USAGE: Kind = Kind::OneOf(&["off_session", "on_session"]);

/// Where goods are sent.
pub(crate) const SHIPPING: &[Field] = &[
    required("address", Kind::Object(ADDRESS)),
    required("name", TEXT),
    optional("carrier", TEXT),
    optional("phone", TEXT),
    optional("tracking_number", TEXT),
];

/// `POST /v1/payment_intents`, without the payment method list, whose name depends on the version.
pub(crate) const CREATE_INTENT: &[Field] = &[
    required("amount", Kind::Integer(1)),
    required("currency", TEXT),
    optional(
        "automatic_payment_methods",
        Kind::Object(&[
            required("enabled", Kind::Boolean),
            optional("allow_redirects", Kind::OneOf(&["always", "never"])),
        ]),
    ),
    optional("capture_method", Kind::OneOf(&["automatic", "automatic_async", "manual"])),
    optional("confirm", Kind::Boolean),
    optional("description", Kind::Text(1_000)),
    optional("metadata", Kind::Metadata),
    OFF_SESSION,
    optional("payment_method", TEXT),
    optional("payment_method_data", Kind::Object(METHOD)),
    optional("customer", TEXT),
    optional("confirmation_method", Kind::OneOf(&["automatic", "manual"])),
    optional("return_url", TEXT),
    optional("shipping", Kind::Object(SHIPPING)),
    MANDATE_DATA,
    METHOD_OPTIONS,
    optional("receipt_email", TEXT),
    optional("setup_future_usage", FUTURE_USAGE),
    optional("statement_descriptor", Kind::Text(22)),
    optional("statement_descriptor_suffix", Kind::Text(22)),
    optional("transfer_group", TEXT),
    EXPAND,
    unsupported("amount_details"),
    unsupported("application_fee_amount"),
    unsupported("confirmation_token"),
    unsupported("customer_account"),
    unsupported("error_on_requires_action"),
    unsupported("excluded_payment_method_types"),
    unsupported("hooks"),
    unsupported("mandate"),
    unsupported("on_behalf_of"),
    unsupported("payment_details"),
    unsupported("payment_method_configuration"),
    unsupported("radar_options"),
    unsupported("transfer_data"),
    unsupported("use_stripe_sdk"),
];

pub(crate) const CONFIRM_INTENT: &[Field] = &[
    optional("payment_method", TEXT),
    optional("payment_method_data", Kind::Object(METHOD)),
    optional("return_url", TEXT),
    optional("setup_future_usage", FUTURE_USAGE),
    MANDATE_DATA,
    OFF_SESSION,
    EXPAND,
    unsupported("allowed_payment_method_types"),
    unsupported("amount_details"),
    unsupported("amount_to_confirm"),
    unsupported("capture_method"),
    unsupported("confirmation_token"),
    unsupported("error_on_requires_action"),
    unsupported("excluded_payment_method_types"),
    unsupported("hooks"),
    unsupported("mandate"),
    unsupported("payment_details"),
    unsupported("payment_method_options"),
    unsupported("radar_options"),
    unsupported("receipt_email"),
    unsupported("shipping"),
    unsupported("use_stripe_sdk"),
];

pub(crate) const UPDATE_INTENT: &[Field] = &[
    optional("amount", Kind::Integer(1)),
    optional("customer", TEXT),
    optional("description", Kind::Text(1_000)),
    optional("metadata", Kind::Metadata),
    optional("payment_method", TEXT),
    optional("receipt_email", Kind::Unset(&TEXT)),
    optional("setup_future_usage", Kind::Unset(&FUTURE_USAGE)),
    optional("statement_descriptor", Kind::Text(22)),
    optional("statement_descriptor_suffix", Kind::Text(22)),
    optional("transfer_group", TEXT),
    EXPAND,
    unsupported("allowed_payment_method_types"),
    unsupported("amount_details"),
    unsupported("application_fee_amount"),
    unsupported("capture_method"),
    unsupported("currency"),
    unsupported("customer_account"),
    unsupported("excluded_payment_method_types"),
    unsupported("hooks"),
    unsupported("payment_details"),
    unsupported("payment_method_configuration"),
    unsupported("payment_method_data"),
    unsupported("payment_method_options"),
    unsupported("shipping"),
    unsupported("transfer_data"),
];

pub(crate) const CANCEL_INTENT: &[Field] = &[
    optional("cancellation_reason", Kind::OneOf(&["abandoned", "duplicate", "fraudulent", "requested_by_customer"])),
    EXPAND,
];

pub(crate) const CAPTURE_INTENT: &[Field] = &[
    optional("amount_to_capture", Kind::Integer(1)),
    EXPAND,
    unsupported("amount_details"),
    unsupported("application_fee_amount"),
    unsupported("final_capture"),
    unsupported("hooks"),
    unsupported("metadata"),
    unsupported("payment_details"),
    unsupported("statement_descriptor"),
    unsupported("statement_descriptor_suffix"),
    unsupported("transfer_data"),
];

pub(crate) const LIST_INTENTS: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    CREATED,
    optional("customer", TEXT),
    unsupported("customer_account"),
];

pub(crate) const LIST_CHARGES: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    CREATED,
    optional("customer", TEXT),
    optional("payment_intent", TEXT),
    optional("transfer_group", TEXT),
];

pub(crate) const LIST_BALANCE: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    CREATED,
    optional("currency", TEXT),
    optional("payout", TEXT),
    optional("source", TEXT),
    optional("type", TEXT),
];
