//! A pure in-memory model of Stripe: commands on a [`State`], with time and ids passed in.
//!
//! Invariants: a failed command changes only what Stripe would change too (a decline leaves a failed charge). Every
//! change that Stripe reports emits an event. The same commands with the same ids and times give the same state. The
//! model does not know HTTP, the clock or files.

pub(crate) mod accepted;
pub(crate) mod accepted_intents;
pub(crate) mod accepted_money;
pub(crate) mod account;
pub(crate) mod account_api;
pub(crate) mod address;
pub(crate) mod after_charge;
pub(crate) mod amounts;
pub(crate) mod api;
pub(crate) mod balance;
pub(crate) mod bank_transfer;
pub(crate) mod billing;
pub(crate) mod calendar;
pub(crate) mod card;
pub(crate) mod card_entry;
pub(crate) mod catalog_api;
pub(crate) mod catalog_params;
pub(crate) mod changes;
pub(crate) mod confirm;
pub(crate) mod connect;
pub(crate) mod connect_api;
pub(crate) mod control;
pub(crate) mod control_cards;
pub(crate) mod control_money;
pub(crate) mod create;
pub(crate) mod currency;
pub(crate) mod customer;
pub(crate) mod customer_api;
pub(crate) mod decimal;
pub(crate) mod decline;
pub(crate) mod dispute;
pub(crate) mod dispute_api;
pub(crate) mod dispute_json;
pub(crate) mod dispute_lifecycle;
pub(crate) mod edit;
pub(crate) mod email;
pub(crate) mod endpoint;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod expand;
pub(crate) mod iban;
pub(crate) mod idempotency;
pub(crate) mod ids;
pub(crate) mod intent;
pub(crate) mod intent_api;
pub(crate) mod intent_update;
pub(crate) mod late;
pub(crate) mod limits;
pub(crate) mod limits_saved;
pub(crate) mod list;
pub(crate) mod lists;
pub(crate) mod metadata;
pub(crate) mod meter;
pub(crate) mod meter_api;
pub(crate) mod method_api;
pub(crate) mod method_json;
pub(crate) mod method_params;
pub(crate) mod methods;
#[cfg(test)]
mod money_tests;
pub(crate) mod pages_api;
pub(crate) mod params;
pub(crate) mod payment;
pub(crate) mod payment_json;
pub(crate) mod price;
pub(crate) mod product;
pub(crate) mod radar;
pub(crate) mod radar_api;
pub(crate) mod refund;
pub(crate) mod refund_api;
pub(crate) mod request;
pub(crate) mod sepa;
pub(crate) mod session;
pub(crate) mod session_completion;
pub(crate) mod session_confirm;
pub(crate) mod session_expiry;
pub(crate) mod session_json;
pub(crate) mod settle;
pub(crate) mod setup_intent;
pub(crate) mod setup_intent_api;
pub(crate) mod source;
pub(crate) mod source_api;
pub(crate) mod spec;
pub(crate) mod surplus;
pub(crate) mod table;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod tracked;
pub(crate) mod transfer;
pub(crate) mod transfer_api;
pub(crate) mod v2_api;
pub(crate) mod version;

use serde::{Deserialize, Serialize};

use self::{
    account::AccountDefaults,
    account_api::Standing,
    balance::BalanceTransaction,
    billing::{
        checkout, collect,
        credit_note::CreditNote,
        document::Document,
        dunning::BillingSettings,
        invoice::{Invoice, InvoiceItem, InvoicePayment},
        portal::PortalSession,
        schedule::Schedule,
        subscription::Subscription,
        test_clock::{self, TestClock},
    },
    connect::Account,
    customer::Customer,
    dispute::Dispute,
    endpoint::Endpoint,
    event::{Delivery, Event},
    idempotency::SavedAnswer,
    ids::IdSource,
    late::LateRequest,
    meter::{Meter, MeterEvent, MeterSession},
    payment::{Charge, PaymentIntent, PaymentMethod},
    price::Price,
    product::Product,
    radar::{EarlyFraudWarning, Review},
    refund::Refund,
    session::Session,
    setup_intent::SetupIntent,
    table::Table,
    tracked::{Tracked, TrackedSet},
    transfer::{Payout, TopUp, Transfer},
};

