//! The settings in force, without secrets. For admins.

use actix_web::HttpRequest;
use maud::{Markup, html};

use crate::http::console::layout::{Place, at};
use crate::http::console::page::Page;
use crate::http::console::parts::table;
use crate::http::console::session::SignedIn;
use crate::http::state::State;

/// All settings that hold no secret.
pub(super) async fn show(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let rows: Vec<Markup> = signed
        .settings
        .in_force
        .iter()
        .map(|(name, value)| html! { th scope="row" { code { (name) } } td { (value) } })
        .collect();
    let content = html! {
        h1 { "Settings in force" }
        p.lead { "As this process read them at its start, with the defaults of what is not set. Secrets are not \
            shown. They are changed in \
            the environment or in .env, and a restart takes them in." }
        (table("Settings", &["Setting", "Value"], &rows))
    };
    Ok(at(&signed, Place::Settings).show("Settings in force", &content))
}
