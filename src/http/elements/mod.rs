//! The web components for pages without a bundler, in files of this binary: one with `<credits-meter>` and
//! `<buy-credits>`, one with `<auto-topup>`, one with `<manage-plan>`, so that pages load only what they show.
//!
//! They are built from `clients/typescript` and checked in, so that nothing is built or downloaded with the service.
//! Pages of `ALLOWED_ORIGINS` may import them.

use std::future::ready;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Bytes;
use actix_web::{guard, web};

use crate::http::kit::static_file::file;

/// Where pages import them, and what is there.
const FILES: [(&str, &[u8]); 3] = [
    ("/elements.js", include_bytes!("elements.js")),
    ("/auto-topup.js", include_bytes!("auto-topup.js")),
    ("/manage-plan.js", include_bytes!("manage-plan.js")),
];
/// For how long a browser may use them without asking. After an upgrade, pages have the new ones ten minutes later.
const CACHE: &str = "public, max-age=600";

/// Serves the files.
pub fn routes(config: &mut web::ServiceConfig) {
    for (path, text) in FILES {
        // A guard, so that other methods get the same answer as on every other path.
        config.service(web::resource(path).guard(guard::Get()).to(move || ready(script(text))));
    }
}

fn script(text: &'static [u8]) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, CACHE));
    file(response, "text/javascript; charset=utf-8", Bytes::from_static(text))
}
