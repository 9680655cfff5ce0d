//! A resource: a kind of thing, and the ways to the commands about it.

/// The way to one command.
#[derive(Debug)]
pub(crate) struct Route {
    /// The command's name.
    pub(crate) command: &'static str,
    /// Below the book; `{field}` gives a field of the command.
    pub(crate) path: &'static str,
    /// It makes a new thing, which is then found below the resource's path.
    pub(crate) makes: bool,
}

/// What commands are about.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Below the book.
    pub(crate) path: &'static str,
    /// The kind of tag that names one.
    pub(crate) kind: &'static str,
    /// The commands.
    pub(crate) commands: &'static [Route],
}

/// A command that makes a thing.
pub(super) const fn make(command: &'static str, path: &'static str) -> Route {
    Route { command, path, makes: true }
}

/// A command about a thing that is there.
pub(super) const fn change(command: &'static str, path: &'static str) -> Route {
    Route { command, path, makes: false }
}
