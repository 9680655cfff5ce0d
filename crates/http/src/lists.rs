//! Lists and their rows, as of today or a past day, as JSON or CSV.

use axum::Json;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daicho_app::{
    AtLeast, ColumnKind, Date, KnownAt, List, ListFilter, ListPage, ListRequest, ListSort,
    PAGE_ROWS_MAX, Position, Right, all, major_units,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::tag_of;
use crate::ask::wanted;
use crate::authorise::Session;
use crate::endpoint::{BOOK, Endpoint, Parameter, schema_of};
use crate::problem::Problem;

const CHAPTER: &str = "lists";
/// Rows of a page by default.
const LIMIT: u32 = 50;
/// Milliseconds to wait for a position by default.
const WAIT_MS: u64 = 10_000;
/// Most milliseconds to wait for a position.
const WAIT_MS_MAX: u64 = 25_000;
const JSON: &str = "application/json";
const CSV: &str = "text/csv";

/// A page of a list.
#[derive(Serialize, JsonSchema)]
struct Page {
    /// The rows.
    rows: Vec<Map<String, Value>>,
    /// Give it as `after` to get the next page; `null`: this is the last page.
    next: Option<String>,
    /// The position up to which the list includes the record.
    known_at: u64,
    /// The business day for which the rows are given.
    effective_on: String,
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    all().iter().flat_map(|list| [page_of(*list), row_of(*list)]).collect()
}

fn page_of(list: &'static dyn List) -> Endpoint {
    let path = format!("{BOOK}/{}", list.name());
    let handler = move |session: Session, headers: HeaderMap, query: RawQuery| async move {
        page(list, session, &headers, &query.0.unwrap_or_default()).await
    };
    let page = Endpoint::get(&format!("list_{}", list.name()), &path, handler)
        .needs(Right::Read)
        .says(CHAPTER, format!("A page of the list of {}", list.name()))
        .answers_in(
            200,
            "The page",
            vec![(JSON, schema_of::<Page>()), (CSV, json!({ "type": "string" }))],
        )
        .with_header("link", "The next page, `rel=\"next\"`, if there is one");
    let page = moment().into_iter().chain(paging(list)).fold(page, Endpoint::takes);
    list.columns().iter().fold(page, |page, column| {
        page.takes(Parameter {
            name: column.name.to_owned(),
            place: "query",
            required: false,
            about: format!(
                "Only rows whose {} is this; an empty value means rows that have none: {}",
                column.name, column.describe
            ),
            schema: match column.kind {
                ColumnKind::Integer | ColumnKind::Money => or_empty(json!({ "type": "integer" })),
                ColumnKind::Date => or_empty(json!({ "type": "string", "format": "date" })),
                ColumnKind::Text | ColumnKind::Timestamp => json!({ "type": "string" }),
            },
        })
    })
}

/// The schema of a value of that form, or of an empty text.
fn or_empty(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "string", "maxLength": 0 }] })
}

fn row_of(list: &'static dyn List) -> Endpoint {
    let key = list.key_name();
    let path = format!("{BOOK}/{}/{{{key}}}", list.name());
    let handler = move |session: Session,
                        Path((_, key)): Path<(String, String)>,
                        RawQuery(query): RawQuery| async move {
        row(list, session, &key, &query.unwrap_or_default()).await
    };
    let row = Endpoint::get(&format!("show_{key}"), &path, handler)
        .needs(Right::Read)
        .says(CHAPTER, format!("One {key} with all its facts"))
        .answers::<Map<String, Value>>(200, "The row")
        .with_header("etag", "The last position recorded about it: give it as `If-Match`");
    moment().into_iter().fold(row, Endpoint::takes)
}

fn parameter(name: &str, about: &str, schema: Value) -> Parameter {
    let (name, about) = (name.to_owned(), about.to_owned());
    Parameter { name, place: "query", required: false, about, schema }
}

/// The parameters of every list: the two time axes, and the position that it must include.
fn moment() -> Vec<Parameter> {
    let position =
        json!({ "type": "integer", "minimum": 0, "maximum": 999_999_999_999_999_999_u64 });
    vec![
        parameter(
            "known_at",
            "As known at that time: a position, or the end of a day of recording; left out: now",
            json!({ "anyOf": [position, { "type": "string", "format": "date" }] }),
        ),
        parameter(
            "effective_on",
            "As in effect on this business day; left out: today",
            json!({ "type": "string", "format": "date" }),
        ),
        parameter("wait_for", "Answer only once the list includes this position", position),
        parameter(
            "wait_ms",
            "Milliseconds to wait for `wait_for`",
            json!({ "type": "integer", "minimum": 0, "maximum": WAIT_MS_MAX, "default": WAIT_MS }),
        ),
    ]
}

fn paging(list: &dyn List) -> Vec<Parameter> {
    let columns = || std::iter::once(list.key_name()).chain(list.columns().iter().map(|c| c.name));
    let condition = columns().collect::<Vec<_>>().join("|");
    let condition = format!("^({condition})(=|!=|<|<=|>|>=|\\^=)");
    let sorts: Vec<String> = columns().flat_map(|c| [c.to_owned(), format!("-{c}")]).collect();
    vec![
        parameter(
            "where",
            "A condition: COLUMN=VALUE, or with != < <= > >= or ^= (begins with); may be repeated, \
             then all must hold",
            json!({ "type": "array", "items": { "type": "string", "pattern": condition } }),
        ),
        parameter(
            "sort",
            "A column to sort by; with a hyphen before it in descending order",
            json!({ "enum": sorts }),
        ),
        parameter(
            "limit",
            "Rows of the page",
            json!({ "type": "integer", "minimum": 1, "maximum": PAGE_ROWS_MAX, "default": LIMIT }),
        ),
        parameter(
            "after",
            "Continue after the previous page: its `next`",
            json!({ "type": "string", "minLength": 1 }),
        ),
    ]
}

