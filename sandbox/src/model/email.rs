//! Email addresses, checked as far as Stripe checks them.

use super::error::ApiError;

/// Catches typing mistakes: requires one `@` with text on both sides and a dot in the domain.
pub(crate) fn check_email(email: Option<&str>, param: &str) -> Result<(), ApiError> {
    let Some(email) = email else { return Ok(()) };
    if is_email(email) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid email address: {email}")).code("email_invalid").param(param))
}

pub(crate) fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty()
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
            && !domain.contains('@')
            && text.len() <= 512
            && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
    })
}
