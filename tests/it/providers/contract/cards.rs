//! Customers, their cards, and charges without them: each works as promised, or answers `Unsupported`.

use topup::domain::account::AccountId;
use topup::domain::ids::{CustomerId, PaymentId, PaymentMethodId, SetupId};
use topup::providers::port::{CardSetupRequest, Charge, CheckoutRequest, Customer, ProviderError};

use super::{TOTAL_MINOR, request, topup};
use crate::providers::contract::abilities::{all, assert_lacks};
use crate::providers::world::{Bank, World};
use crate::support::app::SUCCESS_URL;

fn account(number: u128) -> AccountId {
    AccountId::parse(format!("user_{number}")).expect("an account")
}

async fn customer(world: &impl World, number: u128) -> CustomerId {
    let key = format!("customer-{number}");
    world.provider().customers.create_customer(&account(number), &key).await.expect("is made")
}

/// The request to charge a card.
fn charge(world: &impl World, number: u128, customer: &CustomerId, card: &PaymentMethodId) -> CheckoutRequest {
    CheckoutRequest {
        customer: Some(customer.as_str().to_owned()),
        payment_method: Some(card.as_str().to_owned()),
        success_url: String::new(),
        ..request(world, number)
    }
}

fn no_customer(world: &impl World) -> CustomerId {
    CustomerId::parse(world.provider().name, "cus_there_is_no_such_thing").expect("an id")
}

fn no_card(world: &impl World) -> PaymentMethodId {
    PaymentMethodId::parse(world.provider().name, "pm_there_is_no_such_thing").expect("an id")
}

