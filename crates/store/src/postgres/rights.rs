//! What a role needs to serve a book: the list that is checked at opening and granted by the owner.
//!
//! A role that serves adds events and moves the head, and can do neither more nor less: it does not
//! own the record, so that it cannot take the record's triggers away.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::book::OpenError;
use crate::error::StorageError;
use crate::views::sql::quoted;

use super::connect::PATIENCE;
use super::database::Database;
use super::lender::in_time;
use super::schema::{Part, SchemaName, Schemas};

const GRANTING: &str = "grant the rights on a book";

/// A right on a table of a book, or with the empty name on the schema itself.
type Right = (Part, &'static str, &'static str);

/// To look into a record.
const READING: [Right; 4] = [
    (Part::Record, "", "USAGE"),
    (Part::Record, "meta", "SELECT"),
    (Part::Record, "log", "SELECT"),
    (Part::Record, "head", "SELECT"),
];
/// To append, to take turns, to keep cursors, leases and documents, and to make the derived state.
const SERVING: [Right; 20] = [
    (Part::Record, "log", "INSERT"),
    (Part::Record, "head", "UPDATE"),
    (Part::State, "", "USAGE"),
    (Part::State, "turn", "SELECT"),
    (Part::State, "turn", "UPDATE"),
    (Part::State, "cursor", "SELECT"),
    (Part::State, "cursor", "INSERT"),
    (Part::State, "cursor", "UPDATE"),
    (Part::State, "cursor", "DELETE"),
    (Part::State, "lease", "SELECT"),
    (Part::State, "lease", "INSERT"),
    (Part::State, "lease", "UPDATE"),
    (Part::State, "document", "SELECT"),
    (Part::State, "document", "INSERT"),
    (Part::State, "document", "UPDATE"),
    (Part::State, "document", "DELETE"),
    (Part::State, "document_version", "SELECT"),
    (Part::State, "document_version", "UPDATE"),
    (Part::Derived, "", "USAGE"),
    (Part::Derived, "", "CREATE"),
];
/// Whoever serves owns these, since it also drops them.
const DERIVED_TABLES: [&str; 5] = ["meta", "run", "page", "tile", "block"];
const DERIVED_RIGHTS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// What a book is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Looking into its record.
    Reading,
    /// Everything that a ledger does.
    Serving,
}

impl Database {
    /// Lets `role` serve the book `name`: read and append, and make its derived state, which then
    /// is the role's own; so one role serves a book, however many processes do. The role cannot
    /// change or delete an event, nor take away what refuses that. The vault is not granted.
    ///
    /// Asked by the owner of the book, who must be a member of `role` or a superuser.
    ///
    /// # Errors
    /// A role that is not there, a book that is not there, or a caller that does not own it.
    pub async fn grant(&self, name: &str, role: &str) -> Result<(), OpenError> {
        let schemas = Schemas::of(name)?;
        in_time(self.answer(), GRANTING, self.grant_parts(name, &schemas, role)).await
    }

    async fn grant_parts(
        &self,
        name: &str,
        schemas: &Schemas,
        role: &str,
    ) -> Result<(), OpenError> {
        let mut connection = self.connect_to(&schemas.record, PATIENCE).await?;
        super::gate::check_schema(&mut connection, &self.place_of(name)).await?;
        check_owner(&mut connection, &schemas.record).await?;
        super::state::migrate(&mut connection, schemas).await?;
        grant(&mut connection, schemas, &quoted(role))
            .await
            .map_err(StorageError::sqlx(GRANTING))?;
        connection.close().await.map_err(StorageError::sqlx(GRANTING))?;
        Ok(())
    }
}

/// To seal, open and erase: neither can the key of the book itself be changed, nor a key be taken
/// away.
const SEALING: [&str; 4] = [
    "USAGE ON SCHEMA",
    "SELECT, INSERT, UPDATE ON person_key",
    "SELECT, UPDATE ON generation",
    "SELECT ON book_key",
];

impl Database {
    /// Lets `role` use the vault of the book `name`: without it a role that serves can record and
    /// read everything but personal data. Asked by the owner of the vault.
    ///
    /// # Errors
    /// A role or a vault that is not there, or a caller that does not own it.
    pub async fn grant_vault(&self, name: &str, role: &str) -> Result<(), OpenError> {
        let vault = SchemaName::of(name, Part::Vault).map_err(OpenError::Options)?;
        in_time(self.answer(), GRANTING, self.grant_sealing(&vault, role)).await
    }

