//! Errors about plans, subscriptions and the portal.

use actix_web::http::StatusCode;

use crate::domain::plan::PlanMistake;
use crate::http::kit::problem::{ApiError, FieldError};
use crate::plans::apply_plans::ApplyPlansError;
use crate::purchases::checkout::create_checkout::CreateCheckoutError;
use crate::subscriptions::change_subscription::ChangeError;
use crate::subscriptions::open_subscription::OpenSubscriptionError;
use crate::subscriptions::portal::PortalError;

impl ApiError {
    /// Fields of a plan are wrong: 400. `place` is where the plan stands in the request.
    #[must_use]
    pub fn plan_mistakes(place: &str, mistakes: Vec<PlanMistake>) -> Vec<FieldError> {
        let field =
            |mistake: PlanMistake| FieldError::new(&format!("{place}{}", mistake.field), mistake.code, mistake.message);
        mistakes.into_iter().map(field).collect()
    }
}

impl From<ApplyPlansError> for ApiError {
    fn from(error: ApplyPlansError) -> Self {
        match &error {
            ApplyPlansError::TooLarge { .. } => Self::field("amount", "out_of_range", error.to_string()),
            ApplyPlansError::IntervalChanged { .. } => Self::field("interval", "interval_changed", error.to_string()),
            ApplyPlansError::Provider(cause) => Self::not_known(cause),
            ApplyPlansError::Store(_) => match error {
                ApplyPlansError::Store(error) => error.into(),
                other => Self::internal(&other),
            },
        }
    }
}

impl From<OpenSubscriptionError> for ApiError {
    fn from(error: OpenSubscriptionError) -> Self {
        let conflict = |code, error: &OpenSubscriptionError| Self::new(StatusCode::CONFLICT, code, error.to_string());
        match error {
            OpenSubscriptionError::UnknownPlan => Self::field("planId", "unknown_plan", error.to_string()),
            OpenSubscriptionError::NoPrice(_) => conflict("plan_not_for_sale", &error),
            OpenSubscriptionError::AlreadySubscribed { .. } => conflict("subscription_exists", &error),
            OpenSubscriptionError::OtherRequest => Self::other_request(),
            OpenSubscriptionError::StillRunning => Self::still_running(),
            OpenSubscriptionError::SessionEnded => CreateCheckoutError::SessionEnded.into(),
            OpenSubscriptionError::Provider(trouble) => CreateCheckoutError::Provider(trouble).into(),
            OpenSubscriptionError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let conflict = |code, error: &ChangeError| Self::new(StatusCode::CONFLICT, code, error.to_string());
        match error {
            ChangeError::NotFound => Self::not_found(error.to_string()),
            ChangeError::NotRunning(_) => conflict("subscription_not_running", &error),
            ChangeError::PastDue => conflict("subscription_past_due", &error),
            ChangeError::ChangePending | ChangeError::ChangeWaits => conflict("change_pending", &error),
            ChangeError::UnknownPlan => Self::field("planId", "unknown_plan", error.to_string()),
            ChangeError::NoPrice => conflict("plan_not_for_sale", &error),
            ChangeError::SamePlan => conflict("same_plan", &error),
            ChangeError::NoPlan => conflict("subscription_without_plan", &error),
            ChangeError::Refused(_) => conflict("change_refused", &error),
            ChangeError::Provider(error) => Self::not_known(&error),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<PortalError> for ApiError {
    fn from(error: PortalError) -> Self {
        let conflict = |code, error: &PortalError| Self::new(StatusCode::CONFLICT, code, error.to_string());
        match error {
            PortalError::NoCustomer => conflict("no_customer", &error),
            PortalError::NoSubscription => conflict("no_subscription", &error),
            PortalError::HasFeeLine => conflict("portal_cannot_change", &error),
            PortalError::Provider(error) => Self::not_told(&error),
            PortalError::Store(error) => error.into(),
        }
    }
}
