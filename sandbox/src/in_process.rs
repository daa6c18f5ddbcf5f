//! The model in the caller's process: the same answers as over HTTP, without a server.
//!
//! Invariants: nothing happens on its own. The caller passes the time and ids derive from the seed, so the same calls
//! give the same answers and events. No key is checked and nothing is delivered; that is the simulator's task.

use serde_json::Value;

use crate::{
    call::{self, Answer, Call},
    model::{
        Cause, Context, State,
        billing::portal_actions::{self, Action},
        calendar,
        card_entry::CardParams,
        control,
        error::ApiError,
        ids::IdSource,
        version,
        version::DEFAULT_API_VERSION,
    },
};

/// Stripe in memory, for simulators: deterministic, without HTTP, clock or threads.
///
/// Times are milliseconds since 1970 and must not go back.
///
/// ```
/// use stripe_sandbox::{DEFAULT_API_VERSION, Model, ModelRequest};
///
/// let mut model = Model::seeded(7, "http://stripe.test");
/// let request = ModelRequest {
///     method: "POST",
///     path: "/v1/checkout/sessions",
///     form: "mode=payment&success_url=https://shop.test/&line_items[0][quantity]=1\
///            &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=1000\
///            &line_items[0][price_data][product_data][name]=Credits",
///     idempotency_key: Some("order-1"),
///     api_version: DEFAULT_API_VERSION,
/// };
/// let session = model.request(&request, 1_800_000_000_000);
/// assert_eq!((session.status, session.replayed), (200, false));
/// assert!(model.request(&request, 1_800_000_000_001).replayed);
/// ```
#[derive(Debug)]
pub struct Model {
    state: State,
    ids: IdSource,
    base_url: String,
    /// The number of events already taken.
    taken: usize,
}

/// A request as it would arrive over HTTP from an authenticated client.
#[derive(Debug, Clone, Copy)]
pub struct ModelRequest<'a> {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'a str,
    /// The path, starting with `/v1/`. It may have a query.
    pub path: &'a str,
    /// URL-encoded: the form of a POST, or the query of any other method.
    pub form: &'a str,
    /// Used on POST only.
    pub idempotency_key: Option<&'a str>,
    /// The `Stripe-Version` header; [`DEFAULT_API_VERSION`] if the client sends none.
    pub api_version: &'a str,
}

/// The response to a request or a control.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Stripe's object or error. A control's error is `{"error": {"message": …}}`.
    pub body: Value,
    /// The idempotency key was used before, and this is its saved answer.
    pub replayed: bool,
}

/// What a customer does in the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortalAction {
    /// Cancels the subscription with this id, with its period or at once, as the configuration says.
    Cancel(String),
    /// Takes the cancellation of this subscription back.
    Resume(String),
    /// Changes a subscription to another price.
    ChangePlan {
        /// The subscription.
        subscription: String,
        /// The price, which the configuration has to offer.
        price: String,
    },
    /// Enters another card, which becomes the customer's default.
    ReplaceCard {
        /// Its number, digits only.
        number: String,
    },
}

/// An event that a webhook would report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEvent {
    /// `evt_…`
    pub id: String,
    /// The event type, such as `checkout.session.completed`.
    pub kind: String,
    /// Seconds since 1970.
    pub created: i64,
}

impl Model {
    /// Creates an empty model. The same seed gives the same ids. `base_url` is the base of hosted page links.
    #[must_use]
    pub fn seeded(seed: u64, base_url: &str) -> Self {
        Self {
            state: State::default(),
            ids: IdSource::from_number(seed),
            base_url: base_url.trim_end_matches('/').to_owned(),
            taken: 0,
        }
    }

    /// Runs a request, after everything that is due by `now_ms`.
    pub fn request(&mut self, request: &ModelRequest<'_>, now_ms: i64) -> ModelAnswer {
        let request_id = self.ids.next("req_", 14);
        let answer = match read(request, &request_id) {
            Ok(call) => self.run(Some(call.cause()), &call.api_version, now_ms, |state, context| {
                call::carry_out(state, context, &call, None, None)
            }),
            Err(error) => Answer::error(&error, &request_id, now_ms.div_euclid(1_000)),
        };
        ModelAnswer { status: answer.status, body: answer.body, replayed: answer.replay_of.is_some() }
    }

