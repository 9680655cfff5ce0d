//! Cookies that the browser keeps for the service, sends to no other host and shows to no script.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

/// Longest value: browsers accept cookies of up to 4,096 bytes, name and attributes included.
pub(crate) const VALUE_BYTES_MAX: usize = 3_840;

/// A cookie of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cookie {
    name: String,
    secure: bool,
}

impl Cookie {
    /// Over TLS the name begins with `__Host-`: then browsers accept it from this host only.
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

    /// The header that makes a browser keep it for this long.
    pub(crate) fn keep(&self, value: &str, time: Duration) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = &self.name;
        let seconds = time.as_secs();
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// The header that makes a browser delete it.
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
