//! An answer as a plain page, for a person who uses a browser.

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};

/// Content-Security-Policy under which nothing is loaded, run or framed.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// What the page says.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The matter in a word or two.
    pub title: &'a str,
    /// What was wrong and how to correct it.
    pub detail: &'a str,
}

impl Page<'_> {
    /// The page with the status and the headers of an answer, instead of its body.
    #[must_use]
    pub fn in_place_of(self, mut answer: Response) -> Response {
        let (title, detail) = (escaped(self.title), escaped(self.detail));
        let text = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<h1>{title}</h1>\n<p>{detail}</p>\n"
        );
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        let (mut parts, _) = answer.into_parts();
        let (html, body) = Html(text).into_response().into_parts();
        parts.headers.extend(html.headers);
        parts.headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        Response::from_parts(parts, body)
    }
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

    #[tokio::test]
    async fn a_page_keeps_status_and_headers_and_no_text_becomes_part_of_its_form() {
        let retry = [(header::RETRY_AFTER, "1"), (header::CONTENT_TYPE, "application/json")];
        let answer = (StatusCode::SERVICE_UNAVAILABLE, retry, "{}").into_response();
        let page = Page { title: "Busy", detail: "<b>\"Tom\" & 'Jerry'</b>" };
        let answer = page.in_place_of(answer);
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("<h1>Busy</h1>"), "{text}");
        assert!(
            text.contains("&lt;b&gt;&quot;Tom&quot; &amp; &#39;Jerry&#39;&lt;/b&gt;"),
            "{text}"
        );
    }
}
