//! Many that open files that are not there yet, at the same moment.

use std::path::Path;
use std::sync::Arc;

use daicho_store::vault::SystemEntropy;
use daicho_store::{
    OpenError, Options, SqliteState, SqliteVault, SqliteViews, State as _, StateName, sqlite,
};
use tokio::task::JoinSet;

const ROUNDS: usize = 25;
const AT_ONCE: usize = 4;

/// How many of `AT_ONCE` tasks that do the same in a new folder said yes, for each of `ROUNDS`.
async fn rounds<F: Future<Output = bool> + Send + 'static>(
    open: impl Fn(Arc<Path>) -> F,
) -> Vec<usize> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().into();
        let opening: JoinSet<bool> = (0..AT_ONCE).map(|_| open(Arc::clone(&path))).collect();
        rounds.push(opening.join_all().await.into_iter().filter(|opened| *opened).count());
    }
    rounds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_state_opens_for_all() {
    let open = |folder: Arc<Path>| async move {
        let state = SqliteState::new(&folder.join("state.db"), [7; 16]);
        state.open_cursor(&StateName::new("crm").unwrap(), 3).await.unwrap() == 3
    };
    assert_eq!(rounds(open).await, [AT_ONCE; ROUNDS]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn new_views_open_for_all() {
    let open = |folder: Arc<Path>| async move {
        SqliteViews::open(&folder.join("views.db"), [7; 16]).await.map(drop).unwrap();
        true
    };
    assert_eq!(rounds(open).await, [AT_ONCE; ROUNDS]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_vault_opens_for_all() {
    let open = |folder: Arc<Path>| async move {
        let path = folder.join("vault.db");
        SqliteVault::create(&path, Arc::new(SystemEntropy)).await.map(drop).unwrap();
        true
    };
    assert_eq!(rounds(open).await, [AT_ONCE; ROUNDS]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_create_a_book_one_does_and_the_others_learn_so() {
    let create = |folder: Arc<Path>| async move {
        match sqlite::create_book(&folder, Options::new("opening 1")).await {
            Ok(book) => {
                book.close().await;
                true
            }
            Err(OpenError::AlreadyABook { .. }) => false,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(rounds(create).await, [1; ROUNDS]);
}
