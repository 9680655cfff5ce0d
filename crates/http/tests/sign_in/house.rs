//! A provider, a service at which people sign in with it, and a clock that can be moved forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use daicho_app::{Clock, ClockAndEntropy};
use daicho_http::{Settings, SignIn};
use serde_json::json;

use crate::browser::{Browser, Page};
use crate::provider::{ClaimsAre, Provider};
use crate::support::{Running, book_after_the_main_road};

/// The system's clock, moved forward.
struct Forward {
    system: Arc<dyn Clock>,
    by_us: AtomicI64,
}

impl Clock for Forward {
    fn now_us(&self) -> i64 {
        self.system.now_us() + self.by_us.load(Ordering::Relaxed)
    }
}

/// The provider, the service and the clock together.
pub(crate) struct House {
    pub(crate) provider: Provider,
    pub(crate) service: Running,
    clock: Arc<Forward>,
}

impl House {
    /// Starts all, with a public client and the claims in the ID token.
    pub(crate) async fn open() -> Self {
        Self::open_with(ClaimsAre::InTheToken, "rsa", |_| {}).await
    }

    pub(crate) async fn open_with(
        claims: ClaimsAre,
        client: &str,
        change: impl FnOnce(&mut SignIn),
    ) -> Self {
        let many: Vec<String> = (0..200).map(|n| format!("book-{n}=auditor")).collect();
        let accounts = json!({
            "nomura": many,
            "sato": ["shop=operator"],
            "aoki": ["*=auditor", "other=billing", "of another system"],
            "mori": ["other=operator"],
            "kato": [],
            "ueda": ["shop=auditor", "shop=billing"],
        });
        let provider = Provider::start(claims, &accounts);
        let folder = tempfile::tempdir().unwrap();
        let keys = book_after_the_main_road(&folder, "shop").await;
        book_after_the_main_road(&folder, "other").await;
        let mut sign_in = SignIn::new(provider.issuer.clone(), client);
        change(&mut sign_in);
        let clock = Forward { system: ClockAndEntropy::system().clock, by_us: AtomicI64::new(0) };
        let clock = Arc::new(clock);
        let set = |settings: &mut Settings| settings.sign_in = Some(sign_in);
        let service = Running::serve(folder, keys, clock_and_entropy(&clock), set).await;
        Self { provider, service, clock }
    }

    /// The same with a low limit of requests per person.
    pub(crate) async fn limited_to(self, burst: u32) -> Self {
        let limit = |settings: &mut Settings| {
            settings.limits.requests_a_second = 1;
            settings.limits.burst = burst;
        };
        self.served_again(|_| {}, limit).await
    }

    /// The same books and provider with a new process of the service.
    pub(crate) async fn restarted(self, change: impl FnOnce(&mut SignIn)) -> Self {
        self.served_again(change, |_| {}).await
    }

    /// The same books and provider, served again with other settings.
    pub(crate) async fn served_again(
        self,
        change: impl FnOnce(&mut SignIn),
        limit: impl FnOnce(&mut Settings),
    ) -> Self {
        let Self { provider, service, clock } = self;
        let keys = service.keys.clone();
        let folder = service.end().await;
        let mut sign_in = SignIn::new(provider.issuer.clone(), "rsa");
        change(&mut sign_in);
        let change = |settings: &mut Settings| {
            settings.sign_in = Some(sign_in);
            limit(settings);
        };
        let service = Running::serve(folder, keys, clock_and_entropy(&clock), change).await;
        Self { provider, service, clock }
    }

    pub(crate) fn later(&self, time: Duration) {
        let by_us = i64::try_from(time.as_micros()).unwrap();
        self.clock.by_us.fetch_add(by_us, Ordering::Relaxed);
    }

    /// An address of the service.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.service.url)
    }

    /// The address to which the service sends a browser that wants to sign in.
    pub(crate) async fn begin(&self, browser: &mut Browser) -> String {
        browser.get(&self.at("/v1/sign-in")).await.location()
    }

    /// Goes through the provider and back; returns the answer of the service.
    pub(crate) async fn come_back(&self, browser: &mut Browser, name: &str) -> Page {
        let begun = self.begin(browser).await;
        let back = browser.at_provider(&begun, name).await;
        browser.get(&back).await
    }

    /// A browser in which this person is signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = Browser::new();
        let page = self.come_back(&mut browser, name).await;
        assert_eq!(page.location(), self.at("/v1/me"));
        browser
    }
}

fn clock_and_entropy(clock: &Arc<Forward>) -> ClockAndEntropy {
    ClockAndEntropy { clock: Arc::clone(clock) as Arc<dyn Clock>, ..ClockAndEntropy::system() }
}
