//! Members (会員): people who act for an organisation.

use super::resource::{Resource, change, make};

pub(super) const MEMBERS: Resource = Resource {
    path: "/members",
    kind: "member",
    commands: &[
        make("member.request_registration", "/members"),
        make("member.migrate", "/members/migrate"),
        change("member.verify", "/members/{member}/verify"),
        change("member.complete_registration", "/members/{member}/complete-registration"),
    ],
};
