//! Lists every SQL statement, for the tests that prepare and plan each of them.

use crate::books::spend::action::SpendCommand;
use crate::books::spend::bulk;
use crate::db::{BulkStatement, Command, Statement};
use crate::purchases::checkout::checkouts;
use crate::purchases::fee::fee_news;
use crate::purchases::payment::{apply, credit, endings};

/// Every statement, for the test that prepares each of them on both databases.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    [
        crate::purchases::account_currency::STATEMENTS,
        crate::purchases::payment::acceptances::STATEMENTS,
        crate::books::account_list::STATEMENTS,
        crate::books::adjustments::STATEMENTS,
        crate::purchases::adopt::adoption::STATEMENTS,
        crate::access::key_rows::STATEMENTS,
        crate::purchases::payment::apply::STATEMENTS,
        crate::books::audit_limits::STATEMENTS,
        crate::books::audit_queries::STATEMENTS,
        crate::books::audit_spending::STATEMENTS,
        crate::books::auto_topup_rules::STATEMENTS,
        crate::books::purchase_rules::STATEMENTS,
        crate::books::refill::STATEMENTS,
        crate::books::replay::STATEMENTS,
        crate::reconcile::comparison::STATEMENTS,
        crate::customers::customer_rows::STATEMENTS,
        crate::exports::ledger::STATEMENTS,
        crate::exports::lots::STATEMENTS,
        crate::exports::month_sums::STATEMENTS,
        crate::exports::outstanding::STATEMENTS,
        crate::exports::reversals::STATEMENTS,
        crate::exports::topups::STATEMENTS,
        crate::inbox::failed_events::STATEMENTS,
        crate::inbox::refusals::STATEMENTS,
        crate::doctor::last_event::STATEMENTS,
        crate::purchases::decided_events::STATEMENTS,
        crate::purchases::fee::fees::STATEMENTS,
        crate::purchases::fraud::fraud_signals::STATEMENTS,
        crate::purchases::idempotency::STATEMENTS,
        crate::books::instance::STATEMENTS,
        crate::db::leases::STATEMENTS,
        crate::books::entries::STATEMENTS,
        crate::books::grant::grant_list::STATEMENTS,
        crate::books::grant::next_expiry::STATEMENTS,
        crate::books::grant::promotions::STATEMENTS,
        crate::books::grants::STATEMENTS,
        crate::books::hold::holds::STATEMENTS,
        crate::books::limit::limits::STATEMENTS,
        crate::books::limit::set_limit::STATEMENTS,
        crate::books::limit::show_limits::STATEMENTS,
        crate::books::locked_account::STATEMENTS,
        crate::books::settle::STATEMENTS,
        crate::books::settle_account::STATEMENTS,
        crate::books::block_account::STATEMENTS,
        crate::books::entry_times::STATEMENTS,
        crate::books::statement::STATEMENTS,
        crate::books::usage::hours::STATEMENTS,
        crate::books::usage::live::STATEMENTS,
        crate::books::usage::record_usage::STATEMENTS,
        crate::books::spend::spend_refunds::STATEMENTS,
        crate::books::spend::spends::STATEMENTS,
        crate::books::spending_rules::STATEMENTS,
        crate::books::subscription_rules::STATEMENTS,
        crate::books::audit_subscriptions::STATEMENTS,
        crate::books::ledger::STATEMENTS,
        crate::messages::attention::STATEMENTS,
        crate::messages::message::STATEMENTS,
        crate::messages::message_rules::STATEMENTS,
        crate::outbox::alerts::STATEMENTS,
        crate::outbox::backlog::STATEMENTS,
        crate::outbox::balance_alerts::STATEMENTS,
        crate::outbox::change_endpoint::STATEMENTS,
        crate::outbox::deliveries::STATEMENTS,
        crate::outbox::endpoints::STATEMENTS,
        crate::outbox::expiring::STATEMENTS,
        crate::outbox::fan_out::STATEMENTS,
        crate::outbox::payload::STATEMENTS,
        crate::outbox::purge::STATEMENTS,
        crate::outbox::queues::STATEMENTS,
        crate::outbox::resend::STATEMENTS,
        crate::outbox::switch::STATEMENTS,
        crate::purchases::checkout::open_checkouts::STATEMENTS,
        crate::purchases::payment::payments::STATEMENTS,
        crate::reconcile::reconciliations::STATEMENTS,
        crate::purchases::refund::refund_facts::STATEMENTS,
        crate::purchases::refund::refund_requests::STATEMENTS,
        crate::purchases::reversal::reversals::STATEMENTS,
        crate::purchases::reversal::take_back::STATEMENTS,
        crate::purchases::checkout::topup_attempts::STATEMENTS,
        crate::purchases::topup_history::STATEMENTS,
        crate::purchases::topups::STATEMENTS,
        crate::recurring::auto_topup::attempts::STATEMENTS,
        crate::recurring::auto_topup::queue::STATEMENTS,
        crate::recurring::auto_topup::settings::STATEMENTS,
        crate::db::write_health::STATEMENTS,
        crate::console::evidence::STATEMENTS,
        crate::console::operator_log::STATEMENTS,
        crate::console::overview::STATEMENTS,
        crate::console::payers::STATEMENTS,
        crate::console::registers::STATEMENTS,
        crate::console::sessions::STATEMENTS,
    ]
    .into_iter()
    .chain(of_subscriptions())
    .flatten()
    .copied()
}

/// The statements of plans and subscriptions, by file.
fn of_subscriptions() -> [&'static [&'static Statement]; 8] {
    [
        crate::plans::plan_rows::STATEMENTS,
        crate::subscriptions::checkout_rows::STATEMENTS,
        crate::subscriptions::grant_rows::STATEMENTS,
        crate::subscriptions::invoice_rows::STATEMENTS,
        crate::subscriptions::portal::STATEMENTS,
        crate::subscriptions::reversal_rows::STATEMENTS,
        crate::subscriptions::subscription_rows::STATEMENTS,
        crate::subscriptions::subscription_rows::READS,
    ]
}

/// Every bulk statement, with the name of its command.
pub fn bulk_statements() -> impl Iterator<Item = (&'static str, &'static BulkStatement)> {
    [
        (apply::ApplyPayment::NAME, &credit::CREDIT),
        (SpendCommand::NAME, &bulk::SPEND),
        (SpendCommand::NAME, &bulk::DEBITS),
        (endings::EndPurchase::NAME, &endings::EXPIRE),
        (fee_news::ExpectFee::NAME, &fee_news::EXPECT_FEES),
        (checkouts::BeginCheckout::NAME, &checkouts::BEGIN),
        (checkouts::StoreOpened::NAME, &checkouts::OPENED),
    ]
    .into_iter()
}
