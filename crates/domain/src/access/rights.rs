//! The one table of rights: what a role may do.

use daicho_events::access::Role;

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right<'a> {
    /// Read lists, histories and events; personal values are sealed.
    Read,
    /// See personal values.
    OpenPersonal,
    /// Follow events under a name: move a cursor.
    FollowEvents,
    /// Say where events are delivered.
    ManageDeliveries,
    /// Make and revoke keys.
    ManageKeys,
    /// Act on behalf of somebody else.
    ActForOthers,
    /// Give this command, `order.place`.
    Run(&'a str),
}

/// Whether a role has a right.
#[must_use]
pub fn may(role: Role, right: Right<'_>) -> bool {
    match right {
        Right::Read => true,
        Right::FollowEvents => role != Role::Auditor,
        Right::OpenPersonal => !matches!(role, Role::Auditor | Role::Integration),
        Right::ManageDeliveries | Right::ActForOthers => {
            matches!(role, Role::Operator | Role::Integration)
        }
        Right::ManageKeys => role == Role::Operator,
        Right::Run(command) => may_run(role, command),
    }
}

fn may_run(role: Role, command: &str) -> bool {
    let (family, _) = command.split_once('.').unwrap_or((command, ""));
    match role {
        Role::Operator => true,
        Role::Fulfilment => {
            family == "order" && command != "order.place" || command == "contract.activate"
        }
        Role::Billing => family == "billing",
        Role::Auditor => false,
        Role::Integration => {
            matches!(family, "member" | "organisation" | "quote" | "order" | "contract")
                || command == "billing.record_payment"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_reads_and_does_nothing_else() {
        assert!(may(Role::Auditor, Right::Read));
        for right in [
            Right::OpenPersonal,
            Right::FollowEvents,
            Right::ManageDeliveries,
            Right::ManageKeys,
            Right::ActForOthers,
            Right::Run("order.place"),
        ] {
            assert!(!may(Role::Auditor, right), "{right:?}");
        }
    }

    #[test]
    fn each_role_gives_the_commands_of_its_work_and_no_others() {
        let table = [
            ("shop.open_book", [true, false, false, false, false]),
            ("product.list", [true, false, false, false, false]),
            ("quote.issue", [true, false, false, false, true]),
            ("order.place", [true, false, false, false, true]),
            ("order.accept", [true, true, false, false, true]),
            ("contract.activate", [true, true, false, false, true]),
            ("contract.cancel", [true, false, false, false, true]),
            ("billing.close_month", [true, false, true, false, false]),
            ("billing.record_payment", [true, false, true, false, true]),
        ];
        for (command, allowed) in table {
            for (role, allowed) in Role::ALL.into_iter().zip(allowed) {
                assert_eq!(may(role, Right::Run(command)), allowed, "{role}: {command}");
            }
        }
    }

    #[test]
    fn only_an_operator_says_who_may_do_what() {
        let who = Role::ALL.map(|role| may(role, Right::ManageKeys));
        assert_eq!(who, [true, false, false, false, false]);
    }
}
