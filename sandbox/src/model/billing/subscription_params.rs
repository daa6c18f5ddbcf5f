//! The parameters of the subscription endpoints.

use serde::Deserialize;

use super::subscription::{BillingMode, MissingMethod};
use crate::model::{
    error::ApiError,
    params::{Param, Params},
    spec::{Field, Kind, optional, required, unsupported},
};

pub(crate) const TEXT: Kind = Kind::Text(5_000);
pub(crate) const UNSET_TEXT: Kind = Kind::Unset(&TEXT);
pub(crate) const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));
pub(crate) const AUTOMATIC_TAX: Kind =
    Kind::Object(&[required("enabled", Kind::Boolean), optional("liability", Kind::Object(&[required("type", TEXT)]))]);
pub(crate) const BILLING_MODE: Kind = Kind::Object(&[
    required("type", Kind::OneOf(&["classic", "flexible"])),
    optional("flexible", Kind::Object(&[optional("proration_discounts", Kind::OneOf(&["included", "itemized"]))])),
]);
pub(crate) const PRORATION: Kind = Kind::OneOf(&["always_invoice", "create_prorations", "none"]);
pub(crate) const TRIAL_SETTINGS: Kind = Kind::Object(&[required(
    "end_behavior",
    Kind::Object(&[
        optional("billing_cycle_anchor", Kind::OneOf(&["now", "unchanged"])),
        optional("missing_payment_method", Kind::OneOf(&["cancel", "create_invoice", "pause"])),
    ]),
)]);

const PAYMENT_BEHAVIOR: Kind =
    Kind::OneOf(&["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"]);
const DETAILS: Kind = Kind::Object(&[optional("comment", UNSET_TEXT), optional("feedback", UNSET_TEXT)]);
const PAUSE: Kind = Kind::Unset(&Kind::Object(&[
    required("behavior", Kind::OneOf(&["keep_as_draft", "mark_uncollectible", "void"])),
    optional("resumes_at", Kind::Integer(0)),
]));
const NEW_ITEMS: Kind = Kind::List(20, &Kind::Object(NEW_ITEM));
const CHANGED_ITEMS: Kind = Kind::List(20, &Kind::Object(CHANGED_ITEM));

const RECURRING: &[Field] = &[
    required("interval", Kind::OneOf(&["day", "month", "week", "year"])),
    optional("interval_count", Kind::Integer(1)),
];

/// `price_data` of a subscription item.
pub(crate) const RECURRING_PRICE: &[Field] = &[
    required("currency", TEXT),
    required("product", TEXT),
    required("recurring", Kind::Object(RECURRING)),
    optional("unit_amount", Kind::Integer(0)),
    optional("unit_amount_decimal", Kind::Decimal),
    optional("tax_behavior", Kind::OneOf(&["exclusive", "inclusive", "unspecified"])),
];

/// `price_data` of something that is paid once.
pub(crate) const SINGLE_PRICE: &[Field] = &[
    required("currency", TEXT),
    required("product", TEXT),
    optional("unit_amount", Kind::Integer(0)),
    optional("unit_amount_decimal", Kind::Decimal),
    optional("tax_behavior", Kind::OneOf(&["exclusive", "inclusive", "unspecified"])),
];

pub(crate) const NEW_ITEM: &[Field] = &[
    optional("price", TEXT),
    optional("plan", TEXT),
    optional("price_data", Kind::Object(RECURRING_PRICE)),
    optional("quantity", Kind::Integer(0)),
    optional("metadata", Kind::Metadata),
    unsupported("billing_thresholds"),
    unsupported("current_trial"),
    unsupported("discounts"),
    unsupported("tax_rates"),
];

pub(crate) const CHANGED_ITEM: &[Field] = &[
    optional("id", TEXT),
    optional("price", TEXT),
    optional("plan", TEXT),
    optional("price_data", Kind::Object(RECURRING_PRICE)),
    optional("quantity", Kind::Integer(0)),
    optional("metadata", Kind::Metadata),
    optional("deleted", Kind::Boolean),
    optional("clear_usage", Kind::Boolean),
    unsupported("billing_thresholds"),
    unsupported("current_trial"),
    unsupported("discounts"),
    unsupported("tax_rates"),
];

const ONCE: &[Field] = &[
    optional("price", TEXT),
    optional("price_data", Kind::Object(SINGLE_PRICE)),
    optional("quantity", Kind::Integer(1)),
    optional("metadata", Kind::Metadata),
    optional("discountable", Kind::Boolean),
    unsupported("discounts"),
    unsupported("period"),
    unsupported("tax_rates"),
];

