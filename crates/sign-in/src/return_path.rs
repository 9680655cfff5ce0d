//! Where a sign-in returns to: a path of this service, never of another host.

use url::Url;

/// Characters of such a path.
const CHARS_MAX: usize = 1_000;

/// The path that a browser would go to; none: it is not one of the allowed paths.
pub(crate) fn return_path(asked: &str, base: &Url, allowed: &[String]) -> Option<String> {
    if asked.len() > CHARS_MAX || !asked.starts_with('/') {
        return None;
    }
    // Read it as a browser does: `//host`, `/\host` and a tab between two slashes lead elsewhere.
    let url = base.join(asked).ok()?;
    if url.origin() != base.origin() {
        return None;
    }
    let path = url.path();
    let is_below = |allowed: &String| {
        path == allowed || allowed.ends_with('/') && path.starts_with(allowed.as_str())
    };
    if path.starts_with("//") || !allowed.iter().any(is_below) {
        return None;
    }
    Some(url[url::Position::BeforePath..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_service_is_led_back_to() {
        let base = Url::parse("https://ledger.example.jp/daicho").unwrap();
        let all = ["/".to_owned()];
        let path = |asked: &str| return_path(asked, &base, &all);
        for good in ["/", "/console/", "/a?b=c&d=%2F%2Fe#f", "/docs"] {
            assert_eq!(path(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "console",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "\\\\evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2e%2e//evil.example",
            &format!("/{}", "a".repeat(1_000)),
        ] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn paths_are_those_that_are_allowed_after_dots_are_taken_out() {
        let base = Url::parse("https://ledger.example.jp").unwrap();
        let allowed = ["/console/".to_owned(), "/docs".to_owned()];
        let path = |asked: &str| return_path(asked, &base, &allowed);
        assert_eq!(path("/console/orders?x").as_deref(), Some("/console/orders?x"));
        assert_eq!(path("/a/../docs").as_deref(), Some("/docs"));
        for bad in ["/", "/consoles", "/docs/x", "/console/../v1/me", "/console/%2e%2e/v1/me"] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
