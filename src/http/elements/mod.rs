//! The web components for pages without a bundler, `<credits-meter>` and `<buy-credits>`, in one file of this binary.
//!
//! They are built from `clients/typescript` and checked in, so that nothing is built or downloaded with the service.
//! Pages of `ALLOWED_ORIGINS` may import them.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Bytes;
use actix_web::{guard, web};

use crate::http::kit::static_file::file;

/// Where pages import them.
pub const PATH: &str = "/elements.js";
/// For how long a browser may use them without asking. After an upgrade, pages have the new ones ten minutes later.
const CACHE: &str = "public, max-age=600";

/// Serves the file.
pub fn routes(config: &mut web::ServiceConfig) {
    // A guard, so that other methods get the same answer as on every other path.
    config.service(web::resource(PATH).guard(guard::Get()).to(read));
}

async fn read() -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, CACHE));
    file(response, "text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("elements.js")))
}
