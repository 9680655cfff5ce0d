//! The settings of the sign-in: the provider, the client, the claims and the session.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::{Host, Url};
use zeroize::Zeroizing;

/// Minutes that a sign-in lasts, unless the settings say otherwise: eight hours.
const SESSION_MINUTES: u32 = 8 * 60;
/// Longest sign-in in minutes: 31 days.
const SESSION_MINUTES_MAX: u32 = 31 * 24 * 60;
/// Bytes of the key that seals sessions.
pub(crate) const SESSION_KEY_BYTES: usize = 32;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file that they name cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A value that cannot be used.
    #[error("{name}: {reason}")]
    Value {
        /// The setting, as the service's own settings name it.
        name: &'static str,
        /// What is wrong, and the way out.
        reason: String,
    },
}

/// How people sign in: with an OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The provider's issuer URL, as its discovery document gives it.
    pub issuer: String,
    /// The id of this service at the provider.
    pub client_id: String,
    /// File with the secret of this service at the provider; left out: it is a public client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// The scopes to ask the provider for; `openid` must be one of them.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim that names the person, who then acts as `staff:<name>`; left out:
    /// `preferred_username`, or else `sub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_claim: Option<String>,
    /// The claim with the roles: a list of `book=role`, or `*=role` for every book.
    #[serde(default = "roles_claim")]
    pub roles_claim: String,
    /// Minutes after which a person must sign in again.
    #[serde(default = "session_minutes")]
    pub session_minutes: u32,
    /// File with the key that seals sessions, 64 hexadecimal digits; left out: a random key, so
    /// that sign-ins end with the process and no other process knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key_file: Option<PathBuf>,
    /// Paths to which a sign-in may return: these, and all below one that ends in `/`.
    #[serde(default = "return_paths")]
    pub return_paths: Vec<String>,
}

fn scopes() -> Vec<String> {
    vec!["openid".to_owned(), "profile".to_owned()]
}

fn roles_claim() -> String {
    "daicho_roles".to_owned()
}

const fn session_minutes() -> u32 {
    SESSION_MINUTES
}

fn return_paths() -> Vec<String> {
    vec!["/".to_owned()]
}

impl SignIn {
    /// The settings of a public client, with defaults for all else.
    #[must_use]
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret_file: None,
            scopes: scopes(),
            name_claim: None,
            roles_claim: roles_claim(),
            session_minutes: session_minutes(),
            session_key_file: None,
            return_paths: return_paths(),
        }
    }

    /// Refuses values with which nobody can sign in, and files that cannot be used. `base_url` is
    /// the URL at which people reach the service, without a slash at the end.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check(&self, base_url: &str) -> Result<(), SettingsError> {
        if !is_secure(&self.issuer) {
            let reason = format!("`{}` is no https:// URL, nor one of this machine", self.issuer);
            return Err(SettingsError::Value { name: "sign_in.issuer", reason });
        }
        if !is_secure(base_url) {
            let reason = "a sign-in over http:// can be read by others on its way: give the \
                          https:// URL at which people reach the service";
            return Err(SettingsError::Value { name: "public_url", reason: reason.to_owned() });
        }
        let wrong =
            |name, reason: &str| Err(SettingsError::Value { name, reason: reason.to_owned() });
        if self.client_id.is_empty() {
            return wrong(
                "sign_in.client_id",
                "it is empty: give this service's id at the provider",
            );
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return wrong("sign_in.scopes", "`openid` must be one of them");
        }
        if !(1..=SESSION_MINUTES_MAX).contains(&self.session_minutes) {
            return wrong("sign_in.session_minutes", "give 1 to 44640 (31 days)");
        }
        let local = |path: &String| path.starts_with('/') && !path.starts_with("//");
        if self.return_paths.is_empty() || !self.return_paths.iter().all(local) {
            return wrong(
                "sign_in.return_paths",
                "each must be a path of this service: `/console/`",
            );
        }
        self.client_secret()?;
        self.session_key().map(drop)
    }

    /// The secret of this service at the provider.
    pub(crate) fn client_secret(&self) -> Result<Option<Zeroizing<String>>, SettingsError> {
        let Some(path) = &self.client_secret_file else { return Ok(None) };
        let text = secret_text(path)?;
        if text.trim().is_empty() {
            let reason = "the file is empty: it must hold the secret and nothing else".to_owned();
            return Err(SettingsError::Value { name: "sign_in.client_secret_file", reason });
        }
        Ok(Some(Zeroizing::new(text.trim().to_owned())))
    }

    /// The key that seals sessions, if one is given.
    pub(crate) fn session_key(
        &self,
    ) -> Result<Option<Zeroizing<[u8; SESSION_KEY_BYTES]>>, SettingsError> {
        let Some(path) = &self.session_key_file else { return Ok(None) };
        let text = secret_text(path)?;
        let mut key = Zeroizing::new([0; SESSION_KEY_BYTES]);
        if hex::decode_to_slice(text.trim(), key.as_mut_slice()).is_err() {
            let reason = "the file must hold 64 hexadecimal digits: `openssl rand -hex 32`";
            return Err(SettingsError::Value {
                name: "sign_in.session_key_file",
                reason: reason.to_owned(),
            });
        }
        Ok(Some(key))
    }
}

