//! What a backup promises: one state of each file while others write, no sealed value without its
//! key, whole or not there, and found out when it was altered.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::sqlite::{SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;

use super::*;
use crate::sqlite::SqliteState;
use crate::sqlite::vault::SqliteVault;
use crate::state::{State as _, StateName};
use crate::vault::{Opened, SealedText, Subject, SystemEntropy, Vault};

const BOOK_ID: [u8; 16] = [7; 16];
const MADE_AT: &str = "2026-11-21T01:02:03Z";

/// A book with a record of sealed values and a vault, in a folder of its own.
struct Shop {
    folder: TempDir,
    record: SqlitePool,
    vault: SqliteVault,
    people: AtomicU64,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("book");
        fs::create_dir(&book).unwrap();
        let options = SqliteConnectOptions::new()
            .filename(book.join("record.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let record = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let record = record.unwrap();
        sqlx::raw_sql(
            "CREATE TABLE log (position INTEGER PRIMARY KEY, key, sealed, commitment);
             CREATE TABLE head (position INTEGER);
             INSERT INTO head VALUES (0)",
        )
        .execute(&record)
        .await
        .unwrap();
        let entropy = Arc::new(SystemEntropy);
        let vault = SqliteVault::create(&book.join("vault.db"), entropy).await.unwrap();
        Self { folder, record, vault, people: AtomicU64::new(0) }
    }

    fn book(&self) -> PathBuf {
        self.folder.path().join("book")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Seals the name of a new person and records it, as the application does: key first.
    async fn register(&self) {
        let person = format!("member:{}", self.people.fetch_add(1, Ordering::Relaxed));
        let subject = Subject { person: &person, class: "contact", field: "name" };
        let sealed = self.vault.seal(subject, &person).await.unwrap();
        let mut tx = self.record.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query(
            "INSERT INTO log
             SELECT position + 1, ?1, ?2, ?3 FROM head",
        )
        .bind(sealed.key)
        .bind(sealed.sealed)
        .bind(sealed.commitment)
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query("UPDATE head SET position = position + 1").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn back_up(&self, target: &Path) -> Result<Manifest, BackupError> {
        spawnable(backup(&self.book(), target, MADE_AT, inspect, &|_| ())).await
    }
}

/// A server backs its book up in a task of its own.
fn spawnable<F: Future + Send>(future: F) -> F {
    future
}

async fn open_copy(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

async fn inspect(record: &Path) -> Result<Inspected, InspectError> {
    let pool = open_copy(record).await;
    let position = sqlx::query_scalar("SELECT position FROM head").fetch_one(&pool).await?;
    pool.close().await;
    Ok(Inspected { book: "b00c".into(), position, root: "f00d".into() })
}

/// Opens every sealed value of the book in `folder`, and answers with how many there are.
async fn open_all(folder: &Path) -> u64 {
    let pool = open_copy(&folder.join("record.db")).await;
    let vault = SqliteVault::open(&folder.join("vault.db"), Arc::new(SystemEntropy)).await;
    let vault = vault.unwrap();
    let rows: Vec<(u64, String, String, String)> =
        sqlx::query_as("SELECT position, key, sealed, commitment FROM log ORDER BY position")
            .fetch_all(&pool)
            .await
            .unwrap();
    let head: u64 = sqlx::query_scalar("SELECT position FROM head").fetch_one(&pool).await.unwrap();
    for (place, (position, key, sealed, commitment)) in (1..).zip(rows) {
        assert_eq!(position, place);
        let sealed = SealedText { key, sealed, commitment };
        let opened = vault.open(&sealed, "name").await.unwrap();
        assert!(matches!(opened, Opened::Text(name) if sealed.key.starts_with(name.as_str())));
        assert!(position <= head);
    }
    head
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_backup_holds_record_state_and_apart_from_them_the_vault() {
    let shop = Shop::open().await;
    shop.register().await;
    fs::write(shop.book().join("derived.db"), "derived").unwrap();
    let state = SqliteConnectOptions::new().filename(shop.book().join("state.db"));
    state.create_if_missing(true).connect().await.unwrap().close().await.unwrap();
    let target = shop.path("backup");
    let manifest = shop.back_up(&target).await.unwrap();
    assert_eq!(names(&target), ["manifest.json", "record.db", "state.db", "vault"]);
    assert_eq!(names(&target.join("vault")), ["vault.db"]);
    assert_eq!(names(shop.folder.path()), ["backup", "book"]);
    let head = (manifest.book.as_str(), manifest.position, manifest.root.as_str());
    assert_eq!(head, ("b00c", 1, "f00d"));
    assert_eq!(manifest.made_at, MADE_AT);
    let stored = Manifest::from_json(&fs::read(target.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(stored, manifest);
}

#[tokio::test]
async fn what_is_restored_opens_as_it_did() {
    let shop = Shop::open().await;
    for _ in 0..5 {
        shop.register().await;
    }
    let (target, restored) = (shop.path("backup"), shop.path("restored"));
    let manifest = shop.back_up(&target).await.unwrap();
    fs::create_dir(&restored).unwrap();
    let read = restore(&target, &restored, RestoreVault::Require, &|_| ()).await.unwrap();
    assert_eq!(read, manifest);
    assert_eq!(names(&restored), ["record.db", "vault.db"]);
    assert_eq!(open_all(&restored).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_book_that_is_written_to_is_one_state_of_it() {
    let shop = Arc::new(Shop::open().await);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (shop, stop) = (Arc::clone(&shop), Arc::clone(&stop));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                shop.register().await;
            }
        })
    };
    for number in 0..6 {
        while shop.people.load(Ordering::Relaxed) < number * 20 + 20 {
            tokio::task::yield_now().await;
        }
        let target = shop.path(&format!("backup {number}"));
        let manifest = shop.back_up(&target).await.unwrap();
        let restored = shop.path(&format!("restored {number}"));
        restore(&target, &restored, RestoreVault::Require, &|_| ()).await.unwrap();
        assert_eq!(open_all(&restored).await, manifest.position);
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

/// A consumer follows and acknowledges between the two copies: were the record copied first, the
/// cursor would stand beyond it, and the consumer would pass over the next event after a restore.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_is_copied_before_the_record_so_that_no_cursor_stands_beyond_it() {
    let shop = Shop::open().await;
    shop.register().await;
    let state = SqliteState::new(&shop.book().join("state.db"), BOOK_ID);
    let crm = StateName::new("crm").unwrap();
    state.set_cursor(&crm, 1).await.unwrap();
    let first = Mutex::new(true);
    let follow_once = |progress: Progress| {
        let Progress::Copied { .. } = progress else { return };
        if std::mem::take(&mut *first.lock().unwrap()) {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    shop.register().await;
                    state.set_cursor(&crm, 2).await.unwrap();
                });
            });
        }
    };
    let (target, restored) = (shop.path("backup"), shop.path("restored"));
    backup(&shop.book(), &target, MADE_AT, inspect, &follow_once).await.unwrap();
    restore(&target, &restored, RestoreVault::Require, &|_| ()).await.unwrap();
    assert_eq!(open_all(&restored).await, 2);
    let restored = SqliteState::new(&restored.join("state.db"), BOOK_ID);
    assert_eq!(restored.open_cursor(&crm, 0).await.unwrap(), 1, "it sees the second again");
}

/// Somebody registers between the two copies: were the vault copied first, the record would hold a
/// value whose key is not in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_is_copied_before_the_vault_so_that_no_key_is_missing() {
    let shop = Shop::open().await;
    shop.register().await;
    let first = Mutex::new(true);
    let register_once = |progress: Progress| {
        let Progress::Copied { .. } = progress else { return };
        if std::mem::take(&mut *first.lock().unwrap()) {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(shop.register());
            });
        }
    };
    let target = shop.path("backup");
    backup(&shop.book(), &target, MADE_AT, inspect, &register_once).await.unwrap();
    let restored = shop.path("restored");
    restore(&target, &restored, RestoreVault::Require, &|_| ()).await.unwrap();
    assert_eq!(shop.people.load(Ordering::Relaxed), 2);
    assert_eq!(open_all(&restored).await, 1);
}

