//! The contract that the stored views of every database keep, one named test for each rule. A new
//! database adds one line here.

#![allow(unreachable_pub, missing_docs, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod strategies;
mod support;

mod dropping;
mod limits;
mod pages;
mod rebuilds;
mod upkeep;

mod alike;
mod postgres;

/// One test for each rule, for one database.
macro_rules! view_contract_tests {
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

/// The rules, for every database that is named.
macro_rules! every_rule {
    ($($store:ident in $module:ident),* $(,)?) => { $(
        view_contract_tests! { $store in $module:
            upkeep {
                a_new_view_is_empty_and_stands_at_nothing,
                rows_and_cursor_are_written_together_and_read_back_whole,
                the_count_of_rows_follows_new_changed_and_deleted_rows,
                of_two_processes_that_keep_up_one_view_the_second_is_told_where_it_stands,
                a_write_that_fails_midway_leaves_rows_and_cursor_as_they_were,
                neither_cursor_nor_day_goes_back,
                rows_whose_columns_change_by_themselves_are_found_on_their_day,
                a_view_is_kept_when_it_is_ensured_again_and_emptied_when_its_form_has_changed,
                a_process_is_told_when_another_has_made_its_view_anew_in_another_form,
                views_of_another_book_are_dropped,
                tables_of_others_in_the_same_place_are_left_alone,
                all_views_are_listed_with_how_they_stand,
                anybody_can_query_a_view_with_plain_sql,
            }
            limits {
                rows_that_do_not_fit_the_schema_are_refused_by_name,
                calls_beyond_the_limits_are_refused,
                a_schema_whose_name_could_be_mistaken_for_sql_is_a_programmers_error,
                what_is_just_within_the_limits_is_stored_and_found,
                a_text_with_a_zero_byte_is_in_no_row_and_nothing_is_found_by_it,
            }
            pages {
                the_table_and_the_list_in_memory_answer_alike_and_pages_show_each_row_once,
                null_is_the_smallest_and_equal_cells_follow_their_keys_the_same_way,
                a_page_that_follows_writes_in_between_neither_repeats_nor_skips_a_row_that_stayed,
                a_damaged_forged_or_foreign_cursor_is_an_error_and_not_another_page,
                an_unknown_column_is_named_together_with_those_there_are,
                a_filter_that_cannot_mean_anything_is_refused,
            }
            rebuilds {
                a_rebuild_takes_the_place_of_the_live_view_with_all_its_rows_and_indexes,
                a_rebuild_follows_what_was_recorded_since_before_it_is_swapped,
                a_rebuild_may_bring_another_form_of_the_view,
                an_abandoned_rebuild_is_dropped_by_the_next_and_cannot_come_back,
                a_stopped_rebuild_goes_on_where_it_was_and_only_in_one_place,
                a_stopped_rebuild_of_another_form_does_not_go_on,
                a_view_that_somebody_brought_further_is_not_swapped_back,
                a_key_that_was_loaded_twice_is_found_before_anything_is_swapped,
                a_swap_is_possible_beside_somebody_elses_sql_view,
                readers_see_the_old_view_or_the_new_one_and_nothing_between,
            }
            dropping {
                a_caller_that_goes_away_at_any_await_leaves_a_step_of_upkeep_whole_or_undone,
                a_reader_that_goes_away_at_any_await_disturbs_nobody,
                a_rebuild_whose_caller_goes_away_at_any_await_is_swapped_whole_or_not_at_all,
            }
        }
    )* };
}

every_rule! { Sqlite in on_sqlite, Postgres in on_postgres }
