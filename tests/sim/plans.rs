//! The plans that the simulation sells.

use std::collections::BTreeMap;

use topup::app::App;
use topup::plans::apply_plans::apply_plans;
use topup::plans::plan_file::read_plans;

use super::stripe::SharedStripe;

/// A plan, as the simulation sells it.
#[derive(Debug, Clone, Copy)]
pub struct Sold {
    /// Its id.
    pub id: &'static str,
    interval: &'static str,
    /// The credits of a period.
    pub credits: i64,
    /// The credits of a trial.
    pub trial_credits: i64,
    amount: i64,
    /// How much of what is left is kept, as in the settings.
    rollover: &'static str,
    /// The same as a number; `None` keeps all.
    pub kept: Option<i64>,
}

/// The plans. One has a trial, and each kind of rollover is there.
pub const PLANS: [Sold; 4] = [
    Sold {
        id: "basic",
        interval: "month",
        credits: 1_000,
        trial_credits: 50,
        amount: 1_000,
        rollover: "expire",
        kept: Some(0),
    },
    Sold {
        id: "plus",
        interval: "month",
        credits: 2_100,
        trial_credits: 0,
        amount: 2_000,
        rollover: "cap",
        kept: Some(400),
    },
    Sold {
        id: "pro",
        interval: "month",
        credits: 3_300,
        trial_credits: 0,
        amount: 3_000,
        rollover: "keep",
        kept: None,
    },
    Sold {
        id: "weekly",
        interval: "week",
        credits: 270,
        trial_credits: 0,
        amount: 400,
        rollover: "expire",
        kept: Some(0),
    },
];

/// Applies the plans, as an operator does. Returns them by their prices.
pub async fn apply(app: &App, stripe: &SharedStripe) -> BTreeMap<String, Sold> {
    let plan = |plan: &Sold| {
        let rollover = match plan.kept {
            Some(cap) if plan.rollover == "cap" => format!("{{ cap = {cap} }}"),
            _ => format!("{:?}", plan.rollover),
        };
        let trial_days = if plan.trial_credits > 0 { 7 } else { 0 };
        format!(
            "[[plans]]\nid = {id:?}\nname = {id:?}\ninterval = {:?}\ncreditsPerPeriod = {}\nrollover = {rollover}\n\
             trialDays = {trial_days}\ntrialCredits = {}\namount = {{ usd = {} }}\n",
            plan.interval,
            plan.credits,
            plan.trial_credits,
            plan.amount,
            id = plan.id,
        )
    };
    let file: String = PLANS.iter().map(plan).collect();
    apply_plans(app, &read_plans(&file).expect("valid plans"), false).await.expect("nothing is wrong yet");
    prices_of_plans(stripe)
}

/// The plans by their prices at Stripe.
fn prices_of_plans(stripe: &SharedStripe) -> BTreeMap<String, Sold> {
    let mut prices = BTreeMap::new();
    for price in stripe.list("/v1/prices", "") {
        let key = price["lookup_key"].as_str().unwrap_or_default();
        let plan = PLANS.iter().find(|plan| key == format!("topup_{}_usd", plan.id));
        if let (Some(plan), Some(id)) = (plan, price["id"].as_str()) {
            prices.insert(id.to_owned(), *plan);
        }
    }
    assert_eq!(prices.len(), PLANS.len(), "each plan has a price");
    prices
}
