//! Acme's books: what was ordered, paid and given back, and what is to be told of it.

use std::collections::HashMap;

use serde_json::json;
use topup::providers::port::{CheckoutRequest, RefundOrder};

/// An order: what a checkout is called here.
#[derive(Debug, Clone)]
pub struct Order {
    pub number: String,
    pub request: CheckoutRequest,
    pub made_at_ms: i64,
    pub status: Status,
    pub payment: Option<String>,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Waiting,
    Paid,
    Lapsed,
}

impl Status {
    /// Acme's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Paid => "paid",
            Self::Lapsed => "lapsed",
        }
    }
}

/// Money given back.
#[derive(Debug, Clone)]
pub struct Return {
    pub number: String,
    pub payment: String,
    pub amount_minor: i64,
    pub currency: String,
    pub note: Option<String>,
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum No {
    /// There is no such payment.
    Unknown,
    /// There is not as much left of it.
    TooMuch,
    /// The key came with something else before.
    OtherRequest,
}

/// Everything on one account at Acme.
#[derive(Default)]
pub struct Account {
    orders: Vec<Order>,
    returns: Vec<Return>,
    orders_by_key: HashMap<String, (CheckoutRequest, String)>,
    returns_by_key: HashMap<String, (RefundOrder, String)>,
    pub outbox: Vec<String>,
    last_number: u64,
}

impl Account {
    /// Takes an order, once for each key.
    pub fn order(&mut self, request: &CheckoutRequest, key: &str, now_ms: i64) -> Result<Order, No> {
        if let Some((earlier, number)) = self.orders_by_key.get(key) {
            let same = self.find(number).filter(|_| earlier == request);
            return same.cloned().ok_or(No::OtherRequest);
        }
        let number = self.next("order");
        self.orders_by_key.insert(key.to_owned(), (request.clone(), number.clone()));
        let (request, status) = (request.clone(), Status::Waiting);
        let order = Order { number, request, made_at_ms: now_ms, status, payment: None };
        self.orders.push(order.clone());
        Ok(order)
    }

    /// An order by its number.
    pub fn find(&self, number: &str) -> Option<&Order> {
        self.orders.iter().find(|order| order.number == number)
    }

    /// The newest order of a top-up.
    pub fn newest_of(&self, topup: &str) -> Option<&Order> {
        self.orders.iter().rev().find(|order| order.request.topup_id == topup)
    }

    /// The money for an order is there.
    pub fn pay(&mut self, number: &str) {
        let payment = self.next("money");
        self.change(number, Status::Paid, Some(payment));
    }

    /// The time to pay for an order is over.
    pub fn expire(&mut self, number: &str) {
        self.change(number, Status::Lapsed, None);
    }

    fn change(&mut self, number: &str, status: Status, payment: Option<String>) {
        let event = self.next("news");
        let order = self.orders.iter_mut().find(|order| order.number == number).expect("an order");
        assert_eq!(order.status, Status::Waiting, "it has ended");
        (order.status, order.payment) = (status, payment);
        let body = order.body(&event);
        self.outbox.push(body);
    }

    /// Gives money back, once for each key.
    pub fn refund_once(&mut self, order: &RefundOrder, key: &str) -> Result<Return, No> {
        if let Some((earlier, number)) = self.returns_by_key.get(key) {
            let same = self.returns.iter().find(|made| made.number == *number && earlier == order);
            return same.cloned().ok_or(No::OtherRequest);
        }
        let made = self.refund(order.payment.as_str(), order.amount_minor, Some(order.request_id.clone()))?;
        self.returns_by_key.insert(key.to_owned(), (order.clone(), made.number.clone()));
        Ok(made)
    }

    /// Gives money back.
    pub fn refund(&mut self, payment: &str, amount_minor: i64, note: Option<String>) -> Result<Return, No> {
        let order = self.orders.iter().find(|order| order.payment.as_deref() == Some(payment)).ok_or(No::Unknown)?;
        let (total, currency) = (order.total_minor(), order.request.currency.clone());
        let gone: i64 = self.returns_of(payment).map(|made| made.amount_minor).sum();
        if amount_minor > total - gone {
            return Err(No::TooMuch);
        }
        let (number, event) = (self.next("return"), self.next("news"));
        let made = Return { number, payment: payment.to_owned(), amount_minor, currency, note };
        self.outbox.push(made.body(&event));
        self.returns.push(made.clone());
        Ok(made)
    }

    /// What was given back of a payment.
    pub fn returns_of<'o>(&'o self, payment: &'o str) -> impl Iterator<Item = &'o Return> {
        self.returns.iter().filter(move |made| made.payment == payment)
    }

    fn next(&mut self, kind: &str) -> String {
        self.last_number += 1;
        format!("{kind}-{}", self.last_number)
    }
}

impl Order {
    /// What the customer pays.
    pub const fn total_minor(&self) -> i64 {
        let units = self.request.credits / self.request.credit_unit_credits;
        units * self.request.credit_unit_amount_minor + self.request.fee_amount_minor
    }

    /// The delivery that tells how it stands.
    pub fn body(&self, event: &str) -> String {
        let request = &self.request;
        json!({ "news": event, "about": "order", "real": false, "order": {
            "number": self.number, "status": self.status.as_str(), "for": request.topup_id, "buyer": request.account_id,
            "bonus": request.bonus_credits, "days": request.credits_expire_days,
            "credits": request.credits, "currency": request.currency, "total": self.total_minor(), "money": self.payment,
        } })
        .to_string()
    }
}

impl Return {
    /// The delivery that tells of it.
    pub fn body(&self, event: &str) -> String {
        json!({ "news": event, "about": "return", "real": false, "return": {
            "number": self.number, "money": self.payment, "amount": self.amount_minor, "currency": self.currency,
            "note": self.note,
        } })
        .to_string()
    }
}
