//! Plans: what a subscription costs in each period, and the credits that it brings.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::currency::Currency;

/// The most credits of a period, of a trial, and of a cap: every JSON reader keeps such a number exactly.
pub const MAX_PLAN_CREDITS: i64 = 9_007_199_254_740_991;
/// Stripe's limit for the days of a trial.
pub const MAX_TRIAL_DAYS: i64 = 730;
/// The longest id, in characters.
const MAX_ID_CHARACTERS: usize = 40;
/// The longest name, in characters.
const MAX_NAME_CHARACTERS: usize = 100;

/// The id of a plan, chosen by the operator: 1 to 40 lower-case letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(String);

/// The text is not a plan's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 40 lower-case letters, digits, _ and -, such as pro or team-2026")]
pub struct InvalidPlanId;

impl PlanId {
    /// Reads an id.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidPlanId> {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if (1..=MAX_ID_CHARACTERS).contains(&text.len()) && text.bytes().all(is_letter) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidPlanId)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The unit of a period. The names are Stripe's, and are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntervalUnit {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl IntervalUnit {
    /// The name used in the database, in the API and at Stripe.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Day, Self::Week, Self::Month, Self::Year].into_iter().find(|unit| unit.as_str() == text)
    }

    /// The most of them in a period. Stripe's limit is three years.
    #[must_use]
    pub const fn most(self) -> i64 {
        match self {
            Self::Day => 1_095,
            Self::Week => 156,
            Self::Month => 36,
            Self::Year => 3,
        }
    }
}

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The unit.
    pub unit: IntervalUnit,
    /// How many of them, at least 1.
    pub count: i64,
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => formatter.write_str(self.unit.as_str()),
            count => write!(formatter, "{count} {}s", self.unit.as_str()),
        }
    }
}

/// What happens to credits that are left when the next period begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollover {
    /// They end.
    Expire,
    /// They stay, for ever.
    Keep,
    /// They stay, for ever, but no more than this number.
    Cap(i64),
}

impl Rollover {
    /// The name used in the database and in the API, without the number of a cap.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expire => "expire",
            Self::Keep => "keep",
            Self::Cap(_) => "cap",
        }
    }

    /// The number of a cap.
    #[must_use]
    pub const fn cap(self) -> Option<i64> {
        match self {
            Self::Cap(credits) => Some(credits),
            Self::Expire | Self::Keep => None,
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub fn of(name: &str, cap: Option<i64>) -> Option<Self> {
        match (name, cap) {
            ("expire", None) => Some(Self::Expire),
            ("keep", None) => Some(Self::Keep),
            ("cap", Some(credits)) if credits >= 0 => Some(Self::Cap(credits)),
            _ => None,
        }
    }

    /// How many credits of earlier periods stay when the next one is paid; `None` for all.
    #[must_use]
    pub const fn kept(self) -> Option<i64> {
        match self {
            Self::Expire => Some(0),
            Self::Keep => None,
            Self::Cap(credits) => Some(credits),
        }
    }
}

impl fmt::Display for Rollover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cap(credits) => write!(formatter, "cap {credits}"),
            Self::Expire | Self::Keep => formatter.write_str(self.as_str()),
        }
    }
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// What customers read.
    pub name: String,
    /// The length of a period.
    pub interval: Interval,
    /// The credits of a paid period.
    pub credits_per_period: i64,
    /// What happens to credits that are left.
    pub rollover: Rollover,
    /// For how many days a new subscriber pays nothing; 0 for no trial.
    pub trial_days: i64,
    /// The credits of a trial.
    pub trial_credits: i64,
    /// Whether it is sold. Running subscriptions go on in any case.
    pub is_active: bool,
    /// What a period costs in each currency, in minor units, without the fee line.
    pub amounts: BTreeMap<Currency, i64>,
}

/// What somebody wrote down as a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanDraft {
    /// Its id.
    pub id: String,
    /// What customers read.
    pub name: String,
    /// The unit of a period.
    pub interval: String,
    /// How many of them; 1 if it is not said.
    pub interval_count: Option<i64>,
    /// The credits of a paid period.
    pub credits_per_period: i64,
    /// `expire`, `keep` or `cap`; `expire` if it is not said.
    pub rollover: Option<String>,
    /// The number of a cap.
    pub rollover_cap: Option<i64>,
    /// For how many days a new subscriber pays nothing.
    pub trial_days: Option<i64>,
    /// The credits of a trial.
    pub trial_credits: Option<i64>,
    /// Whether it is sold; it is if nothing is said.
    pub active: Option<bool>,
    /// What a period costs in each currency, in minor units.
    pub amount: BTreeMap<String, i64>,
}

/// What is wrong with a field of a plan, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct PlanMistake {
    /// The field.
    pub field: String,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong, and the way out.
    pub message: String,
}

