//! Translates serde's messages into the caller's terms: no Rust types, and a suggestion for a misspelt field.

use crate::http::kit::problem::FieldError;

/// The problem with a field of a body or a query, from serde's message and its path.
///
/// serde reports an unknown or missing field at its parent object, and names the field only in the message.
pub fn field_error(path: &str, message: &str) -> Option<FieldError> {
    // The rest is a position in the text, which the caller's tools do not show.
    let message = message.split(" at line ").next().unwrap_or(message);
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = quoted(rest);
        let name = names.next()?;
        return Some(FieldError::new(&within(path, name), "unknown_field", unknown(name, &names.collect::<Vec<_>>())));
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return Some(FieldError::new(&within(path, quoted(rest).next()?), "required", "is missing"));
    }
    if let Some(rest) = message.strip_prefix("duplicate field ") {
        return Some(FieldError::new(&within(path, quoted(rest).next()?), "repeated", "must be given once"));
    }
    if path.is_empty() || path == "." {
        return None;
    }
    Some(FieldError::new(path, "invalid_type", type_message(message)))
}

/// What a value must be, from serde's message.
pub fn type_message(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let mut names = quoted(rest);
        let (given, known) = (names.next().unwrap_or_default(), names.collect::<Vec<_>>());
        return nearest(given, &known)
            .map_or_else(|| format!("must be {}", or_list(&known)), |near| format!("did you mean `{near}`?"));
    }
    if let Some((_, rest)) = message.split_once(": ")
        && (message.starts_with("invalid type") || message.starts_with("invalid value"))
        && let Some((given, expected)) = rest.rsplit_once(", expected ")
    {
        let expected = expected_word(expected);
        let given = given_word(given, &expected);
        return format!("must be {expected}, not {given}");
    }
    match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number".to_owned()
        }
        "number too large to fit in target type" | "number too small to fit in target type" => {
            "must be a whole number that is not that large".to_owned()
        }
        "provided string was not `true` or `false`" => "must be true or false".to_owned(),
        other => other.to_owned(),
    }
}

fn expected_word(expected: &str) -> String {
    let is_integer = |name: &str| {
        let (kind, digits) = name.split_at_checked(1).unwrap_or_default();
        matches!(kind, "i" | "u") && (digits == "size" || digits.parse::<u8>().is_ok())
    };
    let word = match expected {
        name if is_integer(name) => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" | "str" => "text",
        "a boolean" | "bool" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        name if name.starts_with("struct ") => "an object",
        other => other,
    };
    word.to_owned()
}

fn given_word(given: &str, expected: &str) -> &'static str {
    let kind = given.split('`').next().unwrap_or_default().trim();
    match kind {
        "integer" if expected == "a whole number" => "one that is so large or so small",
        "floating point" if expected == "a whole number" => "one with a point, an exponent or too many digits",
        "integer" | "floating point" => "a number",
        "boolean" => "true or false",
        "null" | "unit value" | "Option value" => "null",
        "sequence" => "a list",
        "map" => "an object",
        _ if given.starts_with("string") || given.starts_with("character") => "text",
        _ => "that",
    }
}

/// The path of a field in the object at `path`.
fn within(path: &str, name: &str) -> String {
    match path.strip_suffix(name).map(|before| before.trim_end_matches('.')) {
        // The path already ends with the field.
        Some(_) => path.to_owned(),
        None if path.is_empty() || path == "." => name.to_owned(),
        None => format!("{path}.{name}"),
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "is not known here".to_owned(),
        None => format!("is not known here; known are {}", known.join(", ")),
    }
}

/// The texts between back-quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn or_list(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "something else".to_owned(),
    }
}

/// The known name that was probably meant: equal apart from case and separators, or with at most a third of its letters
/// wrong.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let wanted = letters(name);
    let (distance, near) = known.iter().map(|known| (distance(&wanted, &letters(known)), *known)).min()?;
    (distance.saturating_mul(3) <= wanted.len().max(3)).then_some(near)
}

fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

/// How many letters must be changed, added, removed or swapped with a neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row.saturating_add(1)];
        for (column, candidate) in other.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&last, column).saturating_add(usize::from(letter != candidate));
            let removed = at(&last, column.saturating_add(1)).saturating_add(1);
            let added = at(&next, column).saturating_add(1);
            let neighbours = (row.checked_sub(1).and_then(|row| one.get(row)), column.checked_sub(1));
            let exchanged = match neighbours {
                (Some(previous), Some(before)) if other.get(before) == Some(letter) && previous == candidate => {
                    at(&before_last, before).saturating_add(1)
                }
                _ => usize::MAX,
            };
            next.push(changed.min(removed).min(added).min(exchanged));
        }
        before_last = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Body {
        credits: Option<i64>,
        success_url: Option<String>,
        cancel_url: Option<String>,
        dry_run: Option<bool>,
        ids: Option<Vec<String>>,
    }

    fn said(json: &str) -> (String, String) {
        let error = serde_path_to_error::deserialize::<_, Body>(&mut serde_json::Deserializer::from_str(json));
        let error = error.expect_err("it is wrong");
        let found = field_error(&error.path().to_string(), &error.inner().to_string()).expect("a field");
        (found.field, found.message)
    }

    #[test]
    fn a_misspelt_field_is_told_its_near_name() {
        for (wrong, right) in [
            ("cancelURL", "cancelUrl"),
            ("cancel_url", "cancelUrl"),
            ("sucessUrl", "successUrl"),
            ("credtis", "credits"),
            ("credit", "credits"),
            ("dryrun", "dryRun"),
        ] {
            let expected = (wrong.to_owned(), format!("did you mean `{right}`?"));
            assert_eq!(said(&format!("{{\"{wrong}\": null}}")), expected);
        }
        let (field, message) = said(r#"{"metadata": {}}"#);
        assert_eq!(field, "metadata");
        assert!(message.starts_with("is not known here; known are credits, successUrl"), "{message}");
    }

    #[test]
    fn a_wrong_type_is_said_in_plain_words() {
        for (json, field, expected) in [
            (r#"{"credits": "250"}"#, "credits", "must be a whole number, not text"),
            (r#"{"credits": true}"#, "credits", "must be a whole number, not true or false"),
            (r#"{"credits": [1]}"#, "credits", "must be a whole number, not a list"),
            (r#"{"credits": {}}"#, "credits", "must be a whole number, not an object"),
            (
                r#"{"credits": 2.5}"#,
                "credits",
                "must be a whole number, not one with a point, an exponent or too many digits",
            ),
            (
                r#"{"credits": 18446744073709551615}"#,
                "credits",
                "must be a whole number, not one that is so large or so small",
            ),
            (r#"{"successUrl": 7}"#, "successUrl", "must be text, not a number"),
            (r#"{"successUrl": null, "dryRun": "yes"}"#, "dryRun", "must be true or false, not text"),
            (r#"{"ids": "one"}"#, "ids", "must be a list, not text"),
            (r#"{"ids": [1]}"#, "ids[0]", "must be text, not a number"),
            (r#"{"credits": 1, "credits": 2}"#, "credits", "must be given once"),
        ] {
            assert_eq!(said(json), (field.to_owned(), expected.to_owned()), "{json}");
        }
    }

    #[test]
    fn no_message_speaks_of_rusts_types() {
        for (message, expected) in [
            ("invalid digit found in string", "must be a whole number"),
            ("provided string was not `true` or `false`", "must be true or false"),
            ("unknown variant `opne`, expected one of `open`, `paid`", "did you mean `open`?"),
            ("unknown variant `x`, expected one of `open`, `paid`", "must be open or paid"),
            ("invalid type: string \"a, expected i64\", expected i64", "must be a whole number, not text"),
        ] {
            assert_eq!(type_message(message), expected);
        }
    }
}
