//! Refunds: made once for each key, found again, and delivered.

use topup::domain::ids::PaymentId;
use topup::domain::reversal::RefundReport;
use topup::providers::event::ProviderEvent;
use topup::providers::port::{ProviderError, RefundOrder};

use super::{TOTAL_MINOR, buy, news};
use crate::providers::world::World;

fn order(payment: &PaymentId, request: &str, amount_minor: i64) -> RefundOrder {
    let reason = Some("requested_by_customer".to_owned());
    RefundOrder { request_id: request.to_owned(), payment: payment.clone(), amount_minor, reason }
}

/// Makes a refund for the request `refund_1`.
async fn refund(world: &impl World, payment: &PaymentId, amount_minor: i64) -> RefundReport {
    let order = order(payment, "refund_1", amount_minor);
    world.provider().refunds.create_refund(&order, "refund_1-1").await.expect("is made")
}

async fn refunds_of(world: &impl World, payment: &PaymentId) -> Vec<RefundReport> {
    let mut refunds = world.provider().refunds.refunds_of(payment).await.expect("readable");
    refunds.sort_by(|one, other| one.id.cmp(&other.id));
    refunds
}

on_every_provider! {
    async fn the_same_key_and_order_refund_once(world: World) {
        let (_, payment) = buy(world, 1).await;
        let (first, again) = (refund(world, &payment, 100).await, refund(world, &payment, 100).await);
        assert_eq!(again.id, first.id);
        assert_eq!(refunds_of(world, &payment).await.len(), 1);
        let other = order(&payment, "refund_2", 100);
        let other = world.provider().refunds.create_refund(&other, "refund_2-1").await.expect("is made");
        assert_ne!(other.id, first.id);
        assert_eq!(refunds_of(world, &payment).await.len(), 2);
    }

    async fn a_refund_says_what_was_ordered(world: World) {
        let (_, payment) = buy(world, 1).await;
        let refund = refund(world, &payment, 100).await;
        assert_eq!(refund.id.provider(), &world.provider().name);
        assert_eq!((refund.amount_minor, refund.currency.as_str()), (100, "usd"));
        assert_eq!((&refund.payment, refund.request.as_deref()), (&Some(payment), Some("refund_1")));
        assert!(refund.status.counts(), "{refund:?}");
    }

    async fn a_refund_is_found_by_our_request(world: World) {
        let ((_, payment), (_, other)) = (buy(world, 1).await, buy(world, 2).await);
        let refunds = world.provider().refunds.clone();
        let find = |payment: PaymentId, request| {
            let refunds = refunds.clone();
            async move { refunds.find_refund(&payment, request).await.expect("readable") }
        };
        assert_eq!(find(payment.clone(), "refund_1").await, None);
        let made = refund(world, &payment, 100).await;
        assert_eq!(find(payment.clone(), "refund_1").await, Some(made.clone()));
        assert_eq!(find(payment.clone(), "refund_2").await, None);
        assert_eq!(find(other.clone(), "refund_1").await, None, "it is another payment's");
        assert_eq!(refunds_of(world, &payment).await, [made]);
        assert_eq!(refunds_of(world, &other).await, []);
    }

    async fn more_than_was_paid_is_refused(world: World) {
        let (_, payment) = buy(world, 1).await;
        let refunds = world.provider().refunds.clone();
        let too_much = refunds.create_refund(&order(&payment, "refund_1", TOTAL_MINOR + 1), "refund_1-1").await;
        assert!(matches!(too_much, Err(ProviderError::Refused(_))), "{too_much:?}");
        assert_eq!(refunds_of(world, &payment).await, []);
        let most = order(&payment, "refund_2", TOTAL_MINOR - 9);
        refunds.create_refund(&most, "refund_2-1").await.expect("is made");
        let too_much = refunds.create_refund(&order(&payment, "refund_3", 10), "refund_3-1").await;
        assert!(matches!(too_much, Err(ProviderError::Refused(_))), "{too_much:?}");
        refunds.create_refund(&order(&payment, "refund_4", 9), "refund_4-1").await.expect("is made");
        let sum: i64 = refunds_of(world, &payment).await.iter().map(|refund| refund.amount_minor).sum();
        assert_eq!(sum, TOTAL_MINOR);
    }

    async fn a_refund_is_delivered_with_its_payment(world: World) {
        let (_, payment) = buy(world, 1).await;
        news(world).await;
        let made = refund(world, &payment, 100).await;
        let mut deliveries = 0;
        for (_, event) in news(world).await {
            let refunds = match &event {
                ProviderEvent::RefundChanged { livemode: false, refund, .. } => vec![refund.clone()],
                ProviderEvent::PaymentRefunded(refunded) => {
                    assert_eq!(refunded.payment, payment);
                    refunded.refunds.clone().unwrap_or_default()
                }
                ProviderEvent::Foreign { .. } | ProviderEvent::FeeKnown(_) => continue,
                other => panic!("{other:?}"),
            };
            let (id, _) = event.event().expect("an event");
            assert_eq!(id.provider(), &world.provider().name);
            for refund in refunds {
                assert_eq!((&refund.id, &refund.payment), (&made.id, &Some(payment.clone())));
                assert_eq!((refund.amount_minor, refund.request.as_deref()), (100, Some("refund_1")));
                deliveries += 1;
            }
        }
        assert!(deliveries > 0, "no delivery reports it");
    }

    async fn an_unknown_payment_is_not_refunded(world: World) {
        let (_, payment) = buy(world, 1).await;
        refund(world, &payment, 100).await;
        let unknown = PaymentId::parse(world.provider().name, "there_is_no_such_thing").expect("an id");
        let refunds = world.provider().refunds.clone();
        let made = refunds.create_refund(&order(&unknown, "refund_2", 100), "refund_2-1").await;
        assert!(matches!(made, Err(ProviderError::Unknown(_) | ProviderError::Refused(_))), "{made:?}");
        let found = refunds.find_refund(&unknown, "refund_1").await;
        assert!(matches!(found, Ok(None) | Err(ProviderError::Unknown(_))), "{found:?}");
        let list = refunds.refunds_of(&unknown).await;
        assert!(matches!(list.as_deref(), Ok([]) | Err(ProviderError::Unknown(_))), "{list:?}");
    }
}