impl PlanMistake {
    fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

impl Plan {
    /// Checks a draft.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn new(draft: &PlanDraft) -> Result<Self, Vec<PlanMistake>> {
        let mut mistakes = Vec::new();
        let id = PlanId::parse(&draft.id)
            .map_err(|error| mistakes.push(PlanMistake::new("id", "invalid_id", error.to_string())));
        let name = &draft.name;
        if name.trim() != name
            || !(1..=MAX_NAME_CHARACTERS).contains(&name.chars().count())
            || name.contains(char::is_control)
        {
            let message = "must be 1 to 100 printable characters, as customers read it";
            mistakes.push(PlanMistake::new("name", "invalid_name", message));
        }
        let interval = read_interval(draft, &mut mistakes);
        let most = MAX_PLAN_CREDITS;
        if !(1..=most).contains(&draft.credits_per_period) {
            let message = format!("must be 1 to {most}: the credits of a paid period");
            mistakes.push(PlanMistake::new("creditsPerPeriod", "out_of_range", message));
        }
        let rollover = read_rollover(draft, &mut mistakes);
        let (trial_days, trial_credits) = read_trial(draft, &mut mistakes);
        let amounts = read_amounts(&draft.amount, &mut mistakes);
        match (id, interval, rollover) {
            (Ok(id), Some(interval), Some(rollover)) if mistakes.is_empty() => Ok(Self {
                id,
                name: name.clone(),
                interval,
                credits_per_period: draft.credits_per_period,
                rollover,
                trial_days,
                trial_credits,
                is_active: draft.active.unwrap_or(true),
                amounts,
            }),
            _ => Err(mistakes),
        }
    }
}

fn read_interval(draft: &PlanDraft, mistakes: &mut Vec<PlanMistake>) -> Option<Interval> {
    let Some(unit) = IntervalUnit::parse(&draft.interval) else {
        let message = "must be day, week, month or year; for several of them set intervalCount";
        mistakes.push(PlanMistake::new("interval", "unknown_interval", message));
        return None;
    };
    let (count, most) = (draft.interval_count.unwrap_or(1), unit.most());
    if !(1..=most).contains(&count) {
        let message = format!("must be 1 to {most} for {}: Stripe bills at least every three years", unit.as_str());
        mistakes.push(PlanMistake::new("intervalCount", "out_of_range", message));
        return None;
    }
    Some(Interval { unit, count })
}

fn read_rollover(draft: &PlanDraft, mistakes: &mut Vec<PlanMistake>) -> Option<Rollover> {
    let name = draft.rollover.as_deref().unwrap_or("expire");
    let rollover = Rollover::of(name, draft.rollover_cap)
        .filter(|rollover| rollover.cap().is_none_or(|credits| credits <= MAX_PLAN_CREDITS));
    if rollover.is_none() {
        let message = format!(
            "must be \"expire\" (what is left ends), \"keep\" (it stays), or a cap such as {{ cap = 5000 }} from 0 to \
             {MAX_PLAN_CREDITS}"
        );
        mistakes.push(PlanMistake::new("rollover", "unknown_rollover", message));
    }
    rollover
}

fn read_trial(draft: &PlanDraft, mistakes: &mut Vec<PlanMistake>) -> (i64, i64) {
    let (days, credits) = (draft.trial_days.unwrap_or(0), draft.trial_credits.unwrap_or(0));
    if !(0..=MAX_TRIAL_DAYS).contains(&days) {
        let message = format!("must be 0 (no trial) to {MAX_TRIAL_DAYS}, Stripe's limit");
        mistakes.push(PlanMistake::new("trialDays", "out_of_range", message));
    }
    if !(0..=MAX_PLAN_CREDITS).contains(&credits) {
        let message = format!("must be 0 to {MAX_PLAN_CREDITS}");
        mistakes.push(PlanMistake::new("trialCredits", "out_of_range", message));
    } else if credits > 0 && days == 0 {
        let message = "are given for a trial, and there is none; set trialDays, or remove trialCredits";
        mistakes.push(PlanMistake::new("trialCredits", "no_trial", message));
    }
    (days, credits)
}

fn read_amounts(given: &BTreeMap<String, i64>, mistakes: &mut Vec<PlanMistake>) -> BTreeMap<Currency, i64> {
    let mut amounts = BTreeMap::new();
    if given.is_empty() {
        let message = "must have the price of a period in at least one currency, in minor units, such as usd = 2000";
        mistakes.push(PlanMistake::new("amount", "required", message));
    }
    for (code, amount) in given {
        let field = format!("amount.{code}");
        let currency = match Currency::parse(code) {
            Ok(currency) => currency,
            Err(error) => {
                mistakes.push(PlanMistake::new(field, "unknown_currency", format!("is {error}")));
                continue;
            }
        };
        let (least, most, step) =
            (currency.minimum_charge_minor(), currency.maximum_charge_minor(), currency.step_minor());
        if !(least..=most).contains(amount) || amount.checked_rem(step) != Some(0) {
            let steps = if step == 1 { String::new() } else { format!(", in steps of {step}") };
            let message = format!("must be {least} to {most} minor units{steps}");
            mistakes.push(PlanMistake::new(field, "out_of_range", message));
            continue;
        }
        amounts.insert(currency, *amount);
    }
    amounts
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
