//! Organisations (会社) and members (会員): who may buy, and how they came to.

use daicho_values::{
    CorporateNumber, MemberId, Name, OrganisationId, PersonalIndex, Reference, SealedText,
    Timestamp,
};

family! {
    /// Organisations and members.
    pub enum RegistrationEvent tags [] {
        /// A company is known.
        OrganisationRegistered(OrganisationRegistered) = "organisation.registered" 1,
        /// A person asks to become a member (会員登録申込).
        MemberRegistrationRequested(MemberRegistrationRequested)
            = "member.registration_requested" 1,
        /// The link of the verification mail (本人確認URL).
        VerificationLinkIssued(VerificationLinkIssued) = "member.verification_link_issued" 1,
        /// The link was followed in time (本人確認).
        EmailVerified(EmailVerified) = "member.email_verified" 1,
        /// The member may log in and buy (本登録).
        MainRegistrationCompleted(MainRegistrationCompleted)
            = "member.main_registration_completed" 1,
        /// A member of another system came over (移行, R2).
        MemberMigrated(MemberMigrated) = "member.migrated" 1,
    }
}

event! {
    /// A company or sole proprietor.
    pub struct OrganisationRegistered tags [organisation, corporate_number, reference] {
        /// Its id.
        pub organisation: OrganisationId,
        /// Its name; a company's name is not personal.
        pub name: Name,
        /// Its corporate number (法人番号), where it has one (R20).
        pub corporate_number: Option<CorporateNumber>,
        /// Its country, as the source writes it.
        pub country: Option<Name>,
        /// What another system calls it.
        pub reference: Option<Reference>,
    }
}

daicho_values::data! {
    /// What a member may do (R36).
    pub enum MemberRole {
        /// Administrator (管理者ロール): may order.
        Administrator,
        /// General user (一般ユーザーロール): may not go to checkout.
        General,
    }
}

event! {
    /// A person's request, per person and not per company (R10).
    pub struct MemberRegistrationRequested tags [member, organisation, email_index] {
        /// The person.
        pub member: MemberId,
        /// For whom the person acts.
        pub organisation: OrganisationId,
        /// Name, sealed.
        pub name: SealedText,
        /// Mail address, sealed.
        pub email: SealedText,
        /// Keyed index of the mail address, so that it is registered once.
        pub email_index: PersonalIndex,
        /// Phone number, sealed.
        pub phone: Option<SealedText>,
        /// What the person may do.
        pub role: MemberRole,
    }
}

event! {
    /// A link was mailed.
    pub struct VerificationLinkIssued tags [member] {
        /// The person.
        pub member: MemberId,
        /// Until when it works (R14: 30 minutes); `null`: without end.
        pub expires_at: Option<Timestamp>,
    }
}

event! {
    /// The mail address is the person's.
    pub struct EmailVerified tags [member] {
        /// The person.
        pub member: MemberId,
    }
}

event! {
    /// Registration is complete.
    pub struct MainRegistrationCompleted tags [member] {
        /// The person.
        pub member: MemberId,
    }
}

event! {
    /// A member brought over from another system, registered at once.
    pub struct MemberMigrated tags [member, organisation] {
        /// The person.
        pub member: MemberId,
        /// For whom the person acts.
        pub organisation: OrganisationId,
        /// The name there, sealed.
        pub name: SealedText,
        /// What the person may do.
        pub role: MemberRole,
        /// The system it came from.
        pub origin: Name,
    }
}
