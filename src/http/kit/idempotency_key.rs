//! The `Idempotency-Key` header. The IETF's draft writes the key as a quoted string, most clients write it bare:
//! `"abc"` and `abc` are the same key.

use actix_web::http::header::HeaderMap;

use crate::http::kit::problem::ApiError;

const NAME: &str = "idempotency-key";
const MAX_CHARACTERS: usize = 255;

/// The request's idempotency key, without quotation marks; `None` if it has none.
///
/// # Errors
/// 400 if the header is repeated or is not a valid key.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(NAME);
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|_| values.next().is_none()).and_then(unquote);
    key.filter(|key| is_key(key)).map(Some).ok_or_else(|| {
        let message = "must be 1 to 255 printable ASCII characters, once; a key in quotation marks must end with one";
        ApiError::field("Idempotency-Key", "invalid_key", message)
    })
}

/// The idempotency key that a change requires.
///
/// # Errors
/// 400 when it is missing (`idempotency_key_required`) or invalid.
pub fn required_key(headers: &HeaderMap) -> Result<String, ApiError> {
    idempotency_key(headers)?.ok_or_else(|| {
        let message =
            "is required: send a new one for each change, such as a UUID, and the same one when you repeat it";
        ApiError::field("Idempotency-Key", "required", message).with_code("idempotency_key_required")
    })
}

/// A key that came in a body, in the field of this name.
///
/// # Errors
/// 400 if it is not a valid key.
pub(crate) fn check_key(field: &str, key: &str) -> Result<String, ApiError> {
    if is_key(key) {
        return Ok(key.to_owned());
    }
    Err(ApiError::field(field, "invalid_key", "must be 1 to 255 printable ASCII characters"))
}

fn is_key(key: &str) -> bool {
    (1..=MAX_CHARACTERS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The value of an RFC 9651 string, or a bare key unchanged. `None` if it is neither.
fn unquote(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else { return Some(text.to_owned()) };
    let inside = quoted.strip_suffix('"')?;
    let (mut key, mut characters) = (String::with_capacity(inside.len()), inside.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => key.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            other => key.push(other),
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_key_is_the_same_as_a_bare_one() {
        for (text, key) in [
            ("abc", Some("abc")),
            ("\"abc\"", Some("abc")),
            (r#""a\"b\\c""#, Some(r#"a"b\c"#)),
            ("a\"b", Some("a\"b")),
            ("\"", None),
            ("\"abc", None),
            ("\"a\"b\"", None),
            (r#""abc\""#, None),
            (r#""a\bc""#, None),
            ("\"abc\";v=1", None),
        ] {
            assert_eq!(unquote(text).as_deref(), key, "{text}");
        }
    }
}
