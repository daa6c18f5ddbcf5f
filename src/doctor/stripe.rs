//! Stripe: whether it accepts the key, what the key may read, whether the account may take payments, and its clock.

use std::sync::Arc;

use futures_util::future::{join_all, join4};
use secrecy::ExposeSecret;

use crate::app::check_clock::{REFUSED_SECONDS, TOLERATED_SECONDS};
use crate::config::{StripeSettings, UsableSettings};
use crate::doctor::finding::{About, Finding};
use crate::doctor::{Limits, in_time};
use crate::domain::price_list::PriceList;
use crate::ports::Clock;
use crate::providers::port::{
    DeliveryEndpoint, Provider, ProviderAccount, ProviderClock as _, ProviderError, Resource,
};
use crate::providers::stripe::StoredDeliveries;
use crate::providers::stripe::clock::StripeClock;
use crate::providers::stripe::gateway::StripeGateway;

const KEY: About = ("stripe.key", "Stripe key");
const MODE: About = ("stripe.mode", "Mode");
const CHARGES: About = ("stripe.charges", "Payments");
const PAYOUTS: About = ("stripe.payouts", "Payouts");
const CLOCK: About = ("stripe.clock", "Stripe's clock");

/// What was found.
pub(super) struct StripeNews {
    pub(super) findings: Vec<Finding>,
    /// Stripe, if it accepts the key.
    pub(super) provider: Option<Provider>,
    /// The webhook endpoints, if Stripe answered.
    pub(super) endpoints: Option<Result<Vec<DeliveryEndpoint>, ProviderError>>,
}

/// What Stripe answered.
struct Answers {
    account: Result<ProviderAccount, ProviderError>,
    reads: Vec<(Resource, Result<(), ProviderError>)>,
}

pub(super) async fn examine(settings: &UsableSettings, clock: &dyn Clock, limits: Limits) -> StripeNews {
    let nothing = |findings| StripeNews { findings, provider: None, endpoints: None };
    let Some(stripe) = &settings.stripe else { return nothing(Vec::new()) };
    let gateway = StripeGateway::new(&stripe.secret_key, stripe.api_base.as_deref(), limits.check);
    let (provider, stripe_clock) = match (gateway, StripeClock::new(stripe.api_base.as_deref())) {
        (Ok(gateway), Ok(clock)) => (gateway.into_provider(Arc::new(StoredDeliveries)), clock),
        (Err(error), _) => return nothing(vec![Finding::failed(KEY, error.to_string(), "correct STRIPE_SECRET_KEY")]),
        (_, Err(error)) => return nothing(vec![Finding::failed(KEY, error.to_string(), "correct STRIPE_API_BASE")]),
    };
    let read = |resource: Resource| {
        let access = provider.access.clone();
        async move {
            let read = in_time(limits, access.can_read(resource)).await;
            (resource, read.unwrap_or(Err(ProviderError::TimedOut)))
        }
    };
    let saves_cards = settings.recurring.is_some_and(|recurring| recurring.saves_cards);
    let keeps_tax_ids = settings.pricing.as_ref().is_some_and(PriceList::asks_tax_ids);
    let is_needed = |resource: &Resource| {
        let of_tax_ids = keeps_tax_ids && *resource == Resource::Customers;
        saves_cards || of_tax_ids || !Resource::OF_CARDS.contains(resource)
    };
    let resources = Resource::ALL.into_iter().filter(is_needed);
    let (account, reads, endpoints, theirs_ms) = join4(
        in_time(limits, provider.account.read_account()),
        join_all(resources.map(read)),
        in_time(limits, provider.endpoints.list_endpoints()),
        in_time(limits, stripe_clock.now_ms()),
    )
    .await;
    let account = account.unwrap_or(Err(ProviderError::TimedOut));
    let endpoints = endpoints.unwrap_or(Err(ProviderError::TimedOut));
    let answers = Answers { account, reads };
    let mut findings = vec![answers.key()];
    let is_accepted = findings.iter().all(|finding| finding.way_out.is_none());
    findings.push(mode(stripe));
    if is_accepted {
        findings.extend(charges(&answers.account, stripe.livemode));
    }
    findings.extend(theirs_ms.flatten().map(|theirs_ms| judge_clock(theirs_ms, clock.now_ms())));
    if !is_accepted {
        return nothing(findings);
    }
    findings.extend(answers.reads.iter().map(|(resource, read)| permission(*resource, read)));
    StripeNews { findings, provider: Some(provider), endpoints: Some(endpoints) }
}

