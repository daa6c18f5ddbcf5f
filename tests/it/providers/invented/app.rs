//! The whole service with Acme: it sells, gives money back and compares its books, with what Acme has.

use std::sync::Arc;

use topup::access::caller_key::CallerKey;
use topup::access::operator::Operator;
use topup::app::App;
use topup::app::check_key::{KeyVerdict, check_key};
use topup::config::{CommandConfig, Source};
use topup::db::Statement;
use topup::domain::account::Visible;
use topup::domain::checkout::TopupState;
use topup::domain::ids::{SessionId, TopupId};
use topup::domain::origin::AllowedOrigin;
use topup::domain::redirect::RedirectUrl;
use topup::domain::refund::RefundAsk;
use topup::inbox::accept_payment::{AcceptError, accept_payment};
use topup::inbox::apply_event::apply_event;
use topup::ports::Clock;
use topup::providers::port::ProviderError;
use topup::purchases::checkout::check_session::check_session;
use topup::purchases::checkout::create_checkout::{CreateCheckout, create_checkout};
use topup::purchases::fee::learn_fees::learn_fees;
use topup::purchases::outcome::{ApplyEventError, EventOutcome};
use topup::purchases::refund::refund_topup::{RefundTopup, refund_topup};
use topup::reconcile::lost::{FindLostError, find_lost};

use super::webhooks::sign;
use super::{Acme, NAME, SECRET};
use crate::on_both_databases;
use crate::reconcile::{NO_PAUSE, compare};
use crate::support::app::settings;
use crate::support::books::account_id;
use crate::support::clock::TestClock;
use crate::support::database::TestDatabase;

/// The provider that the rows of each table name.
static PROVIDERS: Statement = Statement::new(
    "SELECT (SELECT MAX(provider) FROM topups) AS topup, (SELECT MAX(provider) FROM payments) AS payment, \
    (SELECT MAX(provider) FROM webhook_events) AS event, (SELECT MAX(provider) FROM reversals) AS reversal, \
    (SELECT MAX(provider) FROM refund_requests) AS request",
);

#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
struct Providers {
    topup: Option<String>,
    payment: Option<String>,
    event: Option<String>,
    reversal: Option<String>,
    request: Option<String>,
}

/// The service with Acme as its provider.
pub struct Shop {
    pub app: Arc<App>,
    pub acme: Arc<Acme>,
    pub clock: Arc<TestClock>,
    _database: TestDatabase,
}

impl Shop {
    /// On a database of its own.
    pub async fn open(backend: crate::support::Backend) -> Self {
        Self::on(TestDatabase::migrated(backend).await).await
    }

    /// On a database that may have something in it.
    pub async fn on(database: TestDatabase) -> Self {
        let settings: Source = settings(&database.url, "http://127.0.0.1:9", &[]).into_iter().collect();
        let config = CommandConfig::load(&settings).expect("the settings are right");
        let mut app = topup::startup::command::connect(config, topup::startup::Environment::default())
            .await
            .expect("the database opens");
        let clock = Arc::new(TestClock::default());
        let acme = Acme::new(clock.clone());
        (app.provider, app.clock) = (acme.provider(), clock.clone());
        (app.checkout.expires_minutes, app.checkout.max_open) = (60, 10);
        Self { app: Arc::new(app), acme, clock, _database: database }
    }

    /// Checks the books. Every test ends with it.
    pub async fn finish(self) {
        assert_eq!(self.app.db.broken_rules().await.expect("readable"), Vec::<&str>::new(), "the books are wrong");
        let audit = topup::books::audit::audit(&self.app.db, true).await.expect("readable");
        assert_eq!(audit.differences, 0, "{audit:?}");
        self.app.db.close().await;
    }

