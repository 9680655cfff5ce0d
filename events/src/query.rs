//! Queries as the domain speaks them.

use daicho_values::Tag;

/// OR of items: what a decision must know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The items, without duplicates.
    pub items: Vec<QueryItem>,
}

/// Any of these types AND all of these tags.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueryItem {
    /// Stored names of types; empty: every type.
    pub types: Vec<&'static str>,
    /// Tags; never empty, so that no decision reads a whole book.
    pub tags: Vec<Tag>,
    /// How many of the matches are read.
    pub reach: Reach,
}

/// How many of an item's matches a decision reads. The condition of its append is the same for
/// both: it fails when any later event matches, so a series read by its last stays without gaps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Every match.
    #[default]
    All,
    /// Only the last one, at the highest position.
    Last,
}

impl Query {
    /// A query of one item: everything about `tag`.
    pub fn about(tag: Tag) -> Self {
        Self::default().and_types(&[], tag)
    }

    /// Adds what is of these types and about `tag`.
    #[must_use]
    pub fn and_types(mut self, types: &[&'static str], tag: Tag) -> Self {
        self.add(QueryItem { types: types.to_vec(), tags: vec![tag], reach: Reach::All });
        self
    }

    /// Adds the last event that is of these types and about `tag`, and no other of it.
    #[must_use]
    pub fn and_last(mut self, types: &[&'static str], tag: Tag) -> Self {
        self.add(QueryItem { types: types.to_vec(), tags: vec![tag], reach: Reach::Last });
        self
    }

    /// Adds what another query asks for.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        other.items.into_iter().for_each(|item| self.add(item));
        self
    }

    fn add(&mut self, item: QueryItem) {
        if !self.items.contains(&item) {
            self.items.push(item);
        }
    }

    /// What all of these queries ask for.
    pub fn any(queries: impl IntoIterator<Item = Self>) -> Self {
        queries.into_iter().fold(Self::default(), Self::or)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_both_queries_have_is_asked_once() {
        let shop = || Query::about(Tag::from("shop"));
        let both = shop()
            .or(Query::about(Tag::of("member", 1)))
            .or(shop())
            .or(Query::about(Tag::of("member", 2)));
        let tags: Vec<&str> = both.items.iter().map(|item| item.tags[0].as_str()).collect();
        assert_eq!(tags, ["shop", "member:1", "member:2"]);
    }

    #[test]
    fn all_and_the_last_of_a_tag_are_two_questions() {
        let tag = || Tag::from("series:invoice");
        let reaches: Vec<Reach> =
            Query::about(tag()).and_last(&[], tag()).items.iter().map(|item| item.reach).collect();
        assert_eq!(reaches, [Reach::All, Reach::Last]);
    }
}
