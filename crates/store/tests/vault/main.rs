//! The contract that every vault keeps, one named test for each rule. A new vault adds one line
//! here.

#![allow(unreachable_pub, missing_docs, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

mod erasing;
mod indexing;
mod missing;
mod sealing;

/// One test for each rule, for one vault.
macro_rules! vault_contract_tests {
    ($place:ident in $module:ident: $($rules:ident { $($rule:ident),* $(,)? })*) => {
        mod $module {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    crate::$rules::$rule::<crate::support::$place>().await;
                }
            )*)*
        }
    };
}

/// The rules, for every vault that is named.
macro_rules! every_rule {
    ($($place:ident in $module:ident),* $(,)?) => { $(
        vault_contract_tests! { $place in $module:
            sealing {
                what_was_sealed_opens_as_the_field_it_was_sealed_for_alone,
                what_was_sealed_opens_for_its_own_person_alone,
                a_key_is_durable_before_the_sealed_value_is_handed_out,
                processes_that_seal_for_one_person_at_once_agree_on_one_key,
                a_caller_that_goes_away_at_any_await_leaves_the_vault_in_order,
            }
            erasing {
                an_erasure_destroys_the_key_of_one_class_for_ever,
                an_erasure_by_another_process_holds_here_at_once,
                a_person_erased_before_any_key_was_made_gets_none,
                a_person_erased_amid_sealings_stays_erased,
            }
            indexing {
                equal_values_have_one_index_and_a_request_another,
                the_index_is_the_same_after_a_restart,
            }
            missing {
                a_vault_of_another_book_says_which_key_is_missing_and_opening_makes_none,
            }
        }
    )* };
}

/// The rules for every vault that can be gone while its book stays.
macro_rules! every_lasting_rule {
    ($($place:ident in $module:ident),* $(,)?) => { $(
        vault_contract_tests! { $place in $module:
            missing {
                a_vault_that_is_gone_says_which_key_is_missing_and_makes_no_other,
            }
        }
    )* };
}

every_rule! { Memory in memory, Sqlite in sqlite, Postgres in postgres }
every_lasting_rule! { Sqlite in lasting_sqlite, Postgres in lasting_postgres }
