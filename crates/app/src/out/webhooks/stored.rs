//! The settings and secrets of a webhook: one document of the state, which people change.

use daicho_store::{DocumentChange, Expected, State, StateName};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::error::WebhookError;
use super::private_address::is_private_address;
use super::secret::{Signature, WebhookSecret};
use crate::error::Failure;

const KIND: &str = "webhook";
/// The most characters of a webhook's name, under which its parked messages are stored.
const NAME_CHARS_MAX: usize = 40;
/// The most characters of an address.
const URL_CHARS_MAX: usize = 2_000;
/// The most documents of one read.
const PAGE_DOCUMENTS: u32 = 256;

/// The settings and secrets of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredWebhook {
    pub(super) url: String,
    pub(super) types: Vec<String>,
    pub(super) tags: Vec<String>,
    secret: WebhookSecret,
    /// Previous secrets, each with the time until which it also signs.
    before: Vec<(WebhookSecret, i64)>,
    pub(super) disabled: Option<String>,
}

impl StoredWebhook {
    pub(super) fn new(
        url: String,
        types: Vec<String>,
        tags: Vec<String>,
        secret: WebhookSecret,
    ) -> Self {
        Self { url, types, tags, secret, before: Vec::new(), disabled: None }
    }

    pub(super) fn signature(&self) -> Signature {
        self.secret.signature()
    }

    /// A new secret signs from now on; for a while the previous one signs, too.
    pub(super) fn rotate(&mut self, secret: WebhookSecret, now_us: i64, overlap_us: i64) {
        self.before.retain(|(_, until)| *until > now_us);
        let before = std::mem::replace(&mut self.secret, secret);
        self.before.push((before, now_us.saturating_add(overlap_us)));
    }

    /// The header that proves that a message is ours, with a signature by every secret in force.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &str, now_us: i64) -> String {
        let before = self.before.iter().filter(|(_, until)| *until > now_us);
        let secrets = std::iter::once(&self.secret).chain(before.map(|(secret, _)| secret));
        let signatures = secrets.map(|secret| secret.sign(id, seconds, body));
        signatures.collect::<Vec<_>>().join(" ")
    }
}

/// A webhook, and the version of its document.
pub(super) async fn read(
    state: &dyn State,
    name: &StateName,
) -> Result<(StoredWebhook, u64), WebhookError> {
    let document = state.document(&kind()?, name).await?;
    let document = document.ok_or_else(|| WebhookError::Unknown(name.to_string()))?;
    let stored = serde_json::from_str(&document.body).map_err(|error| damaged(name, &error))?;
    Ok((stored, document.version))
}

/// The names of the webhooks.
pub(super) async fn names(state: &dyn State) -> Result<Vec<String>, WebhookError> {
    let documents = state.documents(&kind()?, None, PAGE_DOCUMENTS).await?;
    Ok(documents.into_iter().map(|document| document.name).collect())
}

pub(super) fn damaged(name: &StateName, error: &serde_json::Error) -> Failure {
    Failure::Document { of: format!("webhook `{name}`"), reason: error.to_string() }
}

pub(super) fn kind() -> Result<StateName, WebhookError> {
    Ok(StateName::new(KIND)?)
}

pub(super) fn name_of(name: &str) -> Result<StateName, WebhookError> {
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(WebhookError::Refused(format!(
            "`{name}` is too long: the name of a webhook has at most {NAME_CHARS_MAX} characters"
        )));
    }
    Ok(StateName::new(name)?)
}

pub(super) fn change(
    name: &StateName,
    stored: &StoredWebhook,
    expected: Expected,
) -> Result<DocumentChange, WebhookError> {
    let body = serde_json::to_string(stored);
    let body = body.map_err(|error| damaged(name, &error))?;
    Ok(DocumentChange { kind: kind()?, name: name.clone(), expected, body: Some(body) })
}

/// An address that events may be sent to.
pub(super) fn checked_url(text: &str, private_addresses: bool) -> Result<String, WebhookError> {
    let wrong = |rule: &str| WebhookError::Url(format!("`{text}` is refused: {rule}"));
    if text.chars().count() > URL_CHARS_MAX {
        return Err(WebhookError::Url(format!(
            "an address has at most {URL_CHARS_MAX} characters"
        )));
    }
    let url =
        Url::parse(text).map_err(|error| wrong(&format!("it is not an address ({error})")))?;
    match url.scheme() {
        "https" => {}
        "http" if private_addresses => {}
        _ => return Err(wrong("events are sent to `https` addresses")),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("it must have no user, password or fragment"));
    }
    let address = match url.host() {
        None => return Err(wrong("it has no host")),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
    };
    if address.is_some_and(is_private_address) && !private_addresses {
        return Err(wrong("it is an address within a network of its own"));
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_plain_https_address_outside_of_our_own_network() {
        assert!(checked_url("https://shop.example.jp/hook?a=b", false).is_ok());
        for url in [
            "shop.example.jp",
            "ftp://a.example",
            "http://a.example",
            "https://u:p@a.example",
            "https://a.example/#x",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.1.2.3/",
            "https://169.254.169.254/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "file:///etc/passwd",
            "https://",
        ] {
            let refused = checked_url(url, false).unwrap_err();
            assert_eq!(refused.code(), "webhook_url", "{url}");
        }
        assert!(checked_url("http://127.0.0.1:8080/", true).is_ok());
    }
}
