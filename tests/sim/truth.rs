//! What happened at Stripe, as visible in its answers and events: sessions, payments, and every state of each refund
//! and dispute, in order. It does not know our books; they are compared with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

/// A checkout session.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The top-up in its metadata, if its purpose is ours.
    pub topup: Option<String>,
    /// The amount the customer pays.
    pub total: i64,
    /// Whether the customer can still pay.
    pub is_open: bool,
    /// Whether it begins a subscription or saves a card.
    pub is_recurring: bool,
    /// Whether it is paid.
    pub is_paid: bool,
    /// The payment, once it exists.
    pub intent: Option<String>,
}

/// A payment.
#[derive(Debug, Clone, Default)]
pub struct Intent {
    /// Its status at Stripe.
    pub status: String,
    /// The balance transaction of its charge, once known.
    pub fee_id: Option<String>,
    /// Its amount.
    pub amount: i64,
    /// The top-up that a saved card was charged for.
    pub charged_for: Option<String>,
}

/// The state of a refund or dispute: Stripe's status, how much money the bank has, and its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Stripe's status.
    pub status: String,
    /// For a dispute: the money withdrawn minus the money reinstated.
    pub out: i64,
    /// The amount.
    pub amount: i64,
}

/// A refund or dispute with all its states, oldest first.
#[derive(Debug, Clone)]
pub struct Reversal {
    /// The payment.
    pub intent: String,
    /// Whether it is a dispute.
    pub is_dispute: bool,
    /// Never empty.
    pub states: Vec<State>,
}

impl Reversal {
    /// Its current state.
    pub fn now(&self) -> &State {
        self.states.last().expect("it began in some state")
    }
}

impl State {
    /// How much money has been (or will be) returned to the customer: the rule, written down a second time and
    /// independently. Here Stripe shows all movements, and never two withdrawals without what came back in between.
    pub fn reversed(&self, is_dispute: bool) -> i64 {
        let status = self.status.as_str();
        if !is_dispute {
            return if ["pending", "requires_action", "succeeded"].contains(&status) { self.amount } else { 0 };
        }
        if status.starts_with("warning_") { 0 } else { self.out }
    }
}

/// What an event reports: reversals that have reached at least a state, and a session that was paid.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// Stripe's id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// The paid session that it reports.
    pub paid_session: Option<String>,
    /// Its reversals, with the index of their state at that time.
    pub reversals: Vec<(String, usize)>,
    /// The payment it is about, if it names one.
    pub intent: Option<String>,
    /// Whether it is about a subscription, a saved card or an automatic payment.
    pub is_recurring: bool,
}

/// Everything that happened.
#[derive(Debug, Default)]
pub struct Truth {
    /// By id.
    pub sessions: BTreeMap<String, Session>,
    /// By id.
    pub intents: BTreeMap<String, Intent>,
    /// By id.
    pub reversals: BTreeMap<String, Reversal>,
    /// The account of each of our customers, by the customer's id.
    pub customers: BTreeMap<String, String>,
    /// The customer and the status of each subscription, by id.
    pub subscriptions: BTreeMap<String, (String, String)>,
    /// The status of each invoice, by id.
    pub invoices: BTreeMap<String, String>,
    /// The refunds of each of our refund requests, by request id.
    pub requested: BTreeMap<String, BTreeSet<String>>,
    /// All events, oldest first.
    pub events: Vec<Event>,
    /// The indexes in `events` of those not yet passed to the network.
    pub unsent: VecDeque<usize>,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// An id, or the id of an expanded object.
fn reference(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value["id"].as_str()).map(str::to_owned)
}

impl Truth {
    /// Records a new session.
    pub fn session_opened(&mut self, body: &Value) {
        let id = text(body, "id");
        self.sessions.entry(id).or_insert_with(|| session(body));
    }

    /// The subscriptions in these states, with their customers.
    pub fn subscriptions_that_are(&self, statuses: &[&str]) -> Vec<(String, String)> {
        let found = self.subscriptions.iter().filter(|(_, (_, status))| statuses.contains(&status.as_str()));
        found.map(|(id, (customer, _))| (id.clone(), customer.clone())).collect()
    }

    /// The account of a subscription's customer.
    pub fn account_of(&self, subscription: &str) -> Option<&String> {
        self.customers.get(&self.subscriptions.get(subscription)?.0)
    }

