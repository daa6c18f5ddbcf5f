//! Reads `plans.toml`: a list of plans, with errors that name the plan, the field and the way out.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::plan::{Plan, PlanDraft, PlanMistake};

/// A plan as it is written down, in a file or in a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WrittenPlan {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    interval: Option<String>,
    #[serde(default)]
    interval_count: Option<i64>,
    #[serde(default)]
    credits_per_period: Option<i64>,
    #[serde(default)]
    rollover: Option<WrittenRollover>,
    #[serde(default)]
    trial_days: Option<i64>,
    #[serde(default)]
    trial_credits: Option<i64>,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    amount: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "must be \"expire\", \"keep\" or a cap such as { cap = 5000 }")]
enum WrittenRollover {
    Word(String),
    Cap(WrittenCap),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCap {
    cap: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    plans: Vec<WrittenPlan>,
}

/// Why a file cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPlans {
    /// It is no TOML, or a field has another type or an unknown name. The message names the line.
    #[error("{0}")]
    Unreadable(#[from] toml::de::Error),
    /// Fields are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<FileMistake>),
}

/// A mistake, and the plan in which it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{plan}: {mistake}")]
pub struct FileMistake {
    /// The plan, by its id or its place in the file.
    pub plan: String,
    /// The mistake.
    pub mistake: PlanMistake,
}

impl WrittenPlan {
    /// The draft. What is missing is empty, which is a mistake where something is needed.
    #[must_use]
    pub fn draft(self) -> PlanDraft {
        let (rollover, rollover_cap) = match self.rollover {
            Some(WrittenRollover::Word(word)) => (Some(word), None),
            Some(WrittenRollover::Cap(WrittenCap { cap })) => (Some("cap".to_owned()), Some(cap)),
            None => (None, None),
        };
        PlanDraft {
            id: self.id.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            interval: self.interval.unwrap_or_default(),
            interval_count: self.interval_count,
            credits_per_period: self.credits_per_period.unwrap_or_default(),
            rollover,
            rollover_cap,
            trial_days: self.trial_days,
            trial_credits: self.trial_credits,
            active: self.active,
            amount: self.amount,
        }
    }
}

/// Reads the plans of a file.
///
/// # Errors
/// See [`InvalidPlans`].
pub fn read_plans(text: &str) -> Result<Vec<Plan>, InvalidPlans> {
    let file: File = toml::from_str(text)?;
    let (mut plans, mut mistakes): (Vec<Plan>, Vec<FileMistake>) = (Vec::new(), Vec::new());
    if file.plans.is_empty() {
        mistakes.push(FileMistake {
            plan: "the file".to_owned(),
            mistake: PlanMistake {
                field: "plans".to_owned(),
                code: "required",
                message: "has no plans; begin each with [[plans]]".to_owned(),
            },
        });
    }
    for (number, written) in (1_u32..).zip(file.plans) {
        let draft = written.draft();
        let name = if draft.id.is_empty() { format!("plan {number}") } else { draft.id.clone() };
        match Plan::new(&draft) {
            Ok(plan) if plans.iter().any(|other| other.id == plan.id) => {
                let message = "is another plan's; each needs its own".to_owned();
                let mistake = PlanMistake { field: "id".to_owned(), code: "repeated", message };
                mistakes.push(FileMistake { plan: name, mistake });
            }
            Ok(plan) => plans.push(plan),
            Err(wrong) => {
                mistakes.extend(wrong.into_iter().map(|mistake| FileMistake { plan: name.clone(), mistake }));
            }
        }
    }
    if mistakes.is_empty() { Ok(plans) } else { Err(InvalidPlans::Mistakes(mistakes)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::Rollover;

    const GOOD: &str = r#"
        [[plans]]
        id = "basic"
        name = "Basic"
        interval = "month"
        creditsPerPeriod = 1000
        amount = { usd = 1000 }

        [[plans]]
        id = "pro"
        name = "Pro"
        interval = "year"
        creditsPerPeriod = 50000
        rollover = { cap = 5000 }
        trialDays = 14
        trialCredits = 100
        active = false
        [plans.amount]
        usd = 20000
        eur = 19000
    "#;

    #[test]
    fn a_file_of_plans_is_read() {
        let plans = read_plans(GOOD).expect("plans");
        let [basic, pro] = &plans[..] else { panic!("{plans:?}") };
        assert_eq!((basic.rollover, basic.is_active, basic.amounts.len()), (Rollover::Expire, true, 1));
        assert_eq!((pro.rollover, pro.is_active, pro.amounts.len()), (Rollover::Cap(5_000), false, 2));
        assert_eq!((pro.trial_days, pro.trial_credits), (14, 100));
    }

    #[test]
    fn errors_name_the_plan_the_field_and_the_way_out() {
        for (from, to, expected) in [
            ("creditsPerPeriod = 1000", "creditsPerPeriod = 0", "basic: creditsPerPeriod: must be 1"),
            ("id = \"basic\"", "", "plan 1: id: must be 1 to 40"),
            ("id = \"basic\"", "id = \"pro\"", "pro: id: is another plan's"),
            ("usd = 1000", "usd = 10", "basic: amount.usd: must be 50"),
            ("trialDays = 14", "", "pro: trialCredits: are given for a trial"),
            ("creditsPerPeriod = 1000", "credits = 1000", "unknown field `credits`"),
            ("creditsPerPeriod = 1000", "creditsPerPeriod = \"many\"", "expected i64"),
            ("rollover = { cap = 5000 }", "rollover = 5", "must be \"expire\", \"keep\" or a cap"),
            ("[[plans]]", "[[plan]]", "unknown field `plan`"),
            ("interval = \"year\"", "interval = \"year", "TOML parse error at line"),
        ] {
            let error = read_plans(&GOOD.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(error.contains(expected), "{to}: {error}");
        }
        assert!(read_plans("").expect_err("no plans").to_string().contains("begin each with [[plans]]"));
    }
}
