//! A decoded API request, and how its parameters are read.

use serde::Deserialize;

use super::{accepted, error::ApiError, expand, params::Params, spec, spec::Field};

/// A decoded request. `path` starts with `/v1/`.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) params: Params,
}

/// The methods of Stripe's v1 API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Delete].into_iter().find(|method| method.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// The names that a later version gave to the parameters of these endpoints.
const RENAMED: [(&str, &str, &str); 3] = [
    ("/v1/checkout/sessions", "payment_method_types", "allowed_payment_method_types"),
    ("/v1/payment_intents", "payment_method_types", "allowed_payment_method_types"),
    ("/v1/setup_intents", "payment_method_types", "allowed_payment_method_types"),
];

/// A request without a version has the version of its account, and accounts are of any age: Stripe's command line tool
/// sends the older names, and no version. Both names are understood.
pub(crate) fn accept_older_names(request: &mut Request) {
    let renamed = RENAMED.iter().filter(|(path, ..)| request.method == Method::Post && request.path == *path);
    for (_, older, newer) in renamed {
        if !request.params.0.contains_key(*newer)
            && let Some(given) = request.params.0.remove(*older)
        {
            request.params.0.insert((*newer).to_owned(), given);
        }
    }
}

/// The endpoint does not exist, neither here nor on Stripe.
pub(crate) fn unrecognized(request: &Request) -> ApiError {
    let hint = if request.path.ends_with('/') {
        "If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make \
         sure you passed a valid (non-empty) identifier in your code. "
    } else {
        ""
    };
    ApiError::new(
        404,
        "invalid_request_error",
        format!(
            "Unrecognized request URL ({}: {}). {hint}Please see https://stripe.com/docs or we can help at \
             https://support.stripe.com/.",
            request.method.as_str(),
            request.path
        ),
    )
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(params: &Params, fields: &[Field]) -> Result<T, ApiError> {
    let checked = spec::check(params, fields)?;
    serde_json::from_value(checked).map_err(|_| ApiError::internal("request parameters"))
}

pub(crate) fn wanted_expansions(params: &Params) -> Result<Vec<String>, ApiError> {
    #[derive(Deserialize)]
    struct Expansions {
        #[serde(default)]
        expand: Vec<String>,
    }
    let only = Params(
        params
            .0
            .iter()
            .filter(|(name, _)| name.as_str() == "expand")
            .map(|(name, param)| (name.clone(), param.clone()))
            .collect(),
    );
    read::<Expansions>(&only, accepted::ONLY_EXPAND).map(|wanted| wanted.expand)
}

/// Checks `expand` before the work, so that a create with an invalid `expand` leaves no object behind.
pub(crate) fn precheck_expansions(params: &Params, object: &str) -> Result<(), ApiError> {
    wanted_expansions(params)?.iter().try_for_each(|path| expand::check_first(object, path))
}
