//! Customer tokens, as the product's login signs them.

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;

use crate::failure::Failure;

/// The signing secret, made up for the benchmark.
pub const SECRET: &str = "8c1e0f6a2b7d4935a1c6e8f0b3d5a7c9e1f3";

#[derive(Serialize)]
struct Claims<'c> {
    sub: &'c str,
    exp: i64,
}

/// A customer token valid for two hours.
///
/// # Errors
/// If signing fails.
pub fn sign(account: &str, now_seconds: i64) -> Result<String, Failure> {
    let claims = Claims { sub: account, exp: now_seconds.saturating_add(7_200) };
    Ok(jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
}
