//! The parameters of the subscription endpoints, and how items and prices in them are read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    catalog,
    interval::Period,
    invoice::{Line, Pricing, Source},
};
use crate::model::{
    Context, State, currency, decimal,
    error::ApiError,
    params::{Param, Params},
    price::{self, Price, PriceDetails, Recurring},
    product,
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

/// A price given inline.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct WantedPrice {
    currency: String,
    product: String,
    recurring: Option<WantedRecurring>,
    unit_amount: Option<i64>,
    unit_amount_decimal: Option<String>,
    tax_behavior: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct WantedRecurring {
    interval: String,
    interval_count: Option<i64>,
}

/// An item of a request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WantedItem {
    pub(crate) id: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) price_data: Option<WantedPrice>,
    pub(crate) quantity: Option<i64>,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
    pub(crate) deleted: bool,
}

impl WantedItem {
    /// The id of its price, if it names or describes one. A described price is stored, inactive.
    pub(crate) fn price_id(
        &self,
        state: &mut State,
        context: &mut Context<'_>,
        at: &str,
    ) -> Result<Option<String>, ApiError> {
        match (self.price.as_ref().or(self.plan.as_ref()), &self.price_data) {
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("You may only specify one of these parameters: price, price_data.").param(at))
            }
            (Some(id), None) => {
                price::referenced(state, id, &format!("{at}[price]"))?;
                Ok(Some(id.clone()))
            }
            (None, Some(wanted)) => inline_price(state, context, wanted, at).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Stores a price that a request describes. It is not active: it cannot be used elsewhere.
pub(crate) fn inline_price(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: &WantedPrice,
    at: &str,
) -> Result<String, ApiError> {
    let currency = currency::parse(&wanted.currency, &format!("{at}[price_data][currency]"))?;
    product::referenced(state, &wanted.product, &format!("{at}[price_data][product]"))?;
    let amount = match (&wanted.unit_amount_decimal, wanted.unit_amount) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            return Err(ApiError::invalid(message).param(format!("{at}[price_data]")));
        }
        (Some(text), None) => text.clone(),
        (None, Some(amount)) => decimal::Decimal::whole(amount).to_string(),
        (None, None) => return Err(ApiError::missing_param(&format!("{at}[price_data][unit_amount]"))),
    };
    let id = context.ids.next("price_1", 23);
    state.prices.insert(Price {
        id: id.clone(),
        created: context.now(),
        product: wanted.product.clone(),
        currency,
        unit_amount_decimal: amount,
        recurring: wanted.recurring.as_ref().map(|recurring| Recurring {
            interval: recurring.interval.clone(),
            interval_count: recurring.interval_count.unwrap_or(1),
            meter: None,
            trial_period_days: None,
            usage_type: "licensed".to_owned(),
        }),
        currency_options: BTreeMap::new(),
        details: PriceDetails { tax_behavior: wanted.tax_behavior.clone(), ..PriceDetails::default() },
    });
    Ok(id)
}

/// A line for a price that is paid once, on the first or the next invoice.
pub(crate) fn once_line(
    state: &mut State,
    context: &mut Context<'_>,
    (wanted, currency): (&WantedItem, &str),
    at: &str,
) -> Result<Line, ApiError> {
    let price = wanted.price_id(state, context, at)?;
    let price = price.ok_or_else(|| ApiError::missing_param(&format!("{at}[price]")))?;
    let quantity = wanted.quantity.unwrap_or(1);
    line_of_price(state, context, (&price, quantity, currency), at)
}

/// A line for a price that is paid once.
pub(crate) fn line_of_price(
    state: &State,
    context: &mut Context<'_>,
    (price, quantity, currency): (&str, i64, &str),
    at: &str,
) -> Result<Line, ApiError> {
    let found = catalog::price_in(state, price, currency)
        .ok_or_else(|| ApiError::invalid("The price has another currency.").param(at))?;
    if found.interval.is_some() {
        let message = format!(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`: \
             {price}"
        );
        return Err(ApiError::invalid(message).param(at));
    }
    let now = context.now();
    Ok(Line {
        id: context.ids.next("il_1", 23),
        amount: found.amount(quantity),
        currency: currency.to_owned(),
        description: Some(found.product_name.clone()),
        period: Period { start: now, end: now },
        proration: false,
        pricing: Some(Pricing {
            price: found.id.clone(),
            product: found.product.clone(),
            unit_amount: found.unit_amount_text.clone(),
        }),
        quantity: Some(quantity),
        source: Source::InvoiceItem(context.ids.next("ii_1", 23)),
        subscription: None,
        subscription_item: None,
        discountable: true,
        tax_inclusive: found.tax_inclusive,
        tax: None,
        metadata: BTreeMap::new(),
    })
}

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
