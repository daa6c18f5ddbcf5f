//! A promotion that ends soon, so that one can watch it. In a real product an operator gives it, or a campaign with a
//! key that has the scope `admin`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};

use super::Demo;
use crate::access::api_keys::Scope;
use crate::access::operator::Operator;
use crate::books::grant::promote::{Promote, promote};
use crate::domain::burn::{Category, DEFAULT_PRIORITY};
use crate::domain::ids::RequestId;
use crate::http::auth::Caller;
use crate::http::kit::problem::ApiError;
use crate::http::server::grants::{Grant, grant};
use crate::http::state::State;

/// For how many words it is good.
const WORDS: i64 = 30;
/// After which time it ends.
const LIFE_MS: i64 = 2 * 60 * 1_000;

/// Gives the customer whose token came with the request a few credits.
pub(super) async fn give(request: HttpRequest, state: State, demo: Data<Demo>) -> Result<Json<Grant>, ApiError> {
    let account = Caller::of(&request, &state).await?.account(None, Scope::Read)?;
    let gift = Promote {
        account,
        credits: WORDS * demo.pricing.unit_credits(),
        category: Category::Promotional,
        priority: DEFAULT_PRIORITY,
        expires_at_ms: state.app.clock.now_ms().saturating_add(LIFE_MS),
        reason: "A present".to_owned(),
        create: true,
        operator: Operator { name: "the demo".to_owned(), account: None },
        key: format!("gift-{}", RequestId::from_bits(state.app.ids.id_bits())),
    };
    let app = state.app.clone();
    grant(state.run(async move { promote(&app, gift).await }).await??).map(Json)
}
