//! The parameters that each endpoint accepts. A parameter that Stripe has and the sandbox lacks is listed as
//! unsupported and refused with a reason instead of being ignored. All others are unknown.

use super::{
    accepted_intents::SHIPPING,
    billing::subscription_params::{BILLING_MODE, TRIAL_SETTINGS},
    spec::{Field, Kind, optional, required, unsupported},
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));
const ENABLED: &[Field] = &[required("enabled", Kind::Boolean)];
const LOCALES: &[&str] = &[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hi-IN",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk",
    "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];

const PRODUCT_DATA: &[Field] = &[
    required("name", TEXT),
    optional("description", Kind::Text(40_000)),
    optional("images", Kind::List(8, &TEXT)),
    optional("metadata", Kind::Metadata),
    optional("tax_code", TEXT),
    optional("unit_label", TEXT),
    unsupported("tax_details"),
];

const RECURRING: &[Field] = &[
    required("interval", Kind::OneOf(&["day", "month", "week", "year"])),
    optional("interval_count", Kind::Integer(1)),
];

const SUBSCRIPTION_DATA: &[Field] = &[
    optional("billing_cycle_anchor", Kind::Integer(0)),
    optional("billing_mode", BILLING_MODE),
    optional("description", Kind::Text(500)),
    optional("metadata", Kind::Metadata),
    optional("proration_behavior", Kind::OneOf(&["create_prorations", "none"])),
    optional("trial_end", Kind::Integer(0)),
    optional("trial_period_days", Kind::Integer(1)),
    optional("trial_settings", TRIAL_SETTINGS),
    optional("invoice_settings", Kind::Object(&[optional("issuer", Kind::Object(&[required("type", TEXT)]))])),
    unsupported("application_fee_percent"),
    unsupported("billing_cycle_anchor_config"),
    unsupported("default_tax_rates"),
    unsupported("on_behalf_of"),
    unsupported("pending_invoice_item_interval"),
    unsupported("transfer_data"),
];

const INVOICE_DATA: &[Field] = &[
    optional(
        "custom_fields",
        Kind::List(4, &Kind::Object(&[required("name", Kind::Text(40)), required("value", Kind::Text(140))])),
    ),
    optional("description", Kind::Text(1_500)),
    optional("footer", TEXT),
    optional("metadata", Kind::Metadata),
    unsupported("account_tax_ids"),
    unsupported("issuer"),
    unsupported("rendering_options"),
];

const PRICE_DATA: &[Field] = &[
    required("currency", TEXT),
    optional("product_data", Kind::Object(PRODUCT_DATA)),
    optional("product", TEXT),
    optional("unit_amount", Kind::Integer(0)),
    optional("tax_behavior", Kind::OneOf(&["exclusive", "inclusive", "unspecified"])),
    optional("unit_amount_decimal", Kind::Decimal),
    optional("recurring", Kind::Object(RECURRING)),
];

const LINE_ITEM: &[Field] = &[
    optional("price_data", Kind::Object(PRICE_DATA)),
    optional("price", TEXT),
    optional("quantity", Kind::Integer(1)),
    optional("metadata", Kind::Metadata),
    unsupported("adjustable_quantity"),
    unsupported("tax_rates"),
];

const PAYMENT_INTENT_DATA: &[Field] = &[
    optional("metadata", Kind::Metadata),
    optional("description", Kind::Text(1_000)),
    optional("receipt_email", TEXT),
    optional("statement_descriptor", Kind::Text(22)),
    optional("statement_descriptor_suffix", Kind::Text(22)),
    optional("setup_future_usage", Kind::OneOf(&["off_session", "on_session"])),
    optional("capture_method", Kind::OneOf(&["automatic", "automatic_async", "manual"])),
    optional("transfer_group", TEXT),
    unsupported("application_fee_amount"),
    unsupported("on_behalf_of"),
    optional("shipping", Kind::Object(SHIPPING)),
    unsupported("transfer_data"),
];

const SETUP_INTENT_DATA: &[Field] =
    &[optional("description", Kind::Text(1_000)), optional("metadata", Kind::Metadata), unsupported("on_behalf_of")];

const AUTO_OR_NEVER: Kind = Kind::OneOf(&["auto", "never"]);
const CUSTOMER_UPDATE: &[Field] =
    &[optional("address", AUTO_OR_NEVER), optional("name", AUTO_OR_NEVER), optional("shipping", AUTO_OR_NEVER)];

const MESSAGE: Kind = Kind::Unset(&Kind::Object(&[required("message", Kind::Text(1_200))]));
const CUSTOM_TEXT: &[Field] = &[
    optional("after_submit", MESSAGE),
    optional("shipping_address", MESSAGE),
    optional("submit", MESSAGE),
    optional("terms_of_service_acceptance", MESSAGE),
];

const ENABLED_OR_DISABLED: Kind = Kind::OneOf(&["disabled", "enabled"]);
const SAVED_METHODS: &[Field] = &[
    optional("allow_redisplay_filters", Kind::List(3, &Kind::OneOf(&["always", "limited", "unspecified"]))),
    optional("payment_method_remove", ENABLED_OR_DISABLED),
    optional("payment_method_save", ENABLED_OR_DISABLED),
];

const CONSENT: &[Field] = &[
    optional("promotions", Kind::OneOf(&["auto", "none"])),
    optional("terms_of_service", Kind::OneOf(&["none", "required"])),
    optional("payment_method_reuse_agreement", Kind::Object(&[required("position", Kind::OneOf(&["auto", "hidden"]))])),
];
const NAME: &[Field] = &[required("enabled", Kind::Boolean), optional("optional", Kind::Boolean)];
const NAMES: &[Field] = &[optional("business", Kind::Object(NAME)), optional("individual", Kind::Object(NAME))];
const LINK: &[Field] = &[optional("display", Kind::OneOf(&["auto", "never"]))];
const AFTER_EXPIRATION: &[Field] = &[optional(
    "recovery",
    Kind::Object(&[required("enabled", Kind::Boolean), optional("allow_promotion_codes", Kind::Boolean)]),
)];

/// `POST /v1/checkout/sessions`, without the payment method list, whose name depends on the version.
pub(crate) const CREATE_SESSION: &[Field] = &[
    required("mode", Kind::OneOf(&["payment", "setup", "subscription"])),
    optional("line_items", Kind::List(100, &Kind::Object(LINE_ITEM))),
    optional("success_url", Kind::Text(usize::MAX)),
    optional("cancel_url", Kind::Text(usize::MAX)),
    optional("client_reference_id", Kind::Text(200)),
    optional("customer", TEXT),
    optional("customer_email", TEXT),
    optional("customer_creation", Kind::OneOf(&["always", "if_required"])),
    optional("metadata", Kind::Metadata),
    optional("payment_intent_data", Kind::Object(PAYMENT_INTENT_DATA)),
    optional("expires_at", Kind::Integer(0)),
    optional("currency", TEXT),
    optional("locale", Kind::OneOf(LOCALES)),
    optional("submit_type", Kind::OneOf(&["auto", "book", "donate", "pay", "subscribe"])),
    optional("billing_address_collection", Kind::OneOf(&["auto", "required"])),
    optional("adaptive_pricing", Kind::Object(&[optional("enabled", Kind::Boolean)])),
    optional("allow_promotion_codes", Kind::Boolean),
    optional("automatic_tax", Kind::Object(&[required("enabled", Kind::Boolean), unsupported("liability")])),
    optional("phone_number_collection", Kind::Object(ENABLED)),
    optional(
        "tax_id_collection",
        Kind::Object(&[
            required("enabled", Kind::Boolean),
            optional("required", Kind::OneOf(&["if_supported", "never"])),
        ]),
    ),
    optional("ui_mode", TEXT),
    EXPAND,
    optional("after_expiration", Kind::Object(AFTER_EXPIRATION)),
    unsupported("branding_settings"),
    optional("consent_collection", Kind::Object(CONSENT)),
    unsupported("custom_fields"),
    optional("custom_text", Kind::Object(CUSTOM_TEXT)),
    unsupported("customer_account"),
    optional("customer_update", Kind::Object(CUSTOMER_UPDATE)),
    unsupported("discounts"),
    unsupported("excluded_payment_method_types"),
    unsupported("integration_identifier"),
    optional(
        "invoice_creation",
        Kind::Object(&[required("enabled", Kind::Boolean), optional("invoice_data", Kind::Object(INVOICE_DATA))]),
    ),
    optional("managed_payments", Kind::Object(&[optional("enabled", Kind::Boolean)])),
    optional("name_collection", Kind::Object(NAMES)),
    unsupported("optional_items"),
    unsupported("origin_context"),
    optional("payment_method_collection", Kind::OneOf(&["always", "if_required"])),
    unsupported("payment_method_configuration"),
    unsupported("payment_method_data"),
    unsupported("payment_method_options"),
    unsupported("permissions"),
    unsupported("redirect_on_completion"),
    unsupported("return_url"),
    optional("saved_payment_method_options", Kind::Object(SAVED_METHODS)),
    optional("setup_intent_data", Kind::Object(SETUP_INTENT_DATA)),
    unsupported("shipping_address_collection"),
    unsupported("shipping_options"),
    optional("subscription_data", Kind::Object(SUBSCRIPTION_DATA)),
    optional("wallet_options", Kind::Object(&[optional("link", Kind::Object(LINK))])),
];

/// Before 2026-09-30.endive.
pub(crate) const PAYMENT_METHOD_TYPES: Field = optional("payment_method_types", Kind::List(50, &TEXT));
/// Since 2026-09-30.endive.
pub(crate) const ALLOWED_PAYMENT_METHOD_TYPES: Field = optional("allowed_payment_method_types", Kind::List(50, &TEXT));

pub(crate) const ONLY_EXPAND: &[Field] = &[EXPAND];

pub(crate) const RETRIEVE_PAYMENT_INTENT: &[Field] = &[optional("client_secret", TEXT), EXPAND];

const LIMIT: Field = optional("limit", Kind::Integer(1));
const STARTING_AFTER: Field = optional("starting_after", TEXT);
const ENDING_BEFORE: Field = optional("ending_before", TEXT);

pub(crate) const LIST: &[Field] = &[LIMIT, STARTING_AFTER, ENDING_BEFORE, EXPAND];

pub(crate) const LIST_SESSIONS: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    optional("created", Kind::Range),
    optional("status", Kind::OneOf(&["complete", "expired", "open"])),
    optional("payment_intent", TEXT),
    optional("customer_details", Kind::Object(&[required("email", TEXT)])),
    optional("customer", TEXT),
    optional("payment_link", TEXT),
    optional("subscription", TEXT),
    unsupported("customer_account"),
];

