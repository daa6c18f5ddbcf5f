//! Several `serve` processes on one PostgreSQL, a burst of deliveries, and crashes in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::app::{http_client, settings};
use crate::support::process::{Process, free_port};
use crate::support::serve::World;
use crate::support::stripe::{SECRET_KEY, Stripe, WEBHOOK_SECRET};
use crate::support::{Backend, until};
use topup::ports::Clock;
use topup::system::SystemClock;

const TOPUPS: usize = 500;
const DELIVERIES_OF_EACH: usize = 4;
const CONNECTIONS: usize = 32;
const ACCOUNTS: usize = 40;
/// How long one delivery may be retried.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_credit_500_top_ups_from_2000_shuffled_deliveries_once_each_though_one_is_killed() {
    let world = World::new(Backend::Postgres).await;
    // The sandbox delivers no webhooks: this test delivers them itself.
    world.stripe.control("deliveries/pause", serde_json::json!({})).await;
    let (first, second) = (world.settings(), world.settings_on(free_port()));
    let first_process = Process::serve(&first, None).await;
    let second_process = Process::serve(&second, None).await;
    let urls = [world.url(), format!("http://{}", second["BIND_ADDRESS"])];

    let events = Arc::new(buy_all(&world).await);
    let mut order: Vec<usize> = (0..TOPUPS).flat_map(|event| [event; DELIVERIES_OF_EACH]).collect();
    shuffle(&mut order);
    let delivered = Arc::new(AtomicU64::new(0));
    let workers = deliver_all(&Arc::new(order), &events, &urls, &delivered);

    // Each process dies once, in the middle of the remaining deliveries.
    let (mut first_process, mut second_process) = (first_process, second_process);
    for (share, settings, victim) in [(1_u64, &second, &mut second_process), (2, &first, &mut first_process)] {
        let so_far = u64::try_from(TOPUPS * DELIVERIES_OF_EACH).expect("small") * share / 3;
        until("deliveries", async || (delivered.load(Ordering::SeqCst) >= so_far).then_some(())).await;
        victim.kill();
        *victim = Process::serve(settings, None).await;
    }
    for worker in workers {
        worker.await.expect("no panic");
    }

    let mut total = 0;
    for number in 0..ACCOUNTS {
        total += world.credits(&format!("user_{number}")).await.expect("answers");
    }
    assert_eq!(total, 250 * i64::try_from(TOPUPS).expect("small"), "each top-up is credited once");
    // finish() also checks that no top-up has two entries and that only paid ones have one.
    drop((first_process, second_process));
    world.finish().await;
}

/// Opens and pays the checkouts. Returns the event of each payment.
async fn buy_all(world: &World) -> Vec<Value> {
    let mut events = Vec::new();
    for number in 0..TOPUPS {
        let account = format!("user_{}", number % ACCOUNTS);
        let (status, body) = world.try_checkout(&account, &format!("key-{number}")).await.expect("answers");
        assert_eq!(status, 200, "{body}");
        let session = body["id"].as_str().expect("an id");
        assert_eq!(world.stripe.pay(session, "pm_card_visa").await.0, 200);
        events.push(world.stripe.event("checkout.session.completed", session).await);
    }
    events
}

/// Delivers over several connections to both processes, and again unless the answer is 200, as Stripe does.
fn deliver_all(
    order: &Arc<Vec<usize>>,
    events: &Arc<Vec<Value>>,
    urls: &[String; 2],
    delivered: &Arc<AtomicU64>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let next = Arc::new(AtomicUsize::new(0));
    let worker = |connection: usize| {
        let (order, events, urls, delivered, next) =
            (order.clone(), events.clone(), urls.clone(), delivered.clone(), next.clone());
        async move {
            let client = http_client();
            while let Some(event) = order.get(next.fetch_add(1, Ordering::SeqCst)) {
                let body = events[*event].to_string();
                let mut url = connection;
                let deadline = Instant::now() + PATIENCE;
                while !deliver(&client, &urls[url % 2], &body).await {
                    assert!(Instant::now() < deadline, "a delivery is never answered with 200");
                    url += 1;
                }
                delivered.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    (0..CONNECTIONS).map(|connection| tokio::spawn(worker(connection))).collect()
}

async fn deliver(client: &reqwest::Client, url: &str, body: &str) -> bool {
    let header = stripe_sandbox::sign(WEBHOOK_SECRET, SystemClock.now_ms() / 1_000, body.as_bytes());
    let request = client
        .post(format!("{url}/webhooks/stripe"))
        .header("stripe-signature", header)
        .header("content-type", "application/json")
        .body(body.to_owned());
    request.send().await.is_ok_and(|response| response.status() == 200)
}

/// Fisher–Yates shuffle with a fixed seed.
fn shuffle(order: &mut [usize]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..order.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let choices = u64::try_from(last + 1).expect("fits");
        order.swap(last, usize::try_from((state >> 33) % choices).expect("fits"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_is_running_and_takes_nothing_new() {
    let world = World::new(Backend::Sqlite).await;
    // The process would pass the last checkpoint before the answer too fast to be signalled. The first one serves as
    // well: all of the work is still to be done.
    let mut process = world.serve(Some(1)).await;
    let request = async { world.try_checkout("user_1", "key").await };
    let stop = async {
        process.paused().await;
        process.terminate();
        process.error_line("stopping").await;
        process.go_on();
    };
    let (answer, ()) = tokio::join!(request, stop);
    let (status, body) = answer.expect("the request is finished");
    assert_eq!(status, 200, "{body}");
    let (well, _) = process.ended().await;
    assert!(well, "it ends with success");
    assert!(world.try_checkout("user_1", "key").await.is_none(), "nobody listens any more");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_database_is_refused_by_a_live_key_by_another_unit_and_by_another_provider() {
    // Known mistake 22.
    let world = World::new(Backend::Sqlite).await;
    drop(world.serve(None).await);
    let stripe: &Stripe = &world.stripe;
    let refuse = |changes: &[(&'static str, String)], said: &str| {
        let settings = settings(&world.database.url, &stripe.url, changes);
        let (well, _, errors) = crate::support::process::run(&settings, &["serve"]);
        assert!(!well && errors.contains(said), "{errors}");
        assert!(!errors.contains(SECRET_KEY));
    };
    let port = ("BIND_ADDRESS", "127.0.0.1:0".to_owned());
    let live = ("STRIPE_SECRET_KEY", "sk_live_0123456789".to_owned());
    refuse(
        &[port.clone(), live, ("STRIPE_API_BASE", String::new())],
        "this database belongs to a service in test mode",
    );
    let smaller = ("CREDIT_UNIT_CREDITS", "100".to_owned());
    refuse(&[smaller, port], "this database holds credits of CREDIT_UNIT_CREDITS=1");
    let db = world.database.connect().await;
    db.execute_raw("UPDATE instance SET provider = 'acme'").await.expect("done");
    db.close().await;
    refuse(
        &[("BIND_ADDRESS", "127.0.0.1:0".to_owned())],
        "this database holds credits sold through acme, not through stripe",
    );
    world.finish().await;
}
