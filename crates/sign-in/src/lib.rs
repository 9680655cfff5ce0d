//! People sign in with OpenID Connect: the authorisation code flow with PKCE, and a cookie that
//! only the service can read or make.
//!
//! This crate knows neither routes nor the form of error answers: the HTTP service calls a
//! [`RelyingParty`] and turns its [`SignInError`] into an answer.

mod attempt;
mod cached;
mod cookie;
mod cross_site;
mod error;
mod id_token;
mod key_set;
mod page;
mod person;
mod provider;
mod relying_party;
mod return_path;
mod sealed;
mod settings;

pub use cross_site::CrossSite;
pub use error::SignInError;
pub use id_token::TokenError;
pub use page::Page;
pub use person::PersonError;
pub use relying_party::{RelyingParty, Returned, SignedIn, Site, StartError};
pub use settings::{SettingsError, SignIn};
