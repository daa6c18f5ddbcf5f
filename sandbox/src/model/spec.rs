//! The parameters that a request may have, and Stripe's error messages for all others.
//!
//! A request is checked against a list of fields. The result is typed JSON, ready for `serde`.

use serde_json::{Map, Value, json};

use super::{
    decimal,
    error::ApiError,
    params::{Param, Params},
};

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A non-empty text of at most this many characters.
    Text(usize),
    /// A whole number, at least this.
    Integer(i64),
    Boolean,
    OneOf(&'static [&'static str]),
    Object(&'static [Field]),
    /// A list with at most this many elements.
    List(usize, &'static Kind),
    Metadata,
    /// A number, or bounds `gt`, `gte`, `lt`, `lte`.
    Range,
    /// An exact number of at most twelve decimal places, kept as text.
    Decimal,
    /// Values of one kind under names that the caller chooses.
    Map(&'static Kind),
    /// Like the inner kind; an empty text unsets it, which is `null` in the result.
    Unset(&'static Kind),
    /// Stripe has it, the sandbox does not.
    Unsupported,
}

/// A named parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

pub(crate) const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

pub(crate) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

pub(crate) const fn unsupported(name: &'static str) -> Field {
    optional(name, Kind::Unsupported)
}

/// Checks the parameters of a request. Returns them as typed JSON.
pub(crate) fn check(params: &Params, fields: &[Field]) -> Result<Value, ApiError> {
    object(params, fields, "")
}

fn object(params: &Params, fields: &[Field], at: &str) -> Result<Value, ApiError> {
    let unknown: Vec<String> = params
        .0
        .keys()
        .filter(|name| fields.iter().all(|field| field.name != *name))
        .map(|name| inside(at, name))
        .collect();
    if let Some(first) = unknown.first() {
        let plural = if unknown.len() > 1 { "s" } else { "" };
        let message = format!("Received unknown parameter{plural}: {}", unknown.join(", "));
        return Err(ApiError::invalid(message).code("parameter_unknown").param(first.clone()));
    }
    let mut checked = Map::new();
    for field in fields {
        let name = inside(at, field.name);
        match params.0.get(field.name) {
            Some(param) => {
                checked.insert(field.name.to_owned(), value(param, &field.kind, &name)?);
            }
            None if field.required => return Err(ApiError::missing_param(&name)),
            None => {}
        }
    }
    Ok(Value::Object(checked))
}

fn inside(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}[{name}]") }
}

fn value(param: &Param, kind: &Kind, name: &str) -> Result<Value, ApiError> {
    if let Kind::Unset(inner) = kind {
        let is_unset = matches!(param, Param::Text(text) if text.is_empty());
        return if is_unset { Ok(Value::Null) } else { value(param, inner, name) };
    }
    if let Param::Text(text) = param
        && text.is_empty()
        && !matches!(kind, Kind::Unsupported)
    {
        return Err(empty(name));
    }
    match (kind, param) {
        // Handled above.
        (Kind::Unset(_), _) => Ok(Value::Null),
        (Kind::Unsupported, _) => Err(ApiError::unsupported(&format!("`{name}`"), name)),
        (Kind::Text(max), Param::Text(text)) => checked_text(text, *max, name),
        (Kind::Integer(min), Param::Text(text)) => integer(text, *min, name),
        (Kind::Boolean, Param::Text(text)) => match text.as_str() {
            "true" => Ok(json!(true)),
            "false" => Ok(json!(false)),
            _ => Err(ApiError::invalid(format!("Invalid boolean: {text}")).param(name)),
        },
        (Kind::OneOf(allowed), Param::Text(text)) => one_of(text, allowed, name),
        (Kind::Object(fields), Param::Nested(inner)) => object(inner, fields, name),
        (Kind::List(max, element), Param::Nested(inner)) => list(inner, *max, element, name),
        (Kind::Metadata, Param::Nested(inner)) => metadata(inner, name),
        (Kind::Decimal, Param::Text(text)) => checked_decimal(text, name),
        (Kind::Map(element), Param::Nested(inner)) => map(inner, element, name),
        (Kind::Range, Param::Text(text)) => integer(text, 0, name),
        (Kind::Range, Param::Nested(inner)) => object(inner, RANGE, name),
        (Kind::Object(_) | Kind::Metadata | Kind::Map(_), Param::Text(_)) => {
            Err(ApiError::invalid("Invalid object").param(name))
        }
        (Kind::List(..), Param::Text(_)) => Err(ApiError::invalid("Invalid array").param(name)),
        (_, Param::Nested(inner)) => {
            let message = format!("Invalid string: {}", inner.to_json());
            Err(ApiError::invalid(message).param(name))
        }
    }
}

const RANGE: &[Field] = &[
    optional("gt", Kind::Integer(0)),
    optional("gte", Kind::Integer(0)),
    optional("lt", Kind::Integer(0)),
    optional("lte", Kind::Integer(0)),
];

fn empty(name: &str) -> ApiError {
    ApiError::invalid(format!(
        "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; \
         however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value."
    ))
    .code("parameter_invalid_empty")
    .param(name)
}

fn checked_text(text: &str, max: usize, name: &str) -> Result<Value, ApiError> {
    if text.chars().count() <= max {
        return Ok(json!(text));
    }
    let start: String = text.chars().take(6).collect();
    let end: String = text.chars().skip(text.chars().count().saturating_sub(6)).collect();
    let message = format!("Invalid string: {start}...{end}; must be at most {max} characters");
    Err(ApiError::invalid(message).param(name))
}

fn integer(text: &str, min: i64, name: &str) -> Result<Value, ApiError> {
    let refuse = |message: String| Err(ApiError::invalid(message).code("parameter_invalid_integer").param(name));
    match text.parse::<i64>() {
        Ok(number) if number >= min && !text.starts_with('+') => Ok(json!(number)),
        Ok(number) if number < min => refuse(format!("This value must be greater than or equal to {min}.")),
        _ => refuse(format!("Invalid integer: {text}")),
    }
}

fn checked_decimal(text: &str, name: &str) -> Result<Value, ApiError> {
    match decimal::parse(text) {
        Some(number) => Ok(json!(number.to_string())),
        None => Err(ApiError::invalid(format!(
            "Invalid decimal: {text}; must be at least 0 and have at most 12 decimal places."
        ))
        .param(name)),
    }
}

fn map(inner: &Params, element: &Kind, name: &str) -> Result<Value, ApiError> {
    let member = |(key, param): (&String, &Param)| Ok((key.clone(), value(param, element, &inside(name, key))?));
    inner.0.iter().map(member).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn one_of(text: &str, allowed: &[&str], name: &str) -> Result<Value, ApiError> {
    if allowed.contains(&text) {
        return Ok(json!(text));
    }
    let choices = match allowed {
        [rest @ .., last] if rest.len() > 1 => format!("{}, or {last}", rest.join(", ")),
        _ => allowed.join(" or "),
    };
    let short = name.rsplit('[').next().unwrap_or(name).trim_end_matches(']');
    let message = format!("Invalid {short}: must be one of {choices}");
    Err(ApiError::invalid(message).param(name))
}

fn list(inner: &Params, max: usize, element: &Kind, name: &str) -> Result<Value, ApiError> {
    let mut indexed = Vec::new();
    for (key, param) in &inner.0 {
        let index: usize = key.parse().map_err(|_| ApiError::invalid("Invalid array").param(name))?;
        indexed.push((index, param));
    }
    indexed.sort_by_key(|(index, _)| *index);
    if indexed.len() > max {
        let message = format!("Arrays in {name} may have at most {max} elements.");
        return Err(ApiError::invalid(message).param(name));
    }
    indexed
        .iter()
        .map(|(index, param)| value(param, element, &format!("{name}[{index}]")))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

/// Limits from Stripe's page "Metadata": 50 keys of 40 characters, values of 500. An empty value unsets its key.
fn metadata(inner: &Params, name: &str) -> Result<Value, ApiError> {
    let mut checked = Map::new();
    for (key, param) in &inner.0 {
        let at = inside(name, key);
        let Param::Text(text) = param else {
            let message = "Metadata values must be strings, but you passed in a hash.";
            return Err(ApiError::invalid(message).param(at));
        };
        let (key_length, length) = (key.chars().count(), text.chars().count());
        if key_length > 40 {
            return Err(ApiError::invalid(format!(
                "Metadata keys can have up to 40 characters, but you passed in a key that is {key_length} characters. \
                 Invalid key: {key}"
            ))
            .param(name));
        }
        if length > 500 {
            return Err(ApiError::invalid(format!(
                "Metadata values can have up to 500 characters, but you passed in a value that is {length} characters. \
                 Invalid value: {text}"
            ))
            .param(at));
        }
        if !text.is_empty() {
            checked.insert(key.clone(), json!(text));
        }
    }
    if checked.len() > 50 {
        let message = format!("Metadata can have up to 50 keys, but you've set {}", checked.len());
        return Err(ApiError::invalid(message).param(name));
    }
    Ok(Value::Object(checked))
}
