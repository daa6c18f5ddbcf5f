//! The frame around the pages of people who are signed in: search, navigation, and what the last change did.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use maud::{Markup, html};

use crate::console::operator_log::{LoggedEntry, Phase};
use crate::domain::ids::ChangeId;
use crate::http::console::form::Fields;
use crate::http::console::page::{PageError, answer, document, explained, sentence};
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;

/// The places in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Overview,
    Topups,
    Subscriptions,
    Plans,
    Failures,
    Disputes,
    Reconciliations,
    Log,
    Keys,
    Settings,
    Elsewhere,
}

const PLACES: [(Place, &str, &str, bool); 10] = [
    (Place::Overview, "/console", "Overview", false),
    (Place::Topups, "/console/topups", "Top-ups", false),
    (Place::Subscriptions, "/console/subscriptions", "Subscriptions", false),
    (Place::Plans, "/console/plans", "Plans", false),
    (Place::Failures, "/console/failures", "Failed deliveries", false),
    (Place::Disputes, "/console/disputes", "Disputes", false),
    (Place::Reconciliations, "/console/reconciliations", "Reconciliations", false),
    (Place::Log, "/console/log", "Operator log", false),
    (Place::Keys, "/console/keys", "Keys", true),
    (Place::Settings, "/console/settings", "Settings", true),
];

/// A page within the frame.
pub(super) struct Framed<'s> {
    signed: &'s SignedIn,
    place: Place,
    query: String,
    notice: Option<LoggedEntry>,
}

/// Begins a page.
pub(super) fn at(signed: &SignedIn, place: Place) -> Framed<'_> {
    Framed { signed, place, query: String::new(), notice: None }
}

impl<'s> Framed<'s> {
    /// What is in the search box.
    pub(super) fn searched(self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self }
    }

    /// Tells how the change ended that led here, if the query names one of this person's.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn after_change(self, fields: &Fields) -> Result<Framed<'s>, PageError> {
        let Some(id) = fields.optional("change").and_then(|id| ChangeId::parse(id).ok()) else { return Ok(self) };
        let (app, by) = (self.signed.state.app.clone(), &self.signed.session.operator.name);
        let entries = self.signed.run(async move { app.db.logged_change(&id).await }).await?;
        let notice = entries.into_iter().find(|entry| entry.made_by == *by && entry.phase != Phase::Asked.as_str());
        Ok(Framed { notice, ..self })
    }

    /// The page.
    pub(super) fn show(self, title: &str, content: &Markup) -> HttpResponse {
        self.with_status(StatusCode::OK, title, content)
    }

    /// The page, with an error above it.
    pub(super) fn show_error(self, title: &str, error: &ApiError, content: &Markup) -> HttpResponse {
        let detail = explained(error);
        let content = html! {
            p.alert role="alert" { (detail) }
            (content)
        };
        self.with_status(actix_web::ResponseError::status_code(error), title, &content)
    }

    /// The page, with a status.
    pub(super) fn with_status(self, status: StatusCode, title: &str, content: &Markup) -> HttpResponse {
        let body = html! {
            a.skip href="#main" { "Skip to the content" }
            (self.header())
            div.frame {
                (self.navigation())
                main #main tabindex="-1" {
                    @if let Some(notice) = &self.notice { (told(notice)) }
                    (content)
                }
            }
        };
        answer(status, document(title, &body))
    }

    fn header(&self) -> Markup {
        let live = self.signed.state.app.checkout.livemode;
        html! {
            header.top {
                a.brand href="/console" { span.mark aria-hidden="true" { "+" } "Topup" span.brand-more { " console" } }
                @if live { span.mode.live { "Live mode" } } @else { span.mode { "Test mode" } }
                form.search action="/console/search" method="get" role="search" {
                    label.for-ears for="q" { "Search" }
                    input #q type="search" name="q" value=(self.query) maxlength="255" autocomplete="off"
                        spellcheck="false"
                        placeholder="Account, e-mail, id, last 4 digits, or 2.89 24 Nov" enterkeyhint="search";
                    button type="submit" { "Search" }
                }
            }
        }
    }

    fn navigation(&self) -> Markup {
        let signed = self.signed;
        html! {
            nav.side aria-label="Console" {
                ul {
                    @for (place, path, name, for_admins) in PLACES {
                        @if !for_admins || signed.is_admin() {
                            li { a href=(path) aria-current=[(place == self.place).then_some("page")] { (name) } }
                        }
                    }
                }
                form.who action="/console/sign-out" method="post" {
                    (token_field(signed))
                    p { strong { (signed.session.key_name) } span.soft { (signed.session.role.as_str()) } }
                    button.plain type="submit" { "Sign out" }
                }
            }
        }
    }
}

/// The token of every form.
pub(super) fn token_field(signed: &SignedIn) -> Markup {
    html! { input type="hidden" name="token" value=(signed.form_token); }
}

/// The token and the id of a form that changes something.
pub(super) fn change_fields(signed: &SignedIn) -> Markup {
    html! {
        (token_field(signed))
        input type="hidden" name="change" value=(signed.draw_change());
    }
}

/// What was done, in a word.
pub(super) fn action_word(action: &str) -> &str {
    match action {
        "sign_in" => "Signed in",
        "refund" => "Refund",
        "adjustment" => "Adjustment",
        "block" => "Account blocked",
        "unblock" => "Account unblocked",
        "replay" => "Replay",
        "close_delivery" => "Delivery closed",
        "ask_stripe" => "Stripe asked",
        "reconcile" => "Comparison with Stripe",
        "create_key" => "Key created",
        "revoke_key" => "Key revoked",
        other => other,
    }
}

fn told(entry: &LoggedEntry) -> Markup {
    let was_done = entry.phase == Phase::Done.as_str();
    let what = action_word(&entry.action);
    let detail = if entry.detail.is_empty() { String::new() } else { sentence(&entry.detail) };
    html! {
        @if was_done {
            p.notice.good role="status" { strong { (what) ": done. " } (detail) }
        } @else {
            p.notice.bad role="alert" { strong { (what) ": not done. " } (detail) }
        }
    }
}