#[tokio::test]
async fn an_erased_key_does_not_travel_with_a_backup() {
    let shop = Shop::open().await;
    shop.register().await;
    // Closed: all it holds is in the one file that is read here.
    shop.vault.close().await;
    let entropy = Arc::new(SystemEntropy);
    let again = SqliteVault::open(&shop.book().join("vault.db"), entropy).await.unwrap();
    let pool = open_copy(&shop.book().join("vault.db")).await;
    let secret: Vec<u8> =
        sqlx::query_scalar("SELECT secret FROM person_key").fetch_one(&pool).await.unwrap();
    pool.close().await;
    again.erase("member:0", "contact").await.unwrap();
    let target = shop.path("backup");
    shop.back_up(&target).await.unwrap();
    let copied = fs::read(target.join("vault/vault.db")).unwrap();
    assert!(copied.windows(16).any(|window| window == &b"member:0/contact"[..16]));
    assert!(!copied.windows(16).any(|window| window == &secret[..16]));
}

#[tokio::test]
async fn a_folder_that_holds_something_is_never_written_over() {
    let shop = Shop::open().await;
    shop.register().await;
    let (target, taken) = (shop.path("backup"), shop.path("taken"));
    shop.back_up(&target).await.unwrap();
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("record.db"), "another book").unwrap();
    let backed_up = shop.back_up(&taken).await;
    assert!(matches!(backed_up, Err(BackupError::TargetInUse { .. })));
    let restored = restore(&target, &taken, RestoreVault::Require, &|_| ()).await;
    assert!(matches!(restored, Err(BackupError::TargetInUse { .. })));
    assert_eq!(fs::read(taken.join("record.db")).unwrap(), b"another book");
    fs::create_dir(shop.path("new.partial")).unwrap();
    let backed_up = shop.back_up(&shop.path("new")).await;
    assert!(matches!(backed_up, Err(BackupError::Unfinished { .. })));
    assert!(shop.path("new.partial").exists());
}

