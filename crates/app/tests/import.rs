//! The import of order lines, tested with an excerpt of real ones and with small files, each made
//! for one rule. Nothing may be lost, recorded twice or half-written, and every rejection has a
//! name.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use daicho_app::{
    COLUMNS, FileError, ImportError, ImportOptions, ImportReport, Ledger, ListRequest, Progress,
    Unwatched,
};
use daicho_events::Position;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use support::{clock_at, empty_book, name, rows, run, wholesaler};

/// A time after the last day of the excerpt.
const TODAY: &str = "2012-01-16T09:00:00Z";
const EXCERPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../replay-fixtures/online-retail/excerpt.csv");

// The figures of the excerpt, computed without the ledger, in the excerpt's folder:
//
//   python3 -c "import csv; from decimal import Decimal as D
//   rows = list(csv.DictReader(open('excerpt.csv')))
//   told, untold = ([r for r in rows if bool(r['CustomerID']) is b] for b in (True, False))
//   for some in rows, told, untold:
//       numbers = {r['InvoiceNo'] for r in some}; returns = {n for n in numbers if n[0] == 'C'}
//       amount = sum(int(r['Quantity']) * D(r['UnitPrice']) for r in some)
//       print(len(some), amount, len(numbers - returns), len(returns))"
//   455 669.55 83 22
//   422 7336.15 62 18
//   33 -6666.60 21 4
const ROWS: u64 = 455;
const AMOUNT: &str = "669.55";
const ROWS_WITH_CUSTOMER: u64 = 422;
const AMOUNT_WITH_CUSTOMER: &str = "7336.15";
const ORDERS_WITH_CUSTOMER: usize = 62;
const RETURNS_WITH_CUSTOMER: usize = 18;
const ROWS_WITHOUT_CUSTOMER: u64 = 33;
const AMOUNT_WITHOUT_CUSTOMER: &str = "-6666.60";
/// Of the 18 returns, 8 have their sale in the excerpt (its README names them).
const RETURNS_WITH_SALE: usize = 8;
/// Rows with a quantity below zero and a price of zero, under a number without `C`, all without a
/// customer; the other 442 rows are 70 orders and 22 returns.
const ROWS_BELOW_ZERO: u64 = 13;

/// A wholesaler's book and the folder of the files to import.
struct Shop {
    folder: TempDir,
    ledger: Ledger,
}

impl Shop {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = wholesaler(folder.path(), clock_at(TODAY).1).await;
        Self { folder, ledger }
    }

    fn file(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("orders.csv");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    async fn head(&self) -> u64 {
        self.ledger.proof().checkpoint().await.unwrap().position.0
    }

    async fn import(&self, file: &Path) -> Result<ImportReport, ImportError> {
        self.ledger.imports().orders(file, &ImportOptions::default(), &Unwatched).await
    }

    /// Imports these rows under the usual header.
    async fn import_rows(&self, rows: &[&str]) -> ImportReport {
        self.import(&self.file(csv(rows))).await.unwrap()
    }

    /// Imports the rows that the excerpt has under these invoice numbers.
    async fn import_of_excerpt(&self, numbers: &[&str]) -> ImportReport {
        let excerpt = std::fs::read_to_string(EXCERPT).unwrap();
        let number = |line: &&str| numbers.contains(&line.split(',').next().unwrap());
        self.import_rows(&excerpt.lines().filter(number).collect::<Vec<_>>()).await
    }

    async fn list(&self, list: &str) -> Vec<Value> {
        rows(&self.ledger, list, ListRequest::default()).await
    }

    /// The envelopes and data of all events of a type.
    async fn events(&self, type_name: &str) -> Vec<(Value, Value)> {
        let types = [type_name.to_owned()];
        let page = self.ledger.history().events(&types, &[], Position(0), 10_000).await.unwrap();
        let json = |raw: &str| serde_json::from_str::<Value>(raw).unwrap();
        page.events.iter().map(|text| (json(text.envelope.get()), json(text.data.get()))).collect()
    }

    /// The amount that the lists say was sold, less the amount that they say was credited.
    async fn amount(&self) -> Decimal {
        let documents = self.list("invoices").await;
        documents.iter().map(|row| if is_credit(row) { -net(row) } else { net(row) }).sum()
    }

    async fn verify(&self) {
        self.ledger.proof().verify(None, &Unwatched).await.unwrap();
    }
}

