//! What the page of controls shows of the state: the newest objects, and what can be done to each now.

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
};

const SHOWN: usize = 20;

/// Everything that the page shows.
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
}

/// A session, or a payment intent without one.
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) total: String,
    /// The path below `/_sandbox/` of its controls, if it is a session or a bare intent.
    pub(crate) path: String,
    pub(crate) intent: Option<String>,
    pub(crate) can: Can,
}

/// What can be done to a payment.
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
    pub(crate) status: &'static str,
    pub(crate) amount: String,
}

pub(crate) struct EventRow {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// Something is left to deliver of it.
    pub(crate) pending: bool,
}

/// The newest of each kind, newest first.
pub(crate) fn of(core: &mut Core) -> Rows {
    let now_ms = core.now_ms();
    let outage = crate::outage::current(&mut core.outage, now_ms).cloned();
    let state = &core.state;
    let amount = |minor: i64, currency: &str| currency::format(minor, currency);
    let refunds = state.refunds.iter().rev().take(SHOWN).map(|refund| Changing {
        id: refund.id.clone(),
        status: refund.status.as_str(),
        amount: amount(refund.amount, &refund.currency),
    });
    let disputes = state.disputes.iter().rev().take(SHOWN).map(|dispute| Changing {
        id: dispute.id.clone(),
        status: dispute.status.as_str(),
        amount: amount(dispute.amount, &dispute.currency),
    });
    let pending: BTreeSet<&str> = state.deliveries.values().map(|delivery| delivery.event.as_str()).collect();
    let events = state.events.iter().rev().take(SHOWN).map(|event| EventRow {
        id: event.id.clone(),
        kind: event.kind.clone(),
        pending: pending.contains(event.id.as_str()),
    });
    Rows {
        payments: payments(state),
        refunds: refunds.collect(),
        disputes: disputes.collect(),
        events: events.collect(),
        endpoints: endpoints::rows(core),
        mode: core.mode.clone(),
        outage,
        now: now_ms.div_euclid(1_000),
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
        status: format!("{}{paid}", session.status.as_str()),
        total: currency::format(session.amount_total, &session.currency),
        path: format!("sessions/{}", session.id),
        intent: session.payment_intent.clone(),
        can,
    }
}

fn of_intent(intent: &PaymentIntent) -> Payment {
    Payment {
        id: intent.id.clone(),
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
