//! What a vault file promises beyond the contract (`tests/vault`): nothing is left in it that
//! should not be there, and nothing makes one that is gone.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::vault::SystemEntropy;

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

/// Every byte of every file in `folder`.
fn all_bytes(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn opening_a_vault_that_is_gone_makes_no_file() {
    let (_folder, path) = folder();
    opened(&path).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn creating_a_vault_that_stands_already_opens_it() {
    let (_folder, path) = folder();
    let index = created(&path).await.index("email", "a").await.unwrap();
    assert_eq!(created(&path).await.index("email", "a").await.unwrap(), index);
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
