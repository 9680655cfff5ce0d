//! A page of a list: one statement for each stretch of its order, in one committed state.

use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, Transaction};

use super::rows;
use crate::StorageError;
use crate::views::sql::{self, Conditions, Stretch};
use crate::views::{PageRequest, Question, Value, ViewError, ViewPage, ViewRow, ViewSchema};

/// Reads the page that `request` asks for.
pub(super) async fn read(
    tx: &mut Transaction<'static, Sqlite>,
    schema: &ViewSchema,
    request: &PageRequest,
) -> Result<ViewPage, ViewError> {
    let question = Question::new(schema, request)?;
    let mut found: Vec<ViewRow> = Vec::new();
    for stretch in sql::stretches(&question) {
        // One row more than asked for tells whether there is a next page.
        let wanted = question.limit + 1 - found.len();
        if wanted == 0 {
            break;
        }
        found.extend(read_stretch(tx, schema, &question, stretch, wanted).await?);
    }
    Ok(question.into_page(found))
}

async fn read_stretch(
    tx: &mut Transaction<'static, Sqlite>,
    schema: &ViewSchema,
    question: &Question,
    stretch: Stretch,
    wanted: usize,
) -> Result<Vec<ViewRow>, ViewError> {
    let wanted =
        i64::try_from(wanted).map_err(|_| ViewError::Refused("the limit is too large".into()))?;
    let mut conditions = Conditions::after(vec![Value::Integer(wanted)]);
    conditions.push_page(question, stretch);
    let text = format!(
        "SELECT {} FROM {}{} ORDER BY {} LIMIT $1",
        sql::columns(schema),
        sql::table(schema),
        conditions.take_where(),
        sql::order(question)
    );
    let query =
        conditions.values.into_iter().fold(sqlx::query(AssertSqlSafe(text)), rows::bind_value);
    let found = query.fetch_all(&mut **tx).await;
    Ok(rows::decode(&found.map_err(StorageError::sqlx("read a page of a view"))?, schema)?)
}
