//! The one table of rights: what a role may do, and what a scope leaves of it.

use daicho_events::access::Role;
use daicho_values::Scope;

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

impl Right<'_> {
    /// Every right but those to give commands.
    pub const PLAIN: [Self; 6] = [
        Self::Read,
        Self::OpenPersonal,
        Self::FollowEvents,
        Self::ManageDeliveries,
        Self::ManageKeys,
        Self::ActForOthers,
    ];
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

/// Whether a scope leaves a right to a key whose role has it.
#[must_use]
pub fn covers(scope: &Scope, right: Right<'_>) -> bool {
    let named = scope.as_str();
    let same = match right {
        Right::Read => "read",
        Right::OpenPersonal => "personal",
        Right::FollowEvents => "events",
        Right::ManageDeliveries => "deliveries",
        Right::ManageKeys => "keys",
        Right::ActForOthers => "on-behalf",
        Right::Run(command) => {
            let (family, _) = command.split_once('.').unwrap_or((command, ""));
            let commands = named.strip_prefix("run:");
            return named == "run" || commands == Some(family) || commands == Some(command);
        }
    };
    named == same
}

/// Whether a scope has all that another has.
#[must_use]
pub fn includes(wide: &Scope, narrow: &Scope) -> bool {
    let (wide, narrow) = (wide.as_str(), narrow.as_str());
    let below = |rest: &str| match wide {
        "run" => rest.starts_with(':'),
        _ => wide.starts_with("run:") && rest.starts_with('.'),
    };
    wide == narrow || narrow.strip_prefix(wide).is_some_and(below)
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
        let others = Right::PLAIN.into_iter().skip(1).chain([Right::Run("order.place")]);
        for right in others {
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
    fn a_scope_leaves_what_it_names_and_nothing_else() {
        let commands = ["order.place", "order.accept", "quote.issue"].map(Right::Run);
        let rights = [&Right::PLAIN[..], &commands].concat();
        let table = [
            ("read", 0..1),
            ("personal", 1..2),
            ("events", 2..3),
            ("deliveries", 3..4),
            ("keys", 4..5),
            ("on-behalf", 5..6),
            ("run:order.place", 6..7),
            ("run:order", 6..8),
            ("run", 6..9),
            ("run:ord", 0..0),
        ];
        for (scope, covered) in table {
            let scope: Scope = scope.parse().unwrap();
            for (at, right) in rights.iter().copied().enumerate() {
                assert_eq!(covers(&scope, right), covered.contains(&at), "{scope}: {right:?}");
            }
        }
    }

    #[test]
    fn a_scope_includes_those_below_it() {
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        let chain = ["run", "run:order", "run:order.place"].map(scope);
        for (at, wide) in chain.iter().enumerate() {
            for (below, narrow) in chain.iter().enumerate() {
                assert_eq!(includes(wide, narrow), at <= below, "{wide} {narrow}");
            }
        }
        for (wide, other) in [("run:order", "run:orders"), ("run:or", "run:order"), ("read", "run")]
        {
            assert!(!includes(&scope(wide), &scope(other)), "{wide} {other}");
        }
    }

    #[test]
    fn only_an_operator_says_who_may_do_what() {
        let who = Role::ALL.map(|role| may(role, Right::ManageKeys));
        assert_eq!(who, [true, false, false, false, false]);
    }
}
