//! The contract that every store keeps, one named test for each rule. A new store adds one line
//! here.

#![allow(unreachable_pub, missing_docs, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

mod alike;
mod appends;
mod clients;
mod clocks;
mod conditions;
mod dropping;
mod limits;
mod model;
mod naive;
mod reads;
mod requests;
mod subscriptions;

/// One test for each rule, for one store.
macro_rules! store_contract_tests {
    ($store:ident in $module:ident: $($rules:ident { $($rule:ident),* $(,)? })*) => {
        mod $module {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    crate::$rules::$rule::<crate::support::$store>().await;
                }
            )*)*
        }
    };
}

/// The rules, for every store that is named.
macro_rules! every_rule {
    ($($store:ident in $module:ident),* $(,)?) => { $(
        store_contract_tests! { $store in $module:
            appends {
                an_append_gets_the_next_positions_and_is_read_back_as_it_was_handed_in,
                the_root_of_the_head_is_that_of_the_envelopes,
                the_time_of_recording_never_runs_backwards,
                an_append_with_one_bad_event_writes_none_of_its_events,
                a_cause_stands_before_its_effect,
                sixty_four_callers_fill_the_positions_without_a_gap_and_no_append_is_torn,
                the_watch_tells_the_new_head,
            }
            conditions {
                a_condition_fails_when_a_match_stands_after_its_position,
                a_condition_holds_when_the_matches_stand_before_its_position,
                a_condition_asks_for_any_type_and_all_tags_of_any_item,
                a_condition_on_old_events_is_decided_on_all_of_them,
                of_many_callers_with_one_condition_exactly_one_wins,
                a_failed_condition_fails_its_own_caller_only,
                a_condition_that_knows_more_than_the_book_is_refused,
            }
            requests {
                a_repeated_request_gets_its_first_answer_whatever_has_happened_since,
                a_request_id_used_for_another_request_is_an_error,
                a_recorded_request_is_answered_without_asking_again,
                many_callers_with_one_request_have_one_effect_and_one_answer,
                a_request_is_remembered_after_a_restart,
                a_rejected_request_is_not_remembered,
            }
            limits {
                every_rule_of_form_of_an_append_is_refused_by_name,
                what_is_just_within_the_limits_is_recorded,
                every_rule_of_form_of_a_query_is_refused_by_name,
            }
            reads {
                a_page_ends_at_its_limit_and_says_how_far_it_looked,
                a_filtered_page_without_a_match_moves_the_cursor_to_the_end,
                a_read_sees_nothing_after_its_upper_bound,
                a_read_from_beyond_the_end_stays_where_it_is,
                the_last_match_is_found_at_or_below_the_bound,
                a_page_ends_early_when_it_holds_many_bytes,
            }
            subscriptions {
                a_subscription_sees_every_event_once_and_in_order,
                a_filtered_subscription_moves_its_cursor_through_what_does_not_match,
                a_subscription_dropped_in_the_midst_loses_nothing,
            }
            dropping {
                a_caller_that_goes_away_at_any_await_leaves_the_book_clean,
                a_reader_that_goes_away_at_any_await_leaves_the_book_clean,
                an_opening_that_is_given_up_at_any_await_leaves_the_book_clean,
            }
            clients {
                sixty_four_clients_get_the_answers_of_one_order,
            }
            clocks {
                whatever_the_clock_does_time_never_decreases_and_the_business_date_is_apart,
            }
            model {
                random_sequences_give_the_answers_of_the_naive_model_and_one_root,
            }
        }
    )* };
}

/// The rules for what several processes may open.
macro_rules! every_rule_of_processes {
    ($($store:ident in $module:ident),* $(,)?) => { $(
        store_contract_tests! { $store in $module:
            clients {
                sixty_four_clients_of_two_processes_get_the_answers_of_one_order,
            }
        }
    )* };
}

every_rule! { Memory in memory, Sqlite in sqlite, Postgres in postgres }
every_rule_of_processes! { Sqlite in processes_sqlite, Postgres in processes_postgres }
