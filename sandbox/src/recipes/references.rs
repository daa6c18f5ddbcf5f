//! `${step:path.to.member}` in a path or a parameter: refers to a member of an earlier step's answer.

use std::collections::BTreeMap;

use serde_json::Value;

/// Replaces the references. The error is the reference that cannot be resolved.
pub(super) fn resolve(text: &str, answers: &BTreeMap<&str, Value>) -> Result<String, String> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (reference, behind) = after.split_once('}').ok_or_else(|| after.to_owned())?;
        resolved.push_str(before);
        resolved.push_str(&member(reference, answers).ok_or_else(|| reference.to_owned())?);
        rest = behind;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn member(reference: &str, answers: &BTreeMap<&str, Value>) -> Option<String> {
    let (step, path) = reference.split_once(':')?;
    let pointer: String = path.split('.').flat_map(|name| ["/", name]).collect();
    match answers.get(step)?.pointer(&pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_of_earlier_answers_are_put_in_and_others_are_named() {
        let answers = BTreeMap::from([("list", json!({ "data": [{ "id": "du_1", "amount": 5, "x": null }] }))]);
        for (text, expected) in [
            ("/v1/disputes/${list:data.0.id}/close", Ok("/v1/disputes/du_1/close")),
            ("${list:data.0.id}${list:data.0.amount}", Ok("du_15")),
            ("nothing to do", Ok("nothing to do")),
            ("${list:data.1.id}", Err("list:data.1.id")),
            ("${list:data.0.x}", Err("list:data.0.x")),
            ("${list:data}", Err("list:data")),
            ("${other:id}", Err("other:id")),
            ("${list:id", Err("list:id")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(resolve(text, &answers), expected, "{text}");
        }
    }
}
