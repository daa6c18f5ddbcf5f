//! What happens when the process is killed or the client disconnects between any two steps of a purchase.
//!
//! A debug build of `topup serve` can be paused at its n-th checkpoint: before each statement, before and after each
//! commit, and before and after each call to Stripe. For n = 1, 2, 3 … until a purchase has no n-th checkpoint, it is
//! paused there and interrupted. Wherever that is, the customer gets the credits of one purchase, once, and Stripe has
//! one session for it.

use serde_json::json;
use topup::domain::account::AccountId;

use crate::on_both_databases;
use crate::support::process::Process;
use crate::support::serve::World;
use crate::support::until;

/// More checkpoints than a purchase has. If the loop gets here, it would not end.
const TOO_MANY: u64 = 200;

on_both_databases! {
    /// Known mistakes 1, 2 and 24.
    async fn a_process_killed_between_any_two_steps_loses_nothing_and_credits_once(backend: Backend) {
        let world = World::new(backend).await;
        let places = at_every_checkpoint(&world, Interruption::Kill, Path::Webhook).await;
        assert!(places >= 10, "only {places} places were tried");
        world.finish().await;
    }

    async fn a_process_killed_while_the_return_page_asks_stripe_credits_once(backend: Backend) {
        let world = World::new(backend).await;
        let places = at_every_checkpoint(&world, Interruption::Kill, Path::ReturnPage).await;
        assert!(places >= 14, "only {places} places were tried");
        world.finish().await;
    }

    /// Known mistake 24: the customer closes the tab between Stripe's answer and our write.
    async fn a_client_that_goes_away_at_any_step_interrupts_nothing(backend: Backend) {
        let world = World::new(backend).await;
        let places = at_every_checkpoint(&world, Interruption::ClientGoesAway, Path::ReturnPage).await;
        assert!(places >= 14, "only {places} places were tried");
        world.finish().await;
    }
}

on_both_databases! {
    /// Known mistakes 1 and 2, of many at once.
    async fn a_process_killed_around_the_commit_of_a_group_loses_nothing_and_credits_each_once(backend: Backend) {
        // Each commit has two checkpoints. The first commit, of one payment, is held until all others wait for the
        // second.
        for (place, credited_then) in [(3, 1), (4, BUYERS)] {
            let world = World::new(backend).await;
            let mut process = world.serve(None).await;
            world.stripe.control("deliveries/pause", json!({})).await;
            // Other events have commits of their own.
            let endpoints = world.stripe.get("/v1/webhook_endpoints").await;
            let endpoint = format!("/v1/webhook_endpoints/{}", endpoints["data"][0]["id"].as_str().expect("an id"));
            let form = [("enabled_events[]", "checkout.session.completed")];
            assert_eq!(world.stripe.post(&endpoint, &form).await.0, 200);
            let accounts: Vec<String> = (0..BUYERS).map(|number| format!("user_{number}")).collect();
            let mut sessions = Vec::new();
            for account in &accounts {
                let (status, session) = world.try_checkout(account, account).await.expect("an answer");
                assert_eq!(status, 200, "{session}");
                sessions.push(session["id"].as_str().expect("an id").to_owned());
            }
            let pay = async |sessions: &[String]| {
                for session in sessions {
                    assert_eq!(world.stripe.pay(session, "pm_card_visa").await.0, 200);
                }
            };
            pay(&sessions[..1]).await;
            process.kill();

            let mut settings = world.settings();
            settings.insert("TOPUP_PAUSE_AT_CHECKPOINT", format!("1,{place}"));
            settings.insert("LOG", "info,topup::db::committer=trace".to_owned());
            // What is learnt about payers is written in commits of its own.
            settings.insert("PERSONAL_DATA_DAYS", "0".to_owned());
            let mut process = Process::serve(&settings, None).await;
            world.stripe.control("deliveries/resume", json!({})).await;
            process.error_line("paused at checkpoint 1: commit").await;
            world.stripe.control("deliveries/pause", json!({})).await;
            pay(&sessions[1..]).await;
            world.stripe.control("deliveries/resume", json!({})).await;
            for _ in 1..BUYERS {
                process.error_line("waits for its commit").await;
            }
            process.go_on();
            process.error_line(&format!("paused at checkpoint {place}: commit")).await;
            process.kill();
            let db = world.database.connect().await;
            let mut credited = 0;
            for account in &accounts {
                let account = AccountId::parse(account).expect("an account");
                credited += usize::from(db.balance(&account).await.expect("readable").remaining_credits == 250);
            }
            db.close().await;
            assert_eq!(credited, credited_then, "credited at checkpoint {place}");

            let mut process = Process::serve(&world.settings_afterwards(), None).await;
            for account in &accounts {
                until("the credits", async || world.credits(account).await.filter(|credits| *credits > 0)).await;
            }
            world.stripe.idle().await;
            for account in &accounts {
                assert_eq!(world.credits(account).await, Some(250), "{place}: {account} is credited once");
            }
            process.kill();
            world.finish().await;
        }
    }
}

