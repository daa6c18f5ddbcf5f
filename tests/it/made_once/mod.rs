//! Refunds and checkouts are created once at Stripe, whatever fails: all sequences of two and of three faults, with the
//! process dying between any two steps, over real HTTP and with lists that lag.

mod checkouts;
mod refunds;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;
use topup::checkpoints;

use crate::admin::ADMIN_SCOPE;
use crate::support::app::{Answer, SUCCESS_URL, http_client};
use crate::support::{Backend, Options, TestApp};

/// How late delayed work is done, and how far lists lag, in seconds.
const LATE_SECONDS: i64 = 40;
const LAG_SECONDS: i64 = 20;
/// The timeout of a call. A late answer is held until the next repetition, so each late answer takes this long. On a
/// loaded machine other calls may time out too: no result depends on it, because requests are repeated until they
/// succeed.
const CALL_TIMEOUT: Duration = Duration::from_secs(1);

/// What fails in one call.
const FAULTS: [&str; 11] =
    ["lost", "500 done", "500", "500 later", "lost, later", "400", "401", "403", "429", "409", "too late"];

fn fault(name: &str) -> Value {
    match name {
        "lost" => json!({ "kind": "disconnect", "when": "after" }),
        "500 done" => json!({ "kind": "status", "status": 500, "when": "after" }),
        "500 later" => json!({ "kind": "later", "status": 500, "after_seconds": LATE_SECONDS }),
        "lost, later" => json!({ "kind": "later", "after_seconds": LATE_SECONDS }),
        "too late" => json!({ "kind": "hold", "when": "after" }),
        status => json!({ "kind": "status", "status": status.parse::<u16>().expect("a status") }),
    }
}

/// Consecutive faults.
type Sequence = Vec<&'static str>;

/// How many services, each with its own Stripe, run sequences concurrently: most of the time is spent waiting.
const LANES: usize = 8;

/// Runs all sequences of this length, in lanes. Each lane has its own thread, because a [`Death`] belongs to one.
fn in_lanes<F: Future<Output = ()>>(length: u32, run: impl Fn(Vec<Sequence>) -> F + Sync) {
    let sequences = sequences(length);
    let lane = |number: usize| {
        let of_this_lane = sequences.iter().skip(number).step_by(LANES).cloned().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(of_this_lane));
    };
    std::thread::scope(|scope| {
        for number in 0..LANES {
            let lane = &lane;
            scope.spawn(move || lane(number));
        }
    });
}

/// All sequences of this length.
fn sequences(length: u32) -> Vec<Sequence> {
    (0..length).fold(vec![Vec::new()], |shorter, _| {
        let longer = shorter
            .into_iter()
            .flat_map(|sequence| FAULTS.into_iter().map(move |fault| [sequence.as_slice(), &[fault]].concat()));
        longer.collect()
    })
}

async fn start(backend: Backend) -> TestApp {
    let options = Options { first_pause: Duration::ZERO, call_timeout: CALL_TIMEOUT, ..Options::default() };
    let app = TestApp::start_with(backend, options.setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE)).await;
    lag(&app, LAG_SECONDS).await;
    app
}

async fn lag(app: &TestApp, seconds: i64) {
    app.stripe.control("lists", json!({ "lag_seconds": seconds })).await;
}

/// Injects these faults into the next calls, in order.
async fn plan(app: &TestApp, path: &str, sequence: &[&str]) {
    for name in sequence {
        let mut planned = json!({ "method": "POST", "path": path });
        planned.as_object_mut().expect("an object").extend(fault(name).as_object().expect("an object").clone());
        app.stripe.fault(planned).await;
    }
}

/// Removes the remaining faults. Returns how many there were.
async fn clear(app: &TestApp) -> usize {
    let url = format!("{}/_sandbox/faults", app.stripe.url);
    let left: Value = http_client().get(&url).send().await.expect("answers").json().await.expect("JSON");
    http_client().delete(&url).send().await.expect("answers");
    left["faults"].as_array().expect("a list").len()
}

