//! The log says what happened, and holds no secret with which somebody else could sign in.

use std::io::Write;
use std::sync::{Arc, Mutex};

use reqwest::{StatusCode, Url};
use tracing_subscriber::fmt::MakeWriter;

use crate::browser::Browser;
use crate::house::House;
use crate::provider::ClaimsAre;

/// The log, kept in memory.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_sign_in_is_in_the_log() {
    let log = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false);
    subscriber.with_max_level(tracing_subscriber::filter::LevelFilter::TRACE).init();
    let mut house = House::open_with(ClaimsAre::BesideIt, "rsa", |_| {}).await;
    let mut browser = Browser::new();
    let mut secrets = Vec::new();
    let mut note = |url: &str| {
        let url = Url::parse(url).unwrap();
        let asked = ["code", "state", "nonce", "code_challenge"];
        let found = url.query_pairs().filter(|(name, _)| asked.contains(&&**name));
        secrets.extend(found.map(|(_, value)| value.into_owned()));
    };
    let begun = house.begin(&mut browser).await;
    let back = browser.at_provider(&begun, "sato").await;
    [&begun, &back].into_iter().for_each(|url| note(url));
    browser.get(&back).await.gives(StatusCode::SEE_OTHER);
    let cookies = browser.cookies_of(&house.at("/")).clone();
    browser.get(&house.at("/v1/books/shop/orders")).await.gives(StatusCode::OK);
    let begun = house.begin(&mut browser).await;
    let back = browser.at_provider(&begun, "sato").await;
    [&begun, &back].into_iter().for_each(|url| note(url));
    house.provider.stop();
    browser.get(&back).await.gives(StatusCode::SERVICE_UNAVAILABLE);
    secrets.extend(cookies.into_values());
    assert_eq!(secrets.len(), 11, "{secrets:?}");
    house.service.end().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("actor=staff:sato") && log.contains("nobody was signed in"), "{log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log");
    }
}