/// What both creating and updating accept.
const SHARED: &[Field] = &[
    optional("add_invoice_items", Kind::List(20, &Kind::Object(ONCE))),
    optional("automatic_tax", AUTOMATIC_TAX),
    optional("cancel_at", UNSET_TEXT),
    optional("cancel_at_period_end", Kind::Boolean),
    optional("collection_method", Kind::OneOf(&["charge_automatically", "send_invoice"])),
    optional("days_until_due", Kind::Integer(0)),
    optional("default_payment_method", UNSET_TEXT),
    optional("description", Kind::Unset(&Kind::Text(500))),
    optional("metadata", Kind::Metadata),
    optional("off_session", Kind::Boolean),
    optional(
        "payment_settings",
        Kind::Object(&[
            optional("payment_method_types", Kind::Unset(&Kind::List(50, &TEXT))),
            optional("save_default_payment_method", Kind::OneOf(&["off", "on_subscription"])),
            unsupported("payment_method_options"),
        ]),
    ),
    optional("proration_behavior", PRORATION),
    optional("trial_end", TEXT),
    optional("trial_from_plan", Kind::Boolean),
    optional("trial_settings", TRIAL_SETTINGS),
    EXPAND,
    unsupported("application_fee_percent"),
    unsupported("billing_schedules"),
    unsupported("billing_thresholds"),
    unsupported("default_source"),
    unsupported("default_tax_rates"),
    unsupported("discounts"),
    unsupported("invoice_settings"),
    unsupported("on_behalf_of"),
    unsupported("pending_invoice_item_interval"),
    unsupported("transfer_data"),
];

/// `POST /v1/subscriptions`
pub(crate) fn create_fields() -> Vec<Field> {
    let own = [
        required("customer", TEXT),
        optional("items", NEW_ITEMS),
        optional("billing_cycle_anchor", Kind::Integer(0)),
        optional("billing_mode", BILLING_MODE),
        optional("currency", TEXT),
        optional("payment_behavior", PAYMENT_BEHAVIOR),
        optional("trial_period_days", Kind::Integer(1)),
        unsupported("backdate_start_date"),
        unsupported("billing_cycle_anchor_config"),
        unsupported("customer_account"),
    ];
    SHARED.iter().copied().chain(own).collect()
}

/// `POST /v1/subscriptions/{id}`
pub(crate) fn update_fields() -> Vec<Field> {
    let own = [
        optional("items", CHANGED_ITEMS),
        optional("billing_cycle_anchor", Kind::OneOf(&["now", "unchanged"])),
        optional("cancellation_details", DETAILS),
        optional("pause_collection", PAUSE),
        optional("payment_behavior", PAYMENT_BEHAVIOR),
        optional("proration_date", Kind::Integer(0)),
    ];
    SHARED.iter().copied().chain(own).collect()
}

pub(crate) const LIST: &[Field] = &[
    optional("limit", Kind::Integer(1)),
    optional("starting_after", TEXT),
    optional("ending_before", TEXT),
    EXPAND,
    optional("customer", TEXT),
    optional("price", TEXT),
    optional("plan", TEXT),
    optional(
        "status",
        Kind::OneOf(&[
            "active",
            "all",
            "canceled",
            "ended",
            "incomplete",
            "incomplete_expired",
            "past_due",
            "paused",
            "trialing",
            "unpaid",
        ]),
    ),
    optional("collection_method", Kind::OneOf(&["charge_automatically", "send_invoice"])),
    optional("created", Kind::Range),
    optional("current_period_end", Kind::Range),
    optional("current_period_start", Kind::Range),
    optional("test_clock", TEXT),
    optional("automatic_tax", Kind::Object(&[required("enabled", Kind::Boolean)])),
];

pub(crate) const CANCEL: &[Field] = &[
    optional(
        "cancellation_details",
        Kind::Object(&[optional("comment", UNSET_TEXT), optional("feedback", UNSET_TEXT)]),
    ),
    optional("invoice_now", Kind::Boolean),
    optional("prorate", Kind::Boolean),
    EXPAND,
];

pub(crate) const RESUME: &[Field] = &[
    optional("billing_cycle_anchor", Kind::OneOf(&["now", "unchanged"])),
    optional("proration_behavior", PRORATION),
    optional("proration_date", Kind::Integer(0)),
    optional("payment_behavior", TEXT),
    EXPAND,
];

/// `now`, or a time.
pub(crate) fn time(text: &str, now: i64, param: &str) -> Result<i64, ApiError> {
    if text == "now" {
        return Ok(now);
    }
    text.parse().map_err(|_| ApiError::invalid(format!("Invalid timestamp: {text}")).param(param))
}

/// The parameters with `billing_cycle_anchor[type]` written as in versions before 2026-09-30.
pub(crate) fn with_plain_anchor(params: &Params) -> Params {
    let mut plain = params.clone();
    if let Some(Param::Nested(anchor)) = plain.0.get("billing_cycle_anchor")
        && let Some(kind) = anchor.0.get("type").cloned()
    {
        plain.0.insert("billing_cycle_anchor".to_owned(), kind);
    }
    plain
}

/// Something that is on or off.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Switch {
    pub(crate) enabled: bool,
}

/// `billing_mode`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct WantedMode {
    pub(crate) r#type: BillingMode,
}

/// `payment_settings`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PaymentSettings {
    pub(crate) payment_method_types: Option<Vec<String>>,
    pub(crate) save_default_payment_method: Option<String>,
}

/// `trial_settings`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TrialSettings {
    pub(crate) end_behavior: EndBehavior,
}

/// What happens at the end of a trial.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EndBehavior {
    pub(crate) missing_payment_method: MissingMethod,
}

/// `cancel_at`, which must be in the future.
pub(crate) fn cancel_time(text: &str, now: i64) -> Result<i64, ApiError> {
    let at = time(text, now, "cancel_at")?;
    if at <= now {
        let message = "cancel_at must be in the future.";
        return Err(ApiError::invalid(message).param("cancel_at"));
    }
    Ok(at)
}
