//! What is refused, and by which words.

use daicho_store::views::*;

use crate::support::*;

pub async fn rows_that_do_not_fit_the_schema_are_refused_by_name<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let good = row("a", "open", 1);
    let bad = [
        ViewRow { columns: vec![], ..good.clone() },
        ViewRow { columns: vec![Value::Integer(1), Value::Null, Value::Null], ..good.clone() },
        ViewRow { columns: vec![text("x"), text("1"), Value::Null], ..good.clone() },
        ViewRow { key: String::new(), ..good.clone() },
        ViewRow { key: "a\0b".into(), ..good.clone() },
        ViewRow { next_change: Some("tomorrow".into()), ..good.clone() },
        row("a", &"x".repeat(daicho_store::views::CELL_BYTES_MAX + 1), 1),
    ];
    for bad in bad {
        let written = views.write("orders", &point(0), upserts(vec![bad]), &point(1)).await;
        assert!(matches!(written, Err(ViewWriteError::View(ViewError::Refused(_)))));
    }
    let twice = ViewChanges { upserts: vec![good], deletes: vec!["a".into()] };
    let written = views.write("orders", &point(0), twice, &point(1)).await;
    assert_eq!(written.unwrap_err().to_string(), "row a is changed twice in one write");
}

pub async fn calls_beyond_the_limits_are_refused<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let keys = vec!["a".to_owned(); daicho_store::views::BATCH_ROWS_MAX + 1];
    assert!(matches!(views.rows("orders", &keys).await, Err(ViewError::Refused(_))));
    for limit in [0, daicho_store::views::PAGE_ROWS_MAX + 1] {
        let page = views.page("orders", &by_key(limit)).await;
        assert!(matches!(page, Err(ViewError::Refused(_))));
        assert!(matches!(views.scan("orders", None, limit).await, Err(ViewError::Refused(_))));
    }
    let unknown = views.page("quotes", &by_key(1)).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no view quotes: the views are orders");
}

pub async fn a_schema_whose_name_could_be_mistaken_for_sql_is_a_programmers_error<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let named = ViewSchema { name: "orders; DROP", ..orders() };
    let ensured = tokio::spawn(async move { views.ensure(&named, TODAY).await }).await;
    let panic = ensured.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.ends_with("is not named [a-z_]+"), "{message}");
}

pub async fn what_is_just_within_the_limits_is_stored_and_found<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    // The pseudo-random letters cannot be compressed: an index must hold them as they are.
    let letters: String = (0..INDEXED_CELL_BYTES_MAX as u64)
        .map(|n| char::from(b'!' + (n.wrapping_mul(6_364_136_223_846_793_005) >> 58) as u8))
        .collect();
    let key: String = letters.chars().rev().take(KEY_BYTES_MAX).collect();
    let large = row(&key, &letters, i64::MAX);
    views.write("orders", &point(0), upserts(vec![large.clone()]), &point(1)).await.unwrap();
    let sort = Some(("status".to_owned(), Direction::Descending));
    let filter = Filter { column: "status".into(), op: Comparison::Eq, value: text(&letters) };
    let request = PageRequest { sort, filters: vec![filter], ..by_key(1) };
    assert_eq!(views.page("orders", &request).await.unwrap().rows, [large]);
    let longer = row("a", &format!("{letters}!"), 1);
    let refused = views.write("orders", &point(1), upserts(vec![longer]), &point(2)).await;
    let words = "column status is indexed and holds text of at most 1536 bytes, not of 1537";
    assert_eq!(refused.unwrap_err().to_string(), words);
}

pub async fn a_text_with_a_zero_byte_is_in_no_row_and_nothing_is_found_by_it<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let rows = vec![row("a", "open", 1), row("b", "open", 1)];
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let bad = upserts(vec![row("c", "op\0en", 1)]);
    let refused = views.write("orders", &point(1), bad, &point(2)).await;
    assert!(matches!(refused, Err(ViewWriteError::View(ViewError::Refused(_)))));
    for column in ["status", "key"] {
        let value = text("a\0");
        let filter = Filter { column: column.into(), op: Comparison::Eq, value };
        let request = PageRequest { filters: vec![filter], ..by_key(1) };
        assert!(matches!(views.page("orders", &request).await, Err(ViewError::Refused(_))));
    }
    assert_eq!(views.get("orders", "a\0").await.unwrap(), None);
    let found = views.rows("orders", &["a\0".into(), "b".into()]).await.unwrap();
    assert_eq!(found.len(), 1);
    let after = views.scan("orders", Some("a\0"), 9).await.unwrap();
    assert_eq!(after, [row("b", "open", 1)]);
    let deletes = vec!["a\0".to_owned()];
    let changes = ViewChanges { upserts: Vec::new(), deletes };
    views.write("orders", &point(1), changes, &point(2)).await.unwrap();
    assert_eq!(views.state("orders").await.unwrap().rows, 2);
}
