//! The main road of a small shop: commands in; lists, history, record, proof and backup out.

use serde_json::json;

use crate::support::{MAIN_ROAD, MEMBER, ORDER, ORGANISATION, QUOTE, ROAD_EVENTS, Shop};

#[test]
fn each_line_is_answered_with_its_events() {
    let shop = Shop::empty();
    let answers = shop.run(MAIN_ROAD.as_bytes()).exits(0).json_lines();
    assert_eq!(answers.len(), MAIN_ROAD.lines().count());
    let placed = &answers[7];
    assert_eq!(placed["line"], 8);
    assert_eq!(placed["command"], "order.place");
    assert_eq!(placed["positions"], json!([16, 17]));
    assert_eq!(placed["events"][0]["type"], "order.placed");
    assert_eq!(placed["events"][1]["position"], 17);
    assert_eq!(placed["events"][1]["type"], "quote.converted");
    assert_eq!(placed["events"][0]["tags"][0], format!("order:{ORDER}"));
    assert_eq!(placed["repeated"], false);
    let positions = answers.iter().flat_map(|answer| answer["positions"].as_array().unwrap());
    let positions: Vec<u64> = positions.map(|position| position.as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=ROAD_EVENTS).collect::<Vec<_>>());
}

#[test]

fn a_request_that_is_run_again_has_its_first_answer() {
    let shop = Shop::empty();
    let first_line = MAIN_ROAD.lines().next().unwrap();
    let line = first_line.replacen('{', "{\"request\":\"opening\",", 1);
    let first = shop.run(line.as_bytes()).exits(0).json_lines().remove(0);
    let again = shop.run(line.as_bytes()).exits(0).json_lines().remove(0);
    assert_eq!(first["repeated"], false);
    assert_eq!(again["repeated"], true);
    assert_eq!(again["request"], "opening");
    assert_eq!(again["events"], first["events"]);
}

#[test]
fn a_table_shows_amounts_with_their_currency_and_what_it_is_a_page_of() {
    let shop = Shop::after_the_main_road();
    let orders = shop.daicho(&["orders", "list"]).exits(0);
    orders.says("6600 JPY");
    orders.says("confirmed");
    orders.says(&format!("1 row, as known at position {ROAD_EVENTS}, effective on "));
    assert!(!orders.out.contains("currency"), "{}", orders.out);
    shop.daicho(&["quotes", "list"]).exits(0).says("converted");
    shop.daicho(&["members", "list"]).exits(0).says("administrator");
    shop.daicho(&["invoices", "list"]).exits(0).says("0 rows");
}

#[test]
fn a_page_in_json_holds_whole_rows_and_in_csv_the_typed_columns() {
    let shop = Shop::after_the_main_road();
    let page = shop.daicho(&["orders", "list", "--output", "json"]).exits(0).json();
    assert_eq!(page["rows"][0]["order"], ORDER);
    assert_eq!(page["rows"][0]["gross"], json!({ "amount": "6600", "currency": "JPY" }));
    assert_eq!(page["known_at"], ROAD_EVENTS);
    assert_eq!(page["next"], json!(null));
    let csv = shop.daicho(&["orders", "list", "--output", "csv"]).exits(0).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("order,status,organisation,member,placed_on,"), "{csv}");
    assert!(lines[1].starts_with(&format!("{ORDER},confirmed,{ORGANISATION},{MEMBER},")), "{csv}");
    assert!(lines[1].contains(",6000,600,6600,0,0,JPY,invoice,"), "{csv}");
}

#[test]
fn a_list_is_filtered_sorted_and_read_page_by_page() {
    let shop = Shop::after_the_main_road();
    let second = "01J0000000000000000000000E";
    let line = json!({
        "actor": "staff:sato", "command": "quote.issue",
        "data": { "quote": second, "member": MEMBER,
                  "lines": [{ "product": "mail", "plan": "monthly", "quantity": 1 }] },
    });
    shop.run(line.to_string().as_bytes()).exits(0);
    let rows = |args: &[&str]| {
        let args = [&["quotes", "list", "--output", "json"], args].concat();
        let page = shop.daicho(&args).exits(0).json();
        let rows = page["rows"].as_array().unwrap().iter();
        rows.map(|row| row["quote"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&["--status", "issued"]), [second]);
    assert_eq!(rows(&["--where", "gross>=6600", "--where", "item^=Mail"]), [QUOTE]);
    assert_eq!(rows(&["--sort", "gross"]), [second, QUOTE]);
    assert_eq!(rows(&["--sort", "-gross"]), [QUOTE, second]);
    assert_eq!(rows(&["--organisation", ORGANISATION, "--member", MEMBER]).len(), 2);
    assert_eq!(rows(&["--member", second]).len(), 0);

    let first = shop.daicho(&["quotes", "list", "--sort", "-gross", "--limit", "1"]).exits(0);
    let next = first.out.lines().last().unwrap();
    let next = next.split_once(" quotes ").expect("the command to go on").1;
    let args: Vec<&str> = std::iter::once("quotes").chain(next.split(' ')).collect();
    let rest = shop.daicho(&args).exits(0);
    rest.says(second);
    assert!(!rest.out.contains("More rows"), "{}", rest.out);
}

#[test]
fn a_list_is_shown_as_it_was_known_and_as_it_counts() {
    let shop = Shop::after_the_main_road();
    let status = |args: &[&str]| {
        let args = [&["orders", "show", ORDER, "--output", "json"], args].concat();
        shop.daicho(&args).exits(0).json()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&[]), "confirmed");
    assert_eq!(status(&["--known-at", "17"]), "placed");
    shop.daicho(&["orders", "list", "--known-at", "15"]).exits(0).says("0 rows");
    let lapsed = ["quotes", "list", "--known-at", "15", "--effective-on", "2099-01-01"];
    shop.daicho(&lapsed).exits(0).says("lapsed");
}

