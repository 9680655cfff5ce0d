//! Names of schemas: which texts are taken for one, so that no other text reaches SQL as a name.

use crate::book::OpenError;

/// Bytes of a name that PostgreSQL keeps; it cuts off what is longer.
const NAME_BYTES_MAX: usize = 63;

/// The name of a schema of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaName(String);

/// One part of a book: a schema. A book's name has no `_`, so no part is another book's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The ledger: `<book>`.
    Record,
    /// Cursors, leases, documents, and whose turn it is to seal: `<book>_state`.
    State,
    /// What is dropped and remade: `<book>_derived`.
    Derived,
    /// Keys of personal data: `<book>_vault`.
    Vault,
}

impl SchemaName {
    /// Lower-case letters, digits, `_` and `-`; not one of the server's own. The answer to any
    /// other says what is wrong.
    pub(super) fn new(name: &str) -> Result<Self, String> {
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let is_ours = !name.starts_with("pg_") && name != "information_schema";
        let is_short = (1..=NAME_BYTES_MAX).contains(&name.len());
        if name.chars().all(is_plain) && is_ours && is_short {
            return Ok(Self(name.to_owned()));
        }
        Err(format!(
            "schema `{name}`: a name has a to z, 0 to 9, _ and -, at most {NAME_BYTES_MAX} of \
             them, and does not start with pg_"
        ))
    }

    /// Where a part of a book stands.
    pub(super) fn of(book: &str, part: Part) -> Result<Self, String> {
        let suffix = match part {
            Part::Record => "",
            Part::State => "_state",
            Part::Derived => "_derived",
            Part::Vault => "_vault",
        };
        Self::new(&format!("{book}{suffix}"))
    }

    /// The name as it stands in the catalogue.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as SQL takes it, and the value of `search_path` under which plain table names mean
    /// this schema's. In quotes, since a name may be a word of SQL.
    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// Where the parts of a book stand.
pub(super) struct Schemas {
    pub(super) record: SchemaName,
    pub(super) state: SchemaName,
    pub(super) derived: SchemaName,
}

impl Schemas {
    /// As a book of this name has them.
    pub(super) fn of(book: &str) -> Result<Self, OpenError> {
        let of = |part| SchemaName::of(book, part).map_err(OpenError::Options);
        let (record, state) = (of(Part::Record)?, of(Part::State)?);
        Ok(Self { record, state, derived: of(Part::Derived)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_taken_and_a_word_of_sql_is_one() {
        for name in ["shop_vault", "2-shops", "user", &"a".repeat(NAME_BYTES_MAX)] {
            assert_eq!(SchemaName::new(name).unwrap().as_str(), name);
        }
        assert_eq!(SchemaName::new("user").unwrap().quoted(), "\"user\"");
    }

    #[test]
    fn a_name_that_needs_care_is_refused() {
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        for name in ["", "A", "a b", "a\"", "a;b", "台帳", "pg_vault", &long] {
            assert!(SchemaName::new(name).is_err(), "{name}");
        }
        assert!(SchemaName::new("information_schema").is_err());
    }
}
