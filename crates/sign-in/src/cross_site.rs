//! Tells requests of this service's own pages from those that a foreign page makes a signed-in
//! browser send.

use axum::http::{HeaderMap, Method, header};

/// The header in which browsers say which site sends a request (Fetch Metadata).
const SITE: &str = "sec-fetch-site";

/// The request comes from a page of another site, or does not say where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sign-in is accepted only from pages of this service: send `Sec-Fetch-Site: same-origin`, \
     or this service's own `Origin`, as browsers do"
)]
pub struct CrossSite;

/// Refuses a request that changes something, unless the browser says that a page of this service
/// sends it. Requests without a cookie need no such proof.
pub(crate) fn refuse_cross_site(
    method: &Method,
    headers: &HeaderMap,
    own_origin: &str,
) -> Result<(), CrossSite> {
    if method.is_safe() || is_same_origin(headers, own_origin) {
        return Ok(());
    }
    Err(CrossSite)
}

fn is_same_origin(headers: &HeaderMap, own_origin: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(SITE), text(header::ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == own_origin,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const OWN: &str = "https://ledger.example.jp";

    fn is_let_in(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers = headers.iter().map(header).collect();
        refuse_cross_site(method, &headers, OWN).is_ok()
    }

    #[test]
    fn what_changes_something_comes_from_a_page_of_our_own() {
        let same = ("sec-fetch-site", "same-origin");
        for (headers, let_in) in [
            (vec![same], true),
            (vec![same, ("origin", "null")], true),
            (vec![("origin", OWN)], true),
            (vec![], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", OWN)], false),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("origin", "https://evil.example")], false),
            (vec![("origin", "null")], false),
            (vec![("origin", "https://ledger.example.jp:8443")], false),
            (vec![("origin", "http://ledger.example.jp")], false),
        ] {
            for method in [Method::POST, Method::PATCH, Method::DELETE, Method::PUT] {
                assert_eq!(is_let_in(&method, &headers), let_in, "{method} {headers:?}");
            }
            assert!(is_let_in(&Method::GET, &headers) && is_let_in(&Method::HEAD, &headers));
        }
    }
}
