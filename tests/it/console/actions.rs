//! What is done in the console: once, with the record of who did it, and within the limit of the key.

use topup::access::api_keys::{self, Scope};
use topup::access::operator::Operator;
use topup::console::operator_log::{Begun, Change, LoggedEntry, Phase, begin, end, left_today};
use topup::console::person::{Role, Session};
use topup::domain::ids::ChangeId;
use topup::system::SystemIds;

use super::{Browser, api_key, start, start_with};
use crate::admin::buy;
use crate::on_both_databases;
use crate::support::{Options, TestApp, until};

/// The entries of an action, oldest first: phase and counted credits.
async fn logged(app: &TestApp, action: &str) -> Vec<(String, i64)> {
    let mut entries = app.app.db.operator_log((i64::MAX, "", ""), 200).await.expect("readable");
    entries.retain(|entry| entry.action == action);
    entries.reverse();
    entries.into_iter().map(|LoggedEntry { phase, credits, .. }| (phase, credits)).collect()
}

fn phases(entries: &[(String, i64)]) -> Vec<(&str, i64)> {
    entries.iter().map(|(phase, credits)| (phase.as_str(), *credits)).collect()
}

/// A session of the admin that a browser was signed in as.
async fn session_of_ann(app: &TestApp) -> Session {
    let keys = app.app.db.api_keys().await.expect("readable");
    let ann = keys.into_iter().find(|key| key.name == "ann").expect("known");
    let operator = Operator { name: format!("API key {} ({})", ann.id, ann.name), account: None };
    Session { key_id: ann.id, key_name: ann.name, role: Role::Admin, operator, expires_at_ms: i64::MAX }
}

