//! The data of the control page: the newest objects, and the actions possible on each.

use std::collections::BTreeSet;

use super::endpoints::{self, EndpointRow};
use crate::{
    delivery_mode::DeliveryMode,
    engine::Core,
    model::{
        State, currency,
        payment::{IntentStatus, PaymentIntent},
        payment_json,
        session::Session,
    },
    outage::Outage,
    pages::time,
};

const SHOWN: usize = 20;

/// The data of the page.
pub(crate) struct Rows {
    pub(crate) payments: Vec<Payment>,
    pub(crate) refunds: Vec<Changing>,
    pub(crate) disputes: Vec<Changing>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) endpoints: Vec<EndpointRow>,
    pub(crate) mode: DeliveryMode,
    pub(crate) outage: Option<Outage>,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// How far the sandbox's clock is ahead of the machine's.
    pub(crate) ahead_seconds: i64,
    /// A delivery is in flight or due.
    pub(crate) is_delivering: bool,
}

/// A session, or a payment intent without one.
pub(crate) struct Payment {
    pub(crate) id: String,
    /// Buyer, item and time.
    pub(crate) about: String,
    pub(crate) status: String,
    pub(crate) total: String,
    /// The path of its controls below `/_sandbox/`.
    pub(crate) path: String,
    pub(crate) intent: Option<String>,
    pub(crate) can: Can,
}

/// The actions possible on a payment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Can {
    Expire,
    Authenticate,
    Settle,
    ComeBack,
    Nothing,
}

/// A refund or a dispute.
pub(crate) struct Changing {
    pub(crate) id: String,
    /// Its payment, and the time.
    pub(crate) about: String,
    pub(crate) status: &'static str,
    pub(crate) amount: String,
}

pub(crate) struct EventRow {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// The time of day at which it happened.
    pub(crate) at: String,
    /// It has pending deliveries.
    pub(crate) pending: bool,
}

/// The newest objects of each kind, newest first.
pub(crate) fn of(core: &mut Core) -> Rows {
    let now_ms = core.now_ms();
    let outage = crate::outage::current(&mut core.outage, now_ms).cloned();
    let state = &core.state;
    let amount = |minor: i64, currency: &str| currency::format(minor, currency);
    let refunds = state.refunds.iter().rev().take(SHOWN).map(|refund| Changing {
        id: refund.id.clone(),
        about: about_charge(state, &refund.charge, refund.created),
        status: refund.status.as_str(),
        amount: amount(refund.amount, &refund.currency),
    });
    let disputes = state.disputes.iter().rev().take(SHOWN).map(|dispute| Changing {
        id: dispute.id.clone(),
        about: about_charge(state, &dispute.charge, dispute.created),
        status: dispute.status.as_str(),
        amount: amount(dispute.amount, &dispute.currency),
    });
    let pending: BTreeSet<&str> = state.deliveries.values().map(|delivery| delivery.event.as_str()).collect();
    let events = state.events.iter().rev().take(SHOWN).map(|event| EventRow {
        id: event.id.clone(),
        kind: event.kind.clone(),
        at: time::clock(event.created),
        pending: pending.contains(event.id.as_str()),
    });
    let (refunds, disputes, events) = (refunds.collect(), disputes.collect(), events.collect());
    let endpoints = endpoints::rows(core);
    let is_delivering = core.is_delivering();
    Rows {
        payments: payments(&core.state),
        refunds,
        disputes,
        events,
        endpoints,
        mode: core.mode.clone(),
        outage,
        now: now_ms.div_euclid(1_000),
        ahead_seconds: core.state.clock_offset_ms.div_euclid(1_000),
        is_delivering,
    }
}

fn payments(state: &State) -> Vec<Payment> {
    let of_sessions = state.sessions.iter().rev().take(SHOWN).map(|session| of_session(state, session));
    let bare = state.payment_intents.iter().rev().filter(|intent| intent.session.is_none()).take(SHOWN);
    of_sessions.chain(bare.map(of_intent)).collect()
}

fn of_session(state: &State, session: &Session) -> Payment {
    let intent = session.payment_intent.as_deref().and_then(|id| state.payment_intents.get(id));
    let can = match intent.map(can) {
        Some(Can::Nothing) | None if session.is_open() => Can::Expire,
        Some(can) => can,
        None => Can::Nothing,
    };
    let paid = if session.paid { ", paid" } else { "" };
    Payment {
        id: session.id.clone(),
        about: format!("{} · {}", about(session), time::clock(session.created)),
        status: format!("{}{paid}", session.status.as_str()),
        total: currency::format(session.amount_total, &session.currency),
        path: format!("sessions/{}", session.id),
        intent: session.payment_intent.clone(),
        can,
    }
}

/// The buyer and the item: `user_1 · 250 × Credits`.
fn about(session: &Session) -> String {
    let who = session.client_reference_id.as_deref().or(session.customer_email.as_deref()).unwrap_or("somebody");
    let what = session.line_items.first().map(|item| format!("{} × {}", item.quantity, item.name));
    format!("{who} · {}", what.unwrap_or_default())
}

/// The payment of a charge, and the given time.
fn about_charge(state: &State, charge: &str, at: i64) -> String {
    let intent = state.charges.get(charge).and_then(|charge| state.payment_intents.get(&charge.payment_intent));
    let session = intent.and_then(|intent| intent.session.as_deref()).and_then(|id| state.sessions.get(id));
    let what = session.map_or_else(|| "a payment without a checkout".to_owned(), about);
    format!("{what} · {}", time::clock(at))
}

fn of_intent(intent: &PaymentIntent) -> Payment {
    Payment {
        id: intent.id.clone(),
        about: format!("without a checkout · {}", time::clock(intent.created)),
        status: payment_json::intent_status(intent.status).to_owned(),
        total: currency::format(intent.amount, &intent.currency),
        path: format!("payment_intents/{}", intent.id),
        intent: Some(intent.id.clone()),
        can: can(intent),
    }
}

fn can(intent: &PaymentIntent) -> Can {
    match intent.status {
        IntentStatus::RequiresAction => Can::Authenticate,
        IntentStatus::Processing => Can::Settle,
        IntentStatus::Succeeded => Can::ComeBack,
        _ => Can::Nothing,
    }
}
