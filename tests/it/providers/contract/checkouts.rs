//! Checkouts: opened once for each key, found again, and told of as they stand.

use topup::domain::account::AccountId;
use topup::domain::checkout::{Agreement, PurchaseProgress, PurchaseReport, Seal};
use topup::domain::currency::Currency;
use topup::domain::expiry::ExpiryDays;
use topup::domain::ids::SessionId;
use topup::providers::port::{CheckoutRequest, OpenedCheckout, ProviderError};

use super::{HOUR_MS, TOTAL_MINOR, buy, open, request, topup};
use crate::providers::world::World;

/// A report must say what was asked for, by the rules that decide about credits.
fn assert_as_asked(world: &impl World, report: &PurchaseReport, request: &CheckoutRequest) {
    let agreement = Agreement {
        topup: report.topup.clone(),
        account: AccountId::parse(request.account_id.as_str()).expect("an account"),
        credits: 250,
        bonus_credits: 12,
        expiry: ExpiryDays::new(365),
        currency: Currency::USD,
        total_amount_minor: TOTAL_MINOR,
        tax: None,
        provider: world.provider().name,
        livemode: false,
        session: Some(report.session.clone()),
        accepted_amount_minor: None,
    };
    assert_eq!(agreement.check(report), Ok(()));
    assert_eq!(report.topup.as_str(), request.topup_id);
    assert_eq!(report.event, None, "it was asked for");
    let seal = request.terms.clone().zip(request.signature.clone());
    let seal = seal.map(|(terms, signature)| Box::new(Seal { terms, signature }));
    assert_eq!(report.seal, seal, "the seal comes back to the letter");
}

/// What the provider says of a checkout now.
async fn read(world: &impl World, session: &SessionId) -> PurchaseReport {
    world.provider().checkouts.read_checkout(session).await.expect("readable").expect("ours")
}

/// Looks for the checkout of a top-up that was opened within a time from now.
async fn find(world: &impl World, number: u128, from_ms: i64, to_ms: i64) -> Option<OpenedCheckout> {
    let within_ms = (world.now_ms() + from_ms, world.now_ms() + to_ms);
    world.provider().checkouts.find_checkout(&topup(number), within_ms).await.expect("readable")
}

on_every_provider! {
    async fn the_same_key_and_request_open_one_checkout(world: World) {
        let (checkouts, request) = (world.provider().checkouts.clone(), request(world, 1));
        let first = checkouts.open_checkout(&request, "key-1").await.expect("opens");
        let again = checkouts.open_checkout(&request, "key-1").await.expect("opens");
        assert_eq!(again, first);
        let other = checkouts.open_checkout(&request, "key-2").await.expect("opens");
        assert_ne!(other.session, first.session);
        // A key that is used at once by two processes opens one, too.
        let both = tokio::join!(checkouts.open_checkout(&request, "key-3"), checkouts.open_checkout(&request, "key-3"));
        match both {
            (Ok(one), Ok(two)) => assert_eq!(one.session, two.session),
            (Ok(_), Err(ProviderError::Limited(failure))) | (Err(ProviderError::Limited(failure)), Ok(_)) => {
                assert_eq!(failure.code, "idempotency_key_in_use");
            }
            both => panic!("{both:?}"),
        }
    }

    async fn what_is_opened_is_what_was_asked_for(world: World) {
        let request = request(world, 1);
        let opened = open(world, 1).await;
        assert_eq!(opened.session.provider(), &world.provider().name);
        assert!(opened.url.is_some_and(|url| url.starts_with("http")), "a page to send the customer to");
        assert_eq!(opened.expires_at_seconds, request.expires_at_seconds);
        let report = opened.report.expect("it says that it is ours");
        assert_as_asked(world, &report, &request);
        assert_eq!((&report.session, report.progress), (&opened.session, PurchaseProgress::Nothing));
    }

    /// However a provider shows them: a unit of many credits costs what was agreed, and their number comes back.
    async fn small_credits_cost_what_their_units_cost(world: World) {
        let small = CheckoutRequest {
            credits: 2_500_000,
            credit_unit_credits: 10_000,
            credit_display_decimals: 6,
            ..request(world, 1)
        };
        let opened = world.provider().checkouts.open_checkout(&small, "key-1").await.expect("opens");
        let report = opened.report.expect("it says that it is ours");
        assert_eq!((report.credits.as_deref(), report.amount_total_minor), (Some("2500000"), Some(TOTAL_MINOR)));
        world.pay(&opened.session).await;
        assert_eq!(read(world, &opened.session).await.amount_total_minor, Some(TOTAL_MINOR));
    }

    async fn a_checkout_is_found_within_its_time_only(world: World) {
        let opened = open(world, 1).await;
        open(world, 2).await;
        assert_eq!(find(world, 1, -HOUR_MS, HOUR_MS).await.map(|found| found.session), Some(opened.session));
        assert_eq!(find(world, 1, -3 * HOUR_MS, -2 * HOUR_MS).await, None);
        assert_eq!(find(world, 1, 2 * HOUR_MS, 3 * HOUR_MS).await, None);
        assert_eq!(find(world, 3, -HOUR_MS, HOUR_MS).await, None, "no checkout was opened for it");
    }

    async fn a_found_checkout_says_what_was_asked_for(world: World) {
        let opened = open(world, 1).await;
        let found = find(world, 1, -HOUR_MS, HOUR_MS).await.expect("it is there");
        assert_eq!(found, opened);
        assert_as_asked(world, &found.report.expect("ours"), &request(world, 1));
    }

    async fn a_checkout_is_read_as_it_stands(world: World) {
        let (open, paid, expired) = (open(world, 1).await, open(world, 2).await, open(world, 3).await);
        world.pay(&paid.session).await;
        world.expire(&expired.session).await;
        let open = read(world, &open.session).await;
        let (paid, expired) = (read(world, &paid.session).await, read(world, &expired.session).await);
        let progress = [&open, &paid, &expired].map(|report| report.progress);
        assert_eq!(progress, [PurchaseProgress::Nothing, PurchaseProgress::Paid, PurchaseProgress::Expired]);
        for (report, number) in [(&open, 1), (&paid, 2), (&expired, 3)] {
            assert_as_asked(world, report, &request(world, number));
        }
        let payment = paid.payment.expect("a payment");
        assert_eq!(payment.provider(), &world.provider().name);
    }

    async fn a_key_opens_nothing_new_once_its_checkout_is_paid(world: World) {
        let (session, payment) = buy(world, 1).await;
        // A process that did not hear of it asks once more.
        assert_eq!(open(world, 1).await.session, session);
        assert_eq!(read(world, &session).await.payment, Some(payment));
    }

    async fn an_unknown_checkout_is_reported_as_unknown(world: World) {
        open(world, 1).await;
        let unknown = SessionId::parse(world.provider().name, "there_is_no_such_thing").expect("an id");
        let read = world.provider().checkouts.read_checkout(&unknown).await;
        assert!(matches!(read, Ok(None) | Err(ProviderError::Unknown(_))), "{read:?}");
    }
}
