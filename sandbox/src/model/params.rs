//! Form-encoded parameters with nested brackets: `a[b][0][c]=1`, `expand[]=x`.
//!
//! Lists are kept as maps keyed by their indexes, as Stripe reads them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::ApiError;

const MAX_PARAMETERS: usize = 5_000;
const MAX_DEPTH: usize = 10;

/// A parameter: a text, or nested parameters in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Param {
    Text(String),
    Nested(Params),
}

/// The parameters of one level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(pub(crate) BTreeMap<String, Param>);

impl Params {
    /// Decodes a query string or a form body and merges it into the parameters.
    pub(crate) fn read(&mut self, encoded: &[u8]) -> Result<(), ApiError> {
        for (count, (key, value)) in url::form_urlencoded::parse(encoded).enumerate() {
            if count >= MAX_PARAMETERS {
                return Err(ApiError::invalid("Too many parameters."));
            }
            let path = segments(&key)?;
            self.put(&path, value.into_owned(), &key)?;
        }
        Ok(())
    }

    fn put(&mut self, path: &[&str], value: String, key: &str) -> Result<(), ApiError> {
        let Some((first, rest)) = path.split_first() else {
            return Err(ApiError::invalid("Invalid request: a parameter has no name."));
        };
        let name = if first.is_empty() { self.0.len().to_string() } else { (*first).to_owned() };
        if rest.is_empty() {
            if matches!(self.0.get(&name), Some(Param::Nested(_))) {
                return Err(conflict(key));
            }
            self.0.insert(name, Param::Text(value));
            return Ok(());
        }
        match self.0.entry(name).or_insert_with(|| Param::Nested(Params::default())) {
            Param::Nested(inner) => inner.put(rest, value, key),
            Param::Text(_) => Err(conflict(key)),
        }
    }

    /// Adds the members of a JSON body: numbers and booleans as texts, lists by their indexes.
    pub(crate) fn add_json(&mut self, members: Map<String, Value>) -> Result<(), ApiError> {
        for (name, value) in members {
            if let Some(param) = from_json(value, MAX_DEPTH)? {
                self.0.insert(name, param);
            }
        }
        Ok(())
    }

    /// For the request log.
    pub(crate) fn to_json(&self) -> Value {
        Value::Object(
            self.0
                .iter()
                .map(|(name, param)| {
                    let value = match param {
                        Param::Text(text) => Value::String(text.clone()),
                        Param::Nested(inner) => inner.to_json(),
                    };
                    (name.clone(), value)
                })
                .collect(),
        )
    }
}

fn from_json(value: Value, depth: usize) -> Result<Option<Param>, ApiError> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(ApiError::invalid("Invalid request: the body is nested too deeply."));
    };
    let mut nested = Params::default();
    match value {
        Value::Null => return Ok(None),
        Value::String(text) => return Ok(Some(Param::Text(text))),
        Value::Bool(_) | Value::Number(_) => return Ok(Some(Param::Text(value.to_string()))),
        Value::Array(elements) => {
            for (index, element) in elements.into_iter().enumerate() {
                nested.0.extend(from_json(element, below)?.map(|param| (index.to_string(), param)));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                nested.0.extend(from_json(member, below)?.map(|param| (name, param)));
            }
        }
    }
    Ok(Some(Param::Nested(nested)))
}

fn conflict(key: &str) -> ApiError {
    ApiError::invalid(format!("Invalid request: {key} is given twice in different shapes.")).param(key)
}

/// The segments of a key: `a[b][]` has `a`, `b` and an empty one.
fn segments(key: &str) -> Result<Vec<&str>, ApiError> {
    let malformed = || ApiError::invalid(format!("Invalid parameter name: {key}"));
    let Some((first, mut rest)) = key.split_once('[') else {
        return Ok(vec![key]);
    };
    if first.is_empty() {
        return Err(malformed());
    }
    let mut path = vec![first];
    loop {
        let (segment, after) = rest.split_once(']').ok_or_else(malformed)?;
        path.push(segment);
        if path.len() > MAX_DEPTH {
            return Err(malformed());
        }
        if after.is_empty() {
            return Ok(path);
        }
        rest = after.strip_prefix('[').ok_or_else(malformed)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(encoded: &str) -> Value {
        let mut params = Params::default();
        params.read(encoded.as_bytes()).expect("well-formed");
        params.to_json()
    }

    #[test]
    fn brackets_nest_and_empty_brackets_append() {
        assert_eq!(
            decode("a[b][0][c]=1&a[b][0][d]=x+y%26&expand[]=p&expand[]=q&m[k]=&z=2"),
            serde_json::json!({
                "a": {"b": {"0": {"c": "1", "d": "x y&"}}},
                "expand": {"0": "p", "1": "q"}, "m": {"k": ""}, "z": "2"
            })
        );
    }

    #[test]
    fn malformed_names_are_refused() {
        for encoded in ["a[b=1", "a[b]c=1", "[a]=1", "a=1&a[b]=2", "a[b]=2&a=1"] {
            let mut params = Params::default();
            assert!(params.read(encoded.as_bytes()).is_err(), "{encoded}");
        }
    }
}
