//! What plans need of Stripe. Where no plan is sold, nothing is examined.

use futures_util::future::join_all;

use super::finding::Finding;
use super::{Limits, in_time};
use crate::db::Db;
use crate::providers::port::{Provider, ProviderError, Resource};
use crate::providers::stripe::name::NAME;

pub(super) async fn findings(db: Option<&Db>, provider: Option<&Provider>, limits: Limits) -> Vec<Finding> {
    let (Some(db), Some(provider)) = (db, provider) else { return Vec::new() };
    // A database that cannot be read is found elsewhere.
    if in_time(limits, db.plans(NAME)).await.is_none_or(|plans| plans.is_ok_and(|plans| plans.is_empty())) {
        return Vec::new();
    }
    let read = |resource: Resource| async move {
        let read = in_time(limits, provider.access.can_read(resource)).await;
        (resource, read.unwrap_or(Err(ProviderError::TimedOut)))
    };
    let reads = join_all(Resource::FOR_PLANS.map(read)).await;
    reads.into_iter().map(|(resource, read)| permission(resource, &read)).collect()
}

fn permission(resource: Resource, read: &Result<(), ProviderError>) -> Finding {
    let id = match resource {
        Resource::Prices => "stripe.permission.prices",
        Resource::Subscriptions => "stripe.permission.subscriptions",
        _ => "stripe.permission.invoices",
    };
    let about = (id, resource.permission());
    match read {
        Ok(()) => Finding::ok(about, "the key may read it"),
        Err(error) if !error.is_missing_permission() => {
            Finding::warning(about, format!("cannot be tried: {error}"), "run `topup doctor` again")
        }
        Err(_) => {
            let detail = format!("plans are sold, and the key may not read this: {}", resource.without_it());
            let add = format!("add the permission {} to the restricted key in Stripe's dashboard", about.1);
            Finding::failed(about, detail, add)
        }
    }
}
