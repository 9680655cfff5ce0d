//! Why nobody was signed in, in words for the person before the browser.

use axum::http::StatusCode;

use super::id_token::TokenError;
use super::person::PersonError;
use crate::problem::Problem;

/// Seconds after which a provider may answer again.
const RETRY_SECONDS: u32 = 5;

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SignInError {
    /// The provider does not answer, or not as one does.
    #[error("the provider does not answer")]
    Unavailable,
    /// The provider has refused, or the person has.
    #[error("the provider has refused")]
    Refused,
    /// It was not begun here, or too long ago, or is done already.
    #[error("the sign-in is not under way")]
    Stale,
    /// What the provider says of the person does not count.
    #[error("the provider's ID token is not taken: {0}")]
    Token(#[from] TokenError),
    /// The claims let nobody in.
    #[error(transparent)]
    Person(#[from] PersonError),
    /// More roles than a cookie holds.
    #[error("the roles of this account do not fit into a cookie")]
    TooManyRoles,
    /// Where it would lead back to.
    #[error("the way back is not allowed")]
    ReturnTo,
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Unavailable => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "sign_in_unavailable",
                "the sign-in provider does not answer at the moment: try again; keys work as ever",
            )
            .retry_after(RETRY_SECONDS),
            SignInError::Refused => Self::new(
                StatusCode::FORBIDDEN,
                "sign_in_refused",
                "the sign-in provider has not signed you in: begin again, or ask whoever runs it",
            ),
            SignInError::Stale => Self::new(
                StatusCode::BAD_REQUEST,
                "sign_in_stale",
                "this sign-in is over or was begun in another browser: begin again at /v1/sign-in",
            ),
            // Which part is wrong stands in the log: it says nothing to the person.
            SignInError::Token(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "sign_in_invalid",
                "the sign-in provider's answer cannot be trusted: the service's log says why",
            ),
            SignInError::Person(_) | SignInError::TooManyRoles => {
                let detail = format!("{error}: ask whoever runs the sign-in provider");
                Self::new(StatusCode::FORBIDDEN, "sign_in_no_role", detail)
            }
            SignInError::ReturnTo => {
                let detail = "a sign-in leads back to a path of this service that its settings \
                              allow, `/console/`";
                Self::malformed(detail).at("return_to")
            }
        }
    }
}
