//! `/v1/test_helpers/test_clocks`: parses Stripe's parameters and calls the commands.

use serde::Deserialize;
use serde_json::Value;

use super::{subscription_params::EXPAND, test_clock};
use crate::model::{
    Context, State,
    error::ApiError,
    list::{self, Page},
    request::{Method, Request, read, unrecognized},
    spec::{self, Kind, optional, required},
};

const TEXT: Kind = Kind::Text(300);

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Post, []) => {
            #[derive(Deserialize)]
            struct Creation {
                frozen_time: i64,
                name: Option<String>,
            }
            let fields = [
                required("frozen_time", Kind::Integer(0)),
                optional("name", TEXT),
                spec::unsupported("customer"),
                EXPAND,
            ];
            let wanted: Creation = read(params, &fields)?;
            Ok(test_clock::create(state, context, wanted.frozen_time, wanted.name))
        }
        (Method::Get, []) => {
            let fields = [
                optional("limit", Kind::Integer(1)),
                optional("starting_after", TEXT),
                optional("ending_before", TEXT),
                EXPAND,
            ];
            let page: Page = read(params, &fields)?;
            let names = ("test clock", "/v1/test_helpers/test_clocks");
            list::page(&state.test_clocks, &page, names, |_| true, test_clock::to_json)
        }
        (Method::Get, [id]) => {
            spec::check(params, &[EXPAND])?;
            test_clock::find(state, id).map(test_clock::to_json)
        }
        (Method::Post, [id, "advance"]) => {
            #[derive(Deserialize)]
            struct Advance {
                frozen_time: i64,
            }
            test_clock::find(state, id)?;
            let wanted: Advance = read(params, &[required("frozen_time", Kind::Integer(0)), EXPAND])?;
            test_clock::advance(state, context, id, wanted.frozen_time)
        }
        (Method::Delete, [id]) => {
            spec::check(params, &[])?;
            test_clock::delete(state, context, id)
        }
        _ => Err(unrecognized(request)),
    }
}
