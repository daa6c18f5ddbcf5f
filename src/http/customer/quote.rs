//! Quotes: the price of credits, before paying.

use actix_web::web::Json;
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::card_rates::is_country_code;
use crate::domain::tax::TaxBehavior;
use crate::http::kit::body::read_query;
use crate::http::kit::openapi::PublicProblems;
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
struct QuoteQuery {
    credits: Option<i64>,
    currency: Option<String>,
    card_country: Option<String>,
}

/// The price of a number of credits. Amounts are in minor units of the currency; numbers of credits are integers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// The number of credits.
    #[schema(example = 250)]
    credits: i64,
    /// The currency of all amounts.
    #[schema(example = "usd")]
    currency: String,
    /// The currencies that credits are sold in, the main one first.
    #[schema(example = json!(["usd"]))]
    currencies: Vec<&'static str>,
    /// How many credits a unit has. Purchases are multiples of it.
    #[schema(example = 1)]
    credit_unit_credits: i64,
    /// The price of a unit.
    #[schema(example = 1)]
    credit_unit_amount: i64,
    /// The smallest number of credits that can be bought.
    #[schema(example = 18)]
    smallest_credits: i64,
    /// The largest number of credits that can be bought at once.
    #[schema(example = 100_000)]
    largest_credits: i64,
    /// How many digits of a number of credits people should read as decimals: with 2, show 250 as 2.50.
    #[schema(example = 0, minimum = 0, maximum = 6)]
    credit_display_decimals: u8,
    /// The price of the credits.
    #[schema(example = 250)]
    credits_amount: i64,
    /// The fee line; 0 if the seller absorbs the fee.
    #[schema(example = 39)]
    fee_amount: i64,
    /// What the customer pays: `creditsAmount` plus `feeAmount`, and tax on top of it if `taxBehavior` is `exclusive`.
    #[schema(example = 289)]
    total_amount: i64,
    /// `exclusive`: tax comes on top, as soon as the customer's address is known. `inclusive`: the amounts contain it.
    /// null: no tax is charged.
    #[schema(example = "exclusive")]
    tax_behavior: Option<&'static str>,
    /// The credits given on top.
    #[schema(example = 0)]
    bonus_credits: i64,
    /// When the credits and their bonus end if they are paid now; null if they never do.
    #[schema(example = "2027-11-21T12:01:00Z")]
    credits_expire_at: Option<String>,
}

/// Quotes the price of a number of credits.
///
/// Returns the price of the credits, the fee line and the total, in minor units. Credits are sold in multiples of
/// `creditUnitCredits`; another number is refused with the nearest ones (`not_a_multiple`). Without `credits` it quotes
/// the smallest purchase, which tells a page what it can offer. Prices are in `currency`, one of those in the answer's
/// `currencies`, or in the main one. With `cardCountry`, the fee is the one that an automatic top-up with a saved card of
/// that country has; without it, that of a checkout, whose card is not known. Needs no credentials.
#[utoipa::path(
    operation_id = "getQuote",
    tag = "checkout",
    params(
        (
            "credits" = Option<i64>,
            Query,
            description = "The number of credits; by default the smallest that can be bought",
            example = 250
        ),
        ("currency" = Option<String>, Query, description = "The currency; by default the main one", example = "usd"),
        (
            "cardCountry" = Option<String>,
            Query,
            description = "The country that issued the saved card to be charged, as two letters",
            example = "US"
        ),
    ),
    responses((status = 200, description = "The price, line by line.", body = Quote), PublicProblems),
    security(()),
)]
#[get("/credits/quote")]
pub async fn read(request: HttpRequest, state: State) -> Result<Json<Quote>, ApiError> {
    let query: QuoteQuery = read_query(&request)?;
    let is_empty = query.credits.is_none() && query.currency.is_none() && query.card_country.is_none();
    if is_empty && !request.query_string().is_empty() {
        // A misspelt name must not be answered with another price.
        return Err(ApiError::field(
            "credits",
            "required",
            "is missing; without parameters, the smallest purchase is quoted",
        ));
    }
    let pricing = state.app.pricing.by_code(query.currency.as_deref())?.for_card(card_country(&query)?);
    let quote = pricing.quote(query.credits.unwrap_or_else(|| pricing.smallest()))?;
    let expires_at = quote.expiry.map(|days| rfc3339(days.end_ms(state.app.clock.now_ms())));
    Ok(Json(Quote {
        credits: quote.credits.get(),
        currency: quote.currency.as_str().to_owned(),
        currencies: state.app.pricing.sold_in(),
        credit_unit_credits: quote.unit.credits(),
        credit_unit_amount: quote.unit.amount_minor(),
        smallest_credits: pricing.smallest(),
        largest_credits: pricing.largest(),
        credit_display_decimals: pricing.decimals().get(),
        credits_amount: quote.credits_amount_minor,
        fee_amount: quote.fee_amount_minor,
        total_amount: quote.total_amount_minor,
        tax_behavior: quote.tax.map(TaxBehavior::as_str),
        bonus_credits: quote.bonus_credits,
        credits_expire_at: expires_at.transpose()?,
    }))
}

fn card_country(query: &QuoteQuery) -> Result<Option<&str>, ApiError> {
    let country = query.card_country.as_deref();
    if country.is_none_or(is_country_code) {
        return Ok(country);
    }
    Err(ApiError::field("cardCountry", "invalid_country", "must be the two letters of a country, such as US"))
}
