//! The amount of a payment intent, within the limits of its currency.

use super::{currency, error::ApiError};

pub(crate) fn check(amount: i64, currency: &str) -> Result<(), ApiError> {
    let refuse = |words: &str, bound: i64, code| {
        let message = format!("Amount must be {words} {} {currency}", currency::format(bound, currency));
        Err(ApiError::invalid(message).code(code).param("amount"))
    };
    let step = currency::step(currency);
    let maximum = currency::maximum(currency);
    match amount {
        _ if amount < currency::minimum(currency) => {
            refuse("at least", currency::minimum(currency), "amount_too_small")
        }
        _ if amount > maximum => refuse("no more than", maximum, "amount_too_large"),
        _ if amount.rem_euclid(step) != 0 => {
            let message = format!("Invalid integer: amounts in {currency} must be evenly divisible by {step}.");
            Err(ApiError::invalid(message).code("parameter_invalid_integer").param("amount"))
        }
        _ => Ok(()),
    }
}
