//! Why nobody was signed in.

use crate::id_token::TokenError;
use crate::person::PersonError;

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The provider does not answer, or not as the standard says.
    #[error("the provider does not answer")]
    Unavailable,
    /// The provider refused, or the person did.
    #[error("the provider refused")]
    Refused,
    /// It was not begun here, was begun too long ago, or is finished already.
    #[error("no such sign-in is in progress")]
    Stale,
    /// The provider's ID token cannot be accepted.
    #[error("the provider's ID token is not accepted: {0}")]
    Token(#[from] TokenError),
    /// The claims name nobody who may sign in.
    #[error(transparent)]
    Person(#[from] PersonError),
    /// The account has more roles than fit into a cookie.
    #[error("the roles of this account do not fit into a cookie")]
    TooManyRoles,
    /// The path to return to is not allowed.
    #[error("the path to return to is not allowed")]
    ReturnTo,
}