    /// A customer opens a checkout for 250 credits.
    pub async fn checkout(&self, account: &str) -> String {
        let origins = [AllowedOrigin::parse("https://app.example.com").expect("an origin")];
        let command = CreateCheckout {
            account: account_id(account),
            credits: 250,
            currency: None,
            success_url: RedirectUrl::parse("https://app.example.com/done", &origins).expect("an address"),
            cancel_url: None,
            saves_card: false,
            idempotency: None,
        };
        create_checkout(&self.app, command).await.expect("opens").session
    }

    /// A customer has bought 250 credits, and the delivery came. Gives the top-up.
    pub async fn sell(&self, account: &str) -> TopupId {
        let session = self.checkout(account).await;
        self.acme.pay(&session);
        assert_eq!(self.deliver_all().await, ["credited"]);
        self.topup(&session).await
    }

    /// The top-up of a checkout.
    pub async fn topup(&self, session: &str) -> TopupId {
        let session = SessionId::parse(NAME, session).expect("an id");
        self.app.db.topup_by_session(&session).await.expect("readable").expect("a top-up").id
    }

    /// Delivers a body as Acme does.
    pub async fn deliver(&self, body: &str) -> Result<EventOutcome, ApplyEventError> {
        let header = sign(SECRET, body, self.clock.now_ms() / 1_000);
        apply_event(&self.app, Some(&header), body.to_owned(), None).await
    }

    /// Delivers what Acme has to say; what it comes to must be decided.
    pub async fn deliver_all(&self) -> Vec<&'static str> {
        let mut outcomes = Vec::new();
        for body in self.acme.take_deliveries() {
            match self.deliver(&body).await {
                Ok(EventOutcome::Decided(outcome)) => outcomes.push(outcome),
                other => panic!("{other:?} of {body}"),
            }
        }
        outcomes
    }

    /// What an account has.
    pub async fn credits(&self, account: &str) -> i64 {
        self.app.db.balance(&account_id(account)).await.expect("readable").remaining_credits
    }

    async fn state(&self, topup: &TopupId) -> TopupState {
        self.app.db.topup(topup).await.expect("readable").expect("a top-up").state
    }

    async fn providers(&self) -> Providers {
        self.app.db.read_optional(&PROVIDERS, &[]).await.expect("readable").expect("a row")
    }
}

impl Providers {
    /// Acme in every table; in these two only if refunds were made.
    fn acme(in_reversals: bool, in_requests: bool) -> Self {
        let acme = || "acme".to_owned();
        let (reversal, request) = (in_reversals.then(acme), in_requests.then(acme));
        Self { topup: Some(acme()), payment: Some(acme()), event: Some(acme()), reversal, request }
    }
}