fn csv(rows: &[&str]) -> String {
    format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n"))
}

fn net(row: &Value) -> Decimal {
    Decimal::from_str(row["net"]["amount"].as_str().unwrap()).unwrap()
}

fn is_credit(row: &Value) -> bool {
    row["kind"] == "credit"
}

#[track_caller]
fn assert_counts(report: &ImportReport, [recorded, already, rejected]: [u64; 3]) {
    assert_eq!(
        (report.recorded, report.already_recorded, report.rejected),
        (recorded, already, rejected),
        "recorded, already recorded, rejected: {:?}",
        report.rejects
    );
}

#[track_caller]
fn assert_amounts(report: &ImportReport, recorded: &str, rejected: &str) {
    let amount = |text| daicho_values::Money::parse(text, daicho_values::Currency::Gbp).unwrap();
    assert_eq!(
        (report.recorded_amount, report.rejected_amount),
        (amount(recorded), amount(rejected)),
        "amount recorded, amount rejected"
    );
}

fn rules(report: &ImportReport) -> Vec<(u64, &str)> {
    report.rejects.iter().map(|rejected| (rejected.row, rejected.rule.as_str())).collect()
}

/// Day and sum of every invoice number with a customer, from the file itself.
fn numbers_of_excerpt() -> BTreeMap<String, (String, Decimal)> {
    let mut numbers = BTreeMap::new();
    for row in csv::Reader::from_path(EXCERPT).unwrap().records() {
        let row = row.unwrap();
        let decimal = |field: usize| Decimal::from_str(&row[field]).unwrap();
        if row[6].is_empty() {
            continue;
        }
        let none = || (row[4][..10].to_owned(), Decimal::ZERO);
        numbers.entry(row[0].to_owned()).or_insert_with(none).1 += decimal(3) * decimal(5);
    }
    numbers
}

/// Compares the orders and returns of a book with the excerpt, number by number.
async fn assert_is_the_excerpt(shop: &Shop) {
    let mut found = BTreeMap::new();
    for row in shop.list("orders").await {
        let reference = row["reference"].as_str().unwrap().to_owned();
        found.insert(reference, (row["placed_on"].as_str().unwrap().to_owned(), net(&row)));
    }
    for (envelope, data) in shop.events("order.goods_returned").await {
        let day = envelope["effective_on"].as_str().unwrap().to_owned();
        let reference = data["reference"].as_str().unwrap().to_owned();
        found.insert(reference, (day, -net(&data["totals"])));
    }
    assert_eq!(found, numbers_of_excerpt());
    let credits: Vec<Value> = shop.list("invoices").await.into_iter().filter(is_credit).collect();
    assert_eq!(credits.len(), RETURNS_WITH_CUSTOMER);
    let reducing = credits.iter().filter(|credit| !credit["reduces"].is_null()).count();
    assert_eq!(reducing, RETURNS_WITH_SALE);
    assert_eq!(shop.amount().await, Decimal::from_str(AMOUNT_WITH_CUSTOMER).unwrap());
}

