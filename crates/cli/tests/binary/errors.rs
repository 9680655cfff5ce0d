//! What is wrong is said with its rule and the way out, and the exit code says which kind it is.

use serde_json::{Value, json};

use crate::support::{MAIN_ROAD, MEMBER, QUOTE, Shop, flip_where};

fn quote(quantity: i64) -> Value {
    json!({
        "actor": "staff:sato", "command": "quote.issue",
        "data": { "quote": "01J0000000000000000000000E", "member": MEMBER,
                  "lines": [{ "product": "mail", "plan": "monthly", "quantity": quantity }] },
    })
}

#[test]
fn a_book_that_is_not_there_is_named_with_those_that_are() {
    let shop = Shop::empty();
    let ran = shop.daicho(&["verify", "--book", "shup"]).exits(2);
    ran.complains("error: there is no book `shup` in ");
    ran.complains("there are shop");
    let ran = shop.daicho(&["verify", "--book", "shup", "--output", "json"]).exits(2);
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["error"]["code"], "unknown_book");
    assert_eq!(ran.out, "");
}

#[test]
fn without_a_book_and_with_several_one_must_be_named() {
    let shop = Shop::without_books();
    shop.daicho(&["verify"]).exits(2).complains("`daicho book create NAME` makes one");
    shop.daicho(&["book", "create", "a"]).exits(0);
    shop.daicho(&["book", "create", "a"]).exits(2).complains("already a book `a`");
    shop.daicho(&["book", "create", "b"]).exits(0);
    shop.daicho(&["verify"]).exits(2).complains("choose one of a, b with `--book NAME`");
    shop.daicho(&["book", "create", "A b"]).exits(2).complains("cannot name a book");
}

#[test]
fn a_day_that_no_calendar_has_is_refused_with_the_form_of_days() {
    let shop = Shop::empty();
    let args = ["orders", "list", "--effective-on", "2026-02-31"];
    let ran = shop.daicho(&args).exits(2);
    ran.complains("`2026-02-31` is not a date of the calendar: write it as YYYY-MM-DD");
    let ran = shop.daicho(&[&args[..], &["--output", "json"]].concat()).exits(2);
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["error"]["code"], "usage");
    let ran = shop.daicho(&["orders", "list", "--known-at", "2026-02-31"]).exits(2);
    ran.complains("neither a position (a number) nor a day");
}

#[test]
fn ids_cursors_and_columns_are_refused_by_their_rule() {
    let shop = Shop::after_the_main_road();
    let refused = |args: &[&str], text: &str| shop.daicho(args).exits(2).complains(text);
    refused(&["orders", "show", "01j"], "`01j` is not an order id");
    refused(&["orders", "show", QUOTE], &format!("there is no order `{QUOTE}`"));
    refused(&["orders", "list", "--member", "x"], "`x` is not a member id");
    refused(&["orders", "list", "--after", "x"], "the cursor is not one of ours");
    refused(&["orders", "list", "--where", "gross"], "`gross` is no condition");
    refused(&["orders", "list", "--where", "nope=1"], "has no column nope");
    refused(&["orders", "list", "--where", "gross=x"], "a whole number");
    refused(&["orders", "list", "--sort", "-"], "name a column");
    refused(&["orders", "list", "--limit", "0"], "0 is not in 1..=10000");
    refused(&["orders", "list", "--known-at", "99"], "the book ends at 21");
    refused(&["events", "read", "--type", "order.plcaed"], "'order.placed'");
    refused(&["projections", "rebuild"], "required");
    refused(&["projections", "rebuild", "ordrs"], "'orders'");
    refused(&["projections", "rebuild", "--all", "--memory", "512"], "512MiB");
    refused(&["verify", "--expect", "1:ab"], "is no checkpoint");
    refused(&["run", "--schema", "order.plcae"], "there is no command `order.plcae`");
    refused(&["run", "nothing.jsonl"], "nothing.jsonl cannot be read");
    refused(&["restore", "nowhere"], "--book NAME");
}

#[test]
fn lines_that_are_no_commands_are_rejected_by_number_and_the_run_goes_on() {
    let shop = Shop::empty();
    let open = MAIN_ROAD.lines().next().unwrap();
    let mut input = b"{\"actor\":\n\xff\xfe\n[]\n".to_vec();
    input.extend(format!("{{\"actor\":\"staff:a\",\"comand\":\"x\"}}\n\n{open}\n").bytes());
    input.extend(b"{\"actor\":\"staff:a\",\"command\":\"shop.close\"}\n");
    let ran = shop.run(&input).exits(3);
    assert_eq!(ran.err, "");
    let answers = ran.json_lines();
    let rejected = |at: usize, line: u64, text: &str| {
        let answer = &answers[at];
        assert_eq!(answer["line"], line, "{answer}");
        assert_eq!(answer["rejected"]["code"], "malformed", "{answer}");
        let message = answer["rejected"]["message"].as_str().unwrap();
        assert!(message.contains(text) && message.contains(&format!("line {line}")), "{message}");
    };
    assert_eq!(answers.len(), 6);
    rejected(0, 1, "EOF while parsing");
    rejected(1, 2, "is not UTF-8 from its byte 1 on");
    rejected(2, 3, "is no command");
    rejected(3, 4, "unknown field `comand`");
    assert_eq!(answers[4]["positions"][0], 1, "{}", answers[4]);
    rejected(5, 7, "there is no command `shop.close`");
    assert_eq!(answers[5]["command"], "shop.close");
}

