//! Runs a recipe against a running sandbox, step by step, with the requested overrides.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    all::recipes,
    client::{self, Outgoing},
    recipe::{Recipe, Step},
    references,
};

/// An override of one parameter of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The step's name.
    pub step: String,
    /// The parameter as written in a form, with its brackets.
    pub param: String,
    /// The new value; `None` removes the parameter.
    pub value: Option<String>,
}

impl Change {
    /// Parses `step:param=value`.
    #[must_use]
    pub fn set(text: &str) -> Option<Self> {
        let (target, value) = text.split_once('=')?;
        Some(Self { value: Some(value.to_owned()), ..Self::remove(target)? })
    }

    /// Parses `step:param`.
    #[must_use]
    pub fn remove(text: &str) -> Option<Self> {
        let (step, param) = text.split_once(':').filter(|(step, param)| !step.is_empty() && !param.is_empty())?;
        Some(Self { step: step.to_owned(), param: param.to_owned(), value: None })
    }
}

/// A step that succeeded.
#[derive(Debug, Clone)]
pub struct StepDone {
    /// The step's name.
    pub name: &'static str,
    /// The method and the path, with references resolved.
    pub request: String,
    /// The status of the answer.
    pub status: u16,
    /// The answer.
    pub answer: Value,
}

/// Why a recipe could not be completed. The effects of earlier steps remain.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// There is no such recipe.
    #[error("there is no trigger {0}; `trigger --list` names all of them")]
    Unknown(String),
    /// An override names a step that the recipe does not have.
    #[error("{recipe} has no step {step}; it has {steps}")]
    UnknownStep {
        /// The recipe.
        recipe: &'static str,
        /// The step that was named.
        step: String,
        /// The recipe's steps.
        steps: String,
    },
    /// A reference cannot be resolved.
    #[error("step {step}: nothing is found at {reference}")]
    Reference {
        /// The step with the reference.
        step: &'static str,
        /// The reference.
        reference: String,
    },
    /// The sandbox did not answer.
    #[error("step {step}: {base_url} does not answer ({reason})")]
    NoAnswer {
        /// The step.
        step: &'static str,
        /// The base URL it was sent to.
        base_url: String,
        /// The error.
        reason: String,
    },
    /// The answer is not the expected one.
    #[error("step {step}: {status}, {message}")]
    Refused {
        /// The step.
        step: &'static str,
        /// The status of the answer.
        status: u16,
        /// The error's message, or what was expected.
        message: String,
    },
}

/// Causes an event: runs its recipe against the sandbox at `base_url`.
///
/// # Errors
/// If there is no such recipe, or a step does not get the expected answer.
pub async fn trigger(
    base_url: &str,
    secret_key: &str,
    name: &str,
    changes: &[Change],
) -> Result<Vec<StepDone>, TriggerError> {
    let recipe = recipes().find(|recipe| recipe.name == name).ok_or_else(|| TriggerError::Unknown(name.to_owned()))?;
    check_changes(recipe, changes)?;
    let mut answers = BTreeMap::new();
    let mut done = Vec::new();
    for step in recipe.steps {
        let request = prepare(step, changes, &answers)
            .map_err(|reference| TriggerError::Reference { step: step.name, reference })?;
        let (status, answer) = client::send(base_url, secret_key, &request)
            .await
            .map_err(|reason| TriggerError::NoAnswer { step: step.name, base_url: base_url.to_owned(), reason })?;
        check(step, status, &answer)?;
        answers.insert(step.name, answer.clone());
        let request = format!("{} {}", request.method, request.path);
        done.push(StepDone { name: step.name, request, status, answer });
    }
    Ok(done)
}

fn check_changes(recipe: &'static Recipe, changes: &[Change]) -> Result<(), TriggerError> {
    let known = |change: &Change| recipe.steps.iter().any(|step| step.name == change.step);
    match changes.iter().find(|change| !known(change)) {
        None => Ok(()),
        Some(change) => Err(TriggerError::UnknownStep {
            recipe: recipe.name,
            step: change.step.clone(),
            steps: recipe.steps.iter().map(|step| step.name).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// The request of a step, with overrides applied and references resolved.
fn prepare(step: &Step, changes: &[Change], answers: &BTreeMap<&str, Value>) -> Result<Outgoing, String> {
    let mut params: Vec<(String, String)> =
        step.params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for change in changes.iter().filter(|change| change.step == step.name) {
        let place = params.iter().position(|(name, _)| *name == change.param);
        match (place, &change.value) {
            (Some(place), Some(value)) => {
                if let Some((_, old)) = params.get_mut(place) {
                    old.clone_from(value);
                }
            }
            (None, Some(value)) => params.push((change.param.clone(), value.clone())),
            (Some(place), None) => drop(params.remove(place)),
            (None, None) => {}
        }
    }
    for (_, value) in &mut params {
        *value = references::resolve(value, answers)?;
    }
    let path = references::resolve(step.path, answers)?;
    let (content_type, body) = if path.starts_with("/_sandbox/") {
        let members: Map<String, Value> = params.into_iter().map(|(name, value)| (name, json!(value))).collect();
        ("application/json", Value::Object(members).to_string())
    } else {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        ("application/x-www-form-urlencoded", body)
    };
    Ok(Outgoing { method: step.method, path, content_type, body })
}

/// Checks the answer. A step that is expected to fail must fail with the right type of error.
fn check(step: &Step, status: u16, answer: &Value) -> Result<(), TriggerError> {
    let refused = |message: String| Err(TriggerError::Refused { step: step.name, status, message });
    let error = answer.get("error");
    let text = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str).unwrap_or_default();
    match step.fails_with {
        Some(expected) if text("type") != expected => refused(format!("an error of type {expected} was expected")),
        None if status != 200 => refused(text("message").to_owned()),
        _ => Ok(()),
    }
}