#[test]
fn a_row_is_shown_with_the_path_of_each_value() {
    let shop = Shop::after_the_main_road();
    let shown = shop.daicho(&["orders", "show", ORDER, "--output", "csv"]).exits(0);
    shown.says("gross.amount,6600\n");
    shown.says("delivery.0.fact,2099-12-01\n");
}

#[test]
fn a_history_says_who_did_what_and_opens_personal_values() {
    let shop = Shop::after_the_main_road();
    let history = shop.daicho(&["history", &format!("order:{ORDER}")]).exits(0);
    history.says("order.delivery_date_fixed");
    history.says("staff:sato");
    let tag = format!("member:{MEMBER}");
    let history = shop.daicho(&["history", &tag, "--output", "json"]).exits(0).json();
    assert_eq!(history["tag"], tag);
    assert_eq!(history["events"][0]["type"], "member.registration_requested");
    assert_eq!(history["events"][0]["data"]["name"], "Hanako Aoki");
}

#[test]
fn a_tag_without_events_is_an_answer() {
    let shop = Shop::after_the_main_road();
    shop.daicho(&["history", "order:nothing"]).exits(0).says("Nothing is recorded about");
    let json = shop.daicho(&["history", "order:nothing", "--output", "json"]).exits(0).json();
    assert_eq!(json["events"], json!([]));
}

#[test]
fn the_record_is_read_as_it_stands() {
    let shop = Shop::after_the_main_road();
    let all = shop.daicho(&["events", "read"]).exits(0).json_lines();
    let positions: Vec<u64> =
        all.iter().map(|event| event["envelope"]["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=ROAD_EVENTS).collect::<Vec<_>>());
    // What is personal is sealed in the record.
    assert_eq!(all[10]["envelope"]["type"], "member.registration_requested");
    assert!(all[10]["data"]["name"]["sealed"].is_string(), "{}", all[10]);

    let some = shop.daicho(&["events", "read", "--after", "5", "--limit", "2"]).exits(0);
    let some = some.json_lines();
    assert_eq!((some.len(), &some[0]["envelope"]["position"]), (2, &json!(6)));
    let tag = format!("order:{ORDER}");
    let types = ["--type", "order.placed", "--type", "order.accepted"];
    let args = [&["events", "read", "--tag", &tag], &types[..]].concat();
    assert_eq!(shop.daicho(&args).exits(0).json_lines().len(), 2);
}

#[test]
fn stored_lists_are_shown_rebuilt_and_compared() {
    let shop = Shop::after_the_main_road();
    let status = ["projections", "status", "--output", "json"];
    let before = shop.daicho(&status).exits(0).json();
    assert_eq!(before[1]["list"], "orders");
    assert_eq!(before[1]["behind_by"], ROAD_EVENTS);
    let rebuild = ["projections", "rebuild", "--all", "--output", "json"];
    let rebuilt = shop.daicho(&rebuild).exits(0).json();
    assert_eq!(rebuilt["events"], ROAD_EVENTS);
    assert!(rebuilt["events_per_second"].as_u64().unwrap() > 0);
    let orders = json!({ "list": "orders", "rows": 1, "resumed_slices": 0 });
    assert_eq!((&rebuilt["lists"][1], &rebuilt["passes"]), (&orders, &json!(1)));
    let after = shop.daicho(&status).exits(0).json();
    assert_eq!((&after[1]["behind_by"], &after[1]["rows"]), (&json!(0), &json!(1)));
    shop.daicho(&["projections", "compare"]).exits(0).says("same");
}

#[test]
fn a_book_is_verified_backed_up_and_restored_as_the_same() {
    let shop = Shop::after_the_main_road();
    let verified = shop.daicho(&["verify"]).exits(0);
    let checkpoint = verified.out.lines().last().unwrap().to_owned();
    assert!(checkpoint.starts_with(&format!("{ROAD_EVENTS}:")), "{checkpoint}");

    let copy = shop.path("copy");
    let copy = copy.to_str().unwrap();
    shop.daicho(&["backup", copy]).exits(0).says(&checkpoint);
    shop.daicho(&["backup", copy]).exits(2).complains("is there already and not empty");
    let restored = shop.daicho(&["restore", copy, "--book", "again", "--output", "json"]);
    assert_eq!(restored.exits(0).json()["checkpoint"], checkpoint);
    shop.daicho(&["restore", copy, "--book", "again"]).exits(2).complains("already a book");
    shop.daicho(&["verify", "--book", "again", "--expect", &checkpoint]).exits(0);

    let books = shop.daicho(&["book", "list", "--output", "json"]).exits(0).json();
    assert_eq!((&books[0]["book"], &books[1]["book"]), (&json!("again"), &json!("shop")));
    assert_eq!(books[0]["root"], books[1]["root"]);
    assert_eq!(books[0]["events"], ROAD_EVENTS);
}

#[test]
fn a_checkpoint_of_another_past_is_a_difference() {
    let shop = Shop::after_the_main_road();
    let other = format!("3:{}", "ab".repeat(32));
    let ran = shop.daicho(&["verify", "--expect", &other]).exits(4);
    ran.complains("the past was altered");
    let later = format!("{}:{}", ROAD_EVENTS + 1, "ab".repeat(32));
    shop.daicho(&["verify", "--expect", &later]).exits(4).complains("its end was cut off");
}
