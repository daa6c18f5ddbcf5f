//! What every provider promises, written against the port alone. A provider that passes can be put into the service.

mod abilities;
mod cards;
mod checkouts;
mod deliveries;
mod refunds;

use topup::domain::ids::{PaymentId, SessionId, TopupId};
use topup::providers::event::ProviderEvent;
use topup::providers::port::{CheckoutRequest, OpenedCheckout};

use crate::providers::world::{Delivery, World};
use crate::support::app::SUCCESS_URL;

const HOUR_MS: i64 = 3_600_000;
/// What 250 credits at 1 cent each cost with their fee.
const TOTAL_MINOR: i64 = 289;

/// A top-up's id.
fn topup(number: u128) -> TopupId {
    TopupId::from_bits(number)
}

/// A request for a checkout, as the service makes one.
fn request(world: &impl World, number: u128) -> CheckoutRequest {
    CheckoutRequest {
        topup_id: topup(number).to_string(),
        account_id: format!("user_{number}"),
        credits: 250,
        currency: "usd".to_owned(),
        credit_unit_credits: 1,
        credit_unit_amount_minor: 1,
        credit_display_decimals: 0,
        fee_amount_minor: 39,
        fee_label: "Processing fee".to_owned(),
        bonus_credits: Some(12),
        credits_expire_days: Some(365),
        success_url: SUCCESS_URL.to_owned(),
        cancel_url: None,
        // The same in each request of a test, whenever it is sent.
        expires_at_seconds: (world.now_ms() / 3_600_000 + 2) * 3_600,
        payment_methods: vec!["card".to_owned()],
        customer: None,
        saves_card: false,
        tax: None,
        makes_invoice: false,
        payment_method: None,
        terms: Some(format!("terms of {number}")),
        signature: Some(format!("signature of {number}")),
    }
}

/// Opens a checkout.
async fn open(world: &impl World, number: u128) -> OpenedCheckout {
    let key = format!("{}-1", topup(number));
    world.provider().checkouts.open_checkout(&request(world, number), &key).await.expect("opens")
}

/// Opens a checkout, which is paid.
async fn buy(world: &impl World, number: u128) -> (SessionId, PaymentId) {
    let session = open(world, number).await.session;
    world.pay(&session).await;
    let report = world.provider().checkouts.read_checkout(&session).await.expect("readable").expect("ours");
    (session, report.payment.expect("a payment"))
}

/// What was delivered since the last time, each with what it says.
async fn news(world: &mut impl World) -> Vec<(Delivery, ProviderEvent)> {
    let (deliveries, now_ms) = (world.deliveries().await, world.now_ms());
    let read = |delivery: Delivery| {
        let webhooks = &world.provider().webhooks;
        let event = webhooks.read(Some(&delivery.header), delivery.body.as_bytes(), now_ms);
        let event = event.unwrap_or_else(|error| panic!("{error}: {}", delivery.body));
        (delivery, event)
    };
    deliveries.into_iter().map(read).collect()
}

/// The one delivery since the last time that reports how a purchase stands.
async fn purchase_news(world: &mut impl World) -> (Delivery, ProviderEvent) {
    let mut news = news(world).await;
    news.retain(|(_, event)| event.report().is_some());
    assert_eq!(news.len(), 1, "{news:?}");
    news.remove(0)
}
