//! Deliveries: which are believed, and that they say what the provider says when it is asked.

use topup::domain::checkout::{PurchaseProgress, PurchaseReport};
use topup::domain::ids::SessionId;
use topup::providers::event::{ProviderEvent, WebhookError};

use super::{HOUR_MS, buy, news, open, purchase_news, topup};
use crate::providers::world::{Delivery, World};

/// Reads a delivery as it would be read on arrival.
fn read(world: &impl World, header: Option<&str>, body: &str) -> Result<ProviderEvent, WebhookError> {
    world.provider().webhooks.read(header, body.as_bytes(), world.now_ms())
}

/// A delivery must not be believed, whether its time still counts or not.
fn assert_not_believed(world: &impl World, header: Option<&str>, body: &str) {
    let read = read(world, header, body);
    assert!(matches!(read, Err(WebhookError::Signature(_))), "{read:?} of {header:?}");
    let read = world.provider().webhooks.read_untimely(header, body.as_bytes());
    assert!(matches!(read, Err(WebhookError::Signature(_))), "{read:?} of {header:?}");
}

/// A delivered report, without the event, must equal what the provider answers when asked.
async fn assert_same_when_asked(world: &impl World, session: &SessionId, delivered: &PurchaseReport) {
    let asked = world.provider().checkouts.read_checkout(session).await.expect("readable").expect("ours");
    let delivered = PurchaseReport { event: None, event_created_ms: None, ..delivered.clone() };
    assert_eq!(delivered, PurchaseReport { seal: None, ..asked });
}

/// The delivery of a payment.
async fn paid_delivery(world: &mut impl World) -> Delivery {
    buy(world, 1).await;
    purchase_news(world).await.0
}

