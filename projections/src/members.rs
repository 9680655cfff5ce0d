//! The list of members (会員, R112): who may act for an organisation, and how far registration has
//! come.
//! Personal values stay sealed in the row; who reads the list opens them if the role allows it.

use daicho_events::member::{MemberEvent, MemberMigrated, MemberRegistrationRequested, MemberRole};
use daicho_events::{Event, Recorded};
use daicho_values::{Date, MemberId, Name, OrganisationId, SealedText, Timestamp};

use crate::history::{counts, note_earliest};
use crate::{History, Keys, Projection, Value, columns};

/// The list of members, a row a person (R10).
pub struct Members;

daicho_values::data! {
    /// A member, or a person who asked to become one.
    pub struct MemberRow {
        /// The person.
        pub member: MemberId,
        /// For whom the person acts.
        pub organisation: OrganisationId,
        /// What the person may do (R36).
        pub role: MemberRole,
        /// The name, sealed.
        pub name: SealedText,
        /// The mail address, sealed; `null` for a member brought over without one.
        pub email: Option<SealedText>,
        /// The phone number, sealed.
        pub phone: Option<SealedText>,
        /// The system that the member was brought over from (R2).
        pub origin: Option<Name>,
        /// The business day of the request, or of the migration.
        pub requested_on: Date,
        /// The links mailed, each with the instant until which it works (R14).
        pub links: History<Option<Timestamp>>,
        /// From which day the mail address is the person's (本人確認).
        pub verified_on: Option<Date>,
        /// From which day the member may log in and buy (本登録).
        pub registered_on: Option<Date>,
    }
}

daicho_values::data! {
    /// How far a registration has come on a day.
    pub enum MemberStatus {
        /// Asked for, not verified (R12: it may be abandoned).
        Requested,
        /// Asked for, and the last link expired before the day, in UTC (R14).
        Lapsed,
        /// The mail address is verified, main registration is to come (R13).
        Verified,
        /// The member may log in and buy.
        Registered,
    }
}

daicho_values::data! {
    /// A member on a day.
    pub struct MemberOnDay {
        /// How far registration has come.
        pub status: MemberStatus,
        /// Until when the last link works.
        pub link_expires_at: Option<Timestamp>,
    }
}

impl Projection for Members {
    type Key = MemberId;
    type Row = MemberRow;
    type OnDay = MemberOnDay;

    const NAME: &'static str = "members";
    const ABOUT: &'static str = "Members of customers (会員)";
    const VERSION: u32 = 1;
    const KEY: &'static str = "member";

    fn keys(event: &Recorded) -> Keys<MemberId> {
        let Event::Member(event) = &event.event else { return Keys::None };
        Keys::One(match event {
            MemberEvent::RegistrationRequested(requested) => requested.member,
            MemberEvent::VerificationLinkIssued(issued) => issued.member,
            MemberEvent::EmailVerified(verified) => verified.member,
            MemberEvent::MainRegistrationCompleted(completed) => completed.member,
            MemberEvent::Migrated(migrated) => migrated.member,
        })
    }

    fn fold(_: &MemberId, row: Option<MemberRow>, event: &Recorded) -> Option<MemberRow> {
        let on = event.header.effective_on;
        let Event::Member(event) = &event.event else { return row };
        let Some(mut row) = row else { return MemberRow::begin(event, on) };
        match event {
            // An id is given once, and an organisation is not a member.
            MemberEvent::RegistrationRequested(_) | MemberEvent::Migrated(_) => {}
            MemberEvent::VerificationLinkIssued(link) => row.links.add(on, link.expires_at),
            MemberEvent::EmailVerified(_) => note_earliest(&mut row.verified_on, on),
            MemberEvent::MainRegistrationCompleted(_) => {
                note_earliest(&mut row.registered_on, on);
            }
        }
        Some(row)
    }

    fn begins(row: &MemberRow) -> Date {
        row.requested_on
    }

    fn on_day(row: &MemberRow, on: Date) -> MemberOnDay {
        let link_expires_at = row.links.on(on).copied().flatten();
        MemberOnDay { status: row.status(link_expires_at, on), link_expires_at }
    }

    columns! { |row, day, on|
        indexed status: Text, "requested, lapsed, verified or registered"
            => Value::name_of(&day.status);
        indexed organisation: Text, "for whom the person acts" => Value::text(row.organisation);
        plain role: Text, "administrator or general" => Value::name_of(&row.role);
        indexed requested_on: Date, "business day of the request or migration"
            => Value::text(row.requested_on);
        plain verified_on: Date, "from which day the mail address is verified"
            => Value::text_or_null(row.verified_on.filter(|day| *day <= on));
        plain registered_on: Date, "from which day the member may log in and buy"
            => Value::text_or_null(row.registered_on.filter(|day| *day <= on));
        plain link_expires_at: Timestamp, "until when the last link works"
            => Value::text_or_null(day.link_expires_at);
        plain origin: Text, "the system that the member came from"
            => Value::text_or_null(row.origin.as_ref());
    }

    fn turning_days(row: &MemberRow, _: Date) -> Vec<Date> {
        let expiries = row.links.facts().flatten().map(|expires_at| utc_day(*expires_at).next());
        let facts = row.links.days().chain(row.verified_on).chain(row.registered_on);
        facts.chain(expiries).collect()
    }
}

