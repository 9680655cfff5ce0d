//! Rights, and the row of each command in the table: a row may ask for a right, and giving its
//! command is itself a right.

use daicho_events::access::Role;

use crate::Private;

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Read lists, histories and events; personal values are sealed.
    Read,
    /// See personal values.
    OpenPersonal,
    /// Follow events under a name: move a cursor.
    FollowEvents,
    /// Say where events are delivered.
    ManageDeliveries,
    /// Create and revoke keys.
    ManageKeys,
    /// Act on behalf of somebody else.
    ActForOthers,
    /// Give this command.
    Run(&'static CommandRow),
}

impl Right {
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

/// The row of a command in the table.
#[derive(Debug, Clone, Copy)]
pub struct CommandRow {
    /// `family.verb`, e.g. `order.place`.
    pub name: &'static str,
    /// Names of earlier releases.
    pub former_names: &'static [&'static str],
    /// Who gives it.
    pub given_by: GivenBy,
    /// The roles that may give it besides the operator.
    pub roles: &'static [Role],
    /// Fields that the edge fills with a new id where the caller leaves them out.
    pub new_ids: &'static [&'static str],
    /// Fields that the edge seals or creates.
    pub private: &'static [Private],
    /// The right that it asks for instead of the right to give it by name.
    pub(crate) needs: Option<Right>,
}

/// Who gives a command, as the table tells it; the rule itself is [`By`](crate::By).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenBy {
    /// Anybody.
    Anyone,
    /// The shop's staff and programs.
    Staff,
    /// The registered member whom it names.
    NamedMember,
    /// A registered member of the organisation that the thing belongs to.
    OwnMember,
    /// Such a member who may also order.
    OwnAdministrator,
}

impl GivenBy {
    /// In words, for documents.
    pub fn words(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Staff => "staff",
            Self::NamedMember => "staff, or the registered member whom it names",
            Self::OwnMember => "staff, or a registered member of the organisation it belongs to",
            Self::OwnAdministrator => {
                "staff, or a registered administrator of the organisation it belongs to"
            }
        }
    }
}

impl CommandRow {
    /// Its name, then those of earlier releases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.former_names.iter().copied())
    }

    /// The name that it had first, to which request ids are bound: a request is known again under
    /// each of its names, and after a release that renamed it.
    pub fn first_name(&self) -> &'static str {
        self.former_names.first().copied().unwrap_or(self.name)
    }

    /// The right that it asks for.
    pub fn right(&'static self) -> Right {
        self.needs.unwrap_or(Right::Run(self))
    }
}

impl PartialEq for CommandRow {
    /// No two commands have one name.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for CommandRow {}
