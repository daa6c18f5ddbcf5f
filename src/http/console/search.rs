//! The search box and its answer.

use actix_web::HttpRequest;
use maud::{Markup, html};

use crate::books::account_list::ListedAccount;
use crate::console::find::find;
use crate::console::words::credits;
use crate::domain::credit_unit::DisplayDecimals;
use crate::http::console::form::{Fields, account_path, failure_path, topup_path};
use crate::http::console::layout::{Place, at};
use crate::http::console::page::{Page, see_other};
use crate::http::console::parts::{self, badge, table, time};
use crate::http::console::session::SignedIn;
use crate::http::console::topups::webhooks_refused;
use crate::http::state::State;

/// What a text leads to. A single account is shown at once.
pub(super) async fn search(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let text = Fields::of_query(&request)?.text("q").to_owned();
    let (app, asked) = (state.app.clone(), text.clone());
    let found = Box::pin(signed.run(async move { find(&app, &asked).await })).await?;
    if let [account] = found.accounts.as_slice()
        && found.topup.is_none()
        && found.topups.is_empty()
        && account.id == text
    {
        return Ok(see_other(&account_path(&account.id)));
    }
    let decimals = state.app.pricing.decimals();
    let content = html! {
        h1 { "Search" }
        p.subtitle { "for " strong { (text) } }
        @if let Some(note) = &found.note { p.notice.quiet role="status" { (note) } }
        @if let Some(told) = &found.topup {
            @let id = told.explanation.topup.id.to_string();
            @let account = told.explanation.topup.account.as_str();
            (parts::story(&signed, &id, &told.story))
            (webhooks_refused(&signed, told))
            p { a.button.plain href=(topup_path(&id)) { "Everything about this top-up" } " "
                a.button.plain href=(account_path(account)) { "The account " (account) } }
        }
        @if let Some(failure) = &found.failure {
            section aria-labelledby="delivery-title" {
                h2 #delivery-title { "A delivery of this event failed" }
                p { (failure.error) }
                p { a.button.plain href=(failure_path(&failure.provider_event_id)) { "The failed delivery" } }
            }
        }
        @if !found.topups.is_empty() {
            section aria-labelledby="topups-title" {
                h2 #topups-title { "Top-ups" } (parts::topups(&found.topups, decimals, true))
            }
        }
        @if !found.accounts.is_empty() {
            section aria-labelledby="accounts-title" {
                h2 #accounts-title { "Accounts" } (accounts(&found.accounts, decimals))
            }
        }
    };
    Ok(at(&signed, Place::Elsewhere).searched(&text).show("Search", &content))
}

fn accounts(accounts: &[ListedAccount], decimals: DisplayDecimals) -> Markup {
    let rows: Vec<Markup> = accounts
        .iter()
        .map(|account| {
            html! {
                td {
                    a href=(account_path(&account.id)) { (account.id) } @if account.blocked_at.is_some() {
                        " " (badge("bad", "blocked"))
                    }
                }
                td.number { (credits(account.balance, decimals)) }
                td { (time(account.updated_at)) }
            }
        })
        .collect();
    table("Accounts", &["Account", "Balance", "Last change"], &rows)
}