/// Advances the time of the service and of the sandbox.
async fn pass(app: &TestApp, seconds: i64) {
    app.clock.advance_ms(seconds * 1_000);
    app.stripe.control("clock", json!({ "advance_seconds": seconds })).await;
}

/// The waits before each repetition of a request, in seconds: none, a lease, the quiet time.
const WAITS: [i64; 10] = [0, 0, 61, 61, 901, 0, 901, 61, 901, 901];

/// How long one request is repeated before the test fails. It is long because a loaded machine may be slow.
const GIVE_UP: Duration = Duration::from_secs(90);

/// What one repetition of a request led to.
enum Repetition<T> {
    /// It succeeded.
    Done(T),
    /// It is to be repeated.
    Again(Answer),
    /// No sequence of faults may lead to this.
    Wrong(Answer),
}

/// Repeats a request, each time after one of the [`WAITS`], until it has succeeded. Only timeouts may need more
/// repetitions, because on a loaded machine also calls that no fault delays time out.
async fn repeat_until_done<T>(app: &TestApp, about: &str, mut request: impl AsyncFnMut() -> Repetition<T>) -> T {
    let (started, mut told, mut timeouts) = (Instant::now(), Vec::new(), 0);
    while told.len() - timeouts < WAITS.len() {
        app.stripe.release().await;
        let seconds = WAITS[told.len().min(WAITS.len() - 1)];
        if seconds > 0 {
            pass(app, seconds).await;
        }
        let answer = match request().await {
            Repetition::Done(value) => return value,
            Repetition::Again(answer) => answer,
            Repetition::Wrong(answer) => panic!("{about}: {} {}, after {told:?}", answer.status, answer.body),
        };
        timeouts += usize::from(answer.status == 504 && started.elapsed() < GIVE_UP);
        told.push(format!("{} {}", answer.status, answer.body["code"]));
    }
    panic!("{about}: never done: {told:?}");
}

/// Repeats a request for 250 credits until its checkout is open. Returns the session.
async fn repeat_until_open(app: &TestApp, account: &str, key: &str, about: &str) -> String {
    repeat_until_done(app, about, async || {
        let body = json!({ "credits": 250, "successUrl": SUCCESS_URL });
        let answer = app.checkout_with(account, Some(key), body).await;
        match answer.status {
            200 => Repetition::Done(answer.body["id"].as_str().expect("an id").to_owned()),
            409 if answer.body["code"] == "idempotency_key_in_use" => Repetition::Again(answer),
            502..=504 => Repetition::Again(answer),
            _ => Repetition::Wrong(answer),
        }
    })
    .await
}

/// The checkpoints around calls to Stripe.
const PLACES: [&str; 3] = ["call Stripe", "Stripe answered", "ask Stripe"];

/// A process that dies when it reaches the n-th checkpoint of [`PLACES`]. The hook is set for this thread.
struct Death {
    left: Rc<Cell<usize>>,
    happened: Rc<Notify>,
}

impl Death {
    fn at(place: usize) -> Self {
        let death = Self { left: Rc::new(Cell::new(place)), happened: Rc::new(Notify::new()) };
        let (left, happened) = (death.left.clone(), death.happened.clone());
        checkpoints::set_hook(Some(Box::new(move |name| {
            if !PLACES.contains(&name) {
                return None;
            }
            if left.get() > 0 {
                left.set(left.get() - 1);
                return None;
            }
            happened.notify_one();
            Some(Box::pin(std::future::pending()))
        })));
        death
    }

    /// Runs the work until it ends (`Some`) or the process dies: then it is dropped where it is.
    async fn or<T>(self, work: impl Future<Output = T>) -> Option<T> {
        let ended = RefCell::new(None);
        tokio::select! {
            biased;
            result = work => { ended.replace(Some(result)); }
            () = self.happened.notified() => {}
        }
        checkpoints::set_hook(None);
        ended.into_inner()
    }
}

impl Drop for Death {
    fn drop(&mut self) {
        checkpoints::set_hook(None);
    }
}
