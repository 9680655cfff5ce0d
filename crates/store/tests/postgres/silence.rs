//! A wire that falls silent when something besides the book is asked: its vault, or who may use it.

use std::sync::Arc;
use std::time::Duration;

use daicho_store::postgres::Database;
use daicho_store::vault::{Subject, SystemEntropy, Vault as _};
use tokio::time::timeout;

use crate::place::{BOOK, Place, new_role, said};
use crate::wire::{After, Wire, port_of};

const ANSWER: Duration = Duration::from_secs(3);
/// What is said of a server that does not answer in this time.
const SAID: &str = "did not answer within 3000 ms";
/// Within this nobody waits any more.
const SOON: Duration = Duration::from_secs(30);

async fn wired(place: &Place) -> (Wire, Database) {
    let wire = Wire::to(port_of(&place.url)).await;
    let database = Database::parse(&wire.url(&place.url)).unwrap().answering_within(ANSWER);
    (wire, database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_and_a_grant_wait_as_long_as_the_database_says() {
    let place = Place::new().await;
    let (wire, database) = wired(&place).await;
    let vault = database.create_vault(BOOK, Arc::new(SystemEntropy)).await.unwrap();
    wire.cut_after(1, After::Silent);
    let subject = Subject { person: "member:1", class: "contact", field: "name" };
    let silent = timeout(SOON, vault.seal(subject, "Hanako")).await.expect("an answer");
    let silent = said(&silent.unwrap_err());
    assert!(silent.contains(SAID), "{silent}");
    timeout(SOON, vault.close()).await.expect("it lets go");
    wire.mend();

    let (_, role) = new_role(&place.url, "guest").await;
    for vault in [false, true] {
        let grant = async || match vault {
            false => database.grant(BOOK, &role).await,
            true => database.grant_vault(BOOK, &role).await,
        };
        // What is granted already takes fewer bytes.
        wire.mend();
        grant().await.unwrap();
        wire.mend();
        grant().await.unwrap();
        // After nine tenths of what a grant sends: long after it has connected.
        wire.cut_after(wire.passed() * 9 / 10, After::Silent);
        let silent = timeout(SOON, grant()).await.expect("an answer");
        let silent = said(&silent.unwrap_err());
        assert!(silent.contains(SAID) && silent.contains("grant the rights"), "{silent}");
    }
}