on_every_provider! {
    async fn a_payment_is_delivered_as_it_is_read(world: World) {
        let (session, payment) = buy(world, 1).await;
        let (_, event) = purchase_news(world).await;
        let ProviderEvent::PurchasePaid(report) = &event else { panic!("{event:?}") };
        assert_eq!((report.topup.clone(), report.payment.clone()), (topup(1), Some(payment)));
        assert_eq!((&report.session, report.progress), (&session, PurchaseProgress::Paid));
        let (id, event_type) = event.event().expect("an event");
        assert_eq!(id.provider(), &world.provider().name);
        assert!(!event_type.is_empty());
        assert_same_when_asked(world, &session, report).await;
    }

    async fn an_ending_is_delivered_as_it_is_read(world: World) {
        let session = open(world, 1).await.session;
        world.expire(&session).await;
        let (_, event) = purchase_news(world).await;
        let ProviderEvent::PurchaseExpired(report) = &event else { panic!("{event:?}") };
        assert_eq!((&report.topup, report.progress), (&topup(1), PurchaseProgress::Expired));
        assert_eq!(report.payment, None);
        assert_same_when_asked(world, &session, report).await;
    }

    async fn two_events_have_two_ids(world: World) {
        buy(world, 1).await;
        let (_, first) = purchase_news(world).await;
        buy(world, 2).await;
        let (_, second) = purchase_news(world).await;
        assert!(first.event().is_some() && second.event().is_some());
        assert_ne!(first.event(), second.event());
    }

    async fn a_changed_body_is_not_believed(world: World) {
        let Delivery { header, body } = paid_delivery(world).await;
        assert!(read(world, Some(&header), &body).is_ok());
        let more = body.replacen("289", "288", 1);
        assert_ne!(more, body, "the amount is in it");
        for body in [more, format!("{body} "), body.replacen('{', "{ ", 1), body[..body.len() - 1].to_owned(), String::new()] {
            assert_not_believed(world, Some(&header), &body);
        }
    }

    async fn only_the_providers_secret_is_believed(world: World) {
        let body = paid_delivery(world).await.body;
        for secret in ["another secret", "x"] {
            let header = world.sign(secret, &body, world.now_ms());
            assert_not_believed(world, Some(&header), &body);
        }
    }

    async fn a_header_that_is_missing_or_malformed_is_not_believed(world: World) {
        let Delivery { header, body } = paid_delivery(world).await;
        let half = &header[..header.len() / 2];
        for header in [None, Some(""), Some("x"), Some("=,=,=;; "), Some(half)] {
            assert_not_believed(world, header, &body);
        }
        let webhooks = &world.provider().webhooks;
        for header in [None, Some(""), Some("x")] {
            let checked = webhooks.check_header(header, world.now_ms());
            assert!(matches!(checked, Err(WebhookError::Signature(_))), "{checked:?} of {header:?}");
        }
        assert!(webhooks.check_header(Some(&header), world.now_ms()).is_ok());
    }

    async fn the_signature_covers_its_time(world: World) {
        let body = paid_delivery(world).await.body;
        let (now_ms, late_ms) = (world.now_ms(), world.now_ms() - 24 * HOUR_MS);
        let late = world.sign(W::SECRET, &body, late_ms);
        // An attacker who replays an old delivery can change the time in its header, but cannot sign it.
        let renewed = late.replace(&(late_ms / 1_000).to_string(), &(now_ms / 1_000).to_string());
        assert_ne!(renewed, late, "the header shows its time in seconds");
        assert_not_believed(world, Some(&renewed), &body);
    }

    async fn a_time_that_is_far_away_is_refused(world: World) {
        let body = paid_delivery(world).await.body;
        let webhooks = &world.provider().webhooks;
        let event = webhooks.read_verified(body.as_bytes()).expect("readable");
        for hours in [-24, 24] {
            let header = world.sign(W::SECRET, &body, world.now_ms() + hours * HOUR_MS);
            let read = read(world, Some(&header), &body);
            assert!(matches!(read, Err(WebhookError::Untimely { .. })), "{read:?}");
            let checked = webhooks.check_header(Some(&header), world.now_ms());
            let Err(WebhookError::Untimely { ahead_seconds, tolerance_seconds }) = checked else { panic!("{checked:?}") };
            assert_eq!(ahead_seconds.signum(), hours.signum());
            assert!(ahead_seconds.abs() > tolerance_seconds);
            // It is the provider's all the same.
            assert_eq!(webhooks.read_untimely(Some(&header), body.as_bytes()).expect("is believed"), event);
        }
    }

    async fn a_verified_body_reads_the_same(world: World) {
        let session = open(world, 1).await.session;
        world.expire(&session).await;
        buy(world, 2).await;
        for (Delivery { header, body }, event) in news(world).await {
            let webhooks = &world.provider().webhooks;
            assert_eq!(webhooks.read_verified(body.as_bytes()).expect("readable"), event);
            assert_eq!(webhooks.read_untimely(Some(&header), body.as_bytes()).expect("readable"), event);
        }
    }

    async fn an_unhandled_event_is_foreign(world: World) {
        let body = world.unhandled_event();
        let header = world.sign(W::SECRET, &body, world.now_ms());
        let read = read(world, Some(&header), &body);
        assert!(matches!(read, Ok(ProviderEvent::Foreign { .. })), "{read:?}");
    }

    async fn a_signed_body_that_is_no_event_is_an_error(world: World) {
        for body in ["", "no event", "[]", "null", "\"text\"", "{\"id\":"] {
            let header = world.sign(W::SECRET, body, world.now_ms());
            let read = read(world, Some(&header), body);
            assert!(matches!(read, Err(WebhookError::NotAnEvent(_))), "{read:?} of {body:?}");
        }
    }

    async fn a_payment_that_cannot_be_read_is_an_error(world: World) {
        let (_, paid) = (buy(world, 1).await, purchase_news(world).await);
        let body = world.unreadable(&paid.0.body);
        let header = world.sign(W::SECRET, &body, world.now_ms());
        let Err(WebhookError::Unreadable { event_id, subject, .. }) = read(world, Some(&header), &body) else {
            panic!("it was read")
        };
        assert_eq!(Some(event_id.as_str()), paid.1.event().map(|(id, _)| id.as_str()));
        assert_eq!(subject, paid.1.subject());
    }
}