    async fn grant_sealing(&self, vault: &SchemaName, role: &str) -> Result<(), OpenError> {
        let mut connection = self.connect_to(vault, PATIENCE).await?;
        check_owner(&mut connection, vault).await?;
        let grants = SEALING.map(|right| match right.strip_suffix(" SCHEMA") {
            Some(_) => format!("GRANT {right} {} TO {}", vault.quoted(), quoted(role)),
            None => format!("GRANT {right} TO {}", quoted(role)),
        });
        sqlx::raw_sql(AssertSqlSafe(grants.join("; ")))
            .execute(&mut connection)
            .await
            .map_err(StorageError::sqlx(GRANTING))?;
        connection.close().await.map_err(StorageError::sqlx(GRANTING))?;
        Ok(())
    }
}

/// Whoever does not own the book grants nothing, and the server would only warn.
async fn check_owner(connection: &mut PgConnection, schema: &SchemaName) -> Result<(), OpenError> {
    let schema = schema.as_str();
    let (role, owns): (String, bool) = sqlx::query_as(include_str!("sql/read_owner.sql"))
        .bind(schema)
        .fetch_one(connection)
        .await
        .map_err(StorageError::sqlx(GRANTING))?;
    if owns {
        return Ok(());
    }
    Err(OpenError::NoRights { role, missing: format!("the ownership of {schema}") })
}

/// All or nothing. `role` is quoted.
async fn grant(
    connection: &mut PgConnection,
    schemas: &Schemas,
    role: &str,
) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin().await?;
    for (part, table, right) in READING.into_iter().chain(SERVING) {
        let schema = schemas.of_part(part).quoted();
        let place = match table {
            "" => format!("SCHEMA {schema}"),
            table => format!("TABLE {schema}.{table}"),
        };
        let statement = format!("GRANT {right} ON {place} TO {role}");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    let derived = schemas.derived.quoted();
    let objects: Vec<(String, String)> =
        sqlx::query_as(include_str!("sql/derived/list_objects.sql"))
            .bind(&derived)
            .fetch_all(&mut *tx)
            .await?;
    for (kind, object) in objects {
        let object = quoted(&object);
        let statement = format!("ALTER {kind} {derived}.{object} OWNER TO {role}");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    tx.commit().await
}

/// Refuses a role that lacks a right, and names every one that it lacks. For a book that is not
/// there, no right is missing.
pub(super) async fn check(
    connection: &mut PgConnection,
    schemas: &Schemas,
    purpose: Purpose,
) -> Result<(), OpenError> {
    let mut needed: Vec<Right> = READING.to_vec();
    if purpose == Purpose::Serving {
        needed.extend(SERVING);
        for table in DERIVED_TABLES {
            needed.extend(DERIVED_RIGHTS.map(|right| (Part::Derived, table, right)));
        }
    }
    let names: Vec<&str> =
        needed.iter().map(|(part, ..)| schemas.of_part(*part).as_str()).collect();
    let tables: Vec<&str> = needed.iter().map(|(_, table, _)| *table).collect();
    let rights: Vec<&str> = needed.iter().map(|(.., right)| *right).collect();
    let missing: Vec<(String, String)> =
        sqlx::query_as(include_str!("sql/list_missing_rights.sql"))
            .bind(names)
            .bind(tables)
            .bind(rights)
            .fetch_all(connection)
            .await
            .map_err(StorageError::sqlx("read the rights on a book"))?;
    let Some((role, _)) = missing.first() else { return Ok(()) };
    let list: Vec<&str> = missing.iter().map(|(_, right)| right.as_str()).collect();
    Err(OpenError::NoRights { role: role.clone(), missing: list.join(", ") })
}

impl Schemas {
    fn of_part(&self, part: Part) -> &SchemaName {
        match part {
            Part::Record => &self.record,
            Part::State => &self.state,
            Part::Derived => &self.derived,
            Part::Vault => unreachable!("no right on the vault is listed here"),
        }
    }
}
