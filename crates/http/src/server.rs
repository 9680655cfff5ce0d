//! Listening, serving, and stopping cleanly.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use daicho_app::{Books, ClockAndEntropy};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::config::Settings;
use crate::problem::Problem;
use crate::routes::endpoints;
use crate::serve_error::ServeError;
use crate::service::Service;
use crate::{books, request};

/// Pause after a failure to accept a connection, so that the failure is not repeated in a loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves the books until `stop` returns. `ready` gets the address as soon as the service listens.
/// Requests in progress at the end are finished within the time that the settings give.
///
/// # Errors
/// The settings cannot be used, or the address is taken.
pub async fn serve(
    settings: Settings,
    books: Books,
    clock_and_entropy: ClockAndEntropy,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    settings.check()?;
    let listen = settings.listen;
    let failed = |source| ServeError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let base_url = Settings { listen: address, ..settings.clone() }.base_url();
    let drain = Duration::from_secs(settings.drain_seconds);
    let service = Service::new(settings, base_url, books, clock_and_entropy).await?;
    let app = router(&service);
    ready(address);
    let attending = tokio::spawn(attend(service.clone()));
    let open = accept(&listener, &service, app, stop).await;
    drop(listener);
    service.stop();
    if tokio::time::timeout(drain, open.shutdown()).await.is_err() {
        tracing::warn!("requests were still in progress when the time to finish them ended");
    }
    // This task ends with the service.
    let _ = attending.await;
    service.books.close().await;
    Ok(())
}

/// Keeps every book open, if the settings say so, so that events are sent without a request.
async fn attend(service: Service) {
    let settings = &service.settings;
    let sends = settings.webhooks.enabled || settings.nats.url.is_some();
    if !sends || !settings.open_all_books {
        return;
    }
    loop {
        let open_all = async {
            service.books.open_all().await;
            tokio::time::sleep(books::LOOK).await;
        };
        tokio::select! {
            () = open_all => {}
            () = service.stopped() => return,
        }
    }
}

/// The routes, wrapped in what every request goes through.
fn router(service: &Service) -> Router {
    let router = endpoints()
        .into_iter()
        .fold(Router::new(), |router, endpoint| endpoint.mount(router, service));
    // `method_not_allowed_fallback` applies only to routes that were added before it.
    let router = router.fallback(not_found).method_not_allowed_fallback(not_allowed);
    router.layer(from_fn_with_state(service.clone(), request::answer)).with_state(service.clone())
}

async fn not_found(uri: Uri) -> Problem {
    Problem::nothing_at(uri.path())
}

async fn not_allowed(method: Method, uri: Uri) -> Problem {
    let detail =
        format!("{} does not take {method}: the header `Allow` says what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

/// Takes connections until `stop` returns; the answer watches those that are still open.
async fn accept(
    listener: &TcpListener,
    service: &Service,
    app: Router,
    stop: impl Future<Output = ()>,
) -> GracefulShutdown {
    let open = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(service.settings.limits.connections_max));
    let mut stop = std::pin::pin!(stop);
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            () = &mut stop => return open,
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut stop => return open,
        };
        let connection = open.watch(connection(stream, service, app.clone()));
        tokio::spawn(async move {
            // A caller that disconnects is not worth a line in the log.
            let _ = connection.await;
            drop(permit);
        });
    }
}

/// Serves one connection: HTTP/1.1, with a time limit for the head of each request.
fn connection(
    stream: TcpStream,
    service: &Service,
    app: Router,
) -> hyper::server::conn::http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::Service<
        Request<Incoming>,
        Response = Response,
        Error = Infallible,
        Future: Send,
    > + use<>,
> {
    // Answers are small: waiting until a packet is full only delays them.
    let _ = stream.set_nodelay(true);
    let head_time = Duration::from_secs(service.settings.limits.head_seconds_max);
    let answer = hyper::service::service_fn(move |request: Request<Incoming>| {
        app.clone().oneshot(request.map(axum::body::Body::new))
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .serve_connection(TokioIo::new(stream), answer)
}
