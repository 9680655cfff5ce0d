//! Spans of requests for a collector, over OTLP/HTTP, where one is named.
//!
//! What is sent and how often follows the variables of OpenTelemetry's specification, which its
//! library reads: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`,
//! `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_SCHEDULE_DELAY` and those beside them.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use crate::error::CliError;

const SERVICE: &str = "daicho";
/// Where below its address a collector takes spans.
const TRACES: &str = "v1/traces";
/// How long it may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// How long the last spans may take at the end of the process.
const END_TIME: Duration = Duration::from_secs(5);

/// A collector that spans go to, in batches, beside the work.
pub(crate) struct Collector(SdkTracerProvider);

impl Collector {
    /// The collector at an address, `http://localhost:4318`.
    pub(crate) fn at(url: &str, runtime: &Handle) -> Result<Self, CliError> {
        let refused = |reason: String| CliError::Usage(format!("--otlp-endpoint {url}: {reason}"));
        let is_address = |url: &reqwest::Url| matches!(url.scheme(), "http" | "https");
        let Some(_) = url.parse().ok().filter(is_address) else {
            return Err(refused("no address of a collector: give http://host:4318".into()));
        };
        // Refused where another part has installed the same one before.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().timeout(ANSWER_TIME).tls_backend_rustls().build();
        let http = http.map_err(|error| refused(error.to_string()))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client { http, runtime: runtime.clone() })
            .with_endpoint(format!("{}/{TRACES}", url.trim_end_matches('/')))
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let mut resource = Resource::builder().with_attribute(version);
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(SERVICE);
        }
        let provider = SdkTracerProvider::builder().with_resource(resource.build());
        Ok(Self(provider.with_batch_exporter(exporter).build()))
    }

    /// The layer that makes spans of requests.
    pub(crate) fn tracer(&self) -> SdkTracer {
        self.0.tracer(SERVICE)
    }

    /// Sends what is left.
    pub(crate) fn end(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(END_TIME) {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}

/// Sends from the threads of the program: those of the batches know no runtime.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
        });
        sent.await?
    }
}