async fn page(
    list: &'static dyn List,
    session: Session,
    headers: &HeaderMap,
    query: &str,
) -> Result<Response, Problem> {
    let form = wanted(headers, &[JSON, CSV])?;
    let pairs = pairs(query)?;
    let request =
        ListRequest { limit: LIMIT, privacy: session.privacy(), ..ListRequest::default() };
    let request = read(list, request, &pairs, true)?;
    let page = session.ledger.lists().page(list, &request).await?;
    let next = page.next.as_ref().map(|next| next_link(&pairs, next));
    let body = if form == CSV { csv(list, &page)? } else { json_page(page).into_response() };
    Ok(match next {
        Some(next) => ([(header::LINK, next)], body).into_response(),
        None => body,
    })
}

async fn row(
    list: &'static dyn List,
    session: Session,
    key: &str,
    query: &str,
) -> Result<Response, Problem> {
    let request = ListRequest { privacy: session.privacy(), ..ListRequest::default() };
    let request = read(list, request, &pairs(query)?, false)?;
    let kind = list.key_name();
    let Some(row) = session.ledger.lists().row(list, key, &request).await? else {
        return Err(Problem::not_found(format!(
            "the list, as of the requested time, has no {kind} `{key}`"
        )));
    };
    let tag = session.ledger.history().last_about(&format!("{kind}:{key}")).await?;
    let headers = tag.map(|position| [(header::ETAG, tag_of(position))]);
    Ok(match headers {
        Some(headers) => (headers, Json(row)).into_response(),
        None => Json(row).into_response(),
    })
}

fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = serde_html_form::from_str(query);
    pairs.map_err(|error| Problem::malformed(format!("the query: {error}")))
}

/// The list request that a query describes; conditions and paging only for a page.
fn read(
    list: &dyn List,
    mut request: ListRequest,
    pairs: &[(String, String)],
    of_page: bool,
) -> Result<ListRequest, Problem> {
    let mut wait_ms = WAIT_MS;
    let mut wait_for = None;
    for (name, value) in pairs {
        let wrong = |reason: String| Problem::malformed(reason).at(name);
        let is_column = name == list.key_name() || list.columns().iter().any(|c| c.name == name);
        match name.as_str() {
            "known_at" => request.known_at = Some(value.parse::<KnownAt>().map_err(wrong)?),
            "effective_on" => request.effective_on = Some(day(value).map_err(wrong)?),
            "wait_for" => wait_for = Some(Position(number(value).map_err(wrong)?)),
            "wait_ms" => wait_ms = wait(value).map_err(wrong)?,
            "limit" if of_page => request.limit = limit(value).map_err(wrong)?,
            "after" if of_page => request.after = Some(value.clone()),
            "sort" if of_page => request.sort = Some(value.parse::<ListSort>().map_err(wrong)?),
            "where" if of_page => {
                request.filters.push(value.parse::<ListFilter>().map_err(wrong)?);
            }
            column if of_page && is_column => {
                request.filters.push(ListFilter::equal(column, value));
            }
            _ => {
                let known = "known_at, effective_on, wait_for, wait_ms";
                let more =
                    if of_page { ", where, sort, limit, after, and its columns" } else { "" };
                return Err(wrong(format!(
                    "there is no parameter `{name}`: the parameters are {known}{more}"
                )));
            }
        }
    }
    request.at_least = wait_for.map(|position| AtLeast { position, wait_ms });
    Ok(request)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number of 0 or more"))
}

fn wait(text: &str) -> Result<u64, String> {
    let ms = number(text).ok().filter(|ms| *ms <= WAIT_MS_MAX);
    ms.ok_or_else(|| format!("`{text}`: give 0 to {WAIT_MS_MAX} milliseconds"))
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("`{text}` is not a day (YYYY-MM-DD)"))
}

fn limit(text: &str) -> Result<u32, String> {
    let rows = text.parse().ok().filter(|rows| (1..=PAGE_ROWS_MAX).contains(rows));
    rows.ok_or_else(|| format!("a page has 1 to {PAGE_ROWS_MAX} rows, not `{text}`"))
}

/// The `Link` header to the next page: the same query, continued after `next`.
fn next_link(pairs: &[(String, String)], next: &str) -> String {
    let mut query: Vec<(&str, &str)> = pairs
        .iter()
        .filter(|(name, _)| name != "after")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    query.push(("after", next));
    format!("<?{}>; rel=\"next\"", serde_html_form::to_string(query).unwrap_or_default())
}

fn json_page(page: ListPage) -> Json<Value> {
    Json(json!({
        "rows": page.rows, "next": page.next, "known_at": page.known_at,
        "effective_on": page.effective_on,
    }))
}

/// The key and the typed columns, amounts in the units of their currency.
fn csv(list: &dyn List, page: &ListPage) -> Result<Response, Problem> {
    let broken = |error: csv::Error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failure", format!("no CSV: {error}"))
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = std::iter::once(list.key_name()).chain(list.columns().iter().map(|c| c.name));
    writer.write_record(names).map_err(broken)?;
    for cells in page.cells(list, major_units) {
        writer.write_record(cells).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| broken(error.into_error().into()))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}
