//! The macro that declares plain data of the record.

/// Declares plain data of the record: one list of derives for all, and a sample made of its parts.
///
/// Two forms: a struct of named fields, and an enum of unit variants (stored in `snake_case`,
/// its first variant is the sample).
#[macro_export]
macro_rules! data {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        #[derive(::schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        impl $crate::Sample for $name {
            fn sample() -> Self { Self { $($field: $crate::Sample::sample(),)* } }
        }
    };
    ($(#[$meta:meta])* pub enum $name:ident {
        $(#[$first_meta:meta])* $first:ident,
        $($(#[$variant_meta:meta])* $variant:ident,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $(#[$first_meta])* $first,
            $($(#[$variant_meta])* $variant,)*
        }

        impl $crate::Sample for $name {
            fn sample() -> Self { Self::$first }
        }
    };
}