#[tokio::test]
async fn each_row_of_the_excerpt_is_recorded_or_rejected_and_a_second_import_adds_nothing_r2() {
    let shop = Shop::new().await;
    let first = shop.import(Path::new(EXCERPT)).await.unwrap();
    assert_eq!(first.rows, ROWS);
    assert_counts(&first, [ROWS_WITH_CUSTOMER, 0, ROWS_WITHOUT_CUSTOMER]);
    assert_amounts(&first, AMOUNT_WITH_CUSTOMER, AMOUNT_WITHOUT_CUSTOMER);
    assert_eq!((first.orders, first.returns), (62, 18));
    let rules: BTreeSet<&str> = first.rejects.iter().map(|row| row.rule.as_str()).collect();
    assert_eq!(rules, BTreeSet::from(["customer_missing"]));
    assert_eq!(shop.list("orders").await.len(), ORDERS_WITH_CUSTOMER);
    assert_is_the_excerpt(&shop).await;

    let head = shop.head().await;
    let second = shop.import(Path::new(EXCERPT)).await.unwrap();
    assert_counts(&second, [0, ROWS_WITH_CUSTOMER, ROWS_WITHOUT_CUSTOMER]);
    assert_amounts(&second, "0", AMOUNT_WITHOUT_CUSTOMER);
    assert_eq!((second.orders, second.returns), (0, 0));
    assert_eq!(shop.head().await, head, "nothing was appended");
    shop.verify().await;
}

#[tokio::test]
async fn rows_without_a_customer_are_taken_where_one_is_named_for_them_r2() {
    let shop = Shop::new().await;
    let options = ImportOptions { unknown_customer: Some(name("Counter sales")) };
    let report =
        shop.ledger.imports().orders(Path::new(EXCERPT), &options, &Unwatched).await.unwrap();
    assert_counts(&report, [ROWS - ROWS_BELOW_ZERO, 0, ROWS_BELOW_ZERO]);
    assert_amounts(&report, AMOUNT, "0");
    assert_eq!((report.orders, report.returns), (70, 22));
    assert!(report.rejects.iter().all(|rejected| rejected.rule == "quantity_below_one"));
    assert!(
        report.rejects.iter().all(|row| row.fields[3].starts_with('-') && row.fields[5] == "0.0")
    );
    let blank = |row: &&Value| row["reference"] == "552220";
    let orders = shop.list("orders").await;
    assert_eq!(orders.iter().find(blank).unwrap()["item"], "22202", "the code is used as the name");
    shop.verify().await;
}

/// Stops an import once this many invoice numbers are done.
struct StopAfter {
    numbers: u64,
    reached: Notify,
}

impl Progress for StopAfter {
    fn begin(&self, _: &str, _: u64) {}
    fn at(&self, step: u64) {
        if step == self.numbers {
            self.reached.notify_one();
        }
    }
    fn end(&self) {}
}

#[tokio::test]
async fn an_import_that_was_cut_short_goes_on_where_it_stopped_r2() {
    let shop = Shop::new().await;
    for numbers in [5, 30] {
        let stop = StopAfter { numbers, reached: Notify::new() };
        let options = ImportOptions::default();
        tokio::select! {
            biased;
            () = stop.reached.notified() => {}
            done = shop.ledger.imports().orders(Path::new(EXCERPT), &options, &stop) => {
                panic!("the import should have been interrupted: {done:?}");
            }
        }
    }
    let report = shop.import(Path::new(EXCERPT)).await.unwrap();
    assert!(report.already_recorded >= 30 && report.recorded > 0, "{report:?}");
    assert_eq!(report.already_recorded + report.recorded, ROWS_WITH_CUSTOMER);
    assert_eq!(report.rejected, ROWS_WITHOUT_CUSTOMER);
    assert_is_the_excerpt(&shop).await;
    shop.verify().await;
}

#[tokio::test]
async fn other_rows_under_a_recorded_number_are_rejected_by_name_r2() {
    let shop = Shop::new().await;
    let row = "900001,A,Plate,2,2011-05-02 10:00:00,1.50,17001.0,United Kingdom";
    assert_counts(&shop.import_rows(&[row]).await, [1, 0, 0]);
    let head = shop.head().await;
    let more = "900001,B,Cup,1,2011-05-02 10:00:00,4.00,17001.0,United Kingdom";
    let report = shop.import_rows(&[row, more]).await;
    assert_counts(&report, [0, 0, 2]);
    let rule = "invoice_recorded_with_other_rows";
    assert_eq!(rules(&report), [(1, rule), (2, rule)]);
    assert!(report.rejects[0].text.contains("900001"), "{}", report.rejects[0].text);
    assert_amounts(&report, "0", "7.00");
    assert_eq!(shop.head().await, head);
}

