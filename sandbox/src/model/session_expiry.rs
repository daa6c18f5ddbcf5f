//! How a checkout session expires.

use super::{Context, State, confirm, error::ApiError, session, session::SessionStatus, session_json, setup_intent};

/// `POST …/expire`: only an open session can be expired.
pub(crate) fn expire_now(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let session = session::find(state, id)?;
    if !session.is_open() {
        return Err(ApiError::invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status \
             of `{}`.",
            session.status.as_str()
        ))
        .executed());
    }
    expire(state, context, id);
    Ok(())
}

/// Expires an open session and cancels its payment intent or setup intent.
pub(crate) fn expire(state: &mut State, context: &mut Context<'_>, id: &str) {
    let Some(session) = state.sessions.get_mut(id) else {
        return;
    };
    session.status = SessionStatus::Expired;
    state.open_until.remove(&(session.expires_at, session.id.clone()));
    let (payment, setup) = (session.payment_intent.clone(), session.setup_intent.clone());
    if let Some(intent) = payment {
        confirm::cancel(state, context, &intent, Some("expired"));
    }
    if let Some(intent) = setup {
        setup_intent::give_up(state, context, &intent, None);
    }
    if let Some(rendered) = session_json::snapshot(state, context, id) {
        state.emit(context, "checkout.session.expired", rendered);
    }
}
