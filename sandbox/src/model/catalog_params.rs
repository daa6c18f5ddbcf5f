//! The parameters that the product and price endpoints accept, by the rules of `accepted`.

use super::spec::{Field, Kind, optional, required, unsupported};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));
const LIMIT: Field = optional("limit", Kind::Integer(1));
const STARTING_AFTER: Field = optional("starting_after", TEXT);
const ENDING_BEFORE: Field = optional("ending_before", TEXT);
const TAX_BEHAVIOR: Kind = Kind::OneOf(&["exclusive", "inclusive", "unspecified"]);
pub(crate) const INTERVALS: Kind = Kind::OneOf(&["day", "month", "week", "year"]);

/// The members of one currency option.
const CURRENCY_OPTION: &[Field] = &[
    optional("unit_amount", Kind::Integer(0)),
    optional("unit_amount_decimal", Kind::Decimal),
    optional("tax_behavior", TAX_BEHAVIOR),
    unsupported("custom_unit_amount"),
    unsupported("tiers"),
];
const CURRENCY_OPTIONS: Field = optional("currency_options", Kind::Map(&Kind::Object(CURRENCY_OPTION)));

const RECURRING: &[Field] = &[
    required("interval", INTERVALS),
    optional("interval_count", Kind::Integer(1)),
    optional("trial_period_days", Kind::Integer(0)),
    optional("usage_type", Kind::OneOf(&["licensed"])),
    unsupported("meter"),
];

const MARKETING_FEATURES: Kind = Kind::List(15, &Kind::Object(&[required("name", TEXT)]));

/// What both creating and updating a product accept.
const PRODUCT: &[Field] = &[
    optional("active", Kind::Boolean),
    optional("description", Kind::Unset(&Kind::Text(40_000))),
    optional("images", Kind::Unset(&Kind::List(8, &TEXT))),
    optional("marketing_features", Kind::Unset(&MARKETING_FEATURES)),
    optional("metadata", Kind::Metadata),
    optional("shippable", Kind::Boolean),
    optional("statement_descriptor", Kind::Text(22)),
    optional("tax_code", Kind::Unset(&TEXT)),
    optional("unit_label", Kind::Unset(&TEXT)),
    optional("url", Kind::Unset(&TEXT)),
    EXPAND,
    unsupported("package_dimensions"),
    unsupported("tax_details"),
];

const DEFAULT_PRICE: &[Field] = &[
    required("currency", TEXT),
    CURRENCY_OPTIONS,
    optional("metadata", Kind::Metadata),
    optional("recurring", Kind::Object(RECURRING)),
    optional("tax_behavior", TAX_BEHAVIOR),
    optional("unit_amount", Kind::Integer(0)),
    optional("unit_amount_decimal", Kind::Decimal),
    unsupported("custom_unit_amount"),
];

pub(crate) fn create_product() -> Vec<Field> {
    let mut fields = PRODUCT.to_vec();
    fields.extend([
        required("name", TEXT),
        optional("id", TEXT),
        optional("type", Kind::OneOf(&["service"])),
        optional("default_price_data", Kind::Object(DEFAULT_PRICE)),
    ]);
    fields
}

pub(crate) fn update_product() -> Vec<Field> {
    let mut fields = PRODUCT.to_vec();
    fields.extend([optional("name", TEXT), optional("default_price", TEXT)]);
    fields
}

pub(crate) const LIST_PRODUCTS: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    optional("active", Kind::Boolean),
    optional("created", Kind::Range),
    optional("ids", Kind::List(100, &TEXT)),
    optional("shippable", Kind::Boolean),
    optional("type", Kind::OneOf(&["good", "service"])),
    optional("url", TEXT),
];

const PRODUCT_DATA: &[Field] = &[
    required("name", TEXT),
    optional("active", Kind::Boolean),
    optional("id", TEXT),
    optional("metadata", Kind::Metadata),
    optional("statement_descriptor", Kind::Text(22)),
    optional("tax_code", TEXT),
    optional("unit_label", TEXT),
    unsupported("tax_details"),
];

pub(crate) const CREATE_PRICE: &[Field] = &[
    required("currency", TEXT),
    optional("active", Kind::Boolean),
    optional("billing_scheme", Kind::OneOf(&["per_unit"])),
    CURRENCY_OPTIONS,
    optional("lookup_key", Kind::Text(200)),
    optional("metadata", Kind::Metadata),
    optional("nickname", TEXT),
    optional("product", TEXT),
    optional("product_data", Kind::Object(PRODUCT_DATA)),
    optional("recurring", Kind::Object(RECURRING)),
    optional("tax_behavior", TAX_BEHAVIOR),
    optional("transfer_lookup_key", Kind::Boolean),
    optional("unit_amount", Kind::Integer(0)),
    optional("unit_amount_decimal", Kind::Decimal),
    EXPAND,
    unsupported("custom_unit_amount"),
    unsupported("tiers"),
    unsupported("tiers_mode"),
    unsupported("transform_quantity"),
];

pub(crate) const UPDATE_PRICE: &[Field] = &[
    optional("active", Kind::Boolean),
    CURRENCY_OPTIONS,
    optional("lookup_key", Kind::Unset(&Kind::Text(200))),
    optional("metadata", Kind::Metadata),
    optional("nickname", Kind::Unset(&TEXT)),
    optional("tax_behavior", TAX_BEHAVIOR),
    optional("transfer_lookup_key", Kind::Boolean),
    EXPAND,
];

pub(crate) const LIST_PRICES: &[Field] = &[
    LIMIT,
    STARTING_AFTER,
    ENDING_BEFORE,
    EXPAND,
    optional("active", Kind::Boolean),
    optional("created", Kind::Range),
    optional("currency", TEXT),
    optional("lookup_keys", Kind::List(10, &TEXT)),
    optional("product", TEXT),
    optional(
        "recurring",
        Kind::Object(&[optional("interval", INTERVALS), optional("usage_type", TEXT), unsupported("meter")]),
    ),
    optional("type", Kind::OneOf(&["one_time", "recurring"])),
];
