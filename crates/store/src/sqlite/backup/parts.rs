//! The files of a book, and where each stands in a backup.

/// The parts of a backup in the order in which they are copied. The order is a promise: see
/// [`super`].
pub(super) const PARTS: [Part; 3] = [
    Part { source: "state.db", copy: "state.db", presence: Presence::Optional },
    Part { source: "record.db", copy: "record.db", presence: Presence::Required },
    Part { source: "vault.db", copy: "vault/vault.db", presence: Presence::Optional },
];

/// A file of a book and where it stands in a backup.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) source: &'static str,
    pub(super) copy: &'static str,
    pub(super) presence: Presence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}
