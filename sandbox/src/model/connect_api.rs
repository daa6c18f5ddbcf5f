//! `/v1/accounts`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted, connect,
    connect::{Account, AccountDetails},
    edit,
    email::check_email,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    metadata,
    params::Params,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
    spec::{Field, Kind, optional, unsupported},
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));

/// What both creating and updating accept.
const ACCOUNT: &[Field] = &[
    optional("email", TEXT),
    optional("business_type", Kind::OneOf(&["company", "government_entity", "individual", "non_profit"])),
    optional("capabilities", Kind::Map(&Kind::Object(&[optional("requested", Kind::Boolean)]))),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("account_token"),
    unsupported("business_profile"),
    unsupported("company"),
    unsupported("default_currency"),
    unsupported("documents"),
    unsupported("external_account"),
    unsupported("groups"),
    unsupported("individual"),
    unsupported("settings"),
    unsupported("tos_acceptance"),
];

const LIST: &[Field] = &[
    optional("limit", Kind::Integer(1)),
    optional("starting_after", TEXT),
    optional("ending_before", TEXT),
    EXPAND,
    optional("created", Kind::Range),
];

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Get, []) => list(state, params),
        (Method::Post, []) => create(state, context, params),
        (Method::Get, [id]) => {
            let found = connect::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            Ok(connect::to_json(found))
        }
        (Method::Post, [id]) => {
            let found = connect::find(state, id)?;
            let details = details(params, ACCOUNT, &found.details)?;
            connect::change(state, context, id, details);
            connect::find(state, id).map(connect::to_json)
        }
        (Method::Delete, [id]) => {
            spec::check(params, &[])?;
            connect::delete(state, context, id)
        }
        _ => Err(unrecognized(request)),
    }
}

fn details(params: &Params, fields: &[Field], current: &AccountDetails) -> Result<AccountDetails, ApiError> {
    #[derive(Deserialize)]
    struct Wanted {
        #[serde(default)]
        capabilities: BTreeMap<String, Capability>,
    }
    #[derive(Deserialize)]
    struct Capability {
        requested: Option<bool>,
    }
    let without_unset = metadata::without_unset(params);
    let mut changes = spec::check(&without_unset, fields)?;
    let wanted: Wanted = read(&without_unset, fields)?;
    if let Some(members) = changes.as_object_mut() {
        members.retain(|name, _| name != "metadata" && name != "capabilities");
    }
    let mut details: AccountDetails = edit::edited(current, &changes)?;
    check_email(details.email.as_deref(), "email")?;
    details.metadata = metadata::changed(&current.metadata, params)?;
    let asked = wanted.capabilities.into_iter().map(|(name, said)| (name, said.requested.unwrap_or(false)));
    details.capabilities.extend(asked);
    Ok(details)
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Creation {
        r#type: Option<String>,
        country: Option<String>,
    }
    let mut fields = ACCOUNT.to_vec();
    fields.extend([
        optional("type", Kind::OneOf(&["custom", "express", "standard"])),
        optional("country", Kind::Text(2)),
        unsupported("controller"),
    ]);
    let wanted: Creation = read(&metadata::without_unset(params), &fields)?;
    precheck_expansions(params, "account")?;
    let details = details(params, &fields, &AccountDetails::default())?;
    let account = Account {
        id: context.ids.next("acct_1", 15),
        created: context.now(),
        kind: wanted.r#type.unwrap_or_else(|| "standard".to_owned()),
        country: wanted.country.unwrap_or_else(|| "US".to_owned()),
        details,
    };
    let rendered = connect::to_json(&account);
    connect::add(state, account);
    Ok(rendered)
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, LIST)?;
    list::late_page(
        (&state.accounts, Lag::of(state)),
        &filter.page,
        ("account", "/v1/accounts"),
        |account| filter.created.as_ref().is_none_or(|range| range.contains(account.created)),
        connect::to_json,
    )
}
