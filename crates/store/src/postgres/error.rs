//! What PostgreSQL's errors mean for a book, by SQLSTATE (PostgreSQL, Appendix A).

use crate::error::StorageError;

/// SQLSTATE of a database's own error.
pub(crate) fn state(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Nothing was written, and it may be tried again: a lock was not given in time, or the statement
/// was cancelled before it committed.
pub(crate) fn is_busy(error: &StorageError) -> bool {
    let StorageError::Sqlx { source, .. } = error else { return false };
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const QUERY_CANCELED: &str = "57014";
    const SERIALIZATION_FAILURE: &str = "40001";
    const DEADLOCK_DETECTED: &str = "40P01";
    let busy = [LOCK_NOT_AVAILABLE, QUERY_CANCELED, SERIALIZATION_FAILURE, DEADLOCK_DETECTED];
    state(source).is_some_and(|state| busy.contains(&state.as_str()))
}

/// The connection is gone: the server was restarted, the backend terminated, the wire cut. A
/// connection that did not answer in time does not count: the next one would most likely be as
/// silent.
pub(crate) fn is_broken(error: &StorageError) -> bool {
    const CONNECTION_EXCEPTION_CLASS: &str = "08";
    const OPERATOR_INTERVENTION_CLASS: &str = "57P";
    let StorageError::Sqlx { source, .. } = error else { return false };
    let cut = matches!(
        source.as_ref(),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed
    );
    let ended = state(source).is_some_and(|state| {
        state.starts_with(CONNECTION_EXCEPTION_CLASS)
            || state.starts_with(OPERATOR_INTERVENTION_CLASS)
    });
    (cut || ended) && !is_silent(error)
}

/// No answer came within our limit, or within that of the operating system.
pub(crate) fn is_silent(error: &StorageError) -> bool {
    let StorageError::Sqlx { source, .. } = error else { return false };
    let sqlx::Error::Io(error) = source.as_ref() else { return false };
    error.kind() == std::io::ErrorKind::TimedOut
}

/// What was read is not the derived state of this release: missing tables, wrong types, bad values.
pub(crate) fn is_unusable(error: &StorageError) -> bool {
    const SYNTAX_OR_ACCESS_CLASS: &str = "42";
    const INSUFFICIENT_PRIVILEGE: &str = "42501";
    const INVALID_SCHEMA_NAME: &str = "3F000";
    match error {
        StorageError::Corrupt(_) => true,
        StorageError::Sqlx { source, .. } => {
            let shape = error.is_of_another_shape();
            let missing = state(source).is_some_and(|state| {
                state == INVALID_SCHEMA_NAME
                    || (state.starts_with(SYNTAX_OR_ACCESS_CLASS)
                        && state != INSUFFICIENT_PRIVILEGE)
            });
            shape || missing
        }
        StorageError::Io { .. }
        | StorageError::Closed
        | StorageError::Busy { .. }
        | StorageError::Remade
        | StorageError::OutOfOrder { .. } => false,
    }
}

/// The name is another schema's, or another process has just made it.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    const DUPLICATE_SCHEMA: &str = "42P06";
    const UNIQUE_VIOLATION: &str = "23505";
    state(error).is_some_and(|state| [DUPLICATE_SCHEMA, UNIQUE_VIOLATION].contains(&state.as_str()))
}
