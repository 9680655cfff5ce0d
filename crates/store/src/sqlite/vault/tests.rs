//! What a vault file promises: keys durable first, one key for all processes, an erasure told apart
//! from a loss, and nothing left in the file that should not be there.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::vault::{MemoryVault, SystemEntropy};

const NAME: Subject<'_> = Subject { person: "member:1", class: "contact", field: "name" };

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    (folder, path)
}

async fn created(path: &Path) -> SqliteVault {
    SqliteVault::create(path, Arc::new(SystemEntropy)).await.unwrap()
}

async fn opened(path: &Path) -> SqliteVault {
    SqliteVault::open(path, Arc::new(SystemEntropy)).await.unwrap()
}

fn file_pool(vault: &SqliteVault) -> &SqlitePool {
    &vault.file.as_ref().unwrap().pool
}

fn text(text: &str) -> Opened {
    Opened::Text(text.to_owned().into())
}

/// Every byte of every file in `folder`.
fn all_bytes(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[track_caller]
fn assert_missing(opened: &Result<Opened, VaultError>, key: &str) {
    assert!(matches!(opened, Err(VaultError::KeyMissing { key: named }) if named == key));
}

/// What holds for every kind of vault.
async fn keeps_the_contract(vault: &dyn Vault) {
    let sealed = vault.seal(NAME, "Hanako").await.unwrap();
    assert_eq!(vault.open(&sealed, "name").await.unwrap(), text("Hanako"));
    assert!(matches!(vault.open(&sealed, "phone").await, Err(VaultError::Tampered { .. })));

    let foreign = SealedText { key: "member:2/contact".into(), ..sealed.clone() };
    assert_missing(&vault.open(&foreign, "name").await, "member:2/contact");
    vault.seal(Subject { person: "member:2", ..NAME }, "Taro").await.unwrap();
    assert!(matches!(vault.open(&foreign, "name").await, Err(VaultError::Tampered { .. })));

    let billing = Subject { class: "billing", ..NAME };
    let kept = vault.seal(billing, "Hanako").await.unwrap();
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::Destroyed);
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::NothingThere);
    assert_eq!(vault.open(&sealed, "name").await.unwrap(), Opened::Erased);
    assert!(matches!(vault.seal(NAME, "again").await, Err(VaultError::Erased { .. })));
    assert_eq!(vault.open(&kept, "name").await.unwrap(), text("Hanako"));

    let one = vault.index("email", "a@example.jp").await.unwrap();
    assert_eq!(one, vault.index("email", "a@example.jp").await.unwrap());
    assert_ne!(one, vault.index("email", "b@example.jp").await.unwrap());
    assert_ne!(one, vault.request_hash(b"a@example.jp").await.unwrap());
}

#[tokio::test]
async fn a_vault_in_a_file_keeps_the_contract() {
    let (_folder, path) = folder();
    keeps_the_contract(&created(&path).await).await;
}

#[tokio::test]
async fn a_vault_in_memory_keeps_the_contract() {
    keeps_the_contract(&MemoryVault::new(Arc::new(SystemEntropy))).await;
}

#[tokio::test]
async fn a_key_is_durable_before_the_sealed_value_is_handed_out() {
    let (_folder, path) = folder();
    let first = created(&path).await;
    let sealed = first.seal(NAME, "Hanako").await.unwrap();
    // The first is neither closed nor dropped: another process sees the key already.
    assert_eq!(opened(&path).await.open(&sealed, "name").await.unwrap(), text("Hanako"));
}