#[tokio::test]
async fn the_same_rows_in_another_order_are_the_same_invoice_r2() {
    let shop = Shop::new().await;
    let rows = [
        "900001,A,Plate,2,2011-05-02 10:00:00,1.50,17001.0,United Kingdom",
        "900001,B,Cup,1,2011-05-02 10:01:00,4.00,17001.0,United Kingdom",
    ];
    assert_counts(&shop.import_rows(&rows).await, [2, 0, 0]);
    assert_counts(&shop.import_rows(&[rows[1], rows[0]]).await, [0, 2, 0]);
}

#[tokio::test]
async fn a_return_reduces_the_sale_it_comes_from_or_is_a_credit_by_itself_r100() {
    let shop = Shop::new().await;
    // C555723 has an earlier time than its sale 555725, on the same day.
    let numbers = ["C572334", "572326", "C540393", "C555723", "555725"];
    let report = shop.import_of_excerpt(&numbers).await;
    assert_eq!((report.rejected, report.orders, report.returns), (0, 2, 3));
    let orders = shop.list("orders").await;
    let order = |reference| orders.iter().find(|row| row["reference"] == reference).unwrap();
    assert_eq!(order("572326")["status"], "returned");
    assert_eq!(order("572326")["returned_gross"]["amount"], "99.84");
    assert_eq!(order("555725")["status"], "partly_returned");
    assert_eq!(order("555725")["returned_gross"]["amount"], "17.00");
    let reduces = |credit: &Value| credit["reduces"].as_str().map(str::to_owned);
    let invoices = shop.list("invoices").await;
    let invoice_of = |reference| {
        let bills =
            |row: &&Value| row["kind"] == "invoice" && row["order"] == order(reference)["order"];
        invoices.iter().find(bills).unwrap()["invoice"].as_str().map(str::to_owned)
    };
    let mut found: Vec<_> = invoices.iter().filter(|row| is_credit(row)).map(reduces).collect();
    found.sort();
    let mut expected = vec![None, invoice_of("555725"), invoice_of("572326")];
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn no_more_comes_back_to_a_sale_than_it_sold_r100() {
    let shop = Shop::new().await;
    let sale = "900001,A,Plate,3,2011-05-02 10:00:00,1.50,17001.0,United Kingdom";
    let back =
        |number| format!("{number},A,Plate,-2,2011-05-03 10:00:00,1.50,17001.0,United Kingdom");
    let report = shop.import_rows(&[sale, &back("C900002"), &back("C900003")]).await;
    assert_eq!((report.rejected, report.orders, report.returns), (0, 1, 2));
    let credits: Vec<Value> = shop.list("invoices").await.into_iter().filter(is_credit).collect();
    let reduces: Vec<bool> = credits.iter().map(|credit| credit["reduces"].is_string()).collect();
    assert_eq!(reduces, [true, false], "the second is a credit by itself");
    assert_eq!(shop.list("orders").await[0]["returned_gross"]["amount"], "3.00");
}

#[tokio::test]
async fn every_event_of_a_sale_counts_from_the_day_of_the_file_r2() {
    let shop = Shop::new().await;
    shop.import_of_excerpt(&["536409"]).await;
    for type_name in ["order.placed", "order.accepted", "order.fulfilled", "billing.invoice_issued"]
    {
        let events = shop.events(type_name).await;
        assert_eq!(events.len(), 1, "{type_name}");
        assert_eq!(events[0].0["effective_on"], "2010-12-01", "{type_name}");
        assert_eq!(events[0].0["recorded_at"], "2012-01-16T09:00:00.000000Z", "{type_name}");
        assert_eq!(events[0].0["actor"], "system:import", "{type_name}");
    }
}

#[tokio::test]
async fn a_row_that_stands_twice_is_two_lines_r4() {
    let shop = Shop::new().await;
    assert_counts(&shop.import_of_excerpt(&["555725"]).await, [2, 0, 0]);
    let (_, placed) = shop.events("order.placed").await.remove(0);
    let lines = placed["lines"].as_array().unwrap();
    let told: Vec<_> = lines.iter().map(|line| (&line["product"], &line["amount"])).collect();
    let amount = json!({ "amount": "17.00", "currency": "GBP" });
    let product = json!("22171");
    assert_eq!(told, [(&product, &amount), (&product, &amount)]);
    assert_eq!(lines[0]["name"], "3 HOOK PHOTO SHELF ANTIQUE WHITE");
}

#[tokio::test]
async fn an_invoice_of_two_times_is_one_order_and_a_gift_is_a_line_at_zero_r2() {
    let shop = Shop::new().await;
    assert_counts(&shop.import_of_excerpt(&["541816", "574252"]).await, [5, 0, 0]);
    let orders = shop.list("orders").await;
    let told: BTreeSet<_> = orders
        .iter()
        .map(|row| (row["reference"].as_str().unwrap(), row["lines"].as_u64().unwrap(), net(row)))
        .collect();
    // 5×2.95 + 2×2.55 + 25×0.42 + 12×0.85; and one `Manual` at 0.
    let expected = BTreeSet::from([("541816", 4, "40.55"), ("574252", 1, "0.00")]);
    let expected: BTreeSet<_> = expected
        .into_iter()
        .map(|(number, lines, net)| (number, lines, Decimal::from_str(net).unwrap()))
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_row_that_breaks_a_rule_is_rejected_by_its_name_and_nothing_is_written() {
    let shop = Shop::new().await;
    let head = shop.head().await;
    let cases = [
        ("1,A,Plate,1,2011-02-31 10:00:00,1.50,17001.0,UK", "date_malformed"),
        ("2,A,Plate,1,yesterday,1.50,17001.0,UK", "date_malformed"),
        ("3,A,Plate,0,2011-02-01 10:00:00,1.50,17001.0,UK", "quantity_below_one"),
        ("4,A,Plate,-1,2011-02-01 10:00:00,1.50,17001.0,UK", "quantity_below_one"),
        ("C5,A,Plate,1,2011-02-01 10:00:00,1.50,17001.0,UK", "quantity_not_returned"),
        ("C6,A,Plate,0,2011-02-01 10:00:00,1.50,17001.0,UK", "quantity_not_returned"),
        ("7,A,Plate,1.5,2011-02-01 10:00:00,1.50,17001.0,UK", "quantity_malformed"),
        ("8,A,Plate,1,2011-02-01 10:00:00,free,17001.0,UK", "price_malformed"),
        ("9,A,Plate,1,2011-02-01 10:00:00,-1.50,17001.0,UK", "price_below_zero"),
        ("10,A,Plate,1,2011-02-01 10:00:00,1.50,,UK", "customer_missing"),
        ("11,,Plate,1,2011-02-01 10:00:00,1.50,17001.0,UK", "product_code_refused"),
        (",A,Plate,1,2011-02-01 10:00:00,1.50,17001.0,UK", "invoice_number_refused"),
        ("13,A,Plate,1,2011-02-01 10:00:00,1.50,17001.0", "row_malformed"),
        ("14,A,Plate,1,2011-02-01 10:00:00,1.50,17001.0,UK,more", "row_malformed"),
    ];
    let report = shop.import_rows(&cases.map(|(row, _)| row)).await;
    let expected: Vec<(u64, &str)> = (1..).zip(cases.map(|(_, rule)| rule)).collect();
    assert_eq!(rules(&report), expected);
    assert_counts(&report, [0, 0, 14]);
    assert_eq!(shop.head().await, head, "nothing was written");
}

#[tokio::test]
async fn a_day_that_has_not_come_rejects_its_invoice_by_the_rule_of_the_sale() {
    let shop = Shop::new().await;
    let tomorrow = "1,A,Plate,1,2012-01-17 00:00:00,1.50,17001.0,United Kingdom";
    let report = shop.import_rows(&[tomorrow]).await;
    assert_eq!(rules(&report), [(1, "sold_in_the_future")]);
    assert!(shop.list("orders").await.is_empty() && shop.list("invoices").await.is_empty());
    shop.verify().await;
}

#[tokio::test]
async fn an_invoice_whose_rows_disagree_is_rejected_whole() {
    let shop = Shop::new().await;
    let report = shop
        .import_rows(&[
            "1,A,Plate,1,2011-02-01 10:00:00,1.50,17001.0,United Kingdom",
            "1,B,Cup,1,2011-02-01 10:00:00,4.00,17002.0,United Kingdom",
            "2,A,Plate,1,2011-02-01 10:00:00,1.50,17001.0,United Kingdom",
            "2,B,Cup,1,2011-02-02 10:00:00,4.00,17001.0,United Kingdom",
        ])
        .await;
    assert_counts(&report, [0, 0, 4]);
    let two_customers = "invoice_of_two_customers";
    let two_days = "invoice_of_two_days";
    let expected = [(1, two_customers), (2, two_customers), (3, two_days), (4, two_days)];
    assert_eq!(rules(&report), expected);
    assert_amounts(&report, "0.00", "11.00");
}

#[tokio::test]
async fn a_row_that_is_mended_later_is_recorded_with_its_whole_invoice() {
    let shop = Shop::new().await;
    let good = "1,A,Plate,1,2011-02-01 10:00:00,1.50,17001.0,United Kingdom";
    let broken = "1,B,Cup,1,2011-02-31 10:00:00,4.00,17001.0,United Kingdom";
    let report = shop.import_rows(&[good, broken]).await;
    assert_counts(&report, [0, 0, 2]);
    assert_eq!(rules(&report), [(1, "invoice_with_a_rejected_row"), (2, "date_malformed")]);
    let mended = "1,B,Cup,1,2011-02-01 10:00:00,4.00,17001.0,United Kingdom";
    assert_counts(&shop.import_rows(&[good, mended]).await, [2, 0, 0]);
}

#[tokio::test]
async fn columns_are_found_by_name_also_after_a_byte_order_mark() {
    let shop = Shop::new().await;
    let header = "Country,Note,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode";
    let row = r#"France,x,17001.0,2.00,2011-02-01 10:00:00,3,"Plate, ""L""",A,900001"#;
    let text = format!("\u{feff}{header},InvoiceNo\n{row}\n");
    assert_counts(&shop.import(&shop.file(text)).await.unwrap(), [1, 0, 0]);
    let order = &shop.list("orders").await[0];
    assert_eq!((&order["destination"], &order["item"]), (&json!("France"), &json!("Plate, \"L\"")));
    assert_eq!(net(order), Decimal::from(6));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_as_a_whole_records_nothing_and_says_why() {
    let shop = Shop::new().await;
    let head = shop.head().await;
    let good = "1,A,Plate,1,2011-02-01 10:00:00,1.50,17001.0,United Kingdom";

    let missing = shop.import(&shop.folder.path().join("none.csv")).await.unwrap_err();
    assert!(matches!(missing, ImportError::File(FileError::Unreadable { .. })), "{missing:?}");

    let narrow = csv(&[good]).replace("UnitPrice", "Price");
    let no_column = shop.import(&shop.file(narrow)).await.unwrap_err();
    let is_price = |error: &ImportError| {
        matches!(error, ImportError::File(FileError::NoColumn { column: "UnitPrice", .. }))
    };
    assert!(is_price(&no_column), "{no_column:?}");

    let mut latin = csv(&[good, "2,A,Caf"]).into_bytes();
    latin.pop();
    latin.extend(b"\xe9,1,2011-02-01 10:00:00,1.50,17001.0,United Kingdom\n");
    let not_utf8 = shop.import(&shop.file(latin)).await.unwrap_err();
    let is_line_3 = |error: &ImportError| {
        matches!(error, ImportError::File(FileError::NotUtf8 { line: 3, .. }))
    };
    assert!(is_line_3(&not_utf8), "{not_utf8:?}");

    let empty = shop.import(&shop.file("")).await.unwrap_err();
    assert!(matches!(empty, ImportError::File(FileError::NoColumn { .. })), "{empty:?}");
    assert_eq!(shop.head().await, head, "nothing was written");
}

#[tokio::test]
async fn a_book_without_settings_takes_no_import() {
    let folder = TempDir::new().unwrap();
    let ledger = empty_book(folder.path(), clock_at(TODAY).1).await;
    let done =
        ledger.imports().orders(Path::new(EXCERPT), &ImportOptions::default(), &Unwatched).await;
    let Err(ImportError::Refused(error)) = done else { panic!("{done:?}") };
    assert_eq!(error.code(), "shop_not_open");
    assert_eq!(ledger.proof().checkpoint().await.unwrap().position, Position(0));
}

const CANARIES: [&str; 3] = ["Canary Kanaria", "canary.kanaria@example.co.jp", "+81-3-5550-7319"];

/// Which of the canaries are in plain text in which file below `folder`.
fn canaries_in(folder: &Path, files: &AtomicU64) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(canaries_in(&path, files));
            continue;
        }
        // A journal may disappear between the two calls; then it holds nothing.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let bytes = bytes.to_ascii_lowercase();
        files.fetch_add(1, Ordering::SeqCst);
        for canary in CANARIES {
            let canary = canary.to_ascii_lowercase();
            if bytes.windows(canary.len()).any(|window| window == canary.as_bytes()) {
                found.push(format!("{canary} in {}", path.display()));
            }
        }
    }
    found
}

