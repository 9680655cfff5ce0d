//! A collector of spans that is named gets one of each request, in the caller's trace; one that is
//! not there holds nothing up.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

use crate::connect::{Serving, free_address};
use crate::support::{Ran, Shop};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const PATIENCE: Duration = Duration::from_secs(20);

/// A collector: what comes in, as its protocol has it.
fn collector() -> (String, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            take(stream.unwrap(), &told);
        }
    });
    (url, heard)
}

/// Takes the requests of one connection until it ends.
fn take(stream: TcpStream, told: &Sender<ExportTraceServiceRequest>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).unwrap_or_default() == 0 {
                return;
            }
        }
        assert!(head.starts_with("POST /v1/traces "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        if told.send(ExportTraceServiceRequest::decode(&*body).unwrap()).is_err() {
            return;
        }
    }
}

fn spans_of(requests: &[ExportTraceServiceRequest]) -> Vec<&Span> {
    let resources = requests.iter().flat_map(|request| &request.resource_spans);
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).collect()
}

fn serve(shop: &Shop, collector: &str) -> Serving {
    let mut command = shop.command(&["serve", "--listen", "127.0.0.1:0", "--output", "json"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    Serving::of(command)
}

#[test]
fn a_collector_gets_a_span_of_each_request_in_the_trace_of_its_caller() {
    let (url, heard) = collector();
    let shop = Shop::after_the_main_road();
    let serving = serve(&shop, &url);
    let traceparent = format!("traceparent: 00-{TRACE}-{CALLER}-01");
    let secret = ["--header", "authorization: Bearer dk_secret"];
    let of_a_trace = [&secret[..], &["--header", &traceparent]].concat();
    assert_eq!(serving.status(&of_a_trace, "/v1/books/shop/orders"), "401");
    assert_eq!(serving.status(&[], "/livez"), "200");
    assert_eq!(serving.ends_with("-TERM"), Some(0));
    let mut requests = Vec::new();
    while spans_of(&requests).len() < 2 {
        requests.push(heard.recv_timeout(PATIENCE).expect("the service has sent its spans"));
    }
    requests.extend(heard.try_iter());
    assert!(format!("{:?}", requests[0].resource_spans[0].resource).contains("\"daicho\""));
    let spans = spans_of(&requests);
    assert_eq!(spans.len(), 2, "{spans:?}");
    let span = |name: &str| *spans.iter().find(|span| span.name == name).unwrap();
    let orders = span("GET /v1/books/{book}/orders");
    assert_eq!(hex(&orders.trace_id), TRACE);
    assert_eq!(hex(&orders.parent_span_id), CALLER);
    assert_eq!(orders.kind(), SpanKind::Server);
    let said = format!("{:?}", orders.attributes);
    assert!(said.contains("http.response.status_code") && said.contains("401"), "{said}");
    let alone = span("GET /livez");
    assert!(alone.parent_span_id.is_empty() && hex(&alone.trace_id) != TRACE);
    assert!(!format!("{requests:?}").contains("dk_secret"), "a secret was sent");
}

#[test]
fn a_collector_that_is_not_there_holds_nothing_up() {
    let shop = Shop::empty();
    let serving = serve(&shop, &format!("http://{}", free_address()));
    assert_eq!(serving.status(&[], "/livez"), "200");
    let ended = std::thread::spawn(move || serving.ends_with("-TERM"));
    let began = std::time::Instant::now();
    assert_eq!(ended.join().unwrap(), Some(0));
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn an_address_that_no_collector_has_is_named() {
    let mut command: Command = Shop::empty().command(&["serve"]);
    let ran: Ran = command.args(["--otlp-endpoint", "collector:4318"]).output().unwrap().into();
    ran.exits(2).complains("--otlp-endpoint collector:4318: no address of a collector");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
