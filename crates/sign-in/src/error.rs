//! Why nobody was signed in.

use crate::id_token::TokenError;
use crate::person::PersonError;

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
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
