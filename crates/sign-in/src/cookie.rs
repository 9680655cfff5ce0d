//! Cookies: what the browser keeps for the service, sent back to nobody else and told to no script.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

/// Browsers take cookies up to 4,096 bytes, with name and attributes.
pub(crate) const VALUE_BYTES_MAX: usize = 3_840;

/// A cookie of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cookie {
    name: String,
    secure: bool,
}

impl Cookie {
    /// Over TLS the name begins with `__Host-`: then a browser takes it from this host alone.
    pub(crate) fn new(name: &str, secure: bool) -> Self {
        let prefix = if secure { "__Host-" } else { "" };
        Self { name: format!("{prefix}{name}"), secure }
    }

    /// Its value in a request.
    pub(crate) fn of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|p| p.split_once('='));
        pairs.find(|(name, _)| name.trim() == self.name).map(|(_, value)| value.trim())
    }

    /// Lets a browser keep it for a while.
    pub(crate) fn keep(&self, value: &str, time: Duration) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = &self.name;
        let seconds = time.as_secs();
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// Lets a browser forget it.
    pub(crate) fn forget(&self) -> Option<HeaderValue> {
        self.keep("", Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_kept_for_this_host_and_no_script_and_read_by_its_whole_name() {
        let plain = Cookie::new("daicho", false);
        let secure = Cookie::new("daicho", true);
        assert_eq!(
            secure.keep("abc", Duration::from_secs(60)).unwrap(),
            "__Host-daicho=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(plain.forget().unwrap(), "daicho=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        let line = HeaderValue::from_static("a=1; xdaicho=2;daicho=3==; __Host-daicho=4");
        let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
        assert_eq!(plain.of(&headers), Some("3=="));
        assert_eq!(secure.of(&headers), Some("4"));
        assert_eq!(Cookie::new("b", false).of(&headers), None);
    }
}
