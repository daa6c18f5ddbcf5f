//! `/v1/products` and `/v1/prices`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted, catalog_params, currency, edit,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    metadata,
    params::Params,
    price,
    price::{CurrencyOption, Price, PriceDetails, Recurring},
    product,
    product::ProductDetails,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
};

pub(crate) fn products(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list_products(state, params),
        (Method::Post, []) => create_product(state, context, params)?,
        (Method::Get, [id]) => {
            product::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            update_product(state, context, id, params)?;
            (*id).to_owned()
        }
        (Method::Delete, [id]) => {
            spec::check(params, &[])?;
            return product::delete(state, context, id);
        }
        _ => return Err(unrecognized(request)),
    };
    product::find(state, &id).map(product::to_json)
}

pub(crate) fn prices(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list_prices(state, params),
        (Method::Post, []) => create_price(state, context, params)?,
        (Method::Get, [id]) => {
            price::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            update_price(state, context, id, params)?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    price::find(state, &id).map(price::to_json)
}

/// The parameters of a product as its details; what the request leaves out is as in a new product.
fn details_of(params: &Params, fields: &[spec::Field], current: &ProductDetails) -> Result<ProductDetails, ApiError> {
    let mut changes = spec::check(&metadata::without_unset(params), fields)?;
    if let Some(members) = changes.as_object_mut() {
        members.remove("metadata");
    }
    let details: ProductDetails = edit::edited(current, &changes)?;
    Ok(ProductDetails { metadata: metadata::changed(&current.metadata, params)?, ..details })
}

fn create_product(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Creation {
        id: Option<String>,
        default_price_data: Option<WantedPrice>,
    }
    let fields = catalog_params::create_product();
    let wanted: Creation = read(&metadata::without_unset(params), &fields)?;
    precheck_expansions(params, "product")?;
    let details = details_of(params, &fields, &ProductDetails { active: true, ..ProductDetails::default() })?;
    let price = match wanted.default_price_data {
        Some(price) => Some(price.checked("default_price_data")?),
        None => None,
    };
    let id = product::add(state, context, wanted.id, details.clone())?;
    if let Some(price) = price {
        let price = price.build(context, &id);
        let default_price = Some(price::add(state, context, price));
        product::change(state, context, &id, ProductDetails { default_price, ..details });
    }
    Ok(id)
}

fn update_product(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = product::find(state, id)?;
    let details = details_of(params, &catalog_params::update_product(), &found.details)?;
    if let Some(price) = &details.default_price {
        let is_its_own = state.prices.get(price).is_some_and(|price| price.product == id);
        if !is_its_own {
            return Err(ApiError::missing_reference("price", price, "default_price"));
        }
    }
    product::change(state, context, id, details);
    Ok(())
}

#[derive(Debug, Deserialize)]
struct ProductFilter {
    #[serde(flatten)]
    page: Page,
    active: Option<bool>,
    created: Option<Range>,
    #[serde(default)]
    ids: Vec<String>,
    shippable: Option<bool>,
    r#type: Option<String>,
    url: Option<String>,
}

fn list_products(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: ProductFilter = read(params, catalog_params::LIST_PRODUCTS)?;
    list::late_page(
        (&state.products, Lag::of(state)),
        &filter.page,
        ("product", "/v1/products"),
        |product| {
            let details = &product.details;
            filter.active.is_none_or(|active| active == details.active)
                && filter.created.as_ref().is_none_or(|range| range.contains(product.created))
                && (filter.ids.is_empty() || filter.ids.contains(&product.id))
                && filter.shippable.is_none_or(|shippable| details.shippable == Some(shippable))
                && filter.r#type.as_ref().is_none_or(|kind| kind == "service")
                && (filter.url.is_none() || filter.url == details.url)
        },
        product::to_json,
    )
}

/// The members of a price that both endpoints take.
#[derive(Debug, Deserialize)]
struct WantedPrice {
    currency: String,
    unit_amount: Option<i64>,
    unit_amount_decimal: Option<String>,
    #[serde(default)]
    currency_options: BTreeMap<String, WantedOption>,
    recurring: Option<Recurring>,
    tax_behavior: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    active: Option<bool>,
    lookup_key: Option<String>,
    nickname: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WantedOption {
    unit_amount: Option<i64>,
    unit_amount_decimal: Option<String>,
    tax_behavior: Option<String>,
}

/// A price whose amounts and currencies are right.
struct CheckedPrice {
    currency: String,
    unit_amount_decimal: String,
    currency_options: BTreeMap<String, CurrencyOption>,
    recurring: Option<Recurring>,
    details: PriceDetails,
}

/// The exact amount, from the whole one or the decimal one.
fn amount(
    whole: Option<i64>,
    decimal: Option<String>,
    currency: &str,
    name: &impl Fn(&str) -> String,
) -> Result<String, ApiError> {
    let text = match (whole, decimal) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
            )
            .param(name("unit_amount")));
        }
        (Some(whole), None) => whole.to_string(),
        (None, Some(decimal)) => decimal,
        (None, None) => return Err(ApiError::missing_param(&name("unit_amount"))),
    };
    if whole.is_some_and(|whole| whole.rem_euclid(currency::step(currency)) != 0) {
        let message =
            format!("Invalid integer: amounts in {currency} must be evenly divisible by {}.", currency::step(currency));
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param(name("unit_amount")));
    }
    Ok(text)
}