    /// Runs a control on an object, like `POST /_sandbox/…` over HTTP. `path` is `/_sandbox/sessions/{id}/settle` and
    /// so on.
    pub fn control(&mut self, path: &str, body: &Value, now_ms: i64) -> ModelAnswer {
        let result =
            self.run(None, DEFAULT_API_VERSION, now_ms, |state, context| control::handle(state, context, path, body));
        let (status, body) = match result {
            Ok(body) => (200, body),
            Err(error) => (error.status, control::refusal(&error.message)),
        };
        ModelAnswer { status, body, replayed: false }
    }

    /// Carries out what the customer of a portal session does on its page. The answer is empty if that worked.
    pub fn portal(&mut self, session: &str, action: PortalAction, now_ms: i64) -> ModelAnswer {
        let result = self.run(None, DEFAULT_API_VERSION, now_ms, |state, context| {
            let action = match action {
                PortalAction::Cancel(subscription) => Action::Cancel(subscription, None),
                PortalAction::Resume(subscription) => Action::Resume(subscription),
                PortalAction::ChangePlan { subscription, price } => Action::ChangePlan(subscription, price),
                PortalAction::ReplaceCard { number } => {
                    let exp_year = calendar::year(context.now()).saturating_add(4);
                    let typed = CardParams { number, exp_month: 12, exp_year, cvc: Some("123".to_owned()) };
                    return portal_actions::replace_card(state, context, session, &typed);
                }
            };
            portal_actions::carry_out(state, context, session, &action)
        });
        let (status, body) = match result {
            Ok(()) => (200, Value::Null),
            Err(error) => (error.status, control::refusal(&error.message)),
        };
        ModelAnswer { status, body, replayed: false }
    }

    /// Runs everything that is due: sessions expire, debits settle and so on.
    pub fn tick(&mut self, now_ms: i64) {
        self.run(None, DEFAULT_API_VERSION, now_ms, |_, _| ());
    }

    /// The next time at which [`Model::tick`] has something to do.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        self.state.next_due_ms()
    }

    /// The events since the last call, oldest first.
    pub fn take_events(&mut self) -> Vec<ModelEvent> {
        let events = self.state.events.iter().skip(self.taken).map(|event| ModelEvent {
            id: event.id.clone(),
            kind: event.kind.clone(),
            created: event.created,
        });
        let events: Vec<_> = events.collect();
        self.taken = self.state.events.len();
        events
    }

    /// The webhook body of this event for an endpoint of this version; always the same bytes. `None` for an unknown
    /// event.
    #[must_use]
    pub fn event_body(&self, id: &str, api_version: Option<&str>) -> Option<String> {
        self.state.events.get(id).map(|event| event.body(api_version))
    }

    /// The webhook body of this event as a thin payload. `None` for an unknown event.
    #[must_use]
    pub fn thin_event_body(&self, id: &str) -> Option<String> {
        self.state.events.get(id).map(crate::model::event::Event::thin_body)
    }

    fn run<R>(
        &mut self,
        cause: Option<Cause>,
        api_version: &str,
        now_ms: i64,
        command: impl FnOnce(&mut State, &mut Context<'_>) -> R,
    ) -> R {
        let mut context = Context { now_ms, ids: &mut self.ids, base_url: &self.base_url, cause, api_version };
        self.state.tick(&mut context);
        let result = command(&mut self.state, &mut context);
        self.state.follow(&mut context);
        result
    }
}

fn read(request: &ModelRequest<'_>, request_id: &str) -> Result<Call, ApiError> {
    version::check(request.api_version)?;
    let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
    let read = call::read_request(request.method, path, &[query.as_bytes(), request.form.as_bytes()])?;
    Ok(Call::new(read, request_id, request.idempotency_key.map(str::to_owned), request.api_version))
}