on_every_provider! {
    async fn a_customer_is_made_once_for_a_key_or_customers_are_unsupported(world: World) {
        let customers = world.provider().customers.clone();
        if !world.provider().capabilities.customers {
            assert_lacks([customers.create_customer(&account(1), "key").await]);
            return assert_lacks([customers.read_customer(&no_customer(world)).await]);
        }
        let made = customers.create_customer(&account(1), "key-1").await.expect("is made");
        assert_eq!(customers.create_customer(&account(1), "key-1").await.as_ref(), Ok(&made));
        assert_ne!(customers.create_customer(&account(2), "key-2").await.as_ref(), Ok(&made));
        let found = customers.read_customer(&made).await;
        assert_eq!(found, Ok(Some(Customer { id: made, default_card: None })));
        assert_eq!(customers.read_customer(&no_customer(world)).await, Ok(None));
    }

    async fn cards_are_listed_chosen_and_removed_or_are_unsupported(world: World) {
        let (cards, name) = (world.provider().cards.clone(), world.provider().name);
        let no_setup = SetupId::parse(name, "seti_there_is_no_such_thing").expect("an id");
        if !world.provider().capabilities.cards {
            let (customer, card) = (no_customer(world), no_card(world));
            assert_lacks([cards.list_cards(&customer).await]);
            assert_lacks([cards.read_card(&customer, &card).await]);
            assert_lacks([cards.remove_card(&card).await, cards.set_default_card(&customer, &card).await]);
            return assert_lacks([cards.card_of_setup(&no_setup).await]);
        }
        let (own, other) = (customer(world, 1).await, customer(world, 2).await);
        assert_eq!(cards.list_cards(&own).await, Ok(Vec::new()));
        assert_eq!(cards.list_cards(&no_customer(world)).await, Ok(Vec::new()));
        let card = world.save_card(&own, Bank::Pays).await;
        let listed = cards.list_cards(&own).await.expect("readable");
        let [saved] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!((&saved.id, saved.facts.last4.len()), (&card, 4));
        assert!((1..=12).contains(&saved.facts.exp_month) && !saved.facts.is_expired(world.now_ms()), "{saved:?}");
        assert_eq!(cards.read_card(&own, &card).await.as_ref(), Ok(&Some(saved.clone())));
        // Another customer's card is nobody's here.
        assert_eq!(cards.read_card(&other, &card).await, Ok(None));
        assert_eq!(cards.read_card(&own, &no_card(world)).await, Ok(None));
        cards.set_default_card(&own, &card).await.expect("is chosen");
        let found = world.provider().customers.read_customer(&own).await.expect("readable").expect("there");
        assert_eq!(found.default_card.as_ref(), Some(&card));
        cards.remove_card(&card).await.expect("is removed");
        assert_eq!(cards.list_cards(&own).await, Ok(Vec::new()));
        assert_eq!(cards.read_card(&own, &card).await, Ok(None));
        let unknown = cards.card_of_setup(&no_setup).await;
        assert!(matches!(unknown, Err(ProviderError::Unknown(_))), "{unknown:?}");
    }

    async fn a_page_that_saves_a_card_is_opened_once_for_a_key(world: World) {
        if !world.provider().capabilities.cards {
            return;
        }
        let request = CardSetupRequest {
            account_id: "user_1".to_owned(),
            customer: customer(world, 1).await,
            currency: "usd".to_owned(),
            success_url: SUCCESS_URL.to_owned(),
            cancel_url: None,
            expires_at_seconds: world.now_ms() / 1_000 + 7_200,
        };
        let cards = world.provider().cards.clone();
        let opened = cards.open_setup(&request, "setup-1").await.expect("opens");
        assert_eq!(cards.open_setup(&request, "setup-1").await.as_ref(), Ok(&opened));
        assert!(opened.url.starts_with("http"), "{opened:?}");
        let gone = CardSetupRequest { customer: no_customer(world), ..request };
        let refused = cards.open_setup(&gone, "setup-2").await;
        let is_missing = matches!(&refused, Err(ProviderError::Refused(failure)) if failure.code == "resource_missing");
        assert!(is_missing, "{refused:?}");
    }

    async fn a_saved_card_is_charged_once_for_a_key_or_charges_are_unsupported(world: World) {
        let charges = world.provider().off_session.clone();
        if !world.provider().capabilities.off_session {
            let request = charge(world, 1, &no_customer(world), &no_card(world));
            assert_lacks([charges.charge_card(&request, "key").await]);
            assert_lacks([charges.find_charge(&topup(1), &no_customer(world), (0, 1)).await]);
            let payment = PaymentId::parse(world.provider().name, "pi_1").expect("an id");
            assert_lacks([charges.cancel_charge(&payment).await]);
            return assert_lacks([charges.list_charges(0, None).await]);
        }
        let own = customer(world, 1).await;
        let card = world.save_card(&own, Bank::Pays).await;
        let within_ms = (world.now_ms() - 60_000, world.now_ms() + 60_000);
        assert_eq!(charges.find_charge(&topup(1), &own, within_ms).await, Ok(None));
        let request = charge(world, 1, &own, &card);
        let made = charges.charge_card(&request, "charge-1").await.expect("is made");
        assert_eq!(charges.charge_card(&request, "charge-1").await.as_ref(), Ok(&made));
        assert_eq!(charges.find_charge(&topup(1), &own, within_ms).await, Ok(Some(made.clone())));
        let Charge::Made(report) = &made else { panic!("{made:?}") };
        assert_eq!((&report.topup, report.amount_total_minor), (&topup(1), Some(TOTAL_MINOR)));
        assert_eq!(report.account.as_deref(), Some("user_1"));
        assert!(report.payment.is_some() && report.seal.is_some(), "{report:?}");
        // It reads and lists like a checkout.
        let read = world.provider().checkouts.read_checkout(&report.session).await.expect("readable");
        assert_eq!(read.as_ref(), Some(&**report));
        let since = world.now_ms() / 1_000 - 60;
        let listed = all(async |after| charges.list_charges(since, after).await).await;
        assert_eq!(listed, [(**report).clone()]);
        // One that is paid stays paid.
        let payment = report.payment.clone().expect("a payment");
        assert_eq!(charges.cancel_charge(&payment).await, Ok(made));
    }

    async fn a_declined_charge_is_an_answer_and_can_be_cancelled_for_good(world: World) {
        if !world.provider().capabilities.off_session {
            return;
        }
        let (own, charges) = (customer(world, 1).await, world.provider().off_session.clone());
        for (number, bank) in [(1, Bank::Declines), (2, Bank::AsksTheCustomer)] {
            let card = world.save_card(&own, bank).await;
            let request = charge(world, number, &own, &card);
            let key = format!("charge-{number}");
            let declined = charges.charge_card(&request, &key).await.expect("an answer");
            let Charge::Declined { payment: Some(payment), decline } = &declined else { panic!("{declined:?}") };
            assert_ne!(decline.word(), "unknown");
            assert_eq!(charges.charge_card(&request, &key).await.as_ref(), Ok(&declined));
            for _ in 0..2 {
                let cancelled = charges.cancel_charge(payment).await;
                assert!(matches!(cancelled, Ok(Charge::Declined { .. })), "{cancelled:?}");
            }
        }
        let unknown = charge(world, 3, &own, &no_card(world));
        let refused = charges.charge_card(&unknown, "charge-3").await;
        assert!(matches!(refused, Err(ProviderError::Refused(_) | ProviderError::Unknown(_))), "{refused:?}");
    }
}