impl Answers {
    /// Whether Stripe answers and accepts the key. One read that Stripe decided is enough.
    fn key(&self) -> Finding {
        let account = self.account.as_ref().map(drop);
        let answers = || self.reads.iter().map(|(_, read)| read.as_ref().map(drop)).chain([account]);
        if answers().any(|answer| answer.is_err_and(ProviderError::is_unknown_key)) {
            let way_out = "copy the key once more from Stripe's dashboard (Developers, API keys): it is wrong, or was \
                rolled or deleted";
            return Finding::failed(KEY, "Stripe does not accept STRIPE_SECRET_KEY", way_out);
        }
        let is_decided = |answer: Result<(), &ProviderError>| match answer {
            Ok(()) => true,
            Err(error) => error.is_missing_permission(),
        };
        if answers().any(is_decided) {
            let account = self.account.as_ref().map(|account| format!(", the account is {}", account.id));
            return Finding::ok(KEY, format!("Stripe accepts it{}", account.unwrap_or_default()));
        }
        let error = answers().find_map(Result::err).map(ToString::to_string).unwrap_or_default();
        let way_out = "look at https://status.stripe.com, and whether a firewall or a proxy is in the way \
            (HTTPS_PROXY); for a sandbox, whether it runs at STRIPE_API_BASE";
        Finding::failed(KEY, format!("Stripe gives no answer: {error}"), way_out)
    }
}

fn mode(stripe: &StripeSettings) -> Finding {
    let is_restricted = stripe.secret_key.expose_secret().starts_with("rk_");
    match (stripe.livemode, is_restricted) {
        (false, _) if stripe.api_base.is_some() => Finding::ok(MODE, "a sandbox: no money moves"),
        (false, _) => Finding::ok(MODE, "test: no money moves"),
        (true, true) => Finding::ok(MODE, "live, with a restricted key"),
        (true, false) => {
            let way_out = "create a restricted key (rk_live_…) with the permissions that docs/operating.md lists";
            Finding::warning(MODE, "live, with a key that may do everything in the account", way_out)
        }
    }
}

fn charges(account: &Result<ProviderAccount, ProviderError>, livemode: bool) -> Vec<Finding> {
    let complete = "complete what Stripe's dashboard asks for (Settings, Account status)";
    match account {
        Ok(account) if account.takes_payments => {
            let mut findings = vec![Finding::ok(CHARGES, "the account may take payments")];
            if livemode && !account.pays_out {
                let detail = "Stripe takes payments, but does not pay them out to the bank account yet";
                findings.push(Finding::warning(PAYOUTS, detail, complete));
            }
            findings
        }
        Ok(_) if livemode => vec![Finding::failed(CHARGES, "Stripe lets the account take no payments", complete)],
        Ok(_) => {
            let detail = "the account is not activated: test payments work, live ones will not";
            vec![Finding::warning(CHARGES, detail, complete)]
        }
        Err(error) if error.is_missing_permission() => {
            let way_out = "look there yourself (Settings, Account status)";
            let detail = "Stripe shows a restricted key only in its dashboard whether the account may take payments";
            vec![Finding::warning(CHARGES, detail, way_out)]
        }
        Err(error) => vec![Finding::warning(CHARGES, format!("cannot be read: {error}"), "run `topup doctor` again")],
    }
}