    /// The refunds and disputes of a payment, with their ids.
    pub fn reversals_of<'t>(&'t self, intent: &'t str) -> impl Iterator<Item = (&'t String, &'t Reversal)> {
        self.reversals.iter().filter(move |(_, reversal)| reversal.intent == intent)
    }

    /// The sales of our top-ups: the sessions, and the charges of saved cards as if each were a session.
    pub fn sales(&self) -> Vec<Session> {
        let charges = self.intents.iter().filter(|(_, intent)| intent.charged_for.is_some());
        let charges = charges.map(|(id, intent)| Session {
            id: id.clone(),
            topup: intent.charged_for.clone(),
            total: intent.amount,
            is_open: false,
            is_recurring: true,
            is_paid: intent.status == "succeeded",
            intent: Some(id.clone()),
        });
        self.sessions.values().cloned().chain(charges).collect()
    }

    /// Records an event.
    pub fn happened(&mut self, id: &str, kind: &str, event: &Value) {
        let object = &event["data"]["object"];
        let mut told = Event { id: id.to_owned(), kind: kind.to_owned(), ..Event::default() };
        told.intent = reference(&object["payment_intent"]);
        match object["object"].as_str().unwrap_or_default() {
            "checkout.session" => {
                let session = session(object);
                told.is_recurring = session.is_recurring;
                told.paid_session = session.is_paid.then(|| session.id.clone());
                self.sessions.insert(session.id.clone(), session);
            }
            "payment_intent" => {
                let intent = self.intents.entry(text(object, "id")).or_default();
                intent.status = text(object, "status");
                intent.amount = object["amount"].as_i64().expect("an amount");
                let is_automatic = object["metadata"]["origin"] == "auto_topup";
                intent.charged_for = object["metadata"]["topupId"].as_str().filter(|_| is_automatic).map(str::to_owned);
                told.is_recurring = is_automatic;
                told.intent = Some(text(object, "id"));
            }
            "charge" => {
                let intent = told.intent.clone().expect("every charge has a payment");
                let movement = reference(&object["balance_transaction"]);
                let known = self.intents.entry(intent.clone()).or_default();
                known.fee_id = movement.or_else(|| known.fee_id.take());
                if kind == "charge.refunded" {
                    let refunds = self.reversals_of(&intent).filter(|(_, reversal)| !reversal.is_dispute);
                    told.reversals = refunds.map(|(id, refund)| (id.clone(), refund.states.len() - 1)).collect();
                }
            }
            "customer" => {
                if let Some(account) = object["metadata"]["accountId"].as_str() {
                    self.customers.insert(text(object, "id"), account.to_owned());
                }
            }
            "subscription" => {
                let now = (reference(&object["customer"]).unwrap_or_default(), text(object, "status"));
                self.subscriptions.insert(text(object, "id"), now);
                told.is_recurring = true;
            }
            "invoice" if object["id"].is_string() => {
                self.invoices.insert(text(object, "id"), text(object, "status"));
                told.is_recurring = true;
            }
            "refund" => told.reversals = vec![self.moved(object, false)],
            "dispute" => told.reversals = vec![self.moved(object, true)],
            _ => {}
        }
        self.unsent.push_back(self.events.len());
        self.events.push(told);
    }

    fn moved(&mut self, object: &Value, is_dispute: bool) -> (String, usize) {
        let id = text(object, "id");
        let movements = object["balance_transactions"].as_array().into_iter().flatten();
        let state = State {
            status: text(object, "status"),
            out: -movements.filter_map(|movement| movement["amount"].as_i64()).sum::<i64>(),
            amount: object["amount"].as_i64().expect("an amount"),
        };
        let intent = reference(&object["payment_intent"]).expect("a payment");
        if let Some(request) = object["metadata"]["refundRequestId"].as_str() {
            self.requested.entry(request.to_owned()).or_default().insert(id.clone());
        }
        let reversal =
            self.reversals.entry(id.clone()).or_insert_with(|| Reversal { intent, is_dispute, states: Vec::new() });
        if reversal.states.last() != Some(&state) {
            reversal.states.push(state);
        }
        (id, reversal.states.len() - 1)
    }
}

fn session(body: &Value) -> Session {
    let metadata = &body["metadata"];
    let is_ours = metadata["purpose"] == "credits_topup";
    Session {
        id: text(body, "id"),
        topup: metadata["topupId"].as_str().filter(|_| is_ours).map(str::to_owned),
        total: body["amount_total"].as_i64().unwrap_or_default(),
        is_open: body["status"] == "open",
        is_recurring: body["mode"] != "payment",
        is_paid: body["payment_status"] == "paid",
        intent: reference(&body["payment_intent"]),
    }
}
