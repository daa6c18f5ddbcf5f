//! The parts of a recipe.

/// The calls that cause an event.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The type of the event.
    pub name: &'static str,
    pub(crate) steps: &'static [Step],
}

/// One call. `${step:path.to.member}` stands for a member of an earlier step's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Form parameters; below `/_sandbox/`, members of the JSON body.
    pub(crate) params: &'static [(&'static str, &'static str)],
    /// The type of the error that the step is expected to fail with.
    pub(crate) fails_with: Option<&'static str>,
}

pub(super) const fn post(
    name: &'static str,
    path: &'static str,
    params: &'static [(&'static str, &'static str)],
) -> Step {
    Step { name, method: "POST", path, params, fails_with: None }
}

pub(super) const fn get(name: &'static str, path: &'static str) -> Step {
    Step { name, method: "GET", path, params: &[], fails_with: None }
}

impl Step {
    pub(super) const fn fails_with(self, kind: &'static str) -> Self {
        Self { fails_with: Some(kind), ..self }
    }
}
