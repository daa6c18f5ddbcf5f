//! Stripe in this process: the sandbox's model behind a transport of its own, so that the production code builds the
//! requests and parses the answers. The simulation plans the faults in between.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use stripe_sandbox::{DEFAULT_API_VERSION, Model, ModelAnswer, ModelRequest, PortalAction};
use topup::ports::Clock;
use topup::providers::stripe::transport::{Answer, Request, Transport, TransportError};

use super::clock::SimClock;
use super::truth::Truth;

/// A fault of one request to Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429: nothing was done.
    Limited,
    /// 500, nothing was done. Stripe replays it under the same idempotency key.
    FailedBefore,
    /// 500, although it was done. Stripe replays it under the same idempotency key.
    FailedAfter,
    /// The connection broke before the request arrived.
    LostBefore,
    /// The connection broke after the work was done.
    LostAfter,
    /// A timeout; nothing was done.
    LateBefore,
    /// A timeout; the work was done.
    LateAfter,
    /// A proxy's error page instead of Stripe's answer.
    Garbage,
    /// 400, 401 or 403: nothing was done.
    Refused(u16),
    /// 409: an object is locked, nothing was done.
    Locked,
    /// 500, and the work is done later. Stripe replays the 500 under the same idempotency key.
    FailedLater,
    /// The connection broke, and the work is done later.
    LostLater,
    /// 404: the object does not exist yet. Not among the faults that any request may meet.
    NotYet,
}

/// The faults that any request may meet.
pub const FAULTS: [Fault; 14] = [
    Fault::Limited,
    Fault::FailedBefore,
    Fault::FailedAfter,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::LateBefore,
    Fault::LateAfter,
    Fault::Garbage,
    Fault::Refused(400),
    Fault::Refused(401),
    Fault::Refused(403),
    Fault::Locked,
    Fault::FailedLater,
    Fault::LostLater,
];

/// How late delayed work is done.
const LATE_MS: i64 = 200_000;

/// A request that is done later.
struct Late {
    due_ms: i64,
    path: String,
    form: String,
    /// The key, which is in use until then; `None` if a failure is saved under it.
    key: Option<String>,
}

/// Stripe, and what is visible of it from outside.
pub struct Stripe {
    /// Stripe's state.
    pub model: Model,
    /// What happened there, as visible from outside.
    pub truth: Truth,
    /// The faults of the next requests, in order.
    pub faults: VecDeque<Option<Fault>>,
    /// The number of our requests that met a fault.
    pub faults_met: u64,
    /// Keys with a saved 500.
    failed_keys: BTreeSet<String>,
    /// Keys whose work was done. It is not done again.
    done_keys: BTreeSet<String>,
    /// Scheduled late work, oldest first.
    late: VecDeque<Late>,
}

/// Stripe, shared by the whole simulation.
#[derive(Clone)]
pub struct SharedStripe {
    inside: Arc<Mutex<Stripe>>,
    clock: Arc<SimClock>,
}

impl SharedStripe {
    /// Creates an empty Stripe.
    pub fn seeded(seed: u64, clock: Arc<SimClock>) -> Self {
        let stripe = Stripe {
            model: Model::seeded(seed, "http://stripe.test"),
            truth: Truth::default(),
            faults: VecDeque::new(),
            faults_met: 0,
            failed_keys: BTreeSet::new(),
            done_keys: BTreeSet::new(),
            late: VecDeque::new(),
        };
        Self { inside: Arc::new(Mutex::new(stripe)), clock }
    }

    /// Access to the state and to the faults.
    pub fn lock(&self) -> MutexGuard<'_, Stripe> {
        self.inside.lock().expect("nobody panicked")
    }

    /// A request that is not from the service: from the hosted page, another product or the simulation itself.
    pub fn ask(&self, method: &str, path: &str, form: &str) -> ModelAnswer {
        let now_ms = self.clock.now_ms();
        self.lock().carry_out(method, path, form, None, now_ms)
    }

    /// An action of a bank, a customer or a dashboard user.
    pub fn control(&self, path: &str, body: &Value) -> ModelAnswer {
        let now_ms = self.clock.now_ms();
        let mut stripe = self.lock();
        let answer = stripe.model.control(path, body, now_ms);
        stripe.observe();
        answer
    }

    /// What a customer does in the portal.
    pub fn portal(&self, session: &str, action: PortalAction) -> ModelAnswer {
        let now_ms = self.clock.now_ms();
        let mut stripe = self.lock();
        let answer = stripe.model.portal(session, action, now_ms);
        stripe.observe();
        answer
    }

    /// All objects of a list, newest first. The lists must not lag.
    pub fn list(&self, path: &str, filter: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::<Value>::new(), String::new());
        loop {
            let page = self.ask("GET", path, &format!("limit=100{filter}{after}")).body;
            all.extend(page["data"].as_array().expect("a list").iter().cloned());
            match all.last().filter(|_| page["has_more"] == true) {
                Some(last) => after = format!("&starting_after={}", last["id"].as_str().expect("an id")),
                None => return all,
            }
        }
    }

    /// Runs everything that is due.
    pub fn tick(&self) {
        let now_ms = self.clock.now_ms();
        let mut stripe = self.lock();
        stripe.do_late_work(now_ms);
        stripe.model.tick(now_ms);
        stripe.observe();
    }

    /// Makes lists lag: they show objects only once they are this old.
    pub fn lag(&self, seconds: i64) {
        let answer = self.control("/_sandbox/lists", &json!({ "lag_seconds": seconds }));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// When the last late work is done.
    pub fn last_late_ms(&self) -> Option<i64> {
        self.lock().late.back().map(|late| late.due_ms)
    }
}

