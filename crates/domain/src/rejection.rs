//! Rejections: a rule that the caller broke, with what to do about it. Each has a stable code.

use std::convert::Infallible;

use daicho_values::MoneyError;
use daicho_values::calendar::CalendarError;

/// A broken rule. Its text names the thing, the rule and the way out; its code never changes.
pub trait Rejection: std::error::Error + Send + Sync + 'static {
    /// The stable code, `snake_case`, e.g. `quote_lapsed`.
    fn code(&self) -> &'static str;
}

/// Declares a command's rejections, in their order of precedence.
///
/// `Name { field: Type } = "code": "text with {field}"` is a rule of the command's own, with a doc
/// line; a last `shared { Name(Inner), }` takes over other rejections with their codes and texts.
macro_rules! rejections {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$own_meta:meta])+ $own:ident $({ $($field:ident: $ty:ty),+ $(,)? })?
            = $code:literal: $text:literal,)*
        $(shared { $($(#[$shared_meta:meta])* $shared:ident($inner:ty),)+ })?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum $name {
            $($(#[$own_meta])+ #[error($text)] $own $({
                $(#[allow(missing_docs, reason = "the text says what it is")] $field: $ty,)+
            })?,)*
            $($($(#[$shared_meta])* #[error(transparent)] $shared(#[from] $inner),)+)?
        }

        impl $crate::Rejection for $name {
            fn code(&self) -> &'static str {
                match self {
                    $(Self::$own { .. } => $code,)*
                    $($(Self::$shared(inner) => $crate::Rejection::code(inner),)+)?
                }
            }
        }
    };
}

/// The rejection of a command that has no rule of its own.
impl Rejection for Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }
}

impl Rejection for MoneyError {
    fn code(&self) -> &'static str {
        match self {
            Self::MixedCurrencies { .. } => "mixed_currencies",
            Self::TooLarge => "amount_too_large",
            Self::NotAnAmount(_) => "not_an_amount",
            Self::UnknownCurrency(_) => "unknown_currency",
        }
    }
}

impl Rejection for CalendarError {
    fn code(&self) -> &'static str {
        match self {
            Self::YearOutOfRange { .. } => "year_out_of_range",
        }
    }
}
