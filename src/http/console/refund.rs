//! Refunds: what would happen, and then the refund.

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use maud::{Markup, html};

use crate::console::actions::{self, RefundWish};
use crate::console::operator_log::left_today;
use crate::console::words::{money, of_credits, parse_money};
use crate::domain::currency::Currency;
use crate::domain::ids::{PaymentId, TopupId};
use crate::domain::refund::RefundAsk;
use crate::domain::refund_reason::RefundReason;
use crate::http::console::form::{Fields, after, topup_id, topup_path};
use crate::http::console::layout::{Place, at, change_fields};
use crate::http::console::page::{Page, PageError, see_other, sentence};
use crate::http::console::parts::{facts, field};
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::purchases::refund::refund_topup::{RefundPreview, preview_refund};

/// A reason as people say it.
const fn in_words(reason: RefundReason) -> &'static str {
    match reason {
        RefundReason::RequestedByCustomer => "the customer asked for it",
        RefundReason::Duplicate => "it was paid twice",
        RefundReason::Fraudulent => "it was fraud",
    }
}

/// What was chosen on the form.
struct Choice {
    what: String,
    ask: RefundAsk,
    payment: Option<String>,
    reason: String,
}

impl Choice {
    fn read(fields: &Fields, currency: Currency) -> Result<Self, ApiError> {
        let what = fields.optional("what").unwrap_or("everything");
        let ask = match what {
            "everything" => RefundAsk::Everything,
            "unspent" => RefundAsk::Unspent,
            "credits" => RefundAsk::Credits(positive("credits", fields.number("credits")?)?),
            "amount" => RefundAsk::Amount(positive("amount", parse_money(fields.text("amount"), currency))?),
            _ => return Err(ApiError::field("what", "invalid_choice", "choose what to refund")),
        };
        let reason = fields.optional("reason").unwrap_or(RefundReason::RequestedByCustomer.as_str());
        if RefundReason::parse(reason).is_none() {
            return Err(ApiError::field("reason", "unknown_reason", "choose a reason"));
        }
        let payment = fields.optional("payment").map(str::to_owned);
        Ok(Self { what: what.to_owned(), ask, payment, reason: reason.to_owned() })
    }

    fn payment(&self, state: &State) -> Result<Option<PaymentId>, ApiError> {
        let payment = self.payment.as_deref().map(|text| PaymentId::parse(state.app.provider.name, text)).transpose();
        payment.map_err(|_| ApiError::field("payment", "invalid_id", "must be the id of a payment"))
    }
}

fn positive(name: &str, number: Option<i64>) -> Result<i64, ApiError> {
    number.filter(|number| *number > 0).ok_or_else(|| ApiError::field(name, "invalid", "say how much, more than 0"))
}

/// The currency of amounts on the form.
async fn currency_of(signed: &SignedIn, id: &TopupId) -> Result<Currency, PageError> {
    let (app, id) = (signed.state.app.clone(), id.clone());
    let topup = signed.run(async move { app.db.topup(&id).await }).await?;
    Ok(topup.map(|topup| topup.currency).ok_or_else(|| ApiError::not_found("there is no such top-up or payment"))?)
}

async fn preview(signed: &SignedIn, id: &TopupId, choice: &Choice) -> Result<RefundPreview, PageError> {
    let (app, id, ask) = (signed.state.app.clone(), id.clone(), choice.ask);
    let (payment, operator) = (choice.payment(&signed.state)?, signed.session.operator.clone());
    let found = signed.run(async move { preview_refund(&app, &id, payment.as_ref(), ask, &operator).await }).await?;
    Ok(found.ok_or_else(|| ApiError::not_found("there is no such top-up or payment"))?)
}

/// The form, and what the refund would do.
pub(super) async fn show(request: HttpRequest, path: Path<String>, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let (id, fields) = (topup_id(&path)?, Fields::of_query(&request)?);
    render(&signed, &id, &fields, None).await
}

async fn render(signed: &SignedIn, id: &TopupId, fields: &Fields, problem: Option<&ApiError>) -> Page {
    let state = &signed.state;
    let currency = currency_of(signed, id).await?;
    let (choice, mistake) = match Choice::read(fields, currency) {
        Ok(choice) => (choice, None),
        Err(error) => (Choice::read(&Fields::default(), currency)?, Some(error)),
    };
    let preview = preview(signed, id, &choice).await?;
    let (app, session, max) = (state.app.clone(), signed.session.clone(), signed.settings.support_max_credits);
    let left = signed.run(async move { left_today(&app, &session, max).await }).await?;
    let content = html! {
        p.crumb { a href=(topup_path(id.as_str())) { "Top-up" } }
        h1 { "Refund" }
        p.subtitle { code { (id) } " of " strong { (preview.facts.account) } }
        (form(id, fields, &choice))
        @if mistake.is_none() { (effect(signed, id, fields, &choice, &preview, left)) }
    };
    let framed = at(signed, Place::Topups);
    Ok(match problem.or(mistake.as_ref()) {
        Some(error) => framed.show_error("Refund", error, &content),
        None => framed.show("Refund", &content),
    })
}

