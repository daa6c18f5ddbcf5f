//! Abilities that a provider may lack: each that it claims works, and each that it lacks answers `Unsupported`.

use std::fmt::Debug;

use secrecy::ExposeSecret;
use topup::domain::ids::{DisputeId, EventId, FeeId, PaymentId};
use topup::providers::event::ProviderEvent;
use topup::providers::port::{DeliveryEndpoint, ListPage, ProviderError, RefundOrder, Resource, VersionFit};

use super::{buy, news, open, topup};
use crate::providers::world::World;

/// More checkouts than any page has.
const MANY: u128 = 101;
/// More pages than there can be of them.
const MAX_PAGES: usize = 200;

pub(super) fn assert_lacks<T: Debug>(answers: impl IntoIterator<Item = Result<T, ProviderError>>) {
    for answer in answers {
        assert!(matches!(answer, Err(ProviderError::Unsupported(_))), "{answer:?}");
    }
}

fn assert_unknown<T: Debug>(answer: &Result<T, ProviderError>) {
    assert!(matches!(answer, Err(ProviderError::Unknown(_))), "{answer:?}");
}

fn payment(world: &impl World, text: &str) -> PaymentId {
    PaymentId::parse(world.provider().name, text).expect("an id")
}

/// Reads a list to its end.
pub(super) async fn all<T>(mut page: impl AsyncFnMut(Option<&str>) -> Result<ListPage<T>, ProviderError>) -> Vec<T> {
    let (mut items, mut after) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let read = page(after.as_deref()).await.expect("readable");
        assert_eq!(read.unreadable, Vec::<String>::new());
        items.extend(read.items);
        let Some(next) = read.next else { return items };
        assert_ne!(after.as_ref(), Some(&next), "the list goes on where it was");
        after = Some(next);
    }
    panic!("the list has no end");
}