#[tokio::test]
async fn a_backup_that_fails_leaves_nothing_behind() {
    let shop = Shop::open().await;
    shop.register().await;
    let target = shop.path("backup");
    let fails = async |_: &Path| Err("no".into());
    let failed = backup(&shop.book(), &target, MADE_AT, fails, &|_| ()).await;
    assert!(matches!(failed, Err(BackupError::Inspect(_))));
    let missing = backup(&shop.path("nothing"), &target, MADE_AT, inspect, &|_| ()).await;
    assert!(matches!(missing, Err(BackupError::SourceMissing { .. })));
    fs::write(shop.book().join("state.db"), "x".repeat(5_000)).unwrap();
    let torn = shop.back_up(&target).await;
    assert!(matches!(torn, Err(BackupError::Storage(_))));
    assert_eq!(names(shop.folder.path()), ["book"]);
}

#[tokio::test]
async fn an_inspection_that_writes_to_the_copy_is_found() {
    let shop = Shop::open().await;
    let writes = async |record: &Path| {
        let options = SqliteConnectOptions::new().filename(record);
        options.journal_mode(SqliteJournalMode::Wal).connect().await?.close().await?;
        inspect(record).await
    };
    let touched = backup(&shop.book(), &shop.path("backup"), MADE_AT, writes, &|_| ()).await;
    assert!(matches!(touched, Err(BackupError::Touched { .. })));
}

#[tokio::test]
async fn an_altered_missing_or_unknown_file_is_found_and_nothing_is_restored() {
    let shop = Shop::open().await;
    shop.register().await;
    let (target, restored) = (shop.path("backup"), shop.path("restored"));
    shop.back_up(&target).await.unwrap();
    let again = || restore(&target, &restored, RestoreVault::Require, &|_| ());

    for file in ["record.db", "vault/vault.db"] {
        let path = target.join(file);
        let whole = fs::read(&path).unwrap();
        let mut altered = whole.clone();
        altered[5_000] ^= 1;
        fs::write(&path, altered).unwrap();
        let result = again().await;
        assert!(matches!(result, Err(BackupError::Altered { file: named, .. }) if named == file));
        fs::write(&path, whole).unwrap();
    }
    let manifest = target.join("manifest.json");
    let whole = fs::read_to_string(&manifest).unwrap();
    for (from, to) in [
        ("daicho backup 1", "daicho backup 2"),
        ("\"vault/vault.db\"", "\"../../escaped.db\""),
        ("\"vault/vault.db\"", "\"record.db\""),
        ("\"record.db\"", "\"state.db\""),
    ] {
        assert!(whole.contains(from));
        fs::write(&manifest, whole.replace(from, to)).unwrap();
        assert!(matches!(again().await, Err(BackupError::Manifest(_))), "{to}");
    }
    fs::remove_file(&manifest).unwrap();
    assert!(matches!(again().await, Err(BackupError::SourceMissing { .. })));
    assert_eq!(names(shop.folder.path()), ["backup", "book"]);
}

#[tokio::test]
async fn a_vault_that_is_kept_elsewhere_is_asked_for_or_left_out_on_purpose() {
    let shop = Shop::open().await;
    shop.register().await;
    let (target, restored) = (shop.path("backup"), shop.path("restored"));
    shop.back_up(&target).await.unwrap();
    fs::remove_dir_all(target.join("vault")).unwrap();
    let required = restore(&target, &restored, RestoreVault::Require, &|_| ()).await;
    assert!(matches!(required, Err(BackupError::VaultElsewhere { .. })));
    assert!(!restored.exists());
    restore(&target, &restored, RestoreVault::LeaveOut, &|_| ()).await.unwrap();
    assert_eq!(names(&restored), ["record.db"]);
}
