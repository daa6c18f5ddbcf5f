//! Lists are paged by ids, newest first, and filtered.

use serde_json::{Value, json};

use crate::support::{World, start};

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn five(world: &World) -> Vec<String> {
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(world.session().await);
    }
    sessions.reverse();
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_paged_newest_first_in_both_directions() {
    let world = start().await;
    let newest_first = five(&world).await;
    let page = world.get("/v1/checkout/sessions?limit=2").await.json();
    assert_eq!((ids(&page), &page["has_more"]), (newest_first[..2].to_vec(), &json!(true)));
    assert_eq!((&page["object"], &page["url"]), (&json!("list"), &json!("/v1/checkout/sessions")));
    let path = format!("/v1/checkout/sessions?limit=2&starting_after={}", newest_first[2]);
    let page = world.get(&path).await.json();
    assert_eq!((ids(&page), &page["has_more"]), (newest_first[3..].to_vec(), &json!(false)));
    let path = format!("/v1/checkout/sessions?limit=2&ending_before={}", newest_first[3]);
    let page = world.get(&path).await.json();
    assert_eq!((ids(&page), &page["has_more"]), (newest_first[1..3].to_vec(), &json!(true)));
    for (query, code) in [
        ("limit=101", "parameter_invalid_integer"),
        ("limit=0", "parameter_invalid_integer"),
        ("starting_after=cs_x", "resource_missing"),
        ("foo=1", "parameter_unknown"),
    ] {
        let error = world.get(&format!("/v1/checkout/sessions?{query}")).await.error();
        assert_eq!((error.0, error.1.as_str()), (400, code), "{query}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_found_by_status_payment_and_time() {
    let world = start().await;
    let newest_first = five(&world).await;
    let paid = world.confirm(&newest_first[1], "pm_card_visa").await.json();
    let intent = paid["payment_intent"]["id"].as_str().unwrap();
    let created = paid["created"].as_i64().unwrap();
    for (query, expected) in [
        ("status=complete".to_owned(), vec![newest_first[1].clone()]),
        (format!("payment_intent={intent}"), vec![newest_first[1].clone()]),
        (format!("created[gt]={}", created + 60), vec![]),
        (format!("created[lte]={}&status=complete", created + 60), vec![newest_first[1].clone()]),
        ("customer=cus_1".to_owned(), vec![]),
        ("customer_details[email]=customer@example.com".to_owned(), vec![newest_first[1].clone()]),
    ] {
        let found = world.get(&format!("/v1/checkout/sessions?{query}")).await.json();
        assert_eq!(ids(&found), expected, "{query}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_type_and_delivery() {
    let world = start().await;
    let session = world.session().await;
    world.confirm(&session, "pm_card_visa").await;
    for (query, count) in [
        ("type=charge.*", 2),
        ("type=payment_intent.succeeded", 1),
        ("types[]=charge.updated&types[]=payment_intent.created", 2),
        ("delivery_success=true", 5),
        ("delivery_success=false", 0),
    ] {
        let found = world.get(&format!("/v1/events?{query}")).await.json();
        assert_eq!(ids(&found).len(), count, "{query}");
    }
    let id = ids(&world.get("/v1/events?type=charge.updated").await.json()).remove(0);
    let event = world.get(&format!("/v1/events/{id}")).await.json();
    assert_eq!(event["data"]["previous_attributes"], json!({ "balance_transaction": null }));
    assert_eq!(event["livemode"], json!(false));
    world.sandbox.stop().await;
}