impl Stripe {
    fn carry_out(&mut self, method: &str, path: &str, form: &str, key: Option<&str>, now_ms: i64) -> ModelAnswer {
        let request = ModelRequest { method, path, form, idempotency_key: key, api_version: DEFAULT_API_VERSION };
        let answer = self.model.request(&request, now_ms);
        if let (Some(key), 200) = (key, answer.status) {
            self.done_keys.insert(key.to_owned());
        }
        if method == "POST" && path == "/v1/checkout/sessions" && answer.status == 200 {
            self.truth.session_opened(&answer.body);
        }
        self.observe();
        answer
    }

    /// Does the late work that is due, at its scheduled time.
    fn do_late_work(&mut self, now_ms: i64) {
        while let Some(late) = self.late.pop_front() {
            if late.due_ms > now_ms {
                self.late.push_front(late);
                return;
            }
            self.carry_out("POST", &late.path, &late.form, late.key.as_deref(), late.due_ms);
        }
    }

    /// Records the events since the last call.
    fn observe(&mut self) {
        for event in self.model.take_events() {
            let body = self.model.event_body(&event.id, None).expect("an event that just happened");
            self.truth.happened(&event.id, &event.kind, &serde_json::from_str(&body).expect("JSON"));
        }
    }

    /// Serves a request of the service, with the planned fault.
    fn serve(
        &mut self,
        method: &str,
        path: &str,
        form: &str,
        key: Option<&str>,
        now_ms: i64,
    ) -> Result<Answer, TransportError> {
        let fault = self.faults.pop_front().flatten();
        let is_failed = key.is_some_and(|key| self.failed_keys.contains(key));
        let is_in_use = key.is_some_and(|key| self.late.iter().any(|late| late.key.as_deref() == Some(key)));
        self.faults_met += u64::from(fault.is_some() || is_failed || is_in_use);
        // A wrong key, a rate limit and an early refusal come before any saved answer.
        match fault {
            Some(Fault::Refused(status)) => return Ok(refusal(status)),
            Some(Fault::LostBefore) => return Err(broken("connection refused")),
            Some(Fault::LateBefore) => return Err(TransportError::TimedOut),
            Some(Fault::Limited) => return Ok(refusal(429)),
            Some(Fault::Locked) => return Ok(refusal(409)),
            Some(Fault::NotYet) => return Ok(refusal(404)),
            _ if is_failed => return Ok(refusal(500)),
            _ if is_in_use => return Ok(in_use()),
            _ => {}
        }
        if let (Some(Fault::FailedBefore | Fault::FailedAfter | Fault::FailedLater), Some(key)) = (fault, key) {
            self.failed_keys.insert(key.to_owned());
        }
        if let (Some(Fault::FailedLater | Fault::LostLater), Some(key)) = (fault, key)
            && method == "POST"
            && !self.done_keys.contains(key)
        {
            let key = (fault == Some(Fault::LostLater)).then(|| key.to_owned());
            self.late.push_back(Late { due_ms: now_ms + LATE_MS, path: path.to_owned(), form: form.to_owned(), key });
        }
        match fault {
            Some(Fault::FailedBefore | Fault::FailedLater) => return Ok(refusal(500)),
            Some(Fault::LostLater) => return Err(broken("connection reset")),
            _ => {}
        }
        let answer = self.carry_out(method, path, form, key, now_ms);
        match fault {
            Some(Fault::FailedAfter) => Ok(refusal(500)),
            Some(Fault::LostAfter) => Err(broken("connection reset")),
            Some(Fault::LateAfter) => Err(TransportError::TimedOut),
            Some(Fault::Garbage) => Ok(answer_of(200, &"<html>502 Bad Gateway</html>")),
            _ => Ok(answer_of(answer.status, &answer.body)),
        }
    }
}

fn refusal(status: u16) -> Answer {
    let (kind, code) = match status {
        429 => ("invalid_request_error", json!("rate_limit")),
        409 => ("invalid_request_error", json!("lock_timeout")),
        404 => ("invalid_request_error", json!("resource_missing")),
        400..=499 => ("invalid_request_error", Value::Null),
        _ => ("api_error", Value::Null),
    };
    answer_of(status, &json!({ "error": { "type": kind, "code": code, "message": "planned by the simulation" } }))
}

/// An earlier request with the key is still in progress.
fn in_use() -> Answer {
    let error = json!({ "type": "invalid_request_error", "code": "idempotency_key_in_use", "message": "running" });
    answer_of(409, &json!({ "error": error }))
}

fn answer_of(status: u16, body: &impl ToString) -> Answer {
    Answer { status, request_id: None, body: body.to_string().into_bytes() }
}

fn broken(what: &str) -> TransportError {
    TransportError::Broken(what.into())
}

impl Transport for SharedStripe {
    async fn send(&self, request: Request) -> Result<Answer, TransportError> {
        let form = request.form.or(request.query).unwrap_or_default();
        let (method, key) = (request.method.as_str(), request.idempotency_key.as_deref());
        let now_ms = self.clock.now_ms();
        self.lock().serve(method, &request.path, &form, key, now_ms)
    }
}