on_both_databases! {
    async fn a_refund_is_previewed_made_once_and_written_down(backend: Backend) {
        let app = start(backend).await;
        let bought = buy(&app, "user_1").await;
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let path = format!("/console/topups/{}/refund", bought.topup);
        browser.get(&path).await.expect(200).has(&["The customer gets 2.89 USD , of which 0.39 USD is the fee", "250 credits → 0 credits"]);
        let preview = browser.get(&format!("{path}?what=credits&credits=100")).await.expect(200);
        let preview = preview.has(&["The customer gets 1.00 USD", "Taken from the account 100 credits", "250 credits → 150 credits",
            "Your key may still refund and adjust 10,000 credits today"]);
        let expected = preview.hidden("expected");
        assert_eq!(expected, "100 100");
        let fields = [("what", "credits"), ("credits", "100"), ("reason", "requested_by_customer"), ("expected", expected.as_str())];
        for _ in 0..2 {
            let done = browser.submit(&preview, &path, &fields).await.expect(200);
            done.has(&["Refund: done.", "1.00 USD went back", "100 were refunded."]);
        }
        let refunds = app.stripe.get(&format!("/v1/refunds?payment_intent={}", bought.payment)).await;
        assert_eq!(refunds["data"].as_array().map(Vec::len), Some(1), "{refunds}");
        assert_eq!(app.credits("user_1").await, 150);
        assert_eq!(phases(&logged(&app, "refund").await), [("asked", 100), ("done", 0)]);
        browser.get("/console/log").await.expect(200).has(&["Refund done", "(ann)", "100 credits, requested_by_customer"]);

        // What was shown is not what would be done by now.
        let stale = browser.post(&path, &[("token", &preview.hidden("token")), ("change", &format!("change_{:032x}", 7)),
            ("what", "everything"), ("reason", "duplicate"), ("expected", "289 250")]).await.expect(409);
        stale.has(&["Something changed since you looked", "The customer gets 1.89 USD"]);
        for (query, words) in [
            ("what=credits&credits=0", "more than 0"), ("what=credits&credits=x", "whole number"), ("what=amount&amount=", "more than 0"),
            ("what=nothing", "Choose what to refund"), ("what=credits&credits=9999", "Not possible. The largest number of credits"),
        ] {
            let shown = browser.get(&format!("{path}?{query}")).await;
            assert!(shown.status == 400 || shown.status == 200, "{}", shown.status);
            shown.has(&[words]);
        }
        browser.get(&format!("{path}?payment=pi_none")).await.expect(404);
        browser.get("/console/topups/topup_00000000000000000000000000000000/refund").await.expect(404);
        app.finish().await;
    }

    async fn a_key_of_support_moves_so_many_credits_a_day_and_no_more(backend: Backend) {
        let app = start_with(backend, Options::default().setting("SUPPORT_MAX_CREDITS", "300")).await;
        let bought = buy(&app, "user_1").await;
        let key = api_key(&app, &[Scope::Support], None).await;
        let mut browser = Browser::new(&app);
        browser.sign_in(&key).await.location();
        let adjust = "/console/account/adjust";
        let preview = browser.get(&format!("{adjust}?id=user_1&credits=200&reason=Sorry")).await.expect(200);
        let preview = preview.has(&["The account gets 200 credits", "250 credits → 450 credits", "300 credits today"]);
        let fields = [("id", "user_1"), ("credits", "200"), ("reason", "Sorry")];
        for _ in 0..2 {
            browser.submit(&preview, adjust, &fields).await.expect(200).has(&["Adjustment: done.", "Balance 450"]);
        }
        let again = browser.get(&format!("{adjust}?id=user_1&credits=-101&reason=Oops")).await.expect(200).has(&["100 credits today"]);
        let fields = [("id", "user_1"), ("credits", "-101"), ("reason", "Oops")];
        browser.submit(&again, adjust, &fields).await.expect(403).has(&["this key may refund and adjust 100 more credits today".replace("this", "This").as_str()]);
        let path = format!("/console/topups/{}/refund", bought.topup);
        let preview = browser.get(&path).await.expect(200);
        let fields = [("what", "everything"), ("reason", "fraudulent"), ("expected", "289 250")];
        browser.submit(&preview, &path, &fields).await.expect(403);
        assert_eq!(app.credits("user_1").await, 450);

        // What was refused counts nothing; taking more than there is is refused.
        let much = browser.get(&format!("{adjust}?id=user_2&credits=-50&reason=Oops")).await.expect(200);
        browser.submit(&much, adjust, &[("id", "user_2"), ("credits", "-50"), ("reason", "Oops")]).await.expect(404);
        assert_eq!(phases(&logged(&app, "adjustment").await), [("asked", 200), ("done", 0), ("asked", 50), ("refused", -50)]);
        let rest = browser.get(&format!("{adjust}?id=user_1&credits=100&reason=Sorry")).await.expect(200).has(&["100 credits today"]);
        browser.submit(&rest, adjust, &[("id", "user_1"), ("credits", "100"), ("reason", "Sorry")]).await.expect(200);

        // The limit belongs to the key; another key and the next day have their own, and admins have none.
        let mut other = Browser::signed_in(&app, Scope::Support).await;
        other.get(&format!("{adjust}?id=user_1&credits=1&reason=x")).await.expect(200).has(&["300 credits today"]);
        let mut admin = Browser::signed_in(&app, Scope::Admin).await;
        let much = admin.get(&format!("{adjust}?id=user_1&credits=100000&reason=x")).await.expect(200);
        admin.submit(&much, adjust, &[("id", "user_1"), ("credits", "100000"), ("reason", "x")]).await.expect(200);
        app.clock.advance_ms(86_400_000);
        browser.sign_in(&key).await.location();
        browser.get(&format!("{adjust}?id=user_1&credits=1&reason=x")).await.expect(200).has(&["300 credits today"]);
        app.finish().await;
    }

    async fn two_adjustments_at_once_share_the_limit(backend: Backend) {
        let app = start_with(backend, Options::default().setting("SUPPORT_MAX_CREDITS", "100")).await;
        buy(&app, "user_1").await;
        let key = api_key(&app, &[Scope::Support], None).await;
        let adjust = "/console/account/adjust";
        let one_of = async || {
            let mut browser = Browser::new(&app);
            browser.sign_in(&key).await.location();
            let page = browser.get(&format!("{adjust}?id=user_1&credits=60&reason=x")).await;
            browser.submit(&page, adjust, &[("id", "user_1"), ("credits", "60"), ("reason", "x")]).await.status
        };
        let mut statuses = futures_util::future::join_all([one_of(), one_of(), one_of(), one_of()]).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403, 403, 403]);
        assert_eq!(app.credits("user_1").await, 310);
        app.finish().await;
    }

    /// Two posts of one form may end at once, and differently: what one of them did counts.
    async fn a_refusal_gives_nothing_back_of_what_was_done(backend: Backend) {
        let app = start(backend).await;
        api_key(&app, &[Scope::Support], None).await;
        let key = app.app.db.api_keys().await.expect("readable").remove(0);
        let operator = Operator { name: "ann".to_owned(), account: None };
        let session = Session { key_id: key.id, key_name: key.name, role: Role::Support, operator, expires_at_ms: i64::MAX };
        for (number, ends) in [(1, [Phase::Done, Phase::Refused]), (2, [Phase::Refused, Phase::Done])] {
            let before = left_today(&app.app, &session, 100).await.expect("readable");
            let change = Change {
                id: ChangeId::from_bits(number),
                action: "adjustment",
                subject: "user_1".to_owned(),
                account: Some("user_1".to_owned()),
                credits: 40,
                detail: "a test".to_owned(),
            };
            assert_eq!(begin(&app.app, &session, &change, 100).await.expect("is written"), Begun::New);
            assert_eq!(begin(&app.app, &session, &change, 100).await.expect("is written"), Begun::Again);
            for phase in ends {
                end(&app.app, &session, &change, phase, String::new()).await.expect("is written");
            }
            let after = left_today(&app.app, &session, 100).await.expect("readable");
            assert_eq!(after, before.map(|left| left - 40), "{ends:?}");
        }
        app.finish().await;
    }

    /// Everything is taken by a form that is sent twice at once.
    async fn a_form_that_is_sent_twice_at_once_is_done_once_and_told_so_twice(backend: Backend) {
        let app = start(backend).await;
        for round in 0..5 {
            let account = format!("user_{round}");
            buy(&app, &account).await;
            let key = api_key(&app, &[Scope::Support], None).await;
            let adjust = "/console/account/adjust";
            let mut one = Browser::new(&app);
            one.sign_in(&key).await.location();
            let page = one.get(&format!("{adjust}?id={account}&credits=-250&reason=x")).await;
            let mut other = one.clone();
            let fields = [("id", account.as_str()), ("credits", "-250"), ("reason", "x")];
            let both = futures_util::future::join(one.submit(&page, adjust, &fields), other.submit(&page, adjust, &fields));
            let (one, other) = both.await;
            assert_eq!((one.status, other.status), (200, 200), "{}{}", one.body, other.body);
            assert_eq!(app.credits(&account).await, 0);
        }
        let entries = logged(&app, "adjustment").await;
        assert!(entries.iter().all(|(phase, _)| phase != "refused"), "{entries:?}");
        app.finish().await;
    }

    async fn an_account_is_blocked_and_unblocked_with_a_reason(backend: Backend) {
        let app = start(backend).await;
        buy(&app, "user_1").await;
        let mut browser = Browser::signed_in(&app, Scope::Admin).await;
        let block = "/console/account/block";
        let page = browser.get(&format!("{block}?id=user_1")).await.expect(200).has(&["Block the account"]);
        browser.submit(&page, block, &[("id", "user_1"), ("blocked", "yes"), ("reason", "")]).await.expect(400).has(&["Say why"]);
        let page = browser.get(&format!("{block}?id=user_1")).await;
        let done = browser.submit(&page, block, &[("id", "user_1"), ("blocked", "yes"), ("reason", "Its key was stolen")]).await.expect(200);
        done.has(&["Account blocked: done.", "blocked", "Its key was stolen"]);
        let page = browser.get(&format!("{block}?id=user_1")).await.expect(200).has(&["Unblock the account"]);
        let done = browser.submit(&page, block, &[("id", "user_1"), ("blocked", "no"), ("reason", "Found")]).await.expect(200);
        done.has(&["Account unblocked: done.", "Found"]);
        app.finish().await;
    }

    async fn keys_are_created_shown_once_and_revoked(backend: Backend) {
        let app = start(backend).await;
        let mut browser = Browser::signed_in(&app, Scope::Admin).await;
        let page = browser.get("/console/keys").await.expect(200);
        browser.submit(&page, "/console/keys", &[("name", "bob"), ("account", "")]).await.expect(400).has(&["Choose at least one"]);
        let page = browser.get("/console/keys").await.expect(200);
        let made = browser.submit(&page, "/console/keys", &[("name", "bob"), ("scope", "support"), ("account", "")]).await.expect(200);
        let secret = made.text().split_whitespace().find(|word| word.starts_with("topup_sk_")).expect("a key").to_owned();
        browser.submit(&page, "/console/keys", &[("name", "bob"), ("scope", "support"), ("account", "")]).await.expect(409).has(&["sent before", "perhaps nobody has seen the key", "Revoke…"]);
        let mut bob = Browser::new(&app);
        bob.sign_in(&secret).await.location();
        bob.get("/console").await.expect(200).has(&["bob", "support"]);

        let keys = app.app.db.api_keys().await.expect("readable");
        assert_eq!(keys.iter().filter(|key| key.name == "bob").count(), 1);
        let id = keys.into_iter().find(|key| key.name == "bob").expect("made").id;
        let path = "/console/keys/revoke";
        let page = browser.get(&format!("{path}?id={id}")).await.expect(200).has(&["bob", "Revoke the key"]);
        // The process ended between the entry and the revocation; the same form revokes the key.
        let session = session_of_ann(&app).await;
        let change = Change {
            id: ChangeId::parse(&page.hidden("change")).expect("an id"),
            action: "revoke_key",
            subject: id.clone(),
            account: None,
            credits: 0,
            detail: String::new(),
        };
        assert_eq!(begin(&app.app, &session, &change, 0).await.expect("is written"), Begun::New);
        browser.submit(&page, path, &[("id", &id)]).await.expect(200).has(&["Key revoked: done."]);
        bob.get("/console").await.location();
        browser.get(&format!("{path}?id={id}")).await.expect(404);
        let log = browser.get("/console/log").await.expect(200);
        assert!(!log.body.contains(&secret), "the log has no secret");
        app.finish().await;
    }

    /// The process ended after the form was written down: before the key was made, or after.
    async fn a_form_for_a_key_that_was_interrupted_tells_what_may_be_left(backend: Backend) {
        let app = start(backend).await;
        let mut browser = Browser::signed_in(&app, Scope::Admin).await;
        let session = session_of_ann(&app).await;
        let page = browser.get("/console/keys").await.expect(200);
        let change = Change {
            id: ChangeId::parse(&page.hidden("change")).expect("an id"),
            action: "create_key",
            subject: "carl".to_owned(),
            account: None,
            credits: 0,
            detail: "scopes: read".to_owned(),
        };
        assert_eq!(begin(&app.app, &session, &change, 0).await.expect("is written"), Begun::New);
        let form = [("name", "carl"), ("scope", "read"), ("account", "")];
        let again = browser.submit(&page, "/console/keys", &form).await.expect(409);
        again.has(&["sent before", "none was made, or it was revoked"]);
        let made = api_keys::create(&app.app.db, &SystemIds, &*app.clock, "carl", &[Scope::Read], None).await.expect("a key");
        let again = browser.submit(&page, "/console/keys", &form).await.expect(409);
        assert!(again.body.contains(&format!("/console/keys/revoke?id={}", made.id)), "{}", again.body);
        again.has(&["perhaps nobody has seen the key of carl", "revoke it and make another"]);
        api_keys::revoke(&app.app.db, &*app.clock, &made.id.to_string()).await.expect("is revoked");
        browser.submit(&page, "/console/keys", &form).await.expect(409).has(&["none was made, or it was revoked"]);
        app.finish().await;
    }

    async fn the_books_are_compared_with_stripe_s_on_demand(backend: Backend) {
        let app = start(backend).await;
        app.pay_session("user_1", 250).await;
        let mut browser = Browser::signed_in(&app, Scope::Admin).await;
        let page = browser.get("/console/reconciliations").await.expect(200).has(&["None yet."]);
        browser.submit(&page, "/console/reconciliations", &[]).await.expect(200);
        until("the credits", async || (app.credits("user_1").await == 250).then_some(())).await;
        let shown = until("the end", async || {
            let page = browser.get("/console/reconciliations").await;
            page.text().contains("nothing left").then_some(page)
        })
        .await;
        let (_, rest) = shown.body.split_once("/console/reconciliation?id=").expect("a link");
        let id = rest.split('"').next().expect("an end").to_owned();
        browser.get(&format!("/console/reconciliation?id={id}")).await.expect(200).has(&["Missing credits 1 0", "command"]);
        browser.get("/console").await.expect(200).has(&["Last comparison with Stripe nothing left"]);
        app.finish().await;
    }
}
