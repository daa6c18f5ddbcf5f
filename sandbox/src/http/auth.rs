//! API key authentication, with Stripe's error messages.

use subtle::ConstantTimeEq;

use crate::model::error::ApiError;

/// Checks `Bearer <key>` or `Basic <base64 of "key:">`.
pub(crate) fn check(authorization: Option<&str>, secret_key: &str) -> Result<(), ApiError> {
    let key = authorization.and_then(key_of).filter(|key| !key.is_empty());
    let Some(key) = key else {
        return Err(unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication \
             for details, or we can help at https://support.stripe.com/."
                .to_owned(),
        ));
    };
    if bool::from(key.as_bytes().ct_eq(secret_key.as_bytes())) {
        return Ok(());
    }
    Err(unauthorized(format!("Invalid API Key provided: {}", masked(&key))))
}

fn unauthorized(message: String) -> ApiError {
    ApiError::new(401, "invalid_request_error", message)
}

fn key_of(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(base64(rest.trim())?).ok()?;
        let user = decoded.split(':').next()?;
        return Some(user.to_owned());
    }
    None
}

/// Decodes base64; `None` if the text is invalid.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

/// The key with everything but its start and its last four characters masked.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let shown_until = if key.starts_with("sk_") || key.starts_with("rk_") { 8 } else { 0 };
    let shown_from = letters.len().saturating_sub(4);
    letters
        .iter()
        .enumerate()
        .map(|(position, letter)| {
            let shown = position < shown_until || (position >= shown_from && letters.len() > 12);
            if shown { *letter } else { '*' }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_send_the_key_work() {
        assert!(check(Some("Bearer sk_test_abc"), "sk_test_abc").is_ok());
        // base64 of "sk_test_abc:"
        assert!(check(Some("Basic c2tfdGVzdF9hYmM6"), "sk_test_abc").is_ok());
        for wrong in [None, Some("Bearer sk_test_abd"), Some("Bearer "), Some("Digest x"), Some("Basic !!")] {
            assert_eq!(check(wrong, "sk_test_abc").map_err(|error| error.status), Err(401), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_key_is_not_repeated_in_the_error() {
        let error = check(Some("Bearer sk_test_1234567890abcd"), "sk_test_abc").expect_err("wrong key");
        assert_eq!(error.message, "Invalid API Key provided: sk_test_**********abcd");
    }
}
