//! The parts of a request: parameters of the query, a JSON body, headers. A part that does not have
//! the required form is answered with a problem that names it.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use daicho_app::{UniqueJson, read_form};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::service::Service;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The query, read into the fields of `T`.
pub(crate) struct Asked<T>(pub(crate) T);

/// A JSON body, read into `T`.
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body, or none at all: then the default of `T`.
pub(crate) struct Optional<T>(pub(crate) T);

/// A body that is a JSON object, or none at all.
pub(crate) struct Object(pub(crate) Map<String, Value>);

impl<T: DeserializeOwned> FromRequestParts<Service> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &Service) -> Result<Self, Problem> {
        query(&parts.uri).map(Self)
    }
}

/// The query of an address, read into the fields of `T`.
pub(crate) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let query = uri.query().unwrap_or_default();
    let query = serde_html_form::Deserializer::from_bytes(query.as_bytes());
    read_form(query).map_err(Problem::query)
}

impl<T: DeserializeOwned> FromRequest<Service> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, service: &Service) -> Result<Self, Problem> {
        let bytes = body(request, service).await?;
        Ok(Self(read_form(json(&bytes)?)?))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Service> for Optional<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, service: &Service) -> Result<Self, Problem> {
        let bytes = body(request, service).await?;
        let value = if bytes.is_empty() { T::default() } else { read_form(json(&bytes)?)? };
        Ok(Self(value))
    }
}

impl FromRequest<Service> for Object {
    type Rejection = Problem;
    async fn from_request(request: Request, service: &Service) -> Result<Self, Problem> {
        let bytes = body(request, service).await?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        let Value::Object(object) = json(&bytes)? else {
            return Err(Problem::unprocessable("the body must be a JSON object"));
        };
        Ok(Self(object))
    }
}

fn json(bytes: &[u8]) -> Result<Value, Problem> {
    let json = serde_json::from_slice(bytes).map(|UniqueJson(json)| json);
    json.map_err(|error| Problem::malformed(format!("the body is not JSON: {error}")))
}

/// The whole body, up to the limit, and only if its content type is JSON.
async fn body(request: Request, service: &Service) -> Result<axum::body::Bytes, Problem> {
    let (parts, body): (Parts, Body) = request.into_parts();
    let limit = service.settings.limits.body_bytes_max;
    let too_large = || {
        let detail = format!("the body has more than {limit} bytes: split the request");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > limit)
    {
        return Err(too_large());
    }
    // The only other error is a caller that went away: nobody reads the answer.
    let bytes = to_bytes(body, limit).await.map_err(|_| too_large())?;
    if !bytes.is_empty() && !is_json(&parts.headers) {
        let detail = "the body must be JSON: send `Content-Type: application/json`";
        return Err(
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail).at("Content-Type")
        );
    }
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
        || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The text of a header; none: it is missing.
///
/// # Errors
/// The header is given twice, or is not plain text.
pub(crate) fn header_text<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::malformed(format!("`{name}` is given more than once")).at(name));
    }
    let text = value.to_str();
    text.map(Some).map_err(|_| Problem::malformed(format!("`{name}` is not plain text")).at(name))
}

/// The media type among these that the caller prefers; the first if the caller does not say.
pub(crate) fn wanted<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Result<&'a str, Problem> {
    let first = offered.first().copied().unwrap_or_default();
    let Some(accept) = header_text(headers, "accept")? else { return Ok(first) };
    let mut asked: Vec<(u32, &str)> = accept.split(',').filter_map(weighed).collect();
    asked.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let found = asked
        .iter()
        .find_map(|(_, range)| offered.iter().copied().find(|kind| covers(range, kind)));
    found.ok_or_else(|| {
        let detail = format!("this is available as {}", offered.join(", "));
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail).at("Accept")
    })
}

/// A media range with its weight in thousandths; none: the caller does not accept it.
fn weighed(range: &str) -> Option<(u32, &str)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, thousandths);
    (weight > 0).then_some((weight, kind))
}

/// The thousandths of a weight: `0.25` is 250.
fn thousandths(weight: &str) -> u32 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let part = format!("{part:0<3}");
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    number(whole) * 1_000 + part.get(..3).map_or(0, number)
}

fn covers(range: &str, kind: &str) -> bool {
    let family = kind.split('/').next().unwrap_or_default();
    range == "*/*" || range.eq_ignore_ascii_case(kind) || range.strip_suffix("/*") == Some(family)
}

/// The caller's name for the request, with quotation marks (a structured field) or without.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(text) = header_text(headers, IDEMPOTENCY_KEY)? else { return Ok(None) };
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted.unwrap_or(text) {
        "" => Err(Problem::malformed("an Idempotency-Key cannot be empty").at(IDEMPOTENCY_KEY)),
        key => Ok(Some(key.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepting(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))])
    }

    #[test]
    fn the_form_that_the_caller_prefers_is_chosen() {
        let offered = ["application/json", "text/csv"];
        let choice = |text| wanted(&accepting(text), &offered).unwrap();
        assert_eq!(wanted(&HeaderMap::new(), &offered).unwrap(), "application/json");
        assert_eq!(choice("text/csv"), "text/csv");
        assert_eq!(choice("text/csv;q=0.5, application/json"), "application/json");
        assert_eq!(choice("application/json;q=0.25, text/*;q=0.3"), "text/csv");
        assert_eq!(choice("image/png, */*;q=0.1"), "application/json");
        assert!(wanted(&accepting("image/png"), &offered).is_err());
        assert!(wanted(&accepting("text/csv;q=0"), &offered).is_err());
    }
}
