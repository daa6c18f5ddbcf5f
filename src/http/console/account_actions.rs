//! Adjusting, blocking and unblocking an account, each with a page that says what will happen.

use actix_web::HttpRequest;
use actix_web::web::Payload;
use maud::{Markup, html};

use crate::books::settle_account::settled_balance;
use crate::console::actions;
use crate::console::operator_log::left_today;
use crate::console::words::of_credits;
use crate::domain::account::AccountId;
use crate::domain::ledger::Balance;
use crate::http::admin::adjustments::number_of_credits;
use crate::http::console::form::{Fields, account_path, after};
use crate::http::console::layout::{Place, at, change_fields};
use crate::http::console::page::{Page, PageError, see_other};
use crate::http::console::parts::{facts, field};
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

async fn balance(signed: &SignedIn, account: &AccountId) -> Result<Balance, PageError> {
    let (app, account) = (signed.state.app.clone(), account.clone());
    signed.run(async move { settled_balance(&app, &account).await }).await
}

fn heading(account: &AccountId, title: &str) -> Markup {
    html! {
        p.crumb { a href=(account_path(account.as_str())) { "Account" } }
        h1 { (title) }
        p.subtitle { code { (account) } }
    }
}

/// The form of an adjustment, and what it would do.
pub(super) async fn show_adjustment(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let account = fields.account()?;
    let wish = if fields.optional("credits").is_some() { Some(read_wish(&fields, &state)) } else { None };
    let now = balance(&signed, &account).await?;
    let (app, session, max) = (state.app.clone(), signed.session.clone(), signed.settings.support_max_credits);
    let left = signed.run(async move { left_today(&app, &session, max).await }).await?;
    let content = html! {
        (heading(&account, "Adjust credits"))
        (form(&account, &fields, state.app.pricing.decimals().get()))
        @if let Some(Ok((credits, reason))) = &wish { (effect(&signed, &account, &now, *credits, reason, left)) }
    };
    let framed = at(&signed, Place::Elsewhere);
    Ok(match wish {
        Some(Err(error)) => framed.show_error("Adjust credits", &error, &content),
        _ => framed.show("Adjust credits", &content),
    })
}

fn read_wish(fields: &Fields, state: &State) -> Result<(i64, String), ApiError> {
    let credits = fields.number("credits")?.unwrap_or_default();
    Ok((number_of_credits(credits, state.app.pricing.unit_credits())?, fields.reason()?))
}

fn form(account: &AccountId, fields: &Fields, decimals: u8) -> Markup {
    let hint = if decimals == 0 {
        "A whole number; below zero to take credits.".to_owned()
    } else {
        format!(
            "A whole number of the smallest part: people read the last {decimals} digits as decimals. Below zero to \
                take credits."
        )
    };
    html! {
        form.card method="get" action="/console/account/adjust" {
            input type="hidden" name="id" value=(account);
            (field("Credits", "credits", &html! {
                input #credits name="credits" required inputmode="numeric" value=(fields.text("credits"))
                    autocomplete="off" aria-describedby="credits-hint";
            }, Some(&hint)))
            (field("Reason", "reason", &html! {
                input #reason name="reason" required maxlength="500" value=(fields.text("reason")) autocomplete="off"
                    aria-describedby="reason-hint";
            }, Some("Kept for the record, with your name.")))
            button.plain type="submit" { "Preview" }
        }
    }
}

fn effect(
    signed: &SignedIn,
    account: &AccountId,
    now: &Balance,
    credits: i64,
    reason: &str,
    left: Option<i64>,
) -> Markup {
    let decimals = signed.state.app.pricing.decimals();
    let after = now.remaining_credits.saturating_add(credits);
    let what = if credits > 0 { "The account gets" } else { "The account loses" };
    html! {
        section.card aria-labelledby="effect-title" {
            h2 #effect-title { "What will happen" }
            (facts(&[
                (what, html! { strong { (of_credits(credits.saturating_abs(), decimals)) } }),
                ("Balance", html! {
                    (of_credits(now.remaining_credits, decimals)) " → " strong { (of_credits(after, decimals)) }
                }),
                ("Reason", html! { (reason) }),
            ]))
            @if let Some(left) = left {
                p.hint { "Your key may still refund and adjust " (of_credits(left, decimals)) " today (UTC)." }
            }
            form method="post" action="/console/account/adjust" {
                (change_fields(signed))
                input type="hidden" name="id" value=(account);
                input type="hidden" name="credits" value=(credits);
                input type="hidden" name="reason" value=(reason);
                button.danger type="submit" {
                    @if credits > 0 { "Give " } @else { "Take " } (of_credits(credits.saturating_abs(), decimals))
                }
                a.button.plain href=(account_path(account.as_str())) { "Cancel" }
            }
        }
    }
}

/// Makes the adjustment.
pub(super) async fn adjust(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = signed.form(&request, payload).await?;
    let (account, change) = (fields.account()?, fields.change()?);
    let (credits, reason) = read_wish(&fields, &state)?;
    let back = see_other(&after(&account_path(account.as_str()), &change));
    let (app, actor) = (state.app.clone(), signed.actor());
    signed.run(async move { actions::adjust(&app, &actor, change, account, credits, reason).await }).await?;
    Ok(back)
}

/// The form that blocks or unblocks.
pub(super) async fn show_block(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let account = Fields::of_query(&request)?.account()?;
    let is_blocked = balance(&signed, &account).await?.is_blocked;
    let title = if is_blocked { "Unblock" } else { "Block" };
    let content = html! {
        (heading(&account, title))
        form.card method="post" action="/console/account/block" {
            @if is_blocked {
                p { "The account may spend and reserve credits again." }
            } @else {
                p { "The account spends and reserves nothing new. Holds that are open come to their end, and credits \
                    can still be bought \
                    and given." }
            }
            (change_fields(&signed))
            input type="hidden" name="id" value=(account);
            input type="hidden" name="blocked" value=(if is_blocked { "no" } else { "yes" });
            (field("Reason", "reason", &html! {
                input #reason name="reason" required maxlength="500" autocomplete="off" aria-describedby="reason-hint";
            }, Some("Kept for the record, with your name.")))
            button.danger type="submit" { (title) " the account" }
            a.button.plain href=(account_path(account.as_str())) { "Cancel" }
        }
    };
    Ok(at(&signed, Place::Elsewhere).show(title, &content))
}

/// Blocks or unblocks.
pub(super) async fn block(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let fields = signed.form(&request, payload).await?;
    let (account, change, reason) = (fields.account()?, fields.change()?, fields.reason()?);
    let is_blocked = fields.text("blocked") == "yes";
    let back = see_other(&after(&account_path(account.as_str()), &change));
    let (app, actor) = (state.app.clone(), signed.actor());
    signed.run(async move { actions::set_blocked(&app, &actor, change, account, is_blocked, reason).await }).await?;
    Ok(back)
}