fn options(
    wanted: BTreeMap<String, WantedOption>,
    own: &str,
    name: &impl Fn(&str) -> String,
) -> Result<BTreeMap<String, CurrencyOption>, ApiError> {
    let one = |(code, option): (String, WantedOption)| {
        let at = name(&format!("currency_options[{code}]"));
        let code = currency::parse(&code, &at)?;
        let inside = |member: &str| format!("{at}[{member}]");
        let unit_amount_decimal = amount(option.unit_amount, option.unit_amount_decimal, &code, &inside)?;
        Ok((code, CurrencyOption { unit_amount_decimal, tax_behavior: option.tax_behavior }))
    };
    let mut all = wanted.into_iter().map(one).collect::<Result<BTreeMap<_, _>, ApiError>>()?;
    all.remove(own);
    Ok(all)
}

impl WantedPrice {
    /// `at` is the parameter that these are inside, or empty.
    fn checked(self, at: &str) -> Result<CheckedPrice, ApiError> {
        let name = |param: &str| if at.is_empty() { param.to_owned() } else { format!("{at}[{param}]") };
        let currency = currency::parse(&self.currency, &name("currency"))?;
        Ok(CheckedPrice {
            unit_amount_decimal: amount(self.unit_amount, self.unit_amount_decimal, &currency, &name)?,
            currency_options: options(self.currency_options, &currency, &name)?,
            currency,
            recurring: self.recurring,
            details: PriceDetails {
                active: self.active.unwrap_or(true),
                lookup_key: self.lookup_key,
                metadata: self.metadata,
                nickname: self.nickname,
                tax_behavior: self.tax_behavior,
            },
        })
    }
}

impl CheckedPrice {
    fn build(self, context: &mut Context<'_>, product: &str) -> Price {
        Price {
            id: context.ids.next("price_1", 23),
            created: context.now(),
            product: product.to_owned(),
            currency: self.currency,
            unit_amount_decimal: self.unit_amount_decimal,
            recurring: self.recurring,
            currency_options: self.currency_options,
            details: self.details,
        }
    }
}

