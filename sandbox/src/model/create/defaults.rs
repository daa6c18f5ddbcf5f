//! Fills in what a session request leaves out from the account's defaults, and shows it in the answer.

use serde_json::{Value, json};

use super::wanted::{Switch, Wanted};
use crate::model::account::AccountDefaults;

/// The request, with its missing options taken from the account's defaults.
pub(super) fn filled_in(mut wanted: Wanted, account: AccountDefaults) -> Wanted {
    let switch = |said: &mut Switch, default: bool| {
        said.enabled.get_or_insert(default);
    };
    switch(&mut wanted.automatic_tax, account.automatic_tax);
    switch(&mut wanted.adaptive_pricing, account.adaptive_pricing);
    switch(&mut wanted.phone_number_collection, account.phone_number_collection);
    switch(&mut wanted.tax_id_collection, account.tax_id_collection);
    switch(&mut wanted.managed_payments, account.managed_payments);
    if wanted.mode == "payment" {
        wanted.invoice_creation.enabled.get_or_insert(account.invoice_creation);
    }
    let default = |on: bool, value: Value| on.then_some(value);
    wanted.allow_promotion_codes = wanted.allow_promotion_codes.or(account.allow_promotion_codes.then_some(true));
    wanted.billing_address_collection =
        wanted.billing_address_collection.or(account.billing_address_collection.then(|| "required".to_owned()));
    wanted.customer_creation = wanted.customer_creation.or(account.customer_creation.then(|| "always".to_owned()));
    let consent =
        json!({ "payment_method_reuse_agreement": null, "promotions": "auto", "terms_of_service": "required" });
    wanted.consent_collection = wanted.consent_collection.or(default(account.consent_collection, consent));
    let names = json!({ "individual": { "enabled": true, "optional": false } });
    wanted.name_collection = wanted.name_collection.or(default(account.name_collection, names));
    let recovery = json!({ "recovery": {
        "allow_promotion_codes": false, "enabled": true, "expires_at": null, "url": null,
    } });
    wanted.after_expiration = wanted.after_expiration.or(default(account.after_expiration, recovery));
    let link = json!({ "link": { "display": "auto" } });
    wanted.wallet_options = wanted.wallet_options.or(default(account.link, link));
    wanted
}

/// The given members, and the default for each of the others.
fn with_members(mut members: Value, given: Value) -> Value {
    if let (Some(members), Value::Object(given)) = (members.as_object_mut(), given) {
        members.extend(given);
    }
    members
}

/// As shown in the answer: with every member.
pub(super) fn consent(said: Value) -> Value {
    let blank = json!({ "payment_method_reuse_agreement": null, "promotions": null, "terms_of_service": null });
    with_members(blank, said)
}

/// As shown in the answer: with every member.
pub(super) fn names(mut said: Value) -> Value {
    for name in said.as_object_mut().into_iter().flat_map(|names| names.values_mut()) {
        *name = with_members(json!({ "enabled": false, "optional": false }), name.take());
    }
    said
}

/// As shown in the answer: with every member.
pub(super) fn recovery(mut said: Value) -> Value {
    let blank = json!({ "allow_promotion_codes": false, "enabled": false, "expires_at": null, "url": null });
    let recovery = said.get_mut("recovery").map(Value::take).unwrap_or_default();
    json!({ "recovery": with_members(blank, recovery) })
}
