//! The model alone: time passes as told, the same run gives the same state, and no session is paid twice.

use serde_json::{Value, json};

use super::{
    Cause, Context, State, api,
    error::ApiError,
    ids::IdSource,
    params::Params,
    request::{Method, Request},
    session_confirm, settle,
    version::DEFAULT_API_VERSION,
};
use crate::config::WebhookEndpoint;

const SESSION: &str = "mode=payment&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=289\
    &line_items[0][price_data][product_data][name]=Credits&line_items[0][quantity]=1&success_url=http://127.0.0.1/";
const START: i64 = 1_800_000_000;

/// A state with its own clock and ids.
pub(crate) struct Run {
    pub(crate) state: State,
    ids: IdSource,
    pub(crate) now: i64,
}

impl Run {
    pub(crate) fn new() -> Self {
        let mut run = Self { state: State::default(), ids: IdSource::seeded([1; 32]), now: START };
        let endpoint = WebhookEndpoint {
            url: "http://127.0.0.1/hook".to_owned(),
            secret: "whsec_1".to_owned(),
            enabled_events: vec!["*".to_owned()],
            api_version: None,
            thin: false,
            standby: false,
        };
        run.step(|state, context| state.ensure_endpoint(context, &endpoint));
        run
    }

    pub(crate) fn step<R>(&mut self, command: impl FnOnce(&mut State, &mut Context<'_>) -> R) -> R {
        let mut context = Context {
            now_ms: self.now * 1_000,
            ids: &mut self.ids,
            base_url: "http://127.0.0.1:1",
            cause: Some(Cause { request_id: "req_1".to_owned(), idempotency_key: None }),
            api_version: DEFAULT_API_VERSION,
        };
        self.state.tick(&mut context);
        let result = command(&mut self.state, &mut context);
        self.state.follow(&mut context);
        result
    }

    pub(crate) fn call(&mut self, method: Method, path: &str, encoded: &str) -> Result<Value, ApiError> {
        let mut params = Params::default();
        params.read(encoded.as_bytes())?;
        let request = Request { method, path: path.to_owned(), params };
        self.step(|state, context| api::handle(state, context, &request))
    }

    pub(crate) fn session(&mut self, more: &str) -> String {
        let made = self.call(Method::Post, "/v1/checkout/sessions", &format!("{SESSION}{more}")).expect("created");
        made["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn confirm(&mut self, id: &str, method: &str) -> Result<Value, ApiError> {
        let params = format!("payment_method={method}&expected_amount=289");
        self.call(Method::Post, &format!("/v1/payment_pages/{id}/confirm"), &params)
    }

    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.state.events.iter().map(|event| event.kind.as_str()).collect()
    }
}

#[test]
fn a_session_expires_when_its_time_is_over_and_not_before() {
    let mut run = Run::new();
    let id = run.session(&format!("&expires_at={}", START + 1_800));
    run.confirm(&id, "pm_card_authenticationRequired").expect("a challenge");
    assert_eq!(run.state.next_due_ms(), Some((START + 1_800) * 1_000));
    let path = format!("/v1/checkout/sessions/{id}");
    run.now = START + 1_799;
    assert_eq!(run.call(Method::Get, &path, "").expect("found")["status"], json!("open"));
    run.now = START + 1_800;
    let expired = run.call(Method::Get, &path, "").expect("found");
    assert_eq!((&expired["status"], &expired["url"]), (&json!("expired"), &json!(null)));
    assert_eq!(run.kinds()[2..], ["payment_intent.canceled", "checkout.session.expired"]);
    let event = run.state.events.iter().next_back().expect("an event").to_json();
    assert_eq!(event["request"], json!({ "id": null, "idempotency_key": null }), "nobody asked for it");
    assert_eq!(run.state.next_due_ms(), None);
    assert!(run.step(|state, context| session_confirm::finish_challenge(state, context, &id, true)).is_err());
    assert_eq!(run.kinds().len(), 4);
}

#[test]
fn the_same_commands_with_the_same_ids_and_times_give_the_same_state() {
    let live = || {
        let mut run = Run::new();
        for method in ["pm_card_visa", "pm_card_visa_chargeDeclined", "pm_sandbox_delayed", "pm_card_radarBlock"] {
            run.now += 7;
            let id = run.session("&metadata[b]=1&metadata[a]=2");
            run.confirm(&id, method).ok();
        }
        serde_json::to_string(&run.state).expect("a state is JSON")
    };
    assert_eq!(live(), live());
}

#[test]
fn a_state_is_the_same_after_it_was_written_and_read() {
    let mut run = Run::new();
    let id = run.session("");
    run.confirm(&id, "pm_card_visa").expect("paid");
    run.session("");
    let written = serde_json::to_string(&run.state).expect("a state is JSON");
    let read: State = serde_json::from_str(&written).expect("it reads back");
    assert_eq!(serde_json::to_string(&read).expect("a state is JSON"), written);
    run.state = read;
    assert!(run.confirm(&id, "pm_card_visa").is_err(), "found by its id again");
}

#[test]
fn keys_are_forgotten_after_a_day() {
    let mut state = State::default();
    let saved = super::idempotency::SavedAnswer {
        path: "/v1/x".to_owned(),
        params: json!({}),
        status: 200,
        body: json!({}),
        request_id: "req_1".to_owned(),
        saved_at: START,
        key: "key".to_owned(),
    };
    state.keep_answer(saved);
    assert!(!state.forget_old_answers(START + 86_400));
    assert!(state.saved_answer("key", "/v1/x", &json!({})).is_ok_and(|found| found.is_some()));
    assert!(state.forget_old_answers(START + 86_401));
    assert!(state.saved_answer("key", "/v1/x", &json!({})).is_ok_and(|found| found.is_none()));
}

#[test]
fn whatever_is_tried_a_session_is_paid_at_most_once() {
    let tries = ["pm_card_visa_chargeDeclined", "pm_card_authenticationRequired", "pm_card_visa", "pm_sandbox_delayed"];
    for first in tries {
        for second in tries {
            for third in tries {
                let mut run = Run::new();
                let id = run.session("");
                for method in [first, second, third] {
                    run.confirm(&id, method).ok();
                    run.step(|state, context| session_confirm::finish_challenge(state, context, &id, true)).ok();
                    run.step(|state, context| settle::settle(state, context, &id, true)).ok();
                    run.step(|state, context| settle::settle(state, context, &id, true)).ok();
                }
                let count = |kind: &str| run.kinds().iter().filter(|event| **event == kind).count();
                let paid = usize::from([first, second, third].iter().any(|method| *method != tries[0]));
                assert_eq!(count("charge.succeeded"), paid, "{first} {second} {third}");
                assert_eq!(count("checkout.session.completed"), paid, "{first} {second} {third}");
                assert_eq!(count("payment_intent.created"), 1);
                assert_eq!(run.state.balance_transactions.len(), paid);
            }
        }
    }
}
