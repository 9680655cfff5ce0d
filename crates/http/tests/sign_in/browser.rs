//! As much of a browser as a sign-in needs: cookies, and redirects followed one by one.

use std::collections::{BTreeMap, HashMap};

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url, header};
use serde_json::Value;

/// Most pages of the provider during one sign-in.
const PAGES_MAX: usize = 20;

/// The `Accept` header that browsers send.
const ACCEPTS: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A person's browser.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    /// Values by origin, then by name.
    cookies: HashMap<String, BTreeMap<String, String>>,
}

/// An answer to a browser.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
    url: Url,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { client, cookies: HashMap::new() }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.ask(Method::GET, url, |request| request.header(header::ACCEPT, ACCEPTS)).await
    }

    /// A request as a page of the service itself sends it.
    pub(crate) async fn post(&mut self, url: &str, body: &Value) -> Page {
        let own = |request: RequestBuilder| request.header("Sec-Fetch-Site", "same-origin");
        self.ask(Method::POST, url, |request| own(request).json(body)).await
    }

    pub(crate) async fn ask(
        &mut self,
        method: Method,
        url: &str,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Page {
        let url = Url::parse(url).unwrap();
        let origin = url.origin().ascii_serialization();
        let jar = self.cookies.entry(origin.clone()).or_default();
        let pairs: Vec<String> =
            jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.request(method, url.clone());
        let request = request.header(header::COOKIE, pairs.join("; "));
        let answer = more(request).send().await.unwrap();
        for line in answer.headers().get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let ended = attributes.contains("Max-Age=0") || attributes.contains("01 Jan 1970");
            match ended {
                true => drop(jar.remove(name)),
                false => drop(jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        let (status, headers) = (answer.status(), answer.headers().clone());
        Page { status, headers, text: answer.text().await.unwrap(), url }
    }

    /// Signs in at the provider under this name, starting at the address to which the service sent
    /// the browser. Returns the address to which the provider sends it back.
    pub(crate) async fn at_provider(&mut self, begun: &str, name: &str) -> String {
        self.through(begun, &|text| {
            let prompt = if text.contains("value=\"login\"") { "login" } else { "consent" };
            format!("prompt={prompt}&login={name}&password=any")
        })
        .await
    }

    /// Cancels at the provider instead.
    pub(crate) async fn broken_off(&mut self, begun: &str) -> String {
        let page = self.get(begun).await;
        let mut url = format!("{}/abort", page.location());
        while !url.contains("/v1/sign-in/callback") {
            url = self.get(&url).await.location();
        }
        url
    }

    async fn through(&mut self, begun: &str, filled: &dyn Fn(&str) -> String) -> String {
        let mut page = self.get(begun).await;
        for _ in 0..PAGES_MAX {
            let url = if page.status == StatusCode::OK {
                let (url, form) = (page.url.to_string(), filled(&page.text));
                let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                let fill = |request: RequestBuilder| request.header(kind.0, kind.1).body(form);
                page = self.ask(Method::POST, &url, fill).await;
                continue;
            } else {
                page.location()
            };
            if url.contains("/v1/sign-in/callback") {
                return url;
            }
            page = self.get(&url).await;
        }
        panic!("the provider does not send the browser back: {page:?}");
    }

    /// The cookies kept for a service.
    pub(crate) fn cookies_of(&mut self, url: &str) -> &mut BTreeMap<String, String> {
        let origin = Url::parse(url).unwrap().origin().ascii_serialization();
        self.cookies.entry(origin).or_default()
    }
}

impl Page {
    /// The address that the answer redirects to.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        assert!(self.status.is_redirection(), "{}: {}", self.status, self.text);
        let location = self.headers[header::LOCATION].to_str().unwrap();
        self.url.join(location).unwrap().to_string()
    }

    #[track_caller]
    pub(crate) fn gives(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.url, self.text);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The `Set-Cookie` header of this cookie.
    #[track_caller]
    pub(crate) fn cookie(&self, name: &str) -> &str {
        let lines = self.headers.get_all(header::SET_COOKIE).iter();
        let lines = lines.map(|line| line.to_str().unwrap());
        let found = lines.into_iter().find(|line| line.starts_with(&format!("{name}=")));
        found.unwrap_or_else(|| panic!("no {name}: {:?}", self.headers))
    }
}