on_every_provider! {
    async fn payments_can_be_read_or_are_unsupported(world: World) {
        let (_, paid) = buy(world, 1).await;
        let payments = world.provider().payments.clone();
        let unknown = payment(world, "there_is_no_such_thing");
        let no_fee = FeeId::parse(world.provider().name, "there_is_no_such_thing").expect("an id");
        if !world.provider().capabilities.payments {
            assert_lacks([payments.read_payment(&paid).await, payments.read_payment(&unknown).await]);
            return assert_lacks([payments.read_fee(&no_fee).await]);
        }
        let owner = payments.read_payment(&paid).await.expect("readable").expect("ours");
        assert_eq!((owner.topup, owner.livemode), (topup(1), false));
        let mut fees_read = 0;
        if let Some(fee) = owner.fee.clone() {
            fees_read += 1;
            assert_eq!(fee.fee_id.provider(), &world.provider().name);
            assert_eq!(payments.read_fee(&fee.fee_id).await, Ok(fee));
        }
        for (_, event) in news(world).await {
            if let ProviderEvent::FeeKnown(known) = event {
                assert_eq!((known.topup, known.payment), (topup(1), paid.clone()));
                fees_read += 1;
                assert_eq!(payments.read_fee(&known.fee_id).await.ok(), owner.fee);
            }
        }
        assert!(fees_read > 0, "no fee is told");
        let read = payments.read_payment(&unknown).await;
        assert!(matches!(read, Ok(None) | Err(ProviderError::Unknown(_))), "{read:?}");
        assert_unknown(&payments.read_fee(&no_fee).await);
    }

    async fn disputes_can_be_read_or_are_unsupported(world: World) {
        let ((_, paid), (_, other)) = (buy(world, 1).await, buy(world, 2).await);
        let disputes = world.provider().disputes.clone();
        let unknown = DisputeId::parse(world.provider().name, "there_is_no_such_thing").expect("an id");
        if !world.provider().capabilities.disputes {
            assert_lacks([disputes.disputes_of(&paid).await]);
            return assert_lacks([disputes.read_dispute(&unknown).await]);
        }
        assert_eq!(disputes.disputes_of(&paid).await, Ok(Vec::new()));
        news(world).await;
        world.dispute(&paid).await;
        let of_paid = disputes.disputes_of(&paid).await.expect("readable");
        let [dispute] = of_paid.as_slice() else { panic!("{of_paid:?}") };
        assert_eq!(dispute.id.provider(), &world.provider().name);
        assert_eq!((&dispute.payment, dispute.livemode), (&Some(paid.clone()), false));
        assert!(dispute.counts(), "its money is gone");
        assert_eq!(disputes.read_dispute(&dispute.id).await.as_ref(), Ok(dispute));
        let told = news(world).await.into_iter().filter(|(_, event)| match event {
            ProviderEvent::DisputeChanged { dispute: id, payment, livemode: false, .. } => {
                assert_eq!((id, payment), (&dispute.id, &paid));
                true
            }
            _ => false,
        });
        assert!(told.count() > 0, "no delivery reports it");
        assert_eq!(disputes.disputes_of(&other).await, Ok(Vec::new()));
        let none = disputes.disputes_of(&payment(world, "there_is_no_such_thing")).await;
        assert!(matches!(none.as_deref(), Ok([]) | Err(ProviderError::Unknown(_))), "{none:?}");
        assert_unknown(&disputes.read_dispute(&unknown).await);
    }

    async fn checkouts_are_listed_newest_first_or_lists_are_unsupported(world: World) {
        let lists = world.provider().lists.clone();
        let since = world.now_ms() / 1_000 - 60;
        if !world.provider().capabilities.lists {
            open(world, 1).await;
            return assert_lacks([lists.list_checkouts(since, None).await, lists.list_checkouts(0, Some("x")).await]);
        }
        for number in 1..=MANY {
            open(world, number).await;
        }
        let listed = all(async |after| lists.list_checkouts(since, after).await).await;
        let listed: Vec<_> = listed.into_iter().map(|report| report.topup).collect();
        assert_eq!(listed, (1..=MANY).rev().map(topup).collect::<Vec<_>>());
        let since = world.now_ms() / 1_000 + 3_600;
        assert_eq!(all(async |after| lists.list_checkouts(since, after).await).await, []);
    }

    async fn refunds_and_disputes_are_listed_or_lists_are_unsupported(world: World) {
        let ((_, first), (_, second)) = (buy(world, 1).await, buy(world, 2).await);
        let (lists, since) = (world.provider().lists.clone(), world.now_ms() / 1_000 - 60);
        if !world.provider().capabilities.lists {
            assert_lacks([lists.list_refunds(since, None).await, lists.list_refunds(0, Some("x")).await]);
            return assert_lacks([lists.list_disputes(since, None).await, lists.list_disputes(0, Some("x")).await]);
        }
        let mut made = Vec::new();
        for (payment, request) in [(&first, "refund_1"), (&second, "refund_2")] {
            let (request_id, key) = (request.to_owned(), format!("{request}-1"));
            let order = RefundOrder { request_id, payment: payment.clone(), amount_minor: 100, reason: None };
            made.insert(0, world.provider().refunds.create_refund(&order, &key).await.expect("is made"));
        }
        assert_eq!(all(async |after| lists.list_refunds(since, after).await).await, made);
        if world.provider().capabilities.disputes {
            for payment in [&first, &second] {
                world.dispute(payment).await;
            }
            let listed = all(async |after| lists.list_disputes(since, after).await).await;
            let payments: Vec<_> = listed.into_iter().filter_map(|dispute| dispute.payment).collect();
            assert_eq!(payments, [second, first]);
        }
        let since = world.now_ms() / 1_000 + 3_600;
        assert_eq!(all(async |after| lists.list_refunds(since, after).await).await, []);
        assert_eq!(all(async |after| lists.list_disputes(since, after).await).await, []);
    }

    async fn events_can_be_read_again_or_are_unsupported(world: World) {
        buy(world, 1).await;
        let (news, provider) = (news(world).await, world.provider());
        let unknown = EventId::parse(provider.name, "there_is_no_such_thing").expect("an id");
        let ids: Vec<_> = news.iter().filter_map(|(_, event)| Some((&event.event()?.0, event))).collect();
        assert!(!ids.is_empty());
        for (id, event) in ids {
            let given = provider.events.read_event(id).await;
            if !provider.capabilities.events {
                assert_lacks([given]);
                continue;
            }
            let body = given.expect("readable");
            assert_eq!(&provider.webhooks.read_verified(body.as_bytes()).expect("readable"), event);
        }
        let given = provider.events.read_event(&unknown).await;
        if provider.capabilities.events { assert_unknown(&given) } else { assert_lacks([given]) }
    }

    async fn the_account_can_be_read_or_is_unsupported(world: World) {
        let provider = world.provider();
        let account = provider.account.read_account().await;
        if !provider.capabilities.account {
            return assert_lacks([account]);
        }
        let account = account.expect("readable");
        assert!(!account.id.is_empty() && account.takes_payments && account.pays_out, "{account:?}");
    }

    async fn endpoints_are_created_once_and_repaired_or_are_unsupported(world: World) {
        let (provider, url) = (world.provider(), "http://127.0.0.1:9/webhooks/stripe");
        let endpoints = provider.endpoints.clone();
        if !provider.capabilities.endpoints {
            assert_lacks([endpoints.list_endpoints().await.map(drop), endpoints.create_endpoint(url, "key-1").await.map(drop)]);
            return assert_lacks([endpoints.repair_endpoint("we_1", "key-2").await]);
        }
        assert_eq!(endpoints.list_endpoints().await, Ok(Vec::new()));
        let made = endpoints.create_endpoint(url, "key-1").await.expect("is made");
        let again = endpoints.create_endpoint(url, "key-1").await.expect("is the same");
        assert_eq!((&made.endpoint, made.secret.expose_secret()), (&again.endpoint, again.secret.expose_secret()));
        assert_eq!(endpoints.list_endpoints().await.as_ref(), Ok(&vec![made.endpoint.clone()]));
        let DeliveryEndpoint { is_enabled, missing_types, extra_types, version_fit, .. } = &made.endpoint;
        assert!(is_enabled & missing_types.is_empty() & extra_types.is_empty(), "{made:?}");
        assert_eq!((made.endpoint.url.as_str(), *version_fit), (url, VersionFit::Tested));
        assert_eq!(endpoints.repair_endpoint(&made.endpoint.id, "key-2").await.as_ref(), Ok(&made.endpoint));
        assert_unknown(&endpoints.repair_endpoint("we_there_is_none", "key-3").await);
        assert!(!format!("{made:?}").contains(made.secret.expose_secret()), "no secret in a log");
    }

    async fn what_was_not_delivered_can_be_asked_or_is_unsupported(world: World) {
        let endpoints = world.provider().endpoints.clone();
        let since = world.now_ms() / 1_000 - 60;
        let unknown = EventId::parse(world.provider().name, "there_is_no_such_thing").expect("an id");
        if !world.provider().capabilities.endpoints {
            assert_lacks([endpoints.undelivered_events(since).await]);
            return assert_lacks([endpoints.event_time_ms(&unknown).await]);
        }
        endpoints.create_endpoint("http://127.0.0.1:9/nobody", "key-1").await.expect("is made");
        buy(world, 1).await;
        let open = endpoints.undelivered_events(since).await.expect("readable");
        assert!(!open.is_empty() && open.iter().all(|event| event.topup == topup(1)), "{open:?}");
        for event in &open {
            assert_eq!(endpoints.event_time_ms(&event.event).await, Ok(event.created_ms));
        }
        assert_eq!(endpoints.undelivered_events(since + 3_600).await, Ok(Vec::new()));
        assert_unknown(&endpoints.event_time_ms(&unknown).await);
    }

    async fn access_can_be_checked_or_is_unsupported(world: World) {
        let provider = world.provider();
        for resource in Resource::ALL {
            let answer = provider.access.can_read(resource).await;
            if provider.capabilities.access { assert_eq!(answer, Ok(())) } else { assert_lacks([answer]) }
        }
    }
}
