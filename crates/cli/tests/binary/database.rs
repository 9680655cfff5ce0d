//! Books in a real PostgreSQL database: the same commands, the same bytes, the way there and back.

use daicho_test_servers::faults;

use crate::market::{Market, UNTIL, checkpoint, psql};
use crate::support::{MAIN_ROAD, ROAD_EVENTS, Shop};

/// Fault test T12 at the size of every run, and in `.ci/faults`.
const LIFE_EVENTS: (usize, usize) = (1_000, 1_000_000);

#[test]
fn a_book_in_a_database_goes_the_main_road_and_is_proved() {
    let market = Market::new();
    market.daicho(&["book", "create", "shop"]).exits(0).says("shop");
    let road = market.shop.path("road.jsonl");
    std::fs::write(&road, MAIN_ROAD).unwrap();
    let answers = market.daicho(&["run", road.to_str().unwrap()]).exits(0).json_lines();
    assert_eq!(answers.len(), MAIN_ROAD.lines().count());
    let orders = market.daicho(&["orders", "list", "--output", "json"]).exits(0).json();
    assert_eq!(orders["rows"][0]["status"], "confirmed");
    let verified = market.daicho(&["verify"]).exits(0);
    assert!(checkpoint(&verified).starts_with(&format!("{ROAD_EVENTS}:")));
    let books = market.daicho(&["book", "list", "--output", "json"]).exits(0).json();
    assert_eq!(books[0]["book"], "shop");
}

#[test]
fn the_same_life_has_the_same_root_and_the_same_lists_in_a_folder_and_in_a_database() {
    let market = Market::new();
    let events = faults::count("T12 events", LIFE_EVENTS.0, LIFE_EVENTS.1).to_string();
    let seed = faults::seed().to_string();
    let life = ["simulate", "--events", &events, "--seed", &seed, "--until", UNTIL];
    let life = [&life, ["--book", "shop"].as_slice()].concat();
    market.daicho(&life).exits(0);
    market.shop.daicho(&life).exits(0);
    let here = market.shop.daicho(&["verify"]).exits(0);
    let there = market.daicho(&["verify"]).exits(0);
    // Record, derived state and the digest of every list; and each list made anew from the record
    // is the one that was kept up.
    assert_eq!(here.out, there.out);
    let compare = ["projections", "compare", "--output", "json"];
    let (here, there) = (market.shop.daicho(&compare).exits(0), market.daicho(&compare).exits(0));
    assert_eq!(here.json(), there.json());
    for list in ["quotes", "orders", "contracts", "invoices", "members"] {
        let page = [list, "list", "--output", "csv", "--limit", "1000"];
        assert_eq!(market.shop.daicho(&page).out, market.daicho(&page).out, "{list}");
        let past = [&page, ["--known-at", "300", "--effective-on", "2024-06-30"].as_slice()];
        let past = past.concat();
        assert_eq!(market.shop.daicho(&past).out, market.daicho(&past).out, "{list}");
    }
}

#[test]
fn a_book_is_carried_into_a_database_and_back_with_the_same_bytes_and_its_people() {
    // Given a book in a folder
    let market = Market::new();
    let shop = Shop::after_the_main_road();
    let root = checkpoint(&shop.daicho(&["verify"]).exits(0));
    let data = shop.path("books");
    // When it is carried into the database, and from there into another folder
    let to = ["book", "copy", "shop", "--to-database", &market.url, "--to-name", "carried"];
    let copied = market.keeps_the_password(shop.daicho(&to)).exits(0);
    copied.says(&root);
    let back = market.shop.path("back");
    let from = ["book", "copy", "carried", "--to-data", back.to_str().unwrap()];
    market.daicho(&from).exits(0).says(&root);
    // Then each is the same book
    assert_eq!(checkpoint(&market.daicho(&["verify"]).exits(0)), root);
    let back = ["--data", back.to_str().unwrap(), "--book", "carried"];
    let verify = [&back, ["verify"].as_slice()].concat();
    assert_eq!(checkpoint(&market.shop.daicho(&verify).exits(0)), root);
    // And whoever had the keys opens the names of people in each
    let events = ["events", "read", "--type", "member.registration_requested"];
    let here = shop.daicho(&events).exits(0).out;
    assert_eq!(market.daicho(&events).exits(0).out, here);
    assert_eq!(market.shop.daicho(&[&back, events.as_slice()].concat()).exits(0).out, here);
    let history = ["history", "shop", "--output", "json"];
    assert_eq!(market.daicho(&history).exits(0).out, shop.daicho(&history).exits(0).out);
    // And it goes on from there: what is new follows, what was copied is not copied again
    let line = MAIN_ROAD.lines().nth(1).unwrap();
    assert!(data.is_dir() && line.contains("product.list"));
    shop.daicho(&to).exits(0).says(&root);
}

