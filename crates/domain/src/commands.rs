//! The table of commands: for each its names, who gives it, which roles of the service may give it,
//! and which fields the edge fills. Rights, the service, the docs and the tests read it here.

use daicho_events::access::Role;

use crate::access::Right;
use crate::{By, Command, Private, for_each_command};

/// What stands of a command in the table.
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
    /// Fields that the edge seals or makes.
    pub private: &'static [Private],
    needs: Option<Right>,
}

/// Who gives a command, as the table tells it; the rule itself is [`By`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenBy {
    /// Whoever comes.
    Anyone,
    /// The shop's staff and programs.
    Staff,
    /// The registered member whom it names.
    NamedMember,
    /// A registered member of the organisation that the thing belongs to.
    OwnMember,
    /// One of them who may order.
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

    const fn of<C: Command>() -> Self {
        match C::BY {
            By::Anyone => Self::Anyone,
            By::Staff => Self::Staff,
            By::Named(_) => Self::NamedMember,
            By::Member(_) => Self::OwnMember,
            By::Administrator(_) => Self::OwnAdministrator,
        }
    }
}

impl CommandRow {
    /// The row of a command.
    pub const fn of<C: Command>() -> Self {
        Self {
            name: C::NAME,
            former_names: C::FORMER_NAMES,
            given_by: GivenBy::of::<C>(),
            roles: C::ROLES,
            new_ids: C::NEW_IDS,
            private: C::PRIVATE,
            needs: C::NEEDS,
        }
    }

    /// The row of the command that has, or once had, this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|row| row.names().any(|known| known == name))
    }

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

macro_rules! table {
    ($($family:ident :: $command:ident,)+) => {
        /// Every command.
        pub static COMMANDS: &[CommandRow] =
            &[$(CommandRow::of::<crate::$family::$command>(),)+];
    };
}

for_each_command!(table);
