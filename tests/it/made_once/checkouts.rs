//! One session at Stripe for each top-up, and only that one is handed out.

use serde_json::Value;
use topup::access::caller_key::CallerKey;
use topup::domain::account::AccountId;
use topup::domain::redirect::{AllowedOrigin, RedirectUrl};
use topup::purchases::checkout::create_checkout::{CreateCheckout, create_checkout};

use super::{Death, LAG_SECONDS, LATE_SECONDS, Sequence, clear, in_lanes, pass, plan, repeat_until_open, start};
use crate::support::app::SUCCESS_URL;
use crate::support::{Backend, TestApp};

/// The top-up has one session at Stripe, and a repeated request hands out no other.
async fn check(app: &TestApp, account: &str, since_seconds: i64, session: &str, about: &str) {
    clear(app).await;
    assert_eq!(repeat_until_open(app, account, "key-1", about).await, session, "{about}: another session");
    // Wait until the late work at Stripe is done and listed.
    pass(app, LATE_SECONDS + LAG_SECONDS + 2).await;
    let list = format!("/v1/checkout/sessions?limit=100&created[gte]={since_seconds}");
    let sessions = app.stripe.get(&list).await;
    let sessions = sessions["data"].as_array().expect("a list").iter();
    let its: Vec<&Value> = sessions.filter(|found| found["client_reference_id"] == account).collect();
    assert_eq!(its.len(), 1, "{about}: {its:?}");
    assert_eq!(its[0]["id"], session, "{about}");
}

/// A time before anything of a sequence can be created, minus some seconds for clock differences.
fn now_seconds(app: &TestApp) -> i64 {
    topup::ports::Clock::now_ms(&*app.clock) / 1_000 - 5
}

async fn no_sequence_opens_two(backend: Backend, sequences: Vec<Sequence>) {
    let app = start(backend).await;
    for (number, sequence) in sequences.into_iter().enumerate() {
        let (account, about) = (format!("user_{number}"), format!("{sequence:?}"));
        let since_seconds = now_seconds(&app);
        plan(&app, "/v1/checkout/sessions", &sequence).await;
        let session = repeat_until_open(&app, &account, "key-1", &about).await;
        check(&app, &account, since_seconds, &session, &about).await;
    }
    app.finish().await;
}

fn command(account: &str) -> CreateCheckout {
    let origins = [AllowedOrigin::parse("https://app.example.com").expect("an origin")];
    let account = AccountId::parse(account).expect("an account");
    CreateCheckout {
        idempotency: Some(CallerKey::of_checkout(&account, "key-1".to_owned())),
        account,
        credits: 250,
        currency: None,
        success_url: RedirectUrl::parse(SUCCESS_URL, &origins).expect("a URL"),
        cancel_url: None,
        saves_card: false,
    }
}

async fn no_death_opens_two(backend: Backend, sequences: Vec<Sequence>) {
    let app = start(backend).await;
    let mut number = 0_u64;
    for sequence in sequences {
        for place in 0.. {
            number += 1;
            let (account, about) = (format!("user_{number}"), format!("{sequence:?}, dead at {place}"));
            let since_seconds = now_seconds(&app);
            plan(&app, "/v1/checkout/sessions", &sequence).await;
            let inside = app.app.clone();
            let ended = Death::at(place).or(create_checkout(&inside, command(&account))).await;
            let session = repeat_until_open(&app, &account, "key-1", &about).await;
            check(&app, &account, since_seconds, &session, &about).await;
            if ended.is_some() {
                break;
            }
        }
    }
    app.finish().await;
}

#[test]
fn no_two_faults_open_two_checkouts_on_postgres() {
    in_lanes(2, |sequences| no_sequence_opens_two(Backend::Postgres, sequences));
}

#[test]
fn no_three_faults_open_two_checkouts_on_sqlite() {
    in_lanes(3, |sequences| no_sequence_opens_two(Backend::Sqlite, sequences));
}

#[test]
fn no_death_between_two_faults_opens_two_checkouts_on_sqlite() {
    in_lanes(2, |sequences| no_death_opens_two(Backend::Sqlite, sequences));
}

#[test]
fn no_death_after_a_fault_opens_two_checkouts_on_postgres() {
    in_lanes(1, |sequences| no_death_opens_two(Backend::Postgres, sequences));
}
