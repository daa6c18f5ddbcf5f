//! Products and prices, and checkouts that sell them.

use reqwest::Method;
use serde_json::json;

use crate::support::{World, session_with, start};

async fn product(world: &World) -> String {
    world.made("/v1/products", &[("name", "Credits")]).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_created_changed_listed_and_deleted() {
    let world = start().await;
    let params =
        [("name", "Pro"), ("id", "plan_pro"), ("metadata[plan]", "pro"), ("images[]", "https://example.com/p.png")];
    let pro = world.made("/v1/products", &params).await;
    assert_eq!((&pro["id"], &pro["active"], &pro["type"]), (&json!("plan_pro"), &json!(true), &json!("service")));
    assert_eq!(world.post("/v1/products", &params).await.error().1, "resource_already_exists");
    let update = [("active", "false"), ("description", "All of it"), ("images", "")];
    let changed = world.made("/v1/products/plan_pro", &update).await;
    assert_eq!((&changed["active"], &changed["images"]), (&json!(false), &json!([])));
    let other = product(&world).await;
    let active = world.get("/v1/products?active=true").await.json();
    assert_eq!(active["data"][0]["id"], json!(other));
    let by_ids = world.get("/v1/products?ids[]=plan_pro").await.json();
    assert_eq!(by_ids["data"].as_array().unwrap().len(), 1);
    world.made("/v1/prices", &[("product", &other), ("currency", "usd"), ("unit_amount", "100")]).await;
    let kept = world.send(Method::DELETE, &format!("/v1/products/{other}"), &[], &[]).await.unwrap();
    assert_eq!(kept.status, 400, "it has a price");
    let gone = world.send(Method::DELETE, "/v1/products/plan_pro", &[], &[]).await.unwrap().json();
    assert_eq!(gone, json!({ "id": "plan_pro", "object": "product", "deleted": true }));
    assert_eq!(world.get("/v1/products/plan_pro").await.status, 404);
    let kinds = world.event_types().await;
    assert_eq!(kinds, ["product.created", "product.updated", "product.created", "price.created", "product.deleted"]);
    assert_eq!(world.post("/v1/products", &[]).await.error().2, "name");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_exact_recurring_and_in_several_currencies() {
    let world = start().await;
    let product = product(&world).await;
    let params = [
        ("product", product.as_str()),
        ("currency", "usd"),
        ("unit_amount_decimal", "0.950"),
        ("currency_options[eur][unit_amount]", "2"),
        ("recurring[interval]", "month"),
        ("nickname", "Monthly"),
    ];
    let price = world.made("/v1/prices", &params).await;
    assert_eq!((&price["unit_amount"], &price["unit_amount_decimal"]), (&json!(null), &json!("0.95")));
    assert_eq!((&price["type"], &price["recurring"]["interval_count"]), (&json!("recurring"), &json!(1)));
    assert_eq!(price.get("currency_options"), None, "only on request");
    let path = format!("/v1/prices/{}", price["id"].as_str().unwrap());
    let shown = world.get(&format!("{path}?expand[]=currency_options&expand[]=product")).await.json();
    assert_eq!(shown["currency_options"]["eur"]["unit_amount"], json!(2));
    assert_eq!(shown["currency_options"]["usd"]["unit_amount_decimal"], json!("0.95"));
    assert_eq!(shown["product"]["name"], json!("Credits"));
    world.made(&path, &[("active", "false"), ("nickname", "")]).await;
    world.made(&path, &[("currency_options[gbp][unit_amount]", "3")]).await;
    let recurring = world.get("/v1/prices?recurring[interval]=month&active=false").await.json();
    assert_eq!(recurring["data"][0]["nickname"], json!(null));
    let kinds = world.event_types().await;
    assert_eq!(kinds[1..], ["price.created", "price.updated", "price.updated"]);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_key_names_one_price_and_can_be_moved() {
    let world = start().await;
    let product = product(&world).await;
    let params = [("product", product.as_str()), ("currency", "usd"), ("unit_amount", "1500"), ("lookup_key", "pro")];
    let first = world.made("/v1/prices", &params).await;
    assert_eq!(world.post("/v1/prices", &params).await.error().2, "lookup_key");
    let mut moved = params.to_vec();
    moved.push(("transfer_lookup_key", "true"));
    let second = world.made("/v1/prices", &moved).await;
    let found = world.get("/v1/prices?lookup_keys[]=pro&lookup_keys[]=other").await.json();
    assert_eq!((found["data"].as_array().unwrap().len(), &found["data"][0]["id"]), (1, &second["id"]));
    let old = world.get(&format!("/v1/prices/{}", first["id"].as_str().unwrap())).await.json();
    assert_eq!(old["lookup_key"], json!(null));
    assert_eq!(world.event_types().await[2..], ["price.updated", "price.created"]);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_prices_are_named_as_on_stripe() {
    let world = start().await;
    let product = product(&world).await;
    let good = [("product", product.as_str()), ("currency", "usd"), ("unit_amount", "100")];
    for (change, expected) in [
        (("product", "-"), ("parameter_missing", "product")),
        (("product", "prod_none"), ("resource_missing", "product")),
        (("currency", "xyz"), ("", "currency")),
        (("unit_amount", "-1"), ("parameter_invalid_integer", "unit_amount")),
        (("unit_amount", "-"), ("parameter_missing", "unit_amount")),
        (("unit_amount_decimal", "1.5"), ("", "unit_amount")),
        (("recurring[interval]", "decade"), ("", "recurring[interval]")),
        (("tiers[0][up_to]", "inf"), ("", "tiers")),
        (("currency_options[xyz][unit_amount]", "1"), ("", "currency_options[xyz]")),
    ] {
        let mut params: Vec<_> = good.iter().copied().filter(|(name, _)| *name != change.0).collect();
        params.extend(Some(change).filter(|(_, value)| *value != "-"));
        let error = world.post("/v1/prices", &params).await.error();
        assert_eq!((error.0, error.1.as_str(), error.2.as_str()), (400, expected.0, expected.1), "{change:?}");
    }
    for decimal in ["abc", "1.2345678901234"] {
        let params = [good[0], good[1], ("unit_amount_decimal", decimal)];
        assert_eq!(world.post("/v1/prices", &params).await.error().2, "unit_amount_decimal", "{decimal}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_sells_prices_by_their_ids() {
    let world = start().await;
    let product = product(&world).await;
    let params = [
        ("product", product.as_str()),
        ("currency", "usd"),
        ("unit_amount_decimal", "0.95"),
        ("currency_options[eur][unit_amount]", "2"),
    ];
    let price = world.made("/v1/prices", &params).await;
    let price = price["id"].as_str().unwrap();
    let sold = |currency: &'static str| {
        vec![
            ("mode", "payment"),
            ("line_items[0][price]", price),
            ("line_items[0][quantity]", "1001"),
            ("success_url", "http://127.0.0.1:9/return"),
            ("currency", currency),
        ]
    };
    let session = world.made("/v1/checkout/sessions", &sold("usd")).await;
    assert_eq!((&session["amount_total"], &session["currency"]), (&json!(951), &json!("usd")));
    let id = session["id"].as_str().unwrap();
    let path = format!("/v1/checkout/sessions/{id}?expand[]=line_items.data.price.product");
    let item = &world.get(&path).await.json()["line_items"]["data"][0];
    assert_eq!((&item["price"]["id"], &item["price"]["product"]["id"]), (&json!(price), &json!(product)));
    assert_eq!((&item["description"], &item["amount_total"]), (&json!("Credits"), &json!(951)));
    let page = world.get(&format!("/c/pay/{id}")).await;
    assert_eq!(page.status, 200);
    assert_eq!(world.made("/v1/checkout/sessions", &sold("eur")).await["amount_total"], json!(2002));
    let exact = session_with(&[
        ("line_items[0][price_data][unit_amount]", "-"),
        ("line_items[0][price_data][unit_amount_decimal]", "0.5"),
    ]);
    assert_eq!(world.made("/v1/checkout/sessions", &exact).await["amount_total"], json!(164));

    let monthly = [params[0], params[1], ("unit_amount", "100"), ("recurring[interval]", "month")];
    let monthly = world.made("/v1/prices", &monthly).await;
    world.made(&format!("/v1/prices/{price}"), &[("active", "false")]).await;
    for (price, words) in
        [(price, "inactive"), (monthly["id"].as_str().unwrap(), "recurring price"), ("price_none", "No such price")]
    {
        let mut params = sold("usd");
        params[1] = ("line_items[0][price]", price);
        let error = world.post("/v1/checkout/sessions", &params).await.error();
        assert_eq!((error.0, error.2.as_str()), (400, "line_items[0][price]"));
        assert!(error.3.contains(words), "{}", error.3);
    }
    world.sandbox.stop().await;
}