/// All Stripe objects of this sandbox. This is the content of the state file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    pub(crate) sessions: Table<Session>,
    pub(crate) payment_intents: Table<PaymentIntent>,
    pub(crate) payment_methods: Table<PaymentMethod>,
    pub(crate) charges: Table<Charge>,
    pub(crate) balance_transactions: Table<BalanceTransaction>,
    pub(crate) events: Table<Event>,
    pub(crate) endpoints: Table<Endpoint>,
    /// Pending deliveries, oldest first. A finished delivery is removed.
    pub(crate) deliveries: Tracked<u64, Delivery>,
    pub(crate) next_delivery: u64,
    /// How far the sandbox's clock is ahead of the machine's. Only the engine reads it; the model is passed the time.
    pub(crate) clock_offset_ms: i64,
    /// By their keys.
    #[serde(rename = "answers")]
    pub(crate) saved_answers: Table<SavedAnswer>,
    /// How often the whole state was saved.
    pub(crate) generation: u64,
    /// When each open session expires. Contains the open sessions and no others.
    #[serde(with = "tracked::as_list")]
    pub(crate) open_until: TrackedSet<(i64, String)>,
    /// When each debit settles, in milliseconds, with its `PaymentIntent`.
    #[serde(with = "tracked::as_list")]
    pub(crate) settlements: TrackedSet<(i64, String)>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) disputes: Table<Dispute>,
    pub(crate) customers: Table<Customer>,
    pub(crate) setup_intents: Table<SetupIntent>,
    pub(crate) products: Table<Product>,
    pub(crate) prices: Table<Price>,
    pub(crate) accounts: Table<Account>,
    pub(crate) transfers: Table<Transfer>,
    pub(crate) payouts: Table<Payout>,
    pub(crate) topups: Table<TopUp>,
    pub(crate) meters: Table<Meter>,
    pub(crate) meter_events: Table<MeterEvent>,
    pub(crate) meter_sessions: Table<MeterSession>,
    pub(crate) warnings: Table<EarlyFraudWarning>,
    pub(crate) reviews: Table<Review>,
    pub(crate) subscriptions: Table<Subscription>,
    pub(crate) invoices: Table<Invoice>,
    pub(crate) invoice_items: Table<InvoiceItem>,
    pub(crate) invoice_payments: Table<InvoicePayment>,
    pub(crate) credit_notes: Table<CreditNote>,
    pub(crate) schedules: Table<Schedule>,
    pub(crate) test_clocks: Table<TestClock>,
    pub(crate) portal_sessions: Table<PortalSession>,
    pub(crate) documents: Table<Document>,
    /// What billing does next: by timeline and time, the id of a subscription, an invoice or a schedule.
    #[serde(with = "tracked::as_list")]
    pub(crate) agenda: TrackedSet<(String, i64, String)>,
    /// The timeline and time under which an object stands in the agenda.
    pub(crate) planned: Tracked<String, (String, i64)>,
    /// How many seconds a customer's time is ahead of the sandbox's.
    pub(crate) moved_ahead: Tracked<String, i64>,
    /// The invoice items of each customer that wait for an invoice, oldest first.
    #[serde(with = "tracked::as_pairs")]
    pub(crate) waiting_items: Tracked<(String, u64), String>,
    /// The prices and quantities that a quote offers.
    pub(crate) quoted: Tracked<String, Vec<(String, i64)>>,
    pub(crate) billing: BillingSettings,
    /// The account has no tax registration.
    pub(crate) tax_unregistered: bool,
    /// The settings of the customer portal were never saved in the dashboard.
    pub(crate) portal_unsaved: bool,
    /// Payment intents of invoices that changed and have had no consequences yet.
    #[serde(skip)]
    pub(crate) changed_intents: Vec<String>,
    /// Sessions that completed, and whose subscription or invoice is still to be made.
    #[serde(skip)]
    pub(crate) completed_sessions: Vec<String>,
    /// The last event before the current command.
    #[serde(skip)]
    pub(crate) last_event: Option<String>,
    /// Work is done at the time of a test clock or of a customer moved ahead.
    #[serde(skip)]
    pub(crate) in_other_time: bool,
    pub(crate) account: AccountDefaults,
    pub(crate) standing: Standing,
    /// When refunds and disputes take their next automatic step.
    #[serde(with = "tracked::as_list")]
    pub(crate) due: TrackedSet<(i64, String)>,
    /// Requests that were answered with a failure and are done later, by their time in milliseconds.
    #[serde(rename = "late_requests", with = "tracked::as_pairs")]
    pub(crate) late: Tracked<(i64, u64), LateRequest>,
    pub(crate) next_late: u64,
    /// Sessions, refunds, disputes and events are listed only once they are this many seconds old.
    pub(crate) list_lag: i64,
    /// The time of the latest command, in seconds since 1970.
    #[serde(skip)]
    pub(crate) now: i64,
    /// How much was left after the last trim.
    #[serde(skip)]
    pub(crate) trimmed: limits::Trimmed,
}

