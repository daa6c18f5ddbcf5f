//! HTTP around the model: the API, the pages, and the controls for tests.

pub(crate) mod api;
pub(crate) mod auth;
pub(crate) mod control;
pub(crate) mod control_page;
pub(crate) mod form_body;
pub(crate) mod guard;
pub(crate) mod hosted;
pub(crate) mod invoice;
pub(crate) mod portal;
pub(crate) mod site;

use actix_web::web;

/// Larger requests are refused.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// All routes.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .service(web::resource(["/v1", "/v1/{tail:.*}", "/v2/{tail:.*}"]).to(api::handle))
        .configure(control::routes)
        .configure(control_page::routes)
        .configure(site::routes)
        .configure(hosted::routes)
        .configure(invoice::routes)
        .configure(portal::routes)
        .default_service(web::to(hosted::not_found));
}