/// The day of an instant in UTC.
fn utc_day(instant: Timestamp) -> Date {
    Date(instant.in_zone(&jiff::tz::TimeZone::UTC).date())
}

impl MemberRow {
    fn begin(event: &MemberEvent, on: Date) -> Option<Self> {
        match event {
            MemberEvent::RegistrationRequested(requested) => Some(Self::requested(requested, on)),
            MemberEvent::Migrated(migrated) => Some(Self::migrated(migrated, on)),
            MemberEvent::VerificationLinkIssued(_)
            | MemberEvent::EmailVerified(_)
            | MemberEvent::MainRegistrationCompleted(_) => None,
        }
    }

    fn requested(event: &MemberRegistrationRequested, on: Date) -> Self {
        Self {
            member: event.member,
            organisation: event.organisation,
            role: event.role,
            name: event.name.clone(),
            email: Some(event.email.clone()),
            phone: event.phone.clone(),
            origin: None,
            requested_on: on,
            links: History::default(),
            verified_on: None,
            registered_on: None,
        }
    }

    fn migrated(event: &MemberMigrated, on: Date) -> Self {
        Self {
            member: event.member,
            organisation: event.organisation,
            role: event.role,
            name: event.name.clone(),
            email: None,
            phone: None,
            origin: Some(event.origin.clone()),
            requested_on: on,
            links: History::default(),
            verified_on: None,
            registered_on: Some(on),
        }
    }

    fn status(&self, link_expires_at: Option<Timestamp>, on: Date) -> MemberStatus {
        if counts(self.registered_on, on) {
            MemberStatus::Registered
        } else if counts(self.verified_on, on) {
            MemberStatus::Verified
        } else if link_expires_at.is_some_and(|expires_at| utc_day(expires_at) < on) {
            MemberStatus::Lapsed
        } else {
            MemberStatus::Requested
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{day, given, noon};
    use daicho_events::member::{EmailVerified, MainRegistrationCompleted, VerificationLinkIssued};
    use daicho_events::organisation::OrganisationRegistered;
    use daicho_values::Sample;

    fn link(expires_at: Option<Timestamp>) -> VerificationLinkIssued {
        VerificationLinkIssued { expires_at, ..Sample::sample() }
    }

    #[test]
    fn a_person_is_registered_only_after_main_registration_r13() {
        given::<Members>()
            .on(day(1), MemberRegistrationRequested::sample())
            .on(day(1), link(Some(noon(day(1)))))
            .on(day(1), EmailVerified::sample())
            .on(day(4), MainRegistrationCompleted::sample())
            .then(day(3), |member| assert_eq!(member.status, MemberStatus::Verified))
            .then(day(4), |member| assert_eq!(member.status, MemberStatus::Registered))
            .then_next_change(day(1), Some(day(4)));
    }

    #[test]
    fn a_request_lapses_after_the_day_on_which_its_link_expired_r14() {
        given::<Members>()
            .on(day(1), MemberRegistrationRequested::sample())
            .on(day(1), link(Some(noon(day(1)))))
            .then(day(1), |member| assert_eq!(member.status, MemberStatus::Requested))
            .then(day(2), |member| assert_eq!(member.status, MemberStatus::Lapsed))
            .then_next_change(day(1), Some(day(2)));
    }

    #[test]
    fn a_new_link_takes_a_lapsed_request_up_again_r14() {
        given::<Members>()
            .on(day(1), MemberRegistrationRequested::sample())
            .on(day(1), link(Some(noon(day(1)))))
            .on(day(5), link(Some(noon(day(6)))))
            .then(day(4), |member| assert_eq!(member.status, MemberStatus::Lapsed))
            .then(day(6), |member| assert_eq!(member.status, MemberStatus::Requested))
            .then(day(7), |member| assert_eq!(member.status, MemberStatus::Lapsed));
    }

    #[test]
    fn a_link_without_end_never_lapses_r11() {
        given::<Members>()
            .on(day(1), MemberRegistrationRequested::sample())
            .on(day(1), link(None))
            .then(day(400), |member| assert_eq!(member.status, MemberStatus::Requested))
            .then_next_change(day(1), None);
    }

    #[test]
    fn a_member_brought_over_is_registered_at_once_r2() {
        given::<Members>()
            .on(day(1), MemberMigrated::sample())
            .then(day(1), |member| assert_eq!(member.status, MemberStatus::Registered));
    }

    #[test]
    fn personal_values_are_in_no_column() {
        let person = MemberRegistrationRequested::sample();
        let sealed = [person.name.sealed.clone(), person.email_index.to_string()];
        let row = MemberRow::requested(&person, day(1));
        for value in Members::columns(&row, day(1)) {
            assert!(!sealed.iter().any(|text| value == Value::text(text)), "{value:?}");
        }
    }

    #[test]
    fn an_organisation_or_a_fact_about_an_unknown_person_makes_no_row() {
        given::<Members>()
            .on(day(1), OrganisationRegistered::sample())
            .on(day(1), EmailVerified::sample())
            .then_no_row();
    }
}