fn create_price(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Creation {
        product: Option<String>,
        product_data: Option<ProductData>,
        #[serde(default)]
        transfer_lookup_key: bool,
        #[serde(flatten)]
        price: WantedPrice,
    }
    #[derive(Deserialize)]
    struct ProductData {
        id: Option<String>,
        active: Option<bool>,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }
    let wanted: Creation = read(params, catalog_params::CREATE_PRICE)?;
    precheck_expansions(params, "price")?;
    let checked = wanted.price.checked("")?;
    match (&wanted.product, &wanted.product_data) {
        (Some(id), None) => {
            product::referenced(state, id, "product")?;
        }
        (None, Some(_)) => {}
        (None, None) => return Err(ApiError::missing_param("product")),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.";
            return Err(ApiError::invalid(message).param("product"));
        }
    }
    if let Some(key) = &checked.details.lookup_key {
        price::claim_lookup_key(state, context, key, None, wanted.transfer_lookup_key)?;
    }
    let product = match (wanted.product, wanted.product_data) {
        (Some(id), _) => id,
        (None, data) => {
            let (id, active, rest) = data.map(|data| (data.id, data.active, data.rest)).unwrap_or_default();
            let blank = ProductDetails { active: active.unwrap_or(true), ..ProductDetails::default() };
            let details = edit::edited(&blank, &rest.into_iter().collect())?;
            product::add(state, context, id, details)?
        }
    };
    let price = checked.build(context, &product);
    Ok(price::add(state, context, price))
}

fn update_price(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    struct Update {
        #[serde(default)]
        transfer_lookup_key: bool,
        #[serde(default)]
        currency_options: BTreeMap<String, WantedOption>,
    }
    let found = price::find(state, id)?;
    let params_without = metadata::without_unset(params);
    let mut changes = spec::check(&params_without, catalog_params::UPDATE_PRICE)?;
    let wanted: Update = read(&params_without, catalog_params::UPDATE_PRICE)?;
    if let Some(members) = changes.as_object_mut() {
        members.remove("metadata");
    }
    let mut details: PriceDetails = edit::edited(&found.details, &changes)?;
    details.metadata = metadata::changed(&found.details.metadata, params)?;
    let more = options(wanted.currency_options, &found.currency, &|param: &str| param.to_owned())?;
    if let Some(key) = details.lookup_key.clone() {
        price::claim_lookup_key(state, context, &key, Some(id), wanted.transfer_lookup_key)?;
    }
    price::change(state, context, id, |price| {
        price.details = details;
        price.currency_options.extend(more);
    });
    Ok(())
}

#[derive(Debug, Deserialize)]
struct PriceFilter {
    #[serde(flatten)]
    page: Page,
    active: Option<bool>,
    created: Option<Range>,
    currency: Option<String>,
    #[serde(default)]
    lookup_keys: Vec<String>,
    product: Option<String>,
    recurring: Option<RecurringFilter>,
    r#type: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RecurringFilter {
    interval: Option<String>,
    usage_type: Option<String>,
}

impl PriceFilter {
    fn accepts(&self, price: &Price) -> bool {
        let kind = if price.recurring.is_some() { "recurring" } else { "one_time" };
        let key = price.details.lookup_key.as_ref();
        self.active.is_none_or(|active| active == price.details.active)
            && self.created.as_ref().is_none_or(|range| range.contains(price.created))
            && self.currency.as_ref().is_none_or(|currency| *currency == price.currency)
            && (self.lookup_keys.is_empty() || key.is_some_and(|key| self.lookup_keys.contains(key)))
            && self.product.as_ref().is_none_or(|product| *product == price.product)
            && self.r#type.as_ref().is_none_or(|wanted| wanted == kind)
            && self.recurring.as_ref().is_none_or(|filter| filter.accepts(price.recurring.as_ref()))
    }
}

impl RecurringFilter {
    fn accepts(&self, recurring: Option<&Recurring>) -> bool {
        recurring.is_some_and(|recurring| {
            self.interval.as_ref().is_none_or(|interval| *interval == recurring.interval)
                && self.usage_type.as_ref().is_none_or(|usage| *usage == recurring.usage_type)
        })
    }
}

fn list_prices(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: PriceFilter = read(params, catalog_params::LIST_PRICES)?;
    list::late_page(
        (&state.prices, Lag::of(state)),
        &filter.page,
        ("price", "/v1/prices"),
        |price| filter.accepts(price),
        price::to_json,
    )
}
