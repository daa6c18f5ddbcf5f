//! `topup reconcile --adopt`: shows paid purchases that are missing from the books, and adopts one or all of them.

use std::process::ExitCode;

use topup::app::{App, with_causes};
use topup::domain::checkout::PurchaseReport;
use topup::domain::ids::{SessionId, TopupId};
use topup::providers::stripe::name::NAME;
use topup::purchases::adopt::adopt_purchase::{AdoptError, AdoptionCase, AdoptionOptions, adopt_purchase};
use topup::purchases::adopt::adoption::Adopted;
use topup::reconcile::Pace;
use topup::reconcile::lost::{LostPurchase, find_lost};

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
}

/// Shows or adopts purchases. The exit code is 0 if none of the wanted purchases remains.
pub async fn adopt(app: &App, wanted: Wanted) -> Result<ExitCode, Failure> {
    let Wanted { names, since_days, unverified, dry_run } = wanted;
    let word = AdoptionOptions { by: "topup reconcile --adopt".to_owned(), unverified, dry_run };
    if names.iter().any(|name| name == SHOW || name == ALL) {
        if unverified {
            return Err("--unverified goes with the id of one purchase, so that each is looked at".into());
        }
        let lost = find_lost(app, since_days, Pace::default(), stop_signal()?).await?;
        let adopts = names.iter().any(|name| name == ALL) && !dry_run;
        return show_or_adopt_all(app, &lost, adopts, &word).await;
    }
    let mut left = 0_usize;
    for name in &names {
        let session = match TopupId::parse(name) {
            Ok(topup) => session_of(app, since_days, &topup).await?,
            Err(_) => SessionId::parse(NAME, name.as_str()).ok(),
        };
        let Some(session) = session else {
            println!("{name}  not adopted: Stripe has no paid checkout of it that is missing here");
            left = left.saturating_add(1);
            continue;
        };
        left = left.saturating_add(usize::from(!tell(app, &session, adopt_purchase(app, &session, &word).await)));
    }
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn session_of(app: &App, since_days: i64, topup: &TopupId) -> Result<Option<SessionId>, Failure> {
    let lost = find_lost(app, since_days, Pace::default(), stop_signal()?).await?;
    Ok(lost.into_iter().find(|lost| lost.report.topup == *topup).map(|lost| lost.report.session))
}

async fn show_or_adopt_all(
    app: &App,
    lost: &[LostPurchase],
    adopts: bool,
    word: &AdoptionOptions,
) -> Result<ExitCode, Failure> {
    let mut left = 0_usize;
    for purchase in lost {
        let session = &purchase.report.session;
        let is_adopted = purchase.is_ours && adopts && tell(app, session, adopt_purchase(app, session, word).await);
        if !is_adopted {
            left = left.saturating_add(1);
            println!("{session}  {}  {}", described(app, &purchase.report), purchase.seller);
        }
    }
    match (lost.len(), adopts) {
        (0, _) => println!("Stripe has no paid purchase that is not in these books."),
        (count, false) => println!(
            "{count} paid purchases are not in these books; nothing was written. `--adopt all` takes in those that this \
             installation sold, `--adopt ID` one of them."
        ),
        (_, true) if left == 0 => println!("All are in the books now."),
        (_, true) => {
            println!("{left} are left: look at each, then adopt it with `--adopt ID --unverified`, or leave it.");
        }
    }
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn described(app: &App, report: &PurchaseReport) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
    let credits = report.credits.as_ref().and_then(|credits| credits.parse().ok());
    let credits = text(&credits.map(|credits| app.pricing.decimals().format(credits)));
    let (account, currency) = (text(&report.account), text(&report.currency));
    let amount = report.amount_total_minor.unwrap_or_default();
    super::text::printable(&format!("{}  {credits} credits of {account} for {amount} {currency}", report.topup))
}

/// Prints the result for one purchase; `true` if it is in the books now, or would be.
fn tell(app: &App, session: &SessionId, result: Result<AdoptionCase, AdoptError>) -> bool {
    match result {
        Ok(found) => {
            let what = match found.adopted {
                None => "would be adopted".to_owned(),
                Some(Adopted::AlreadyHere) => "is in the books already".to_owned(),
                Some(Adopted::Credited { balance_after }) => {
                    format!("adopted; the account has {}", app.pricing.decimals().format(balance_after))
                }
            };
            println!("{session}  {}  {what}", described(app, &found.report));
            true
        }
        Err(error) => {
            println!("{session}  not adopted: {}", with_causes(&error));
            false
        }
    }
}
