//! Fields of a command that the edge seals or creates before the command exists.

/// A field whose plain value the record never holds. Until `app` has replaced it, the field has the
/// caller's plain text or nothing; only then does the command exist.
#[derive(Debug, Clone, Copy)]
pub enum Private {
    /// A personal text, sealed under a key of its person.
    Sealed {
        /// The field.
        field: &'static str,
        /// Whose it is.
        person: Person,
        /// The field that takes the keyed index of its normalised text, where uniqueness is asked.
        index: Option<&'static str>,
    },
    /// The SHA-256 of a secret that the edge makes and shows once.
    Secret {
        /// The field.
        field: &'static str,
        /// The field with the id of the key whose secret it is.
        key: &'static str,
    },
}

/// Whose a personal text is, and which of the person's keys seals it.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The field with the person's id.
    pub field: &'static str,
    /// The kind of the person's tag, `member`.
    pub kind: &'static str,
    /// The class of key, `contact`.
    pub class: &'static str,
}

impl Person {
    /// How a member is reached.
    pub const MEMBER_CONTACT: Self = Self { field: "member", kind: "member", class: "contact" };
}

impl Private {
    /// A personal text of a member's.
    pub const fn contact(field: &'static str, index: Option<&'static str>) -> Self {
        Self::Sealed { field, person: Person::MEMBER_CONTACT, index }
    }

    /// The field whose plain text the caller gives.
    pub fn sealed(self) -> Option<&'static str> {
        match self {
            Self::Sealed { field, .. } => Some(field),
            Self::Secret { .. } => None,
        }
    }

    /// The field that only the ledger fills.
    pub fn made(self) -> Option<&'static str> {
        match self {
            Self::Sealed { index, .. } => index,
            Self::Secret { field, .. } => Some(field),
        }
    }
}
