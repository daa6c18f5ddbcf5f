//! `topup reconcile --adopt`: shows paid purchases that are missing from the books, and adopts one or all of them.

use std::process::ExitCode;

use serde_json::{Value, json};
use topup::app::{App, with_causes};
use topup::domain::checkout::PurchaseReport;
use topup::domain::ids::{SessionId, TopupId};
use topup::http::admin::shapes::{adoptable, adoption};
use topup::providers::stripe::name::NAME;
use topup::purchases::adopt::adopt_purchase::{AdoptError, AdoptionCase, AdoptionOptions, adopt_purchase};
use topup::purchases::adopt::adoption::Adopted;
use topup::reconcile::Pace;
use topup::reconcile::lost::{LostPurchase, find_lost};

use super::text::print_json;
use super::{Failure, stop_signal};

/// The meaning of `--adopt` without a value.
pub const SHOW: &str = "show";
const ALL: &str = "all";

/// The purchases to show or adopt.
pub struct Wanted {
    /// `show`, `all`, or ids of checkout sessions or top-ups.
    pub names: Vec<String>,
    /// How many days to look back.
    pub since_days: i64,
    /// Whether to adopt purchases even if it is not proved that this installation sold them.
    pub unverified: bool,
    /// Whether to write nothing.
    pub dry_run: bool,
    /// Whether to print JSON.
    pub json: bool,
}

/// What is told, in words or as JSON.
struct Told<'a> {
    app: &'a App,
    /// The members of the list; `None` for words.
    list: Option<Vec<Value>>,
}

impl Told<'_> {
    /// A sentence, which JSON leaves out.
    fn say(&self, words: &str) {
        if self.list.is_none() {
            println!("{words}");
        }
    }

    /// The result for one purchase; `true` if it is in the books now, or would be.
    fn tell(&mut self, session: &SessionId, result: Result<AdoptionCase, AdoptError>) -> Result<bool, Failure> {
        let is_well = result.is_ok();
        match &mut self.list {
            Some(list) => list.push(adoption(session, result)?),
            None => println!("{session}  {}", in_words(self.app, result)),
        }
        Ok(is_well)
    }

    /// A purchase that is only shown.
    fn show(&mut self, purchase: &LostPurchase) -> Result<(), Failure> {
        let session = &purchase.report.session;
        match &mut self.list {
            Some(list) => list.push(adoptable(purchase)?),
            None => println!("{session}  {}  {}", described(self.app, &purchase.report), purchase.seller),
        }
        Ok(())
    }

    /// Prints the list, if there is one.
    fn end(self) -> Result<(), Failure> {
        self.list.map_or(Ok(()), |list| print_json(&json!({ "data": list })))
    }
}

/// Shows or adopts purchases. The exit code is 0 if none of the wanted purchases remains.
pub async fn adopt(app: &App, wanted: Wanted) -> Result<ExitCode, Failure> {
    let Wanted { names, since_days, unverified, dry_run, json } = wanted;
    let word = AdoptionOptions { by: "topup reconcile --adopt".to_owned(), unverified, dry_run };
    let mut told = Told { app, list: json.then(Vec::new) };
    let left = if names.iter().any(|name| name == SHOW || name == ALL) {
        if unverified {
            return Err("--unverified goes with the id of one purchase, so that each is looked at".into());
        }
        let lost = find_lost(app, since_days, Pace::default(), stop_signal()?).await?;
        let adopts = names.iter().any(|name| name == ALL) && !dry_run;
        show_or_adopt_all(&mut told, &lost, adopts, &word).await?
    } else {
        adopt_named(&mut told, &names, since_days, &word).await?
    };
    told.end()?;
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns how many were not adopted.
async fn adopt_named(
    told: &mut Told<'_>,
    names: &[String],
    since_days: i64,
    word: &AdoptionOptions,
) -> Result<usize, Failure> {
    let mut left = 0_usize;
    for name in names {
        let session = match TopupId::parse(name) {
            Ok(topup) => session_of(told.app, since_days, &topup).await?,
            Err(_) => SessionId::parse(NAME, name.as_str()).ok(),
        };
        let is_adopted = if let Some(session) = session {
            let result = adopt_purchase(told.app, &session, word).await;
            told.tell(&session, result)?
        } else if let Some(list) = &mut told.list {
            let (outcome, detail) = ("unknown_at_provider", AdoptError::Unknown.to_string());
            list.push(json!({ "sessionId": name, "outcome": outcome, "detail": detail }));
            false
        } else {
            println!("{name}  not adopted: Stripe has no paid checkout of it that is missing here");
            false
        };
        left = left.saturating_add(usize::from(!is_adopted));
    }
    Ok(left)
}

async fn session_of(app: &App, since_days: i64, topup: &TopupId) -> Result<Option<SessionId>, Failure> {
    let lost = find_lost(app, since_days, Pace::default(), stop_signal()?).await?;
    Ok(lost.into_iter().find(|lost| lost.report.topup == *topup).map(|lost| lost.report.session))
}

/// Returns how many are left.
async fn show_or_adopt_all(
    told: &mut Told<'_>,
    lost: &[LostPurchase],
    adopts: bool,
    word: &AdoptionOptions,
) -> Result<usize, Failure> {
    let mut left = 0_usize;
    for purchase in lost {
        let session = &purchase.report.session;
        let is_adopted = if purchase.is_ours && adopts {
            let result = adopt_purchase(told.app, session, word).await;
            told.tell(session, result)?
        } else {
            false
        };
        if !is_adopted {
            left = left.saturating_add(1);
            told.show(purchase)?;
        }
    }
    match (lost.len(), adopts) {
        (0, _) => told.say("Stripe has no paid purchase that is not in these books."),
        (count, false) => told.say(&format!(
            "{count} paid purchases are not in these books; nothing was written. `--adopt all` takes in those that this \
             installation sold, `--adopt ID` one of them."
        )),
        (_, true) if left == 0 => told.say("All are in the books now."),
        (_, true) => told.say(&format!(
            "{left} are left: look at each, then adopt it with `--adopt ID --unverified`, or leave it."
        )),
    }
    Ok(left)
}

fn described(app: &App, report: &PurchaseReport) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
    let credits = report.credits.as_ref().and_then(|credits| credits.parse().ok());
    let credits = text(&credits.map(|credits| app.pricing.decimals().format(credits)));
    let (account, currency) = (text(&report.account), text(&report.currency));
    let amount = report.amount_total_minor.unwrap_or_default();
    super::text::printable(&format!("{}  {credits} credits of {account} for {amount} {currency}", report.topup))
}

/// The result for one purchase.
fn in_words(app: &App, result: Result<AdoptionCase, AdoptError>) -> String {
    match result {
        Ok(found) => {
            let what = match found.adopted {
                None => "would be adopted".to_owned(),
                Some(Adopted::AlreadyHere) => "is in the books already".to_owned(),
                Some(Adopted::Credited { balance_after }) => {
                    format!("adopted; the account has {}", app.pricing.decimals().format(balance_after))
                }
            };
            format!("{}  {what}", described(app, &found.report))
        }
        Err(error) => format!("not adopted: {}", with_causes(&error)),
    }
}