fn judge_clock(theirs_ms: i64, ours_ms: i64) -> Finding {
    let ahead = ours_ms.saturating_sub(theirs_ms).div_euclid(1_000);
    let distance = ahead.saturating_abs();
    if distance <= TOLERATED_SECONDS {
        return Finding::ok(CLOCK, "agrees with this machine's");
    }
    let direction = if ahead < 0 { "behind" } else { "ahead of" };
    let detail = format!("this machine's clock is {distance} s {direction} Stripe's");
    let way_out = "set this machine's clock, for example by NTP";
    if distance > REFUSED_SECONDS {
        Finding::failed(CLOCK, format!("{detail}, so every delivery is refused"), way_out)
    } else {
        Finding::warning(CLOCK, detail, way_out)
    }
}

fn permission(resource: Resource, read: &Result<(), ProviderError>) -> Finding {
    let about = (permission_id(resource), resource.permission());
    let add = || format!("add the permission {} to the restricted key in Stripe's dashboard", resource.permission());
    let missing = || format!("the key may not read this: {}", resource.without_it());
    match read {
        Ok(()) => Finding::ok(about, "the key may read it"),
        Err(error) if !error.is_missing_permission() => {
            Finding::warning(about, format!("cannot be tried: {error}"), "run `topup doctor` again")
        }
        Err(_) => match resource {
            Resource::CheckoutSessions | Resource::Disputes => Finding::failed(about, missing(), add()),
            Resource::PaymentIntents
            | Resource::Refunds
            | Resource::BalanceTransactions
            | Resource::Prices
            | Resource::Subscriptions
            | Resource::Invoices
            | Resource::Customers
            | Resource::SetupIntents
            | Resource::PaymentMethods => Finding::warning(about, missing(), add()),
            // Most endpoints have snapshot payloads, and then it is not needed.
            Resource::Events => Finding::warning(
                about,
                "the key may not read events: how late they come and what was not delivered cannot be told, and thin \
                 payloads about refunds, disputes and fees are not understood",
                add(),
            ),
        },
    }
}

const fn permission_id(resource: Resource) -> &'static str {
    match resource {
        Resource::CheckoutSessions => "stripe.permission.checkout_sessions",
        Resource::PaymentIntents => "stripe.permission.payment_intents",
        Resource::Refunds => "stripe.permission.refunds",
        Resource::Disputes => "stripe.permission.disputes",
        Resource::BalanceTransactions => "stripe.permission.balance_transactions",
        Resource::Events => "stripe.permission.events",
        Resource::Prices => "stripe.permission.prices",
        Resource::Subscriptions => "stripe.permission.subscriptions",
        Resource::Invoices => "stripe.permission.invoices",
        Resource::Customers => "stripe.permission.customers",
        Resource::SetupIntents => "stripe.permission.setup_intents",
        Resource::PaymentMethods => "stripe.permission.payment_methods",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::FindingState;

    /// No test has a live account.
    #[test]
    fn a_live_account_must_take_payments_and_should_pay_them_out() {
        let account =
            |takes_payments, pays_out| Ok(ProviderAccount { id: "acct_1".to_owned(), takes_payments, pays_out });
        let of = |takes_payments, pays_out| charges(&account(takes_payments, pays_out), true);
        let good = of(true, true);
        assert_eq!(good.iter().map(|finding| finding.state).collect::<Vec<_>>(), [FindingState::Ok]);
        let unpaid = of(true, false);
        assert_eq!(unpaid.iter().map(|finding| finding.id).collect::<Vec<_>>(), [CHARGES.0, PAYOUTS.0]);
        for finding in of(false, false).iter().chain(unpaid.last()) {
            assert!(finding.way_out.as_ref().is_some_and(|way_out| way_out.contains("Account status")), "{finding:?}");
        }
        assert_eq!(of(false, false).first().map(|finding| finding.state), Some(FindingState::Failed));
    }
}
