//! The parameters of the customer portal's endpoints.

use super::subscription_params::{EXPAND, PRORATION, TEXT, UNSET_TEXT};
use crate::model::spec::{Field, Kind, optional, required, unsupported};

const MOST_PRODUCTS: usize = 10;
const REASONS: &[&str] = &[
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
];

const PROFILE: &[Field] =
    &[optional("headline", UNSET_TEXT), optional("privacy_policy_url", TEXT), optional("terms_of_service_url", TEXT)];

const CANCEL: &[Field] = &[
    required("enabled", Kind::Boolean),
    optional(
        "cancellation_reason",
        Kind::Object(&[
            required("enabled", Kind::Boolean),
            optional("options", Kind::List(20, &Kind::OneOf(REASONS))),
            unsupported("feedback_options"),
        ]),
    ),
    optional("mode", Kind::OneOf(&["at_period_end", "immediately"])),
    optional("proration_behavior", PRORATION),
];

const PRODUCT: &[Field] = &[
    required("product", TEXT),
    required("prices", Kind::List(100, &TEXT)),
    optional(
        "adjustable_quantity",
        Kind::Object(&[
            required("enabled", Kind::Boolean),
            optional("maximum", Kind::Integer(1)),
            optional("minimum", Kind::Integer(0)),
        ]),
    ),
];

const UPDATE: &[Field] = &[
    required("enabled", Kind::Boolean),
    optional("billing_cycle_anchor", Kind::OneOf(&["now", "unchanged"])),
    optional(
        "default_allowed_updates",
        Kind::Unset(&Kind::List(3, &Kind::OneOf(&["price", "promotion_code", "quantity"]))),
    ),
    optional("products", Kind::Unset(&Kind::List(MOST_PRODUCTS, &Kind::Object(PRODUCT)))),
    optional("proration_behavior", PRORATION),
    optional(
        "schedule_at_period_end",
        Kind::Object(&[optional(
            "conditions",
            Kind::Unset(&Kind::List(
                2,
                &Kind::Object(&[required("type", Kind::OneOf(&["decreasing_item_amount", "shortening_interval"]))]),
            )),
        )]),
    ),
    optional("trial_update_behavior", Kind::OneOf(&["continue_trial", "end_trial"])),
];

pub(crate) const FEATURES: &[Field] = &[
    optional(
        "customer_update",
        Kind::Object(&[
            optional("enabled", Kind::Boolean),
            optional(
                "allowed_updates",
                Kind::Unset(&Kind::List(6, &Kind::OneOf(&["address", "email", "name", "phone", "shipping", "tax_id"]))),
            ),
        ]),
    ),
    optional("invoice_history", Kind::Object(&[required("enabled", Kind::Boolean)])),
    optional(
        "payment_method_update",
        Kind::Object(&[required("enabled", Kind::Boolean), unsupported("payment_method_configuration")]),
    ),
    optional("subscription_cancel", Kind::Object(CANCEL)),
    optional("subscription_update", Kind::Object(UPDATE)),
    optional("subscription_pause", Kind::Object(&[required("enabled", Kind::Boolean), unsupported("duration")])),
];

pub(crate) const CONFIGURED: &[Field] = &[
    optional("business_profile", Kind::Object(PROFILE)),
    optional("default_return_url", UNSET_TEXT),
    optional("login_page", Kind::Object(&[required("enabled", Kind::Boolean)])),
    optional("name", UNSET_TEXT),
];

const FLOW: &[Field] = &[
    required(
        "type",
        Kind::OneOf(&[
            "payment_method_update",
            "subscription_cancel",
            "subscription_update",
            "subscription_update_confirm",
        ]),
    ),
    optional(
        "after_completion",
        Kind::Object(&[
            required("type", Kind::OneOf(&["hosted_confirmation", "portal_homepage", "redirect"])),
            optional("redirect", Kind::Object(&[required("return_url", TEXT)])),
            optional("hosted_confirmation", Kind::Object(&[optional("custom_message", TEXT)])),
        ]),
    ),
    optional("subscription_cancel", Kind::Object(&[required("subscription", TEXT), unsupported("retention")])),
    optional("subscription_update", Kind::Object(&[required("subscription", TEXT)])),
    optional(
        "subscription_update_confirm",
        Kind::Object(&[
            required("subscription", TEXT),
            required(
                "items",
                Kind::List(
                    1,
                    &Kind::Object(&[
                        required("id", TEXT),
                        optional("price", TEXT),
                        optional("quantity", Kind::Integer(0)),
                    ]),
                ),
            ),
            unsupported("discounts"),
        ]),
    ),
];

pub(crate) const SESSION: &[Field] = &[
    optional("customer", TEXT),
    optional("configuration", TEXT),
    optional("flow_data", Kind::Object(FLOW)),
    optional("locale", TEXT),
    optional("return_url", TEXT),
    EXPAND,
    unsupported("customer_account"),
    unsupported("on_behalf_of"),
];
