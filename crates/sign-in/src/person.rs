//! Who signed in, and what that person may do in which book, as the provider's claims say.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use daicho_app::{Actor, BookName, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id_token::Claims;

/// The text that means every book.
const EVERY_BOOK: &str = "*";
/// Claims that name a person, unless the settings name another.
const NAME_CLAIMS: [&str; 2] = ["preferred_username", "sub"];

/// Which book a role is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Where {
    /// Every book for which no role of its own is given.
    Everywhere,
    /// One book.
    Book(BookName),
}

/// A person who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) actor: Actor,
    pub(crate) roles: Roles,
}

/// One role in each book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roles(BTreeMap<Where, Role>);

/// Why nobody can sign in with these claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// The claims of these names hold no name.
    #[error("the provider names nobody in the claim `{0}`")]
    NoName(String),
    /// The name in this claim cannot be that of an actor.
    #[error(
        "the name in the claim `{0}` cannot be a log-in: it takes 1 to 64 printable characters"
    )]
    Name(String),
    /// This claim gives no role in any book.
    #[error("the claim `{0}` gives this account no role: `BOOK=ROLE` or `*=ROLE`")]
    NoRole(String),
    /// A claim gives two roles in one book, and the service does not guess which one is meant.
    #[error("the claim `{claim}` gives this account two roles in one book, {first} and {second}")]
    TwoRoles {
        /// The claim's name.
        claim: String,
        /// The role given first, `book=role`.
        first: String,
        /// The other.
        second: String,
    },
}

/// The claims that hold the name and the roles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaimNames<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) roles: &'a str,
}

impl ClaimNames<'_> {
    /// Whether the claims have both a name and roles.
    pub(crate) fn are_in(&self, claims: &Claims) -> bool {
        let name = self.name.unwrap_or(NAME_CLAIMS[0]);
        claims.contains_key(name) && claims.contains_key(self.roles)
    }
}

impl Person {
    /// The person whom the claims describe.
    pub(crate) fn of(claims: &Claims, names: ClaimNames<'_>) -> Result<Self, PersonError> {
        let text = |name: &&str| claims.get(*name).and_then(Value::as_str);
        let asked: &[&str] = match &names.name {
            Some(name) => std::slice::from_ref(name),
            None => &NAME_CLAIMS,
        };
        let found = asked.iter().find_map(|claim| Some((*claim, text(claim)?)));
        let all = || asked.join("`, `");
        let (claim, name) = found.ok_or_else(|| PersonError::NoName(all()))?;
        let actor = format!("staff:{name}").parse();
        let actor = actor.map_err(|_| PersonError::Name(claim.to_owned()))?;
        let roles = Roles::of(claims.get(names.roles), names.roles)?;
        Ok(Self { actor, roles })
    }
}

impl Roles {
    /// The roles of a claim: a text, or a list of texts. Texts of another form are for other
    /// systems and are skipped.
    fn of(claim: Option<&Value>, name: &str) -> Result<Self, PersonError> {
        let several = match claim {
            Some(Value::Array(several)) => several.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let mut roles = BTreeMap::new();
        for (place, role) in several.iter().filter_map(Value::as_str).filter_map(assigned) {
            if let Some(first) = roles.insert(place.clone(), role).filter(|first| *first != role) {
                let told = |role: Role| format!("`{place}={role}`");
                let (first, second) = (told(first), told(role));
                return Err(PersonError::TwoRoles { claim: name.to_owned(), first, second });
            }
        }
        if roles.is_empty() { Err(PersonError::NoRole(name.to_owned())) } else { Ok(Self(roles)) }
    }

    /// The role in a book: the one given for it, or else the one for every book.
    pub(crate) fn in_book(&self, book: &BookName) -> Option<Role> {
        let own = self.0.get(&Where::Book(book.clone()));
        own.or_else(|| self.0.get(&Where::Everywhere)).copied()
    }
}

fn assigned(text: &str) -> Option<(Where, Role)> {
    let (place, role) = text.split_once('=')?;
    Some((place.parse().ok()?, role.parse().ok()?))
}

impl FromStr for Where {
    type Err = daicho_app::BookError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == EVERY_BOOK { Ok(Self::Everywhere) } else { text.parse().map(Self::Book) }
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str(EVERY_BOOK),
            Self::Book(book) => book.fmt(f),
        }
    }
}

impl Serialize for Where {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Where {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DEFAULT: ClaimNames<'_> = ClaimNames { name: None, roles: "daicho_roles" };

    fn person(claims: Value, names: ClaimNames<'_>) -> Result<Person, PersonError> {
        Person::of(claims.as_object().unwrap(), names)
    }

    fn book(name: &str) -> BookName {
        name.parse().unwrap()
    }

    #[test]
    fn a_role_of_a_book_goes_before_that_of_every_book() {
        let roles =
            json!(["*=auditor", "shop=billing", "group-7", 9, "x=king", "no book!=auditor"]);
        let claims = json!({ "sub": "u-1", "daicho_roles": roles });
        let person = person(claims, DEFAULT).unwrap();
        assert_eq!(person.actor.to_string(), "staff:u-1");
        assert_eq!(person.roles.in_book(&book("shop")), Some(Role::Billing));
        assert_eq!(person.roles.in_book(&book("other")), Some(Role::Auditor));
        let text = serde_json::to_string(&person).unwrap();
        assert_eq!(serde_json::from_str::<Person>(&text).unwrap(), person);
    }

    #[test]
    fn one_role_may_be_a_text_and_no_book_is_open_without_one() {
        let claims =
            json!({ "sub": "u", "preferred_username": "sato", "daicho_roles": "a=operator" });
        let person = person(claims, DEFAULT).unwrap();
        assert_eq!(person.actor.to_string(), "staff:sato");
        assert_eq!(person.roles.in_book(&book("a")), Some(Role::Operator));
        assert_eq!(person.roles.in_book(&book("b")), None);
    }

    #[test]
    fn claims_that_say_nobody_or_nothing_or_two_things_let_nobody_in() {
        let code = |claims: Value, names| match person(claims, names).unwrap_err() {
            PersonError::NoName(claim) => format!("no name in {claim}"),
            PersonError::Name(claim) => format!("name in {claim}"),
            PersonError::NoRole(claim) => format!("no role in {claim}"),
            PersonError::TwoRoles { first, second, .. } => format!("{first}, {second}"),
        };
        let by_mail = ClaimNames { name: Some("email"), ..DEFAULT };
        assert_eq!(
            code(json!({ "sub": "u", "daicho_roles": "a=auditor" }), by_mail),
            "no name in email"
        );
        let long = "x".repeat(65);
        assert_eq!(
            code(json!({ "sub": long, "daicho_roles": "a=auditor" }), DEFAULT),
            "name in sub"
        );
        assert_eq!(code(json!({ "sub": "u" }), DEFAULT), "no role in daicho_roles");
        assert_eq!(
            code(json!({ "sub": "u", "daicho_roles": {} }), DEFAULT),
            "no role in daicho_roles"
        );
        let two = json!(["a=auditor", "b=billing", "a=auditor", "a=billing"]);
        assert_eq!(
            code(json!({ "sub": "u", "daicho_roles": two }), DEFAULT),
            "`a=auditor`, `a=billing`"
        );
    }
}
