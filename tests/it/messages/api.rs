//! Endpoints over HTTP: created, shown, changed, and what was sent to them.

use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::{Received, Receiver};
use super::{ACCOUNT, Product, text};
use crate::on_both_databases;
use crate::support::until;

on_both_databases! {
    async fn an_endpoint_is_created_shown_changed_and_deleted(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        assert_eq!(product.get("/admin/endpoints").await.expect(200), json!({ "data": [] }));
        let body =
            json!({ "url": receiver.url, "types": ["topup.paid", "balance.low", "topup.paid"], "description": "Shop" });
        let mut made = product.post("/admin/endpoints", body).await.expect(200);
        assert!(made["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
        made.as_object_mut().expect("an object").remove("secret");
        assert_eq!(made["types"], json!(["topup.paid", "balance.low"]));
        assert_eq!((&made["state"], &made["description"]), (&json!("active"), &json!("Shop")));
        let path = format!("/admin/endpoints/{}", text(&made["id"]));
        assert_eq!(product.get(&path).await.expect(200), made);
        assert_eq!(product.get("/admin/endpoints").await.expect(200), json!({ "data": [made] }));
        let change = json!({ "types": [], "state": "disabled" });
        let changed = product.ask(Method::PATCH, &path, Some(change)).await.expect(200);
        assert_eq!((&changed["types"], &changed["url"]), (&json!([]), &made["url"]));
        assert_eq!((&changed["state"], &changed["disabledReason"]), (&json!("disabled"), &json!("operator")));
        product.ask(Method::DELETE, &path, None).await.expect(204);
        product.get(&path).await.expect_problem(404, "not_found");
        product.ask(Method::DELETE, &path, None).await.expect_problem(404, "not_found");
        assert_eq!(product.get("/admin/endpoints").await.expect(200), json!({ "data": [] }));
        product.finish().await;
    }

    async fn an_endpoint_gets_only_the_types_that_it_wants(backend: Backend) {
        let product = Product::open(backend).await;
        let (some, all) = (Receiver::start().await, Receiver::start().await);
        product.add_for(&some, &["hold.expired"]).await;
        product.add(&all).await;
        product.buy(ACCOUNT, 250).await;
        product.hold(ACCOUNT, 10, 60).await;
        product.after_seconds(61);
        some.wait_for("hold.expired").await;
        all.wait_for("hold.expired").await;
        assert_eq!(
            (some.events(), all.events()),
            (vec!["hold.expired".to_owned()], vec!["topup.paid".to_owned(), "hold.expired".to_owned()]),
        );
        product.finish().await;
    }

    async fn deliveries_are_listed_in_pages_and_resent(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, _) = product.add(&receiver).await;
        let mut ids: Vec<String> = Vec::new();
        for number in 1..=5 {
            let test = product.post(&format!("/admin/endpoints/{id}/test"), json!({})).await.expect(200);
            ids.insert(0, text(&test["messageId"]));
            receiver.wait_for_taken(number).await;
        }
        until("recorded", async || Some(product.deliveries(&id, "done").await).filter(|done| done.len() == 5)).await;
        let (mut listed, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = product.get(&format!("/admin/endpoints/{id}/deliveries?limit=2{cursor}")).await.expect(200);
            listed.extend(page["data"].as_array().expect("a list").iter().map(|one| text(&one["messageId"])));
            match &page["nextCursor"] {
                Value::String(next) => cursor = format!("&cursor={next}"),
                _ => break,
            }
        }
        assert_eq!(listed, ids);
        assert_eq!(product.deliveries(&id, "failed").await, Vec::<Value>::new());
        let path = format!("/admin/endpoints/{id}/deliveries/{}/resend", ids[2]);
        let resent = product.post(&path, json!({})).await.expect(200);
        assert_eq!(resent["messageId"], json!(ids[2]));
        let taken = receiver.wait_for_taken(6).await;
        assert_eq!((taken[5].id(), &taken[5].text), (ids[2].as_str(), &taken[2].text));
        let done = until("recorded", async || {
            product.deliveries(&id, "done").await.into_iter().find(|one| one["attempts"] == 2)
        })
        .await;
        assert_eq!(done["messageId"], json!(ids[2]));
        product.finish().await;
    }

    async fn the_messages_of_a_period_are_resent_in_order(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let late = Receiver::start().await;
        product.add_for(&receiver, &["topup.paid"]).await;
        for _ in 0..3 {
            product.buy(ACCOUNT, 250).await;
        }
        receiver.wait_for_taken(3).await;
        let (id, _) = product.add_for(&late, &["topup.paid"]).await;
        let period = json!({ "from": "2020-01-01T00:00:00Z" });
        let path = format!("/admin/endpoints/{id}/resend");
        assert_eq!(product.post(&path, period.clone()).await.expect(200)["messages"], 3);
        let got = late.wait_for_taken(3).await;
        let ids = |messages: &[Received]| messages.iter().map(|one| one.id().to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(&got), ids(&receiver.taken()));
        until("recorded", async || Some(product.deliveries(&id, "done").await).filter(|done| done.len() == 3)).await;
        assert_eq!(product.post(&path, period).await.expect(200)["messages"], 0, "nothing was missed");
        let all = json!({ "from": "2020-01-01T00:00:00Z", "which": "all" });
        assert_eq!(product.post(&path, all).await.expect(200)["messages"], 3);
        late.wait_for_taken(6).await;
        let before = json!({ "from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z", "which": "all" });
        assert_eq!(product.post(&path, before).await.expect(200)["messages"], 0);
        product.finish().await;
    }
}
