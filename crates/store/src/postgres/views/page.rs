//! A page of a list: one statement for all stretches of its order, so that it sees one state.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use super::{read, rows, statements};
use crate::StorageError;
use crate::views::sql::{self, Conditions};
use crate::views::{PageRequest, Question, Value, ViewError, ViewPage, ViewPoint, ViewSchema};

/// A statement and the values of its parameters.
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

/// Reads the page that `request` asks for.
pub(super) async fn read(
    pool: &PgPool,
    schema: &ViewSchema,
    request: &PageRequest,
) -> Result<(ViewPage, ViewPoint), ViewError> {
    let failed = "read a page of a view";
    let question = Question::new(schema, request)?;
    let Statement { text, values } = statement(schema, &question)?;
    let query = values.into_iter().fold(sqlx::query(AssertSqlSafe(text)), rows::bind_value);
    let (found, point) = read::fetch_at(pool, schema, query, failed).await?;
    let found = read::decode(&found, schema, failed)?;
    Ok((question.into_sorted_page(found), point))
}

/// The first stretch of the order, and of the next one as many rows as are still wanted.
pub(super) fn statement(
    schema: &ViewSchema,
    question: &Question,
) -> Result<Statement, StorageError> {
    // One row more than asked for tells whether there is a next page.
    let wanted = crate::views::stored_number(question.limit as u64 + 1)?;
    let values = read::form_values(schema).into_iter().chain([Value::Integer(wanted)]);
    let mut conditions = Conditions::after(values.collect());
    let mut stretches = sql::stretches(question).into_iter().map(|stretch| {
        conditions.push_page(question, stretch);
        format!(
            "SELECT {} FROM {}{} ORDER BY {} LIMIT $4",
            statements::typed_columns(schema),
            sql::table(schema),
            conditions.take_where(),
            sql::order(question)
        )
    });
    let near = stretches.next().unwrap_or_default();
    let found = match stretches.next() {
        None => near,
        Some(far) => format!(
            "WITH near AS MATERIALIZED ({near}), \
             far AS ({far} - (SELECT count(*) FROM near)) \
             SELECT * FROM near UNION ALL SELECT * FROM far"
        ),
    };
    drop(stretches);
    Ok(Statement { text: statements::read_at(&found), values: conditions.values })
}
