//! API keys: the list, creating one, revoking one. For admins.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use maud::{Markup, html};
use secrecy::ExposeSecret;

use crate::access::api_keys::Scope;
use crate::access::key_rows::ApiKeyRow;
use crate::console::key_actions::{CreateKeyError, CreatedKey, MAX_NAME_CHARACTERS, NewKey, create_key, revoke_key};
use crate::domain::account::AccountId;
use crate::http::console::form::{Fields, after, with_id};
use crate::http::console::layout::{Place, at, change_fields};
use crate::http::console::page::{Page, see_other};
use crate::http::console::parts::{badge, field, table, time, time_or_dash};
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

const fn meaning(scope: Scope) -> &'static str {
    match scope {
        Scope::Checkout => "open checkouts",
        Scope::Read => "read balances, ledgers and purchases",
        Scope::Spend => "spend credits",
        Scope::Support => "use this console, with a limit",
        Scope::Admin => "everything",
    }
}

/// All keys, and the form for a new one.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let app = state.app.clone();
    let read = async move { Ok::<_, ApiError>((app.db.api_keys().await?, app.db.api_key_uses().await?)) };
    let (mut keys, uses) = signed.run(read).await?;
    keys.reverse();
    let last_use = |key: &ApiKeyRow| uses.iter().find(|each| each.id == key.id).and_then(|each| each.last_used_at);
    let rows: Vec<Markup> = keys
        .iter()
        .map(|key| {
            html! {
                td { strong { (key.name) } br; code.soft { (key.id) } }
                td { @if key.revoked_at.is_some() { (badge("quiet", "revoked")) } @else { (badge("good", "active")) } }
                td { (key.scopes.replace(' ', ", ")) }
                td { (key.account_id.as_deref().unwrap_or("any")) }
                td { (time(key.created_at)) }
                td { (time_or_dash(last_use(key))) }
                td {
                    @if key.revoked_at.is_none() {
                        a href=(with_id("/console/keys/revoke", &key.id)) { "Revoke…" span.for-ears { " " (key.name) } }
                    }
                }
            }
        })
        .collect();
    let content = html! {
        h1 { "API keys" }
        (table("API keys", &["Key", "State", "Scopes", "Account", "Created", "Last used", "Change"], &rows))
        section aria-labelledby="new-title" { h2 #new-title { "New key" } (form(&signed)) }
    };
    let framed = at(&signed, Place::Keys).after_change(&fields).await?;
    Ok(framed.show("API keys", &content))
}

fn form(signed: &SignedIn) -> Markup {
    html! {
        form.card method="post" action="/console/keys" {
            (change_fields(signed))
            (field("Name", "name", &html! {
                input #name name="name" required maxlength=(MAX_NAME_CHARACTERS) autocomplete="off"
                    aria-describedby="name-hint";
            }, Some("What the key is for, such as the person or the server that has it.")))
            fieldset {
                legend { "Scopes" }
                @for scope in Scope::ALL {
                    label.choice for={ "scope-" (scope.as_str()) } {
                        input type="checkbox" id={ "scope-" (scope.as_str()) } name="scope" value=(scope.as_str());
                        span { (scope.as_str()) ": " (meaning(scope)) }
                    }
                }
            }
            (field("Account", "account", &html! {
                input #account name="account" maxlength="255" autocomplete="off" aria-describedby="account-hint";
            }, Some("The only account it may act for; empty for any account.")))
            button type="submit" { "Create the key" }
        }
    }
}

/// Creates a key and shows it once.
pub(super) async fn create(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let fields = signed.form(&request, payload).await?;
    let (change, key) = (fields.change()?, new_key(&fields)?);
    let name = key.name.clone();
    let (app, actor) = (state.app.clone(), signed.actor());
    let create = async move {
        create_key(&app, &actor, change, key).await.map_err(|error| match error {
            CreateKeyError::Action(error) => ApiError::from(error),
            CreateKeyError::Key(error) => ApiError::internal(&error),
        })
    };
    let created = signed.run(create).await?;
    let content = html! {
        p.crumb { a href="/console/keys" { "API keys" } }
        h1 { "New key" }
        (outcome(&name, &created))
        p { a.button.plain href="/console/keys" { "To the keys" } }
    };
    let status = if matches!(created, CreatedKey::Now(_)) { StatusCode::OK } else { StatusCode::CONFLICT };
    Ok(at(&signed, Place::Keys).with_status(status, "New key", &content))
}