fn form(id: &TopupId, fields: &Fields, choice: &Choice) -> Markup {
    let wanted = fields.optional("what").unwrap_or(&choice.what);
    let option = |value: &str, label: &str| {
        html! {
            label.choice for={ "what-" (value) } {
                input type="radio" id={ "what-" (value) } name="what" value=(value) checked[wanted == value];
                span { (label) }
            }
        }
    };
    html! {
        form.card method="get" action={ (topup_path(id.as_str())) "/refund" } {
            @if let Some(payment) = &choice.payment {
                p { "Of the payment " code { (payment) } }
                input type="hidden" name="payment" value=(payment);
            }
            fieldset {
                legend { "What to refund" }
                (option("everything", "Everything that is left, with the fee"))
                @if choice.payment.is_none() {
                    (option("unspent", "The price of what is unspent, without the fee"))
                    (option("credits", "The price of so many credits, without the fee"))
                }
                (option("amount", "An amount"))
            }
            div.row {
                @if choice.payment.is_none() {
                    (field("Credits", "credits", &html! {
                        input #credits name="credits" inputmode="numeric" value=(fields.text("credits"))
                            autocomplete="off";
                    }, None))
                }
                (field("Amount", "amount", &html! {
                    input #amount name="amount" inputmode="decimal" placeholder="2.89" value=(fields.text("amount"))
                        autocomplete="off";
                }, None))
                (field("Reason", "reason", &html! {
                    select #reason name="reason" {
                        @for reason in RefundReason::ALL {
                            option value=(reason.as_str()) selected[choice.reason == reason.as_str()] {
                                (in_words(reason))
                            }
                        }
                    }
                }, None))
            }
            button.plain type="submit" { "Preview" }
        }
    }
}

/// What was chosen, for the form that makes the refund.
fn kept_fields(choice: &Choice) -> [(&'static str, Option<&String>); 3] {
    [("what", Some(&choice.what)), ("payment", choice.payment.as_ref()), ("reason", Some(&choice.reason))]
}

fn effect(
    signed: &SignedIn,
    id: &TopupId,
    fields: &Fields,
    choice: &Choice,
    preview: &RefundPreview,
    left: Option<i64>,
) -> Markup {
    let decimals = signed.state.app.pricing.decimals();
    let plan = match preview.plan {
        Ok(plan) => plan,
        Err(refusal) => {
            return html! { p.alert role="alert" { strong { "Not possible. " } (sentence(&refusal.to_string())) } };
        }
    };
    let taken = plan.credits.saturating_add(plan.bonus_credits);
    let before = preview.funds.remaining;
    let currency = &preview.facts.currency;
    html! {
        section.card aria-labelledby="effect-title" {
            h2 #effect-title { "What will happen" }
            (facts(&[
                ("The customer gets", html! {
                    strong { (money(plan.amount_minor, currency)) } @if plan.fee_minor > 0 {
                        ", of which " (money(plan.fee_minor, currency)) " is the fee"
                    } @if plan.tax_minor > 0 {
                        ", of which " (money(plan.tax_minor, currency)) " is tax"
                    }
                }),
                ("Taken from the account", html! {
                    (of_credits(plan.credits, decimals)) @if plan.bonus_credits > 0 {
                        " and " (of_credits(plan.bonus_credits, decimals)) " of the bonus"
                    }
                }),
                ("Balance", html! {
                    (of_credits(before, decimals)) " → " strong { (of_credits(before.saturating_sub(taken), decimals)) }
                }),
            ]))
            @if before.saturating_sub(taken) < 0 {
                p.notice.wait role="note" {
                    "These credits were spent already: the balance will be below zero until the customer buys again."
                }
            }
            @if preview.funds.held > 0 {
                p.notice.wait role="note" { "Open holds reserve " (of_credits(preview.funds.held, decimals)) "." }
            }
            @if let Some(left) = left {
                p.hint { "Your key may still refund and adjust " (of_credits(left, decimals)) " today (UTC)." }
            }
            form method="post" action={ (topup_path(id.as_str())) "/refund" } {
                (change_fields(signed))
                @for name in ["credits", "amount"] { input type="hidden" name=(name) value=(fields.text(name)); }
                @for (name, value) in
                    kept_fields(choice) {
                    @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
                }
                input type="hidden" name="expected" value={ (plan.amount_minor) " " (taken) };
                button.danger type="submit" { "Refund " (money(plan.amount_minor, currency)) }
                a.button.plain href=(topup_path(id.as_str())) { "Cancel" }
            }
        }
    }
}

/// Makes the refund that was shown. If another one would be made by now, it is shown instead.
pub(super) async fn create(request: HttpRequest, path: Path<String>, payload: Payload, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let id = topup_id(&path)?;
    let fields = signed.form(&request, payload).await?;
    let (change, choice) = (fields.change()?, Choice::read(&fields, currency_of(&signed, &id).await?)?);
    let (app, known) = (state.app.clone(), change.clone());
    let is_new = signed.run(async move { app.db.logged_change(&known).await }).await?.is_empty();
    if is_new {
        let plan = preview(&signed, &id, &choice).await?.plan;
        let shown =
            plan.map(|plan| format!("{} {}", plan.amount_minor, plan.credits.saturating_add(plan.bonus_credits)));
        if shown.as_deref() != Ok(fields.text("expected")) {
            let detail = "something changed since you looked: this is what a refund would do now";
            let error = ApiError::new(actix_web::http::StatusCode::CONFLICT, "changed_meanwhile", detail);
            return render(&signed, &id, &fields, Some(&error)).await;
        }
    }
    let wish = RefundWish {
        id: change.clone(),
        topup: id.clone(),
        ask: choice.ask,
        payment: choice.payment(&state)?,
        reason: choice.reason,
    };
    let (app, actor) = (state.app.clone(), signed.actor());
    signed.run(async move { Box::pin(actions::refund(&app, &actor, wish)).await }).await?;
    Ok(see_other(&after(&topup_path(id.as_str()), &change)))
}