#[tokio::test]
async fn what_was_sealed_and_indexed_before_a_restart_is_found_after_it() {
    let (_folder, path) = folder();
    let first = created(&path).await;
    let sealed = first.seal(NAME, "Hanako").await.unwrap();
    let (index, request) = (first.index("email", "a").await, first.request_hash(b"r").await);
    first.close().await;
    let second = created(&path).await;
    assert_eq!(second.open(&sealed, "name").await.unwrap(), text("Hanako"));
    assert_eq!(second.index("email", "a").await.unwrap(), index.unwrap());
    assert_eq!(second.request_hash(b"r").await.unwrap(), request.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_seal_for_one_person_at_once_agree_on_one_key() {
    let (_folder, path) = folder();
    created(&path).await.close().await;
    let mut sealing = tokio::task::JoinSet::new();
    for number in 0..8 {
        let vault = opened(&path).await;
        sealing.spawn(async move {
            let plain = format!("Hanako {number}");
            (vault.seal(NAME, &plain).await.unwrap(), plain)
        });
    }
    let reader = opened(&path).await;
    for (sealed, plain) in sealing.join_all().await {
        assert_eq!(reader.open(&sealed, "name").await.unwrap(), text(&plain));
    }
}

#[tokio::test]
async fn an_erasure_by_another_process_holds_here_at_once() {
    let (_folder, path) = folder();
    let (here, there) = (created(&path).await, opened(&path).await);
    let sealed = here.seal(NAME, "Hanako").await.unwrap();
    assert_eq!(here.open(&sealed, "name").await.unwrap(), text("Hanako"));
    there.erase("member:1", "contact").await.unwrap();
    assert_eq!(here.open(&sealed, "name").await.unwrap(), Opened::Erased);
    assert!(matches!(here.seal(NAME, "again").await, Err(VaultError::Erased { .. })));
}

#[tokio::test]
async fn a_person_erased_before_any_key_was_made_gets_none() {
    let (_folder, path) = folder();
    let vault = created(&path).await;
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::NothingThere);
    assert!(matches!(vault.seal(NAME, "Hanako").await, Err(VaultError::Erased { .. })));
}

#[tokio::test]
async fn a_vault_that_is_gone_says_which_key_is_missing_and_makes_no_other() {
    let (folder, path) = folder();
    let sealed = created(&path).await.seal(NAME, "Hanako").await.unwrap();
    let gone = folder.path().join("gone.db");
    let vault = opened(&gone).await;
    assert_missing(&vault.open(&sealed, "name").await, "member:1/contact");
    assert!(matches!(vault.seal(NAME, "x").await, Err(VaultError::VaultMissing { .. })));
    assert!(matches!(vault.index("email", "x").await, Err(VaultError::VaultMissing { .. })));
    assert!(matches!(vault.request_hash(b"x").await, Err(VaultError::VaultMissing { .. })));
    assert!(!gone.exists());
}

#[tokio::test]
async fn a_vault_of_another_book_says_which_key_is_missing_and_opening_makes_none() {
    let (folder, path) = folder();
    let sealed = created(&path).await.seal(NAME, "Hanako").await.unwrap();
    let vault = created(&folder.path().join("other.db")).await;
    assert_missing(&vault.open(&sealed, "name").await, "member:1/contact");
    assert_missing(&vault.open(&sealed, "name").await, "member:1/contact");
}

#[tokio::test]
async fn the_cache_is_bounded_and_forgetting_loses_nothing() {
    let mut cache = Cache::default();
    let key = |number: usize| KeyName::new(&format!("member:{number}"), "contact").unwrap();
    for number in 0..CACHE_KEYS_MAX * 2 + 1 {
        let secret = Some(Secret::random(&SystemEntropy));
        let found = Found { generation: 0, erased: Existence::Absent, secret };
        cache.keep(&found, &key(number));
        assert!(cache.secrets.len() <= CACHE_KEYS_MAX);
        assert!(cache.get(0, &key(number)).is_some());
    }
    assert!(cache.get(1, &key(CACHE_KEYS_MAX * 2)).is_none(), "an older generation is not asked");
}

#[tokio::test]
async fn no_plain_text_reaches_the_folder_of_the_vault() {
    let (folder, path) = folder();
    let vault = created(&path).await;
    let sealed = vault.seal(NAME, "canary-plain-text").await.unwrap();
    vault.index("email", "canary-plain-text").await.unwrap();
    vault.request_hash(b"canary-plain-text").await.unwrap();
    vault.open(&sealed, "name").await.unwrap();
    let bytes = all_bytes(folder.path());
    assert!(holds(&bytes, b"member:1/contact"), "the search finds what is there");
    assert!(!holds(&bytes, b"canary-plain-text"));
}

/// Pages split, fill and merge while people come and go: a destroyed key must not survive in the
/// gap of a page that it once stood on.
#[tokio::test]
async fn no_destroyed_key_is_left_in_the_folder_of_the_vault() {
    let (folder, path) = folder();
    let vault = created(&path).await;
    let people = 800;
    for number in 0..people {
        // Scattered names of uneven length, so that rows are moved about.
        let scattered = number * 7_919 % people;
        let person = format!("member:{scattered}:{}", "x".repeat(scattered % 60));
        vault.seal(Subject { person: &person, ..NAME }, "Hanako").await.unwrap();
    }
    let pool = connect(&path).await.unwrap();
    let keys: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT name, secret FROM person_key").fetch_all(&pool).await.unwrap();
    assert_eq!(keys.len(), people);
    let (erased, kept): (Vec<_>, Vec<_>) =
        keys.iter().enumerate().partition(|(place, _)| place % 2 == 0);
    for (_, (name, _)) in &erased {
        let person = name.strip_suffix("/contact").unwrap();
        assert_eq!(vault.erase(person, "contact").await.unwrap(), Erasure::Destroyed);
    }
    let bytes = all_bytes(folder.path());
    let starts: std::collections::HashSet<&[u8]> = bytes.windows(16).collect();
    assert!(kept.iter().all(|(_, (_, secret))| starts.contains(&secret[..16])));
    assert_eq!(erased.iter().filter(|(_, (_, secret))| starts.contains(&secret[..16])).count(), 0);
    assert_eq!(erased.iter().filter(|(_, (_, secret))| starts.contains(&secret[16..])).count(), 0);
}

#[tokio::test]
async fn an_erasure_that_a_crash_cut_short_is_finished_by_opening() {
    let (folder, path) = folder();
    let vault = created(&path).await;
    vault.seal(NAME, "Hanako").await.unwrap();
    let pool = connect(&path).await.unwrap();
    let secret: Vec<u8> =
        sqlx::query_scalar("SELECT secret FROM person_key").fetch_one(&pool).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO erased (name) VALUES ('member:1/contact');
         DELETE FROM person_key",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert!(holds(&all_bytes(folder.path()), &secret), "the journal still holds it");
    opened(&path).await;
    assert!(!holds(&all_bytes(folder.path()), &secret));
}

#[tokio::test]
async fn an_erasure_says_when_old_pages_could_not_be_wiped_and_doing_it_again_wipes_them() {
    let (folder, path) = folder();
    let vault = created(&path).await;
    let sealed = vault.seal(NAME, "Hanako").await.unwrap();
    let pool = connect(&path).await.unwrap();
    sqlx::query("PRAGMA busy_timeout = 0").execute(file_pool(&vault)).await.unwrap();
    let mut reader = pool.begin().await.unwrap();
    let secret: Vec<u8> =
        sqlx::query_scalar("SELECT secret FROM person_key").fetch_one(&mut *reader).await.unwrap();
    let erased = vault.erase("member:1", "contact").await;
    assert!(matches!(erased, Err(VaultError::NotWiped { .. })));
    assert_eq!(vault.open(&sealed, "name").await.unwrap(), Opened::Erased);
    reader.rollback().await.unwrap();
    assert_eq!(vault.erase("member:1", "contact").await.unwrap(), Erasure::NothingThere);
    assert!(!holds(&all_bytes(folder.path()), &secret));
}

#[tokio::test]
async fn the_vault_wipes_what_it_deletes_and_syncs_what_it_commits() {
    let (_folder, path) = folder();
    let vault = created(&path).await;
    let pool = file_pool(&vault);
    let one = |sql: &'static str| sqlx::query(sql).fetch_one(pool);
    assert_eq!(one("PRAGMA secure_delete").await.unwrap().get::<i64, _>(0), 1);
    assert_eq!(one("PRAGMA journal_mode").await.unwrap().get::<String, _>(0), "wal");
    assert_eq!(one("PRAGMA synchronous").await.unwrap().get::<i64, _>(0), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_the_owner_may_read_the_vault() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    created(&path).await.seal(NAME, "Hanako").await.unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}
