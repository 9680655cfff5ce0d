//! What a role may do, and what a scope leaves of it. Each command says which
//! roles may give it ([`CommandRow::roles`]).

use daicho_events::access::Role;
use daicho_values::Scope;

use super::Right;
use crate::CommandRow;

/// Whether a role has a right.
#[must_use]
pub fn may(role: Role, right: Right) -> bool {
    match right {
        Right::Read => true,
        Right::FollowEvents => role != Role::Auditor,
        Right::OpenPersonal => !matches!(role, Role::Auditor | Role::Integration),
        Right::ManageDeliveries | Right::ActForOthers => {
            matches!(role, Role::Operator | Role::Integration)
        }
        Right::ManageKeys => role == Role::Operator,
        Right::Run(command) => role == Role::Operator || command.roles.contains(&role),
    }
}

/// What a scope names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named<'a> {
    Plain(&'a str),
    EveryCommand,
    Family(&'a str),
    Command(&'a str),
}

impl<'a> Named<'a> {
    fn of(scope: &'a Scope) -> Self {
        match scope.as_str().split_once(':') {
            Some((_, command)) if command.contains('.') => Self::Command(command),
            Some((_, family)) => Self::Family(family),
            None if scope.as_str() == "run" => Self::EveryCommand,
            None => Self::Plain(scope.as_str()),
        }
    }

    fn gives(self, command: &CommandRow) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::EveryCommand => true,
            Self::Family(family) => command.names().any(|name| family_of(name) == family),
            Self::Command(named) => command.names().any(|name| name == named),
        }
    }
}

/// The family in a command's name, `family.verb`.
fn family_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(family, _)| family)
}

/// Whether a scope leaves a right to a key whose role has it.
#[must_use]
pub fn covers(scope: &Scope, right: Right) -> bool {
    let plain = match right {
        Right::Read => "read",
        Right::OpenPersonal => "personal",
        Right::FollowEvents => "events",
        Right::ManageDeliveries => "deliveries",
        Right::ManageKeys => "keys",
        Right::ActForOthers => "on-behalf",
        Right::Run(command) => return Named::of(scope).gives(command),
    };
    Named::of(scope) == Named::Plain(plain)
}

/// Whether a scope has all that another has.
#[must_use]
pub fn includes(wide: &Scope, narrow: &Scope) -> bool {
    let (wide, narrow) = (Named::of(wide), Named::of(narrow));
    match (wide, narrow) {
        (Named::EveryCommand, Named::Family(_) | Named::Command(_)) => true,
        (Named::Family(family), Named::Command(command)) => {
            let known = CommandRow::by_name(command);
            family_of(command) == family || known.is_some_and(|known| wide.gives(known))
        }
        (Named::Command(_), Named::Command(command)) => {
            let known = CommandRow::by_name(command);
            wide == narrow || known.is_some_and(|known| wide.gives(known))
        }
        (Named::Plain(_) | Named::EveryCommand | Named::Family(_) | Named::Command(_), _) => {
            wide == narrow
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> Right {
        Right::Run(CommandRow::by_name(name).unwrap())
    }

    #[test]
    fn an_auditor_reads_and_does_nothing_else() {
        assert!(may(Role::Auditor, Right::Read));
        let others = Right::PLAIN.into_iter().skip(1).chain([run("order.place")]);
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
                assert_eq!(may(role, run(command)), allowed, "{role}: {command}");
            }
        }
    }

    #[test]
    fn a_scope_leaves_what_it_names_and_nothing_else() {
        let commands = ["order.place", "order.accept", "quote.issue"].map(run);
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