pub(crate) const LIST_EVENTS: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    optional("created", Kind::Range),
    optional("type", TEXT),
    optional("types", Kind::List(20, &TEXT)),
    optional("delivery_success", Kind::Boolean),
];

pub(crate) const CREATE_ENDPOINT: &[Field] = &[
    required("url", TEXT),
    required("enabled_events", Kind::List(500, &TEXT)),
    optional("api_version", TEXT),
    optional("description", TEXT),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("connect"),
];

pub(crate) const UPDATE_ENDPOINT: &[Field] = &[
    optional("url", TEXT),
    optional("enabled_events", Kind::List(500, &TEXT)),
    optional("disabled", Kind::Boolean),
    optional("description", TEXT),
    optional("metadata", Kind::Metadata),
    EXPAND,
];

const CARD: &[Field] = &[
    required("number", TEXT),
    required("exp_month", Kind::Integer(0)),
    required("exp_year", Kind::Integer(0)),
    optional("cvc", TEXT),
];

const PAYMENT_METHOD_DATA: &[Field] = &[
    required("type", Kind::OneOf(&["sepa_debit"])),
    required("sepa_debit", Kind::Object(&[required("iban", TEXT)])),
    optional("billing_details", Kind::Object(&[optional("email", TEXT), optional("name", TEXT)])),
];

/// `POST /v1/payment_pages/{id}/confirm`: a private endpoint of Stripe, used by the Stripe CLI.
pub(crate) const CONFIRM_PAGE: &[Field] = &[
    optional("payment_method", TEXT),
    optional("card", Kind::Object(CARD)),
    optional("payment_method_data", Kind::Object(PAYMENT_METHOD_DATA)),
    optional("expected_amount", Kind::Integer(0)),
    optional("email", TEXT),
    optional("name", TEXT),
    optional("tax_id", TEXT),
    optional("save_payment_method", Kind::Boolean),
    EXPAND,
];
