//! The contract that the state of every book keeps, one named test for each rule. A new database
//! adds one line here.

#![allow(unreachable_pub, missing_docs, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

mod consumers;
mod cursors;
mod documents;
mod leases;
mod older;

/// One test for each rule, for one database.
macro_rules! state_contract_tests {
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

/// The rules, for every database that is named.
macro_rules! every_rule {
    ($($place:ident in $module:ident),* $(,)?) => { $(
        state_contract_tests! { $place in $module:
            cursors {
                a_cursor_begins_where_its_first_consumer_began_and_is_there_after_a_restart,
                a_cursor_moves_forward_only_and_only_from_where_it_stands,
                the_same_step_of_the_same_consumer_again_does_nothing,
                a_step_is_taken_though_the_answer_to_the_one_before_was_lost,
                of_consumers_that_take_one_step_at_once_exactly_one_is_not_told,
                a_cursor_that_was_set_or_deleted_is_not_moved_by_who_followed_before,
                the_cursors_are_listed_by_name,
                a_cursor_beyond_the_limit_is_not_made_and_those_that_are_there_go_on,
            }
            consumers {
                a_consumer_goes_on_after_a_restart_where_it_last_acknowledged,
                a_consumer_acknowledges_what_was_handed_out_and_nothing_beyond,
                of_two_consumers_under_one_name_the_one_with_the_old_cursor_is_told,
                many_consumers_each_have_a_place_of_their_own,
                the_pages_of_a_filtered_consumer_join_without_a_hole,
                a_cursor_beyond_the_head_is_refused_since_it_would_pass_over_events,
                a_consumer_begins_while_another_of_its_name_acknowledges_what_is_recorded,
            }
            documents {
                a_document_is_made_once_and_changed_by_who_knows_it_as_it_is,
                the_version_of_a_document_only_grows_though_it_was_deleted_between,
                changes_are_made_together_or_not_at_all,
                of_many_that_change_a_document_at_once_exactly_one_does,
                a_change_whose_caller_goes_away_is_made_whole_or_not_at_all,
                documents_are_listed_by_name_page_by_page,
                changes_beyond_a_limit_or_of_no_good_form_are_refused,
                a_document_beyond_the_limit_of_its_kind_is_not_made_and_the_others_are_changed,
            }
            leases {
                a_lease_is_one_holders_until_it_ends_or_is_given_back,
                each_taking_has_a_larger_number_and_an_older_one_renews_nothing,
                of_many_that_take_a_lease_at_once_exactly_one_has_it,
                a_lease_beyond_the_limit_is_refused,
            }
        }
    )* };
}

every_rule! { Sqlite in sqlite, Postgres in postgres }
