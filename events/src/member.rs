//! Members (会員): who may buy for an organisation, and how they came to.

use daicho_values::{MemberId, Name, OrganisationId, PersonalIndex, SealedText, Timestamp};

family! {
    /// Members.
    pub enum MemberEvent tags [] {
        /// A person asks to become a member (会員登録申込).
        RegistrationRequested(MemberRegistrationRequested) = "member.registration_requested" 1,
        /// The link of the verification mail (本人確認URL).
        VerificationLinkIssued(VerificationLinkIssued) = "member.verification_link_issued" 1,
        /// The link was followed in time (本人確認).
        EmailVerified(EmailVerified) = "member.email_verified" 1,
        /// The member may log in and buy (本登録).
        MainRegistrationCompleted(MainRegistrationCompleted)
            = "member.main_registration_completed" 1,
        /// A member of another system came over (移行, R2).
        Migrated(MemberMigrated) = "member.migrated" 1,
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
