//! The start-up gate of PostgreSQL: what the server promises, and what the record says of itself.

use sqlx::PgConnection;

use crate::book::{CLOCK_SKEW_US_MAX, OpenError, SCHEMA_VERSION};
use crate::clock::Clock;
use crate::error::StorageError;

use super::database::{Database, Durability};
use super::error::state;

/// PostgreSQL 13: the oldest one with `gen_random_uuid` of its own.
const VERSION_MIN: i32 = 130_000;

type Server = (i32, String, String, String, bool, i64);

/// Refuses a server that would acknowledge what it can lose, and a clock that is not the server's.
pub(crate) async fn check_server(
    connection: &mut PgConnection,
    database: &Database,
    clock: &dyn Clock,
) -> Result<(), OpenError> {
    let place = database.place();
    let server: Server = sqlx::query_as(include_str!("sql/read_gate.sql"))
        .fetch_one(connection)
        .await
        .map_err(StorageError::sqlx("reach the database"))?;
    judge(&server, &place, database.durability())?;
    let (.., now_us) = server;
    let off_us = clock.now_us().saturating_sub(now_us);
    if clock.is_shared() && off_us.abs() > CLOCK_SKEW_US_MAX {
        return Err(OpenError::ClockOff { off_ms: off_us / 1_000 });
    }
    Ok(())
}

/// What the server says of itself, but for its clock.
fn judge(server: &Server, place: &str, durability: Durability) -> Result<(), OpenError> {
    let (version, fsync, full_page_writes, encoding, in_recovery, _) = server;
    if *version < VERSION_MIN {
        let version = version / 10_000;
        return Err(OpenError::Options(format!(
            "{place} runs PostgreSQL {version}: a book needs 13 or later"
        )));
    }
    if encoding != "UTF8" {
        return Err(OpenError::Options(format!(
            "the database {place} is encoded in {encoding}: make one with ENCODING 'UTF8'"
        )));
    }
    if *in_recovery {
        return Err(OpenError::Options(format!(
            "{place} is a read-only standby: give the address of the primary"
        )));
    }
    let settings = [
        ("fsync", fsync, "fsync on"),
        ("full_page_writes", full_page_writes, "full_page_writes on"),
    ];
    let weak = settings.into_iter().find(|(_, found, _)| *found == "off");
    if let Some((name, found, asked)) = weak.filter(|_| durability == Durability::Asked) {
        return Err(OpenError::WeakDurability {
            place: place.to_owned(),
            setting: format!("{name} {found}"),
            asked,
            way_out: "set it on the server, where a crash would lose what was acknowledged (for \
                      tests, --allow-unsafe-server takes it as it is)",
        });
    }
    Ok(())
}

/// What the record says of itself.
pub(crate) async fn check_schema(
    connection: &mut PgConnection,
    place: &str,
) -> Result<[u8; 16], OpenError> {
    let meta = "SELECT book_id, schema_version FROM meta";
    let found = sqlx::query_as(meta).fetch_one(connection).await;
    let (book_id, found): (Vec<u8>, i64) = match found {
        Ok(found) => found,
        Err(error) if is_missing(&error) => {
            return Err(OpenError::NotABook { place: place.to_owned() });
        }
        Err(error) => return Err(StorageError::sqlx("read what the record is")(error).into()),
    };
    if found > SCHEMA_VERSION {
        return Err(OpenError::NewerSchema { found });
    }
    <[u8; 16]>::try_from(book_id)
        .map_err(|_| OpenError::Damaged { reason: "the book's id is not 16 bytes".into() })
}

fn is_missing(error: &sqlx::Error) -> bool {
    const UNDEFINED_TABLE: &str = "42P01";
    const UNDEFINED_COLUMN: &str = "42703";
    state(error).is_some_and(|state| [UNDEFINED_TABLE, UNDEFINED_COLUMN].contains(&state.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        (VERSION_MIN, "on".into(), "on".into(), "UTF8".into(), false, 0)
    }

    fn with_version(version: i32) -> Server {
        let mut server = server();
        server.0 = version;
        server
    }

    #[test]
    fn a_server_is_taken_from_its_oldest_version_on() {
        let judged = |version| judge(&with_version(version), "x", Durability::Asked);
        assert!(judged(VERSION_MIN).is_ok() && judged(190_000).is_ok());
        let refused = judged(VERSION_MIN - 1).unwrap_err().to_string();
        assert_eq!(refused, "x runs PostgreSQL 12: a book needs 13 or later");
    }

    #[test]
    fn what_was_waived_is_durability_alone() {
        let mut forgets = server();
        forgets.1 = "off".into();
        assert!(judge(&forgets, "x", Durability::Asked).is_err());
        assert!(judge(&forgets, "x", Durability::Waived).is_ok());
        forgets.4 = true;
        assert!(judge(&forgets, "x", Durability::Waived).is_err());
    }
}