#[test]
fn a_copy_that_went_on_by_itself_is_not_overwritten() {
    let market = Market::new();
    let shop = Shop::empty();
    let to = ["book", "copy", "shop", "--to-database", &market.url];
    shop.daicho(&to).exits(0);
    // The copy goes its own way, and the source another one.
    let opening = MAIN_ROAD.lines().next().unwrap();
    let road = market.shop.path("road.jsonl");
    std::fs::write(&road, opening).unwrap();
    market.daicho(&["run", road.to_str().unwrap()]).exits(0);
    shop.run(opening.as_bytes()).exits(0);
    let refused = shop.daicho(&to).exits(2);
    refused.complains("not the first ones of this book");
    // Another book is not touched either.
    let other = Shop::empty();
    other.daicho(&to).exits(1).complains("holds a book already");
}

#[test]
fn a_database_that_cannot_be_used_is_named_with_its_cause_and_without_its_password() {
    let market = Market::new();
    let (front, database) = market.url.rsplit_once('/').unwrap();
    let place = front.rsplit_once('@').unwrap().1;
    let refused = |url: &str, exit: i32, cause: &str| {
        let ran = market.shop.daicho(&["--database", url, "book", "list"]);
        let ran = market.keeps_the_password(ran).exits(exit);
        ran.complains("the place of the books cannot be used");
        ran.complains(cause);
    };
    refused("mysql://shop", 2, "postgres://user:password@host:port/database");
    refused("postgres://daicho@127.0.0.1:1/shop", 1, "Connection refused");
    refused(&format!("postgres://daicho:wrong@{place}/{database}"), 1, "password");
    refused(&format!("postgres://nobody:secret-of-nobody@{place}/{database}"), 1, "nobody");
    refused(&format!("{front}/nowhere"), 1, "\"nowhere\" does not exist");
    market.daicho(&["--book", "none", "orders", "list"]).exits(2).complains("there is no book");
    market.daicho(&["book", "create", "shop"]).exits(0);
    market.daicho(&["book", "create", "shop"]).exits(2).complains("there is already a book");
    market.daicho(&["backup", "anywhere"]).exits(2).complains("daicho book copy");
    market.daicho(&["restore", "anywhere", "--book", "b"]).exits(2).complains("daicho book copy");
    let both = ["--database", &market.url, "--data", "x", "book", "list"];
    market.shop.daicho(&both).exits(2).complains("a folder or in a database");
}

#[test]
fn the_way_to_the_next_page_does_not_show_a_password() {
    let market = Market::new();
    market.simulated("shop").exits(0);
    let page = ["--database", &market.url, "orders", "list", "--limit", "2"];
    let ran = market.keeps_the_password(market.shop.daicho(&page)).exits(0);
    ran.says("More rows: daicho --database URL orders list --limit 2 --after ");
}

#[test]
fn a_role_that_serves_a_book_goes_the_main_road_and_cannot_change_what_is_recorded() {
    // Given a book, and a role of its own for the service
    let market = Market::new();
    market.daicho(&["book", "create", "shop"]).exits(0);
    let (front, database) = market.url.rsplit_once('/').unwrap();
    let role = format!("serves_{database}");
    psql(&market.url, &format!("CREATE ROLE {role} LOGIN PASSWORD 'of-the-service'")).exits(0);
    let place = front.rsplit_once('@').unwrap().1;
    let url = format!("postgres://{role}:of-the-service@{place}/{database}");
    let road = market.shop.path("road.jsonl");
    std::fs::write(&road, MAIN_ROAD).unwrap();
    let serve = |args: &[&str]| market.shop.daicho(&[&["--database", &url], args].concat());
    // Then it may do nothing before it is granted
    serve(&["run", road.to_str().unwrap()]).exits(2).complains("there is no book");
    market.daicho(&["book", "grant", "shop", "nobody_of_that_name"]).exits(1);
    market.shop.daicho(&["book", "grant", "shop", "x"]).exits(2).complains("file system");
    // And afterwards everything that a service does
    market.daicho(&["book", "grant", "shop", &role, "--vault"]).exits(0).says(&role);
    let answers = serve(&["run", road.to_str().unwrap()]).exits(0).json_lines();
    assert_eq!(answers.len(), MAIN_ROAD.lines().count());
    let orders = serve(&["orders", "list", "--output", "json"]).exits(0).json();
    assert_eq!(orders["rows"][0]["status"], "confirmed");
    serve(&["verify"]).exits(0);
    // But not what an owner may
    for statement in [
        "UPDATE shop.log SET data = '{}'",
        "ALTER TABLE shop.log DISABLE TRIGGER ALL",
        "DELETE FROM shop_vault.person_key",
        "DROP SCHEMA shop CASCADE",
    ] {
        assert_ne!(psql(&url, statement).exit, 0, "{statement}");
    }
    serve(&["book", "grant", "shop", "postgres"]).exits(1).complains("the ownership of shop");
}