fn outcome(name: &str, created: &CreatedKey) -> Markup {
    match created {
        CreatedKey::Now(secret) => html! {
            p.notice.good role="status" {
                "The key of " strong { (name) } " is shown this once. Keep it in a secret store."
            }
            p { code.secret data-copy=(secret.expose_secret()) tabindex="0" { (secret.expose_secret()) } }
        },
        CreatedKey::Before(keys) if keys.is_empty() => html! {
            p.notice.quiet role="status" {
                "This form was sent before, and there is no active key of it: none was made, or it was revoked. Fill \
                 in the form on the page of the keys once more."
            }
        },
        CreatedKey::Before(keys) => html! {
            p.notice.quiet role="status" {
                "This form was sent before, and its answer may have been lost: perhaps nobody has seen the key of "
                strong { (name) } ". If you do not have it, revoke it and make another."
            }
            ul {
                @for key in keys {
                    li {
                        code { (key.id) } ", created " (time(key.created_at)) " – "
                        a href=(with_id("/console/keys/revoke", &key.id)) { "Revoke…" span.for-ears { " " (key.id) } }
                    }
                }
            }
        },
    }
}

fn new_key(fields: &Fields) -> Result<NewKey, ApiError> {
    let name = fields.text("name").to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS {
        return Err(ApiError::field("name", "invalid", format!("must be 1 to {MAX_NAME_CHARACTERS} characters")));
    }
    let scopes: Option<Vec<Scope>> = fields.all("scope").map(Scope::parse).collect();
    let scopes = scopes.filter(|scopes| !scopes.is_empty());
    let scopes = scopes.ok_or_else(|| ApiError::field("scope", "required", "choose at least one"))?;
    let account = fields.optional("account").map(AccountId::parse).transpose();
    let account = account.map_err(|error| ApiError::field("account", "invalid_account", error.to_string()))?;
    Ok(NewKey { name, scopes, account })
}

/// Asks whether a key shall be revoked.
pub(super) async fn show_revoke(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let id = Fields::of_query(&request)?.text("id").to_owned();
    let app = state.app.clone();
    let keys = signed.run(async move { app.db.api_keys().await }).await?;
    let key = keys.into_iter().find(|key| key.id == id && key.revoked_at.is_none());
    let key = key.ok_or_else(|| ApiError::not_found("there is no active key with this id"))?;
    let content = html! {
        p.crumb { a href="/console/keys" { "API keys" } }
        h1 { "Revoke a key" }
        form.card method="post" action="/console/keys/revoke" {
            p { strong { (key.name) } " " code { (key.id) } }
            p { "It stops working within ten seconds, for good. Whoever is signed in to the console with it is \
                signed out at once."
                @if key.id == signed.session.key_id { strong { " This is the key you are signed in with." } } }
            (change_fields(&signed))
            input type="hidden" name="id" value=(key.id);
            button.danger type="submit" { "Revoke the key" }
            a.button.plain href="/console/keys" { "Cancel" }
        }
    };
    Ok(at(&signed, Place::Keys).show("Revoke a key", &content))
}

/// Revokes a key.
pub(super) async fn revoke(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let fields = signed.form(&request, payload).await?;
    let (change, key) = (fields.change()?, fields.text("id").to_owned());
    let to = see_other(&after("/console/keys", &change));
    let (app, actor) = (state.app.clone(), signed.actor());
    signed.run(async move { revoke_key(&app, &actor, change, &key).await }).await?;
    Ok(to)
}