/// What a command needs from outside: time, ids, base URL, and its cause.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// Milliseconds since 1970.
    pub(crate) now_ms: i64,
    pub(crate) ids: &'a mut IdSource,
    /// The sandbox's own base URL, for links to hosted pages.
    pub(crate) base_url: &'a str,
    /// The request that causes the events; `None` for automatic steps and for actions on a page.
    pub(crate) cause: Option<Cause>,
    /// The API version in which the answer is rendered.
    pub(crate) api_version: &'a str,
}

/// The API request that causes events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) request_id: String,
    pub(crate) idempotency_key: Option<String>,
}

impl Context<'_> {
    /// Seconds since 1970, as Stripe writes times.
    pub(crate) fn now(&self) -> i64 {
        self.now_ms.div_euclid(1_000)
    }
}

impl State {
    /// Runs everything that is due: sessions expire, debits settle, refunds succeed or fail, unanswered disputes are
    /// lost. Returns true if something changed.
    pub(crate) fn tick(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.now();
        self.now = now;
        self.last_event = self.events.iter().next_back().map(|event| event.id.clone());
        let late = late::carry_out_due(self, context);
        let due: Vec<String> =
            self.open_until.keys().take_while(|(at, _)| *at <= now).map(|(_, id)| id.clone()).collect();
        let forgotten = self.forget_old_answers(context.now());
        let cause = context.cause.take();
        for id in &due {
            session_expiry::expire(self, context, id);
        }
        let mut happened = settle::settle_due(self, context) || !due.is_empty();
        while let Some(due) = self.due.keys().next().filter(|(at, _)| *at <= now).cloned() {
            self.due.remove(&due);
            refund::fall_due(self, context, &due.1);
            dispute_lifecycle::fall_due(self, context, &due.1);
            happened = true;
        }
        happened |= test_clock::run_due(self, context);
        self.last_event = self.events.iter().next_back().map(|event| event.id.clone());
        context.cause = cause;
        forgotten || happened || late
    }

    /// The sandbox's time in milliseconds, also while work is done at another time.
    pub(crate) fn own_time_ms(&self, context: &Context<'_>) -> i64 {
        if self.in_other_time { self.now.saturating_mul(1_000) } else { context.now_ms }
    }

    /// Draws the consequences of a command: invoices follow their payments, and completed sessions get their
    /// subscription.
    pub(crate) fn follow(&mut self, context: &mut Context<'_>) {
        checkout::follow(self, context);
        collect::follow(self, context);
    }

    /// The next time at which [`State::tick`] has something to do, in milliseconds.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        let seconds = self.open_until.keys().next().into_iter().chain(self.due.keys().next()).map(|(at, _)| *at).min();
        let settlement = self.settlements.keys().next().map(|(at_ms, _)| *at_ms);
        let late = self.late.first_key_value().map(|((at_ms, _), _)| *at_ms);
        let billing = test_clock::next_due_ms(self);
        [seconds.map(|at| at.saturating_mul(1_000)), settlement, late, billing].into_iter().flatten().min()
    }
}
