//! Names of schemas: what is taken for one, so that no name needs quoting and none reaches SQL
//! that does not look like one.

/// Bytes of a name that PostgreSQL keeps; it cuts off what is longer.
const NAME_BYTES_MAX: usize = 63;

/// The name of a schema of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SchemaName(String);

impl SchemaName {
    /// `a` to `z`, digits and `_`, not a digit first; not one of the server's own. The answer to
    /// any other says what is wrong.
    pub(super) fn new(name: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let is_ours = !name.starts_with("pg_") && name != "information_schema";
        let is_short = name.len() <= NAME_BYTES_MAX;
        if starts_well && name.chars().all(is_plain) && is_ours && is_short {
            return Ok(Self(name.to_owned()));
        }
        Err(format!(
            "schema `{name}`: a name has a to z, 0 to 9 and _, at most {NAME_BYTES_MAX} of them, \
             starts with no digit and not with pg_"
        ))
    }

    /// The name as it stands in the catalogue.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of `search_path` under which plain table names mean this schema's. In quotes,
    /// since a name may be a word of SQL.
    pub(super) fn search_path(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_taken_and_a_word_of_sql_is_one() {
        for name in ["shop_vault", "_1", "user", &"a".repeat(NAME_BYTES_MAX)] {
            assert_eq!(SchemaName::new(name).unwrap().as_str(), name);
        }
        assert_eq!(SchemaName::new("user").unwrap().search_path(), "\"user\"");
    }

    #[test]
    fn a_name_that_needs_care_is_refused() {
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        for name in ["", "1a", "A", "a b", "a\"", "a-b", "台帳", "pg_vault", &long] {
            assert!(SchemaName::new(name).is_err(), "{name}");
        }
        assert!(SchemaName::new("information_schema").is_err());
    }
}