#[test]
fn a_byte_order_mark_before_the_first_line_is_no_part_of_it() {
    let shop = Shop::empty();
    let open = MAIN_ROAD.lines().next().unwrap();
    let answers = shop.run(format!("\u{feff}{open}\n").as_bytes()).exits(0).json_lines();
    assert_eq!(answers[0]["positions"][0], 1);
    let answers = shop.run(format!("\n\u{feff}{open}\n").as_bytes()).exits(3).json_lines();
    assert_eq!(answers[0]["rejected"]["code"], "malformed");
}

#[test]
fn a_key_that_stands_twice_in_the_fields_of_a_command_is_malformed() {
    let shop = Shop::after_the_main_road();
    let data = r#"{"name":"A","name":"B"}"#;
    let line =
        format!(r#"{{"actor":"staff:sato","command":"organisation.register","data":{data}}}"#);
    let answer = shop.run(line.as_bytes()).exits(3).json_lines().remove(0);
    assert_eq!(answer["rejected"]["code"], "malformed");
    let message = answer["rejected"]["message"].as_str().unwrap();
    assert!(message.contains("duplicate field `name`"), "{message}");
}

#[test]
fn a_line_beyond_the_limit_is_rejected_and_the_next_is_run() {
    let shop = Shop::empty();
    let open = MAIN_ROAD.lines().next().unwrap();
    let mut input = vec![b'x'; 3 * 1_024 * 1_024];
    input.extend(format!("\n{open}\n").bytes());
    let answers = shop.run(&input).exits(3).json_lines();
    let message = answers[0]["rejected"]["message"].as_str().unwrap();
    assert!(message.contains("line 1 has more than 2097152 bytes"), "{message}");
    assert_eq!(answers[1]["line"], 2);
    assert_eq!(answers[1]["positions"][0], 1);
}

#[test]
fn a_quantity_of_zero_is_rejected_by_its_rule() {
    let shop = Shop::after_the_main_road();
    let answer = shop.run(quote(0).to_string().as_bytes()).exits(3).json_lines().remove(0);
    assert_eq!(answer["line"], 1);
    assert_eq!(answer["command"], "quote.issue");
    assert_eq!(answer["rejected"]["code"], "quantity_below_one");
    assert_eq!(answer["rejected"]["message"], "0 of `mail` cannot be sold: give 1 or more");
}

#[test]
fn a_date_of_a_command_that_no_calendar_has_is_malformed() {
    let shop = Shop::after_the_main_road();
    let line = json!({
        "actor": "staff:sato", "command": "order.fix_delivery",
        "data": { "order": "01J0000000000000000000000D", "delivery_on": "2027-02-31" },
    });
    let answer = shop.run(line.to_string().as_bytes()).exits(3).json_lines().remove(0);
    assert_eq!(answer["rejected"]["code"], "malformed");
    let message = answer["rejected"]["message"].as_str().unwrap();
    assert!(message.contains("`2027-02-31` is not a date of the calendar"), "{message}");
}

#[test]

fn a_request_id_names_one_command_for_ever() {
    let shop = Shop::after_the_main_road();
    let with_id = |mut line: Value| {
        line["request"] = json!("r-1");
        line.to_string()
    };
    shop.run(with_id(quote(1)).as_bytes()).exits(0);
    let answer = shop.run(with_id(quote(2)).as_bytes()).exits(3).json_lines().remove(0);
    assert_eq!(answer["request"], "r-1");
    assert_eq!(answer["rejected"]["code"], "request_id_reused");
}

#[test]
fn a_record_that_was_altered_is_found_with_its_position() {
    let shop = Shop::after_the_main_road();
    shop.daicho(&["verify"]).exits(0);
    // The eighth event publishes the price; one of its digits is changed.
    let record = shop.path("books/shop/record.db");
    flip_where(&record, b"1200\",\"currency\":\"JPY\"");
    let ran = shop.daicho(&["verify"]).exits(4);
    ran.complains("event 8 ");
}

#[test]
fn a_record_whose_end_is_damaged_is_a_finding_of_verify_and_a_failure_of_others() {
    let shop = Shop::after_the_main_road();
    let record = shop.path("books/shop/record.db");
    flip_where(&record, b"\"type\":\"contract.concluded\"");
    let ran = shop.daicho(&["verify"]).exits(4);
    ran.complains("was altered");
    shop.daicho(&["orders", "list"]).exits(1).complains("damaged");
}
