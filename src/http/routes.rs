//! Every route of the API.

use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::{admin, customer, health, server, webhooks};

/// Every route of the API. A route that is not here does not exist, and one that is here is in the documentation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    // Asked in this order. Deliveries come in bursts, and the patterns of the others would be matched against each of them.
    config
        .service(webhooks::receive::receive)
        .service(customer::sessions::create)
        .service(customer::sessions::read)
        .service(customer::quote::read)
        .service(server::accounts::read_own_credits)
        .service(server::accounts::read_own_transactions)
        .service(server::accounts::read_credits)
        .service(server::accounts::read_transactions)
        .service(admin::topups::list)
        .service(admin::topups::read)
        .service(admin::topups::check)
        .service(admin::refunds::create)
        .service(admin::refunds::preview)
        .service(admin::adjustments::create)
        .service(admin::adjustments::list)
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