/// The size limit of a group, plus some.
const BUYERS: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Interruption {
    Kill,
    ClientGoesAway,
}

/// How the service learns of the payment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    Webhook,
    ReturnPage,
}

/// Interrupts a purchase at every checkpoint. Returns how many there were.
async fn at_every_checkpoint(world: &World, interruption: Interruption, path: Path) -> u64 {
    for number in 1..TOO_MANY {
        let account = format!("user_{number}");
        if path == Path::ReturnPage {
            world.stripe.control("deliveries/pause", json!({})).await;
        }
        let mut process = world.serve(Some(number)).await;
        let place = tokio::select! {
            () = buy_to_the_end(world, &account, path) => None,
            place = process.paused() => Some(place),
        };
        let Some(place) = place else {
            process.kill();
            return number - 1;
        };
        // `select!` dropped the purchase's request when the other branch finished first, so its connection is closed.
        let mut process = match interruption {
            Interruption::Kill => {
                process.kill();
                Process::serve(&world.settings_afterwards(), None).await
            }
            Interruption::ClientGoesAway => {
                process.go_on();
                process
            }
        };
        // The customer tries again, as a page does without an answer, and Stripe continues to deliver.
        world.stripe.control("deliveries/resume", json!({})).await;
        buy(world, &account, Path::Webhook).await;
        assert_eq!(world.sessions_of(&account).await, 1, "{place}: one purchase has one session");
        world.stripe.idle().await;
        assert_eq!(world.credits(&account).await, Some(250), "{place}: credited once");
        process.kill();
    }
    panic!("a purchase has too many checkpoints");
}

/// A purchase until its events are answered too: the process may be paused between a commit and its answer while the
/// credits are already visible.
async fn buy_to_the_end(world: &World, account: &str, path: Path) {
    buy(world, account, path).await;
    if path == Path::Webhook {
        world.stripe.idle().await;
    }
}

/// A purchase from the first request to the credits. It can be restarted at any point.
async fn buy(world: &World, account: &str, path: Path) {
    let session = until("a checkout", async || match world.try_checkout(account, &format!("key-{account}")).await {
        Some((200, body)) => Some(body["id"].as_str().expect("an id").to_owned()),
        // Ended means paid here: an earlier round got that far.
        Some((409, body)) if body["code"] == "session_ended" => Some(String::new()),
        Some((409, _)) | None => None,
        Some((status, body)) => panic!("{status}: {body}"),
    })
    .await;
    if !session.is_empty() {
        // Already paid, or paid now.
        world.stripe.pay(&session, "pm_card_visa").await;
        if path == Path::ReturnPage {
            let page = format!("/credits/sessions/{session}");
            until("the page", async || world.try_get(account, &page).await).await;
        }
    }
    until("the credits", async || world.credits(account).await.filter(|credits| *credits > 0)).await;
}