#[tokio::test]
async fn no_file_of_a_book_holds_a_persons_name_mail_or_phone_in_clear() {
    let shop = Shop::new().await;
    let organisation = "01J00000000000000000000001";
    let data = json!({ "organisation": organisation, "name": "Canary Trading" });
    run(&shop.ledger, "staff:sato", "organisation.register", data).await.unwrap();
    let data = json!({
        "member": "01J00000000000000000000002", "organisation": organisation,
        "name": CANARIES[0], "email": CANARIES[1], "phone": CANARIES[2], "role": "administrator",
    });
    run(&shop.ledger, "staff:sato", "member.request_registration", data).await.unwrap();
    let members = shop.list("members").await;
    let opened = [&members[0]["name"], &members[0]["email"], &members[0]["phone"]];
    assert_eq!(opened, CANARIES.map(|canary| json!(canary)).each_ref(), "{members:?}");

    let (open, closed) = (AtomicU64::new(0), AtomicU64::new(0));
    let folder = shop.ledger.folder().unwrap().to_owned();
    assert_eq!(canaries_in(&folder, &open), Vec::<String>::new(), "while the book is open");
    shop.verify().await;
    shop.ledger.close().await;
    assert_eq!(canaries_in(&folder, &closed), Vec::<String>::new(), "after it was closed");
    assert!(open.into_inner() >= 3 && closed.into_inner() >= 3, "record, derived state, vault");
}

#[test]
fn a_canary_that_stands_in_clear_is_found() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("blocks")).unwrap();
    std::fs::write(folder.path().join("blocks/0"), b"\0CANARY KANARIA\0").unwrap();
    assert_eq!(canaries_in(folder.path(), &AtomicU64::new(0)).len(), 1);
}
