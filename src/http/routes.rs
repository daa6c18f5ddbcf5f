//! All routes of the API.

use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::server::spending;
use crate::http::{admin, customer, health, server, webhooks};

/// All routes of the API. Every route here is also in the documentation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    // Matched in this order. Deliveries come in bursts and should not be matched against the patterns of all other
    // routes.
    config
        .service(webhooks::receive::receive)
        .service(spending::debits::create)
        .service(spending::holds::create)
        .service(spending::holds::capture)
        .service(spending::holds::release)
        .service(spending::holds::extend)
        .service(spending::batch::create)
        .service(spending::refunds::create)
        .service(customer::sessions::create)
        .service(customer::sessions::read)
        .service(customer::quote::read)
        .service(server::accounts::read_own_credits)
        .service(server::accounts::read_own_transactions)
        .service(server::accounts::read_credits)
        .service(server::accounts::read_transactions)
        .service(server::grants::list_own)
        .service(server::grants::list)
        .service(server::usage::read_own)
        .service(server::usage::read)
        .service(server::statements::read_own)
        .service(server::statements::read)
        .service(spending::access::read_own)
        .service(spending::access::read)
        .service(spending::limits::list_own)
        .service(spending::limits::list)
        .service(spending::limits::read_own)
        .service(spending::limits::read)
        .service(spending::limits::set)
        .service(spending::limits::remove)
        .service(spending::debits::read)
        .service(spending::holds::read)
        .service(spending::holds::list)
        .service(admin::topups::list)
        .service(admin::topups::read)
        .service(admin::topups::check)
        .service(admin::refunds::create)
        .service(admin::refunds::preview)
        .service(admin::accounts::read)
        .service(admin::accounts::block)
        .service(admin::accounts::unblock)
        .service(admin::adjustments::create)
        .service(admin::adjustments::list)
        .service(admin::grants::create)
        .service(admin::grants::void)
        .service(admin::webhook_events::list_failed_events)
        .service(admin::webhook_events::read_failed_event)
        .service(admin::webhook_events::replay_failed_event)
        .service(admin::adoptions::adopt_purchases)
        .service(admin::webhook_events::close_failed_event)
        .service(admin::accepted_events::accept)
        .service(admin::reconciliations::list_reconciliations)
        .service(admin::reconciliations::read_reconciliation)
        .service(health::live)
        .service(health::ready);
}