on_both_databases! {
    async fn a_delivery_that_comes_twice_credits_once(backend: Backend) {
        let shop = Shop::open(backend).await;
        let session = shop.checkout("user_1").await;
        assert_eq!(shop.acme.take_deliveries(), Vec::<String>::new());
        shop.acme.pay(&session);
        let [body] = <[String; 1]>::try_from(shop.acme.take_deliveries()).expect("one delivery");
        assert_eq!(shop.deliver(&body).await.expect("is decided"), EventOutcome::Decided("credited"));
        assert_eq!(shop.deliver(&body).await.expect("is decided"), EventOutcome::Decided("duplicate"));
        assert_eq!(shop.credits("user_1").await, 250);
        assert_eq!(shop.providers().await, Providers::acme(false, false));
        shop.finish().await;
    }

    async fn a_delivery_without_a_valid_signature_credits_nothing(backend: Backend) {
        let shop = Shop::open(backend).await;
        let session = shop.checkout("user_1").await;
        shop.acme.pay(&session);
        let [body] = <[String; 1]>::try_from(shop.acme.take_deliveries()).expect("one delivery");
        for header in [None, Some(sign("another secret", &body, shop.clock.now_ms() / 1_000))] {
            let applied = apply_event(&shop.app, header.as_deref(), body.clone(), None).await;
            assert!(matches!(applied, Err(ApplyEventError::NotBelieved(_))), "{applied:?}");
        }
        assert_eq!(shop.credits("user_1").await, 0);
        assert_eq!(shop.providers().await.event, None);
        shop.finish().await;
    }

    async fn a_checkout_that_ends_is_over(backend: Backend) {
        let shop = Shop::open(backend).await;
        let session = shop.checkout("user_1").await;
        shop.acme.expire(&session);
        assert_eq!(shop.deliver_all().await, ["expired"]);
        let topup = shop.topup(&session).await;
        assert_eq!((shop.state(&topup).await, shop.credits("user_1").await), (TopupState::Expired, 0));
        shop.finish().await;
    }

    async fn a_customer_who_comes_back_first_has_the_credits(backend: Backend) {
        let shop = Shop::open(backend).await;
        let session = shop.checkout("user_1").await;
        shop.acme.pay(&session);
        let visible = Visible::Account(account_id("user_1"));
        let session = SessionId::parse(NAME, session).expect("an id");
        let seen = check_session(&shop.app, &session, &visible).await.expect("readable").expect("a top-up");
        assert_eq!((seen.state, shop.credits("user_1").await), (TopupState::Paid, 250));
        assert_eq!(shop.deliver_all().await, ["already_paid"]);
        assert_eq!(shop.credits("user_1").await, 250);
        shop.finish().await;
    }

    async fn a_refund_takes_the_credits(backend: Backend) {
        let shop = Shop::open(backend).await;
        let topup = shop.sell("user_1").await;
        let command = |ask, key: &str| RefundTopup {
            topup: topup.clone(),
            ask,
            payment: None,
            reason: "requested_by_customer".to_owned(),
            operator: Operator { name: "a test".to_owned(), account: None },
            key: CallerKey::of_refund(&topup, key.to_owned()),
        };
        let refunded = refund_topup(&shop.app, command(RefundAsk::Credits(100), "key-1")).await.expect("is made");
        assert_eq!((refunded.request.amount, shop.credits("user_1").await), (100, 150));
        // The delivery tells what is in the books, and so does the same request once more.
        shop.deliver_all().await;
        let again = refund_topup(&shop.app, command(RefundAsk::Credits(100), "key-1")).await.expect("is made");
        assert_eq!((again.request.id, shop.credits("user_1").await), (refunded.request.id, 150));
        refund_topup(&shop.app, command(RefundAsk::Everything, "key-2")).await.expect("is made");
        shop.deliver_all().await;
        assert_eq!(shop.credits("user_1").await, 0);
        assert_eq!(shop.providers().await, Providers::acme(true, true));
        shop.finish().await;
    }

    async fn a_refund_made_at_the_provider_takes_the_credits(backend: Backend) {
        let shop = Shop::open(backend).await;
        let topup = shop.sell("user_1").await;
        let (_, payment) = shop.acme.order_of(&topup);
        shop.acme.refund_by_hand(&payment.expect("a payment"), 50);
        let [body] = <[String; 1]>::try_from(shop.acme.take_deliveries()).expect("one delivery");
        for _ in 0..2 {
            let applied = shop.deliver(&body).await;
            assert!(matches!(applied, Ok(EventOutcome::Decided(_))), "{applied:?}");
            assert_eq!(shop.credits("user_1").await, 200);
        }
        shop.finish().await;
    }

    /// Acme cannot be asked whose payment it is: the delivery fails for now, and comes again.
    async fn a_refund_that_comes_before_its_payment_waits_for_it(backend: Backend) {
        let shop = Shop::open(backend).await;
        let session = shop.checkout("user_1").await;
        shop.acme.pay(&session);
        let topup = shop.topup(&session).await;
        shop.acme.refund_by_hand(&shop.acme.order_of(&topup).1.expect("a payment"), 50);
        let [payment, refund] = <[String; 2]>::try_from(shop.acme.take_deliveries()).expect("two deliveries");
        let early = shop.deliver(&refund).await;
        assert!(matches!(early, Err(ApplyEventError::Provider(ProviderError::Unsupported(_)))), "{early:?}");
        assert_eq!(shop.deliver(&payment).await.expect("is decided"), EventOutcome::Decided("credited"));
        let late = shop.deliver(&refund).await;
        assert!(matches!(late, Ok(EventOutcome::Decided(_))), "{late:?}");
        assert_eq!(shop.credits("user_1").await, 200);
        shop.finish().await;
    }

    async fn a_payment_of_more_can_be_accepted_while_its_delivery_is_kept(backend: Backend) {
        let mut shop = Shop::open(backend).await;
        let operator = Operator { name: "a test".to_owned(), account: None };
        for (account, payload_days) in [("user_1", 30), ("user_2", 0)] {
            Arc::get_mut(&mut shop.app).expect("no other reference").payload_days = payload_days;
            let session = shop.checkout(account).await;
            shop.acme.pay(&session);
            let [body] = <[String; 1]>::try_from(shop.acme.take_deliveries()).expect("one delivery");
            let applied = shop.deliver(&body.replace("\"total\":289", "\"total\":318")).await.expect("is rejected");
            assert!(matches!(applied, EventOutcome::Rejected(mismatch) if mismatch.can_be_accepted));
            let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let event = body["news"].as_str().expect("an id");
            let accepted = accept_payment(&shop.app, event, &operator, "tax").await;
            // Acme cannot be asked for it again; the operator is told the way out.
            match payload_days {
                0 => assert!(matches!(accepted, Err(AcceptError::PayloadErased)), "{accepted:?}"),
                _ => assert_eq!(accepted.expect("is accepted").credits, 250),
            }
        }
        assert_eq!((shop.credits("user_1").await, shop.credits("user_2").await), (250, 0));
        shop.finish().await;
    }

    async fn a_comparison_finds_what_was_not_delivered(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.sell("user_1").await;
        let (paid, lapsed, _open) = (shop.checkout("user_2").await, shop.checkout("user_3").await, shop.checkout("user_4").await);
        shop.acme.pay(&paid);
        shop.acme.expire(&lapsed);
        shop.acme.take_deliveries();
        let ended = compare(&shop.app).await;
        assert!(ended.is_clean(), "{ended:#?}");
        assert_eq!((ended.report.missing_credits.count, ended.report.missing_states.count), (1, 1));
        assert_eq!((shop.credits("user_1").await, shop.credits("user_2").await), (250, 250));
        assert_eq!(shop.state(&shop.topup(&lapsed).await).await, TopupState::Expired);
        let again = compare(&shop.app).await;
        assert!(again.is_clean(), "{again:#?}");
        assert_eq!(again.report.missing_credits.count, 0);
        shop.finish().await;
    }

    async fn a_comparison_of_refunds_asks_for_each(backend: Backend) {
        let shop = Shop::open(backend).await;
        let topup = shop.sell("user_1").await;
        shop.acme.refund_by_hand(&shop.acme.order_of(&topup).1.expect("a payment"), 50);
        shop.deliver_all().await;
        shop.acme.refund_by_hand(&shop.acme.order_of(&topup).1.expect("a payment"), 30);
        let ended = compare(&shop.app).await;
        assert!(ended.is_clean(), "{ended:#?}");
        assert_eq!(shop.credits("user_1").await, 170, "the refunds of a payment are asked for together");
        shop.finish().await;
    }

    async fn what_the_provider_lacks_is_not_asked_for(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.sell("user_1").await;
        assert!(matches!(check_key(&shop.app).await, KeyVerdict::Unknown(_)));
        let never = tokio_util::sync::CancellationToken::new();
        assert_eq!(learn_fees(&shop.app, std::time::Duration::ZERO, &never).await.expect("works"), 0);
        let lost = find_lost(&shop.app, 1, NO_PAUSE, std::future::pending()).await;
        assert!(matches!(lost, Err(FindLostError::Provider(ProviderError::Unsupported(_)))), "{lost:?}");
        shop.finish().await;
    }
}
