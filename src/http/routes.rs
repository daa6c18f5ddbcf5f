//! All routes of the API.

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::server::spending;
use crate::http::{admin, customer, health, server, webhooks};

/// The list of all routes, for both ways to register them. They are matched in this order: deliveries come in bursts and
/// should not be matched against the patterns of all other routes.
macro_rules! register {
    ($config:expr) => {
        $config
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
            .service(customer::receipts::read)
            .service(customer::quote::read)
            .service(customer::plans::list)
            .service(customer::subscriptions::sessions::create)
            .service(customer::subscriptions::list::list)
            .service(customer::subscriptions::changes::preview_change)
            .service(customer::subscriptions::changes::change_plan)
            .service(customer::subscriptions::changes::end)
            .service(customer::subscriptions::changes::go_on)
            .service(customer::subscriptions::list::read)
            .service(customer::portal::create)
            .service(server::entitlement::read)
            .service(customer::payment_methods::list)
            .service(customer::payment_methods::open)
            .service(customer::payment_methods::set_default)
            .service(customer::payment_methods::remove)
            .service(customer::auto_topup::read)
            .service(customer::auto_topup::set)
            .service(customer::auto_topup::recover)
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
            .service(admin::receipts::read)
            .service(admin::refunds::create)
            .service(admin::refunds::preview)
            .service(admin::accounts::read)
            .service(admin::accounts::block)
            .service(admin::accounts::unblock)
            .service(admin::account_currency::read)
            .service(admin::account_currency::set)
            .service(admin::adjustments::create)
            .service(admin::adjustments::list)
            .service(admin::grants::create)
            .service(admin::grants::void)
            .service(admin::plans::list)
            .service(admin::plans::apply)
            .service(admin::subscriptions::list)
            .service(admin::balance_alerts::read)
            .service(admin::balance_alerts::set)
            .service(admin::balance_alerts::remove)
            .service(admin::endpoints::change::create)
            .service(admin::endpoints::change::change)
            .service(admin::endpoints::change::remove)
            .service(admin::endpoints::change::rotate)
            .service(admin::endpoints::change::test)
            .service(admin::endpoints::read::list)
            .service(admin::endpoints::read::read)
            .service(admin::endpoints::deliveries::list)
            .service(admin::endpoints::deliveries::read)
            .service(admin::endpoints::resend::one)
            .service(admin::endpoints::resend::period)
            .service(admin::webhook_events::list_failed_events)
            .service(admin::webhook_events::read_failed_event)
            .service(admin::webhook_events::replay_failed_event)
            .service(admin::adoptions::adopt_purchases)
            .service(admin::webhook_events::close_failed_event)
            .service(admin::accepted_events::accept)
            .service(admin::reconciliations::list_reconciliations)
            .service(admin::reconciliations::read_reconciliation)
            .service(health::live)
            .service(health::ready)
    };
}

/// All routes of the API with their documentation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    register!(config);
}

/// The same routes alone. Each worker of the server registers them, and their documentation would take 15 MiB in each.
pub fn served(config: &mut web::ServiceConfig) {
    register!(config);
}
