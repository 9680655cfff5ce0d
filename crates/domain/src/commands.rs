//! The table of commands: for each its names, who gives it, which roles of the service may give it,
//! and which fields the edge fills. Rights, the service, the docs and the tests read it here.

use crate::{By, Command, CommandRow, GivenBy, for_each_command};

impl CommandRow {
    /// The row of a command.
    pub const fn of<C: Command>() -> Self {
        Self {
            name: C::NAME,
            former_names: C::FORMER_NAMES,
            given_by: given_by::<C>(),
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
}

/// Who gives it, without how the command finds the one whom it asks for.
const fn given_by<C: Command>() -> GivenBy {
    match C::BY {
        By::Anyone => GivenBy::Anyone,
        By::Staff => GivenBy::Staff,
        By::Named(_) => GivenBy::NamedMember,
        By::Member(_) => GivenBy::OwnMember,
        By::Administrator(_) => GivenBy::OwnAdministrator,
    }
}

macro_rules! table {
    ($($family:ident :: $command:ident,)+) => {
        /// Every command.
        pub static COMMANDS: &[CommandRow] =
            &[$(CommandRow::of::<crate::$family::$command>(),)+];
    };
}

for_each_command!(table);
