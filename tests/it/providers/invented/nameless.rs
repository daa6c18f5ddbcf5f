//! A reader at fault: it gives events without their ids.

use std::sync::Arc;

use topup::domain::checkout::PurchaseReport;
use topup::inbox::apply_event::apply_event;
use topup::inbox::failed_events::{FailureCursor, FailureFilter};
use topup::ports::Clock;
use topup::providers::event::{ProviderEvent, WebhookError, WebhookReader};
use topup::purchases::outcome::ApplyEventError;

use super::SECRET;
use super::app::Shop;
use super::webhooks::{AcmeWebhooks, sign};
use crate::on_both_databases;

struct Nameless(AcmeWebhooks);

fn without_id(read: Result<ProviderEvent, WebhookError>) -> Result<ProviderEvent, WebhookError> {
    let report = read?.report().expect("a report").clone();
    Ok(ProviderEvent::purchase(PurchaseReport { event: None, ..report }))
}

impl WebhookReader for Nameless {
    fn check_header(&self, header: Option<&str>, now_ms: i64) -> Result<(), WebhookError> {
        self.0.check_header(header, now_ms)
    }

    fn read(&self, header: Option<&str>, body: &[u8], now_ms: i64) -> Result<ProviderEvent, WebhookError> {
        without_id(self.0.read(header, body, now_ms))
    }

    fn read_untimely(&self, header: Option<&str>, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        without_id(self.0.read_untimely(header, body))
    }

    fn read_verified(&self, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        without_id(self.0.read_verified(body))
    }
}

on_both_databases! {
    async fn a_payment_whose_event_has_no_id_is_listed_and_not_acknowledged(backend: Backend) {
        let mut shop = Shop::open(backend).await;
        let session = shop.checkout("user_1").await;
        shop.acme.pay(&session);
        let [body] = <[String; 1]>::try_from(shop.acme.take_deliveries()).expect("one delivery");
        let app = Arc::get_mut(&mut shop.app).expect("used nowhere else");
        app.provider.webhooks = Arc::new(Nameless(AcmeWebhooks { secret: SECRET }));
        let header = sign(SECRET, &body, shop.clock.now_ms() / 1_000);
        let applied = apply_event(&shop.app, Some(&header), body, None).await;
        assert!(matches!(applied, Err(ApplyEventError::NotUnderstood(_))), "{applied:?}");
        assert_eq!(shop.credits("user_1").await, 0);
        let listed = shop.app.db.failed_events(FailureFilter::default(), &FailureCursor::NEWEST, 10).await;
        let listed = listed.expect("readable");
        assert!(listed.len() == 1 && listed[0].error.contains("no id"), "{listed:?}");
        shop.finish().await;
    }
}