fn secret_text(path: &Path) -> Result<Zeroizing<String>, SettingsError> {
    let text = std::fs::read_to_string(path);
    let unreadable =
        |source| SettingsError::Unreadable { path: path.display().to_string(), source };
    text.map(Zeroizing::new).map_err(unreadable)
}

/// Whether nobody can read or change what is sent to a URL: it uses TLS, or is on this machine.
pub(crate) fn is_secure(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => IpAddr::from(address).is_loopback(),
        ("http", Some(Host::Ipv6(address))) => IpAddr::from(address).is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "http://127.0.0.1:7400";

    fn settings() -> SignIn {
        SignIn::new("https://login.example.jp", "daicho")
    }

    fn refused(settings: &SignIn, base_url: &str) -> String {
        match settings.check(base_url) {
            Err(SettingsError::Value { name, .. }) => name.to_owned(),
            Err(error) => error.to_string(),
            Ok(()) => "nothing".to_owned(),
        }
    }

    #[test]
    fn each_setting_that_lets_nobody_in_is_named() {
        type Change = fn(&mut SignIn);
        let cases: [(Change, &str); 9] = [
            (|_| {}, "nothing"),
            (|s| s.issuer = "http://login.example.jp".into(), "sign_in.issuer"),
            (|s| s.issuer = "http://[::1]:9/".into(), "nothing"),
            (|s| s.client_id.clear(), "sign_in.client_id"),
            (|s| s.scopes.clear(), "sign_in.scopes"),
            (|s| s.session_minutes = 0, "sign_in.session_minutes"),
            (|s| s.return_paths = vec!["//elsewhere".into()], "sign_in.return_paths"),
            (|s| s.return_paths.clear(), "sign_in.return_paths"),
            (|s| s.session_key_file = Some("nowhere/key".into()), "nowhere/key cannot be read"),
        ];
        for (change, name) in cases {
            let mut settings = settings();
            change(&mut settings);
            assert_eq!(refused(&settings, HERE), name, "{settings:?}");
        }
        assert_eq!(refused(&settings(), "http://ledger.example.jp"), "public_url");
        assert_eq!(refused(&settings(), "https://ledger.example.jp"), "nothing");
    }

    #[test]
    fn files_of_secrets_hold_what_they_are_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let with = |text: &str| std::fs::write(&file, text).unwrap();
        let key = SignIn { session_key_file: Some(file.clone()), ..settings() };
        let secret = SignIn { client_secret_file: Some(file.clone()), ..settings() };
        with("ab\n");
        assert_eq!(refused(&key, HERE), "sign_in.session_key_file");
        assert_eq!(secret.client_secret().unwrap().unwrap().as_str(), "ab");
        with(&format!("{}\n", "0f".repeat(32)));
        assert_eq!(*key.session_key().unwrap().unwrap(), [0x0f; 32]);
        with("\n");
        assert_eq!(refused(&secret, HERE), "sign_in.client_secret_file");
    }
}
