//! Which page stands at which path.

use maud::Markup;

use super::{
    controls, customers, deliveries, disputes, events, overview, payment, payments, refunds, requests,
    view::{Asked, View},
};
use crate::engine::Core;

/// The paths of all pages, as routes.
pub(crate) const PATHS: [&str; 14] = [
    "/",
    "/payments",
    "/payments/{id}",
    "/customers",
    "/customers/{id}",
    "/refunds",
    "/refunds/{id}",
    "/disputes",
    "/disputes/{id}",
    "/events",
    "/events/{id}",
    "/deliveries",
    "/requests",
    "/_sandbox",
];

/// The page that the browser asked for, with why its last form was refused. `None` if there is no such page or object.
pub(crate) fn page(
    core: &mut Core,
    base_url: &str,
    changes: u64,
    asked: &Asked,
    mistake: Option<&str>,
) -> Option<Markup> {
    let view = &View::new(core, base_url, changes, asked, mistake);
    let segments: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    match segments.as_slice() {
        [""] => Some(overview::show(view)),
        ["payments"] => Some(payments::list(view)),
        ["payments", id] => payment::show(view, id),
        ["customers"] => Some(customers::list(view)),
        ["customers", id] => customers::show(view, id),
        ["refunds"] => Some(refunds::list(view)),
        ["refunds", id] => refunds::show(view, id),
        ["disputes"] => Some(disputes::list(view)),
        ["disputes", id] => disputes::show(view, id),
        ["events"] => Some(events::list(view)),
        ["events", id] => events::show(view, id),
        ["deliveries"] => Some(deliveries::list(view)),
        ["requests"] => Some(requests::list(view)),
        ["_sandbox"] => Some(controls::show(view)),
        _ => None,
    }
}
