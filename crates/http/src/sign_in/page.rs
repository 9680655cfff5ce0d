//! A problem as a plain page, for the person before a browser.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};

use crate::ask::wanted;
use crate::problem::{MEDIA_TYPE, Problem};

const HTML: &str = "text/html";
/// Nothing is loaded, run or framed.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// An answer: what went wrong as a page, where the caller would rather have one.
pub(super) fn told(headers: &HeaderMap, answer: Result<Response, Problem>) -> Response {
    let problem = match answer {
        Ok(answer) => return answer,
        Err(problem) => problem,
    };
    match wanted(headers, &[MEDIA_TYPE, HTML]) {
        Ok(HTML) => page(problem),
        Ok(_) | Err(_) => problem.into_response(),
    }
}

fn page(problem: Problem) -> Response {
    let (title, detail) = (escaped(problem.title()), escaped(problem.detail()));
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <h1>{title}</h1>\n<p>{detail}</p>\n"
    );
    // Status and headers are those of the problem.
    let mut response = problem.into_response();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    let (mut parts, _) = response.into_parts();
    let (html, body) = Html(text).into_response().into_parts();
    parts.headers.extend(html.headers);
    parts.headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Response::from_parts(parts, body)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    async fn answered(accept: &'static str) -> (StatusCode, String, String) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        let problem = Problem::busy("busy", "<b>\"Tom\" & 'Jerry'</b>");
        let answer = told(&headers, Err(problem));
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_browser_gets_a_page_and_a_program_a_problem() {
        let (status, kind, text) = answered("text/html,application/xml;q=0.9,*/*;q=0.8").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(kind.starts_with("text/html"), "{kind}");
        assert!(
            text.contains("&lt;b&gt;&quot;Tom&quot; &amp; &#39;Jerry&#39;&lt;/b&gt;"),
            "{text}"
        );
        for accept in ["*/*", "application/json", "application/problem+json"] {
            assert_eq!(answered(accept).await.1, MEDIA_TYPE, "{accept}");
        }
    }
}
