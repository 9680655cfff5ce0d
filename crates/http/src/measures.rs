//! What the service measures, in the form that Prometheus reads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use daicho_deliveries::Courier;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the buckets of the time histogram, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

/// The measures of this process.
pub(crate) struct Measures {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram>,
    /// Events that commands have recorded.
    pub(crate) recorded: Counter,
    /// Events that streams have sent.
    pub(crate) streamed: Counter,
    /// Streams that are open.
    pub(crate) streams: Gauge,
}

/// The courier's counts.
#[derive(Clone)]
struct Sent(Arc<Courier>);

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sent")
    }
}

impl Collector for Sent {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counts = self.0.counts();
        for (name, help, count) in [
            ("webhooks_delivered", "Messages that receivers accepted", &counts.delivered),
            ("webhooks_failed", "Attempts to deliver that failed", &counts.failed),
            ("webhooks_parked", "Messages that were parked", &counts.parked),
        ] {
            let count = ConstCounter::new(count.load(Ordering::Relaxed));
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            count.encode(metric)?;
        }
        Ok(())
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

impl Measures {
    pub(crate) fn new(courier: Arc<Courier>) -> Self {
        let mut registry = Registry::with_prefix("daicho");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        registry.register("http_request_seconds", "Time that a request took", seconds.clone());
        let (recorded, streamed, streams) =
            (Counter::default(), Counter::default(), Gauge::default());
        registry.register("events_recorded", "Events that commands recorded", recorded.clone());
        registry.register("events_streamed", "Events that streams sent", streamed.clone());
        registry.register("event_streams", "Streams of events that are open", streams.clone());
        registry.register_collector(Box::new(Sent(courier)));
        Self { registry, requests, seconds, recorded, streamed, streams }
    }

    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        taken: Duration,
    ) {
        let (method, route) = (method.to_string(), route.to_owned());
        let answered =
            Answered { method: method.clone(), route: route.clone(), status: status.as_u16() };
        self.requests.get_or_create(&answered).inc();
        self.seconds.get_or_create(&Route { method, route }).observe(taken.as_secs_f64());
    }

    /// All measures as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
