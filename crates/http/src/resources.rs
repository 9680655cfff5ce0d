//! The commands as resources: which path leads to which decision. A command about an existing thing
//! is found below that thing under its verb, `order.accept` at `/orders/{order}/accept`, and needs
//! no line here. Commands that create a thing, or are about another thing than their family's, need
//! one.

use daicho_app::{COMMANDS, CommandEntry, Right};

/// What commands are about.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Its path below that of the book.
    pub(crate) path: &'static str,
    /// The kind of tag that names such a thing.
    pub(crate) kind: &'static str,
    /// The field of its commands that holds its id; none: a book has only one of it.
    id: Option<&'static str>,
    /// The first word of its commands' names; empty: each has a line below.
    family: &'static str,
    /// The commands that are not found below one thing of the resource under their own verb.
    lines: &'static [Line],
}

/// A command with a path of its own.
#[derive(Debug)]
struct Line {
    command: &'static str,
    path: &'static str,
    makes: bool,
}

/// The path to one command.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// The command.
    pub(crate) entry: &'static CommandEntry,
    /// Its path below that of the book; `{field}` gives a field of the command.
    pub(crate) path: String,
    /// Whether it creates a thing, which is then found below the resource's path.
    pub(crate) makes: bool,
}

/// Every resource.
pub(crate) const RESOURCES: &[Resource] = &[
    // The shop itself: its settings, calendar and tax rates.
    Resource {
        path: "/shop",
        kind: "shop",
        id: None,
        family: "shop",
        lines: &[change("shop.open_book", "/shop")],
    },
    // Products (商品) and their offers.
    Resource {
        path: "/products",
        kind: "product",
        id: Some("product"),
        family: "product",
        lines: &[make("product.list", "/products")],
    },
    // Organisations (企業) that buy.
    Resource {
        path: "/organisations",
        kind: "organisation",
        id: Some("organisation"),
        family: "organisation",
        lines: &[make("organisation.register", "/organisations")],
    },
    // Members (会員): people who act for an organisation.
    Resource {
        path: "/members",
        kind: "member",
        id: Some("member"),
        family: "member",
        lines: &[
            make("member.request_registration", "/members"),
            make("member.migrate", "/members/migrate"),
        ],
    },
    // Quotes (見積).
    Resource {
        path: "/quotes",
        kind: "quote",
        id: Some("quote"),
        family: "quote",
        lines: &[make("quote.issue", "/quotes")],
    },
    // Orders (注文).
    Resource {
        path: "/orders",
        kind: "order",
        id: Some("order"),
        family: "order",
        lines: &[
            make("order.place", "/orders"),
            make("order.record_sale", "/orders/record-sale"),
            change("billing.invoice_order", "/orders/{order}/invoice"),
        ],
    },
    // Returns of goods (返品).
    Resource {
        path: "/returns",
        kind: "return",
        id: Some("goods_return"),
        family: "return",
        lines: &[
            make("return.accept", "/returns"),
            make("return.import", "/returns/record"),
            change("billing.credit_return", "/returns/{goods_return}/credit"),
        ],
    },
    // Contracts (契約).
    Resource {
        path: "/contracts",
        kind: "contract",
        id: Some("contract"),
        family: "contract",
        lines: &[],
    },
    // Invoices (請求書).
    Resource {
        path: "/invoices",
        kind: "invoice",
        id: Some("invoice"),
        family: "",
        lines: &[make("billing.issue_invoice", "/invoices")],
    },
    // Payments (入金).
    Resource {
        path: "/payments",
        kind: "payment",
        id: Some("payment"),
        family: "",
        lines: &[make("billing.record_payment", "/payments")],
    },
    // Months of billing (請求月).
    Resource {
        path: "/months",
        kind: "month",
        id: Some("month"),
        family: "",
        lines: &[change("billing.close_month", "/months/{month}/close")],
    },
];

const fn make(command: &'static str, path: &'static str) -> Line {
    Line { command, path, makes: true }
}

const fn change(command: &'static str, path: &'static str) -> Line {
    Line { command, path, makes: false }
}

impl Resource {
    /// The paths to its commands, in the order of the table of commands.
    pub(crate) fn routes(&self) -> impl Iterator<Item = Route> {
        // Keys have endpoints of their own: `keys.rs`.
        let given = COMMANDS.iter().filter(|entry| matches!(entry.row.right(), Right::Run(_)));
        given.filter_map(|entry| self.route(entry))
    }

    fn route(&self, entry: &'static CommandEntry) -> Option<Route> {
        if let Some(line) = self.lines.iter().find(|line| line.command == entry.name) {
            return Some(Route { entry, path: line.path.to_owned(), makes: line.makes });
        }
        let (family, verb) = entry.name.split_once('.')?;
        let elsewhere = || RESOURCES.iter().flat_map(|resource| resource.lines);
        if family != self.family || elsewhere().any(|line| line.command == entry.name) {
            return None;
        }
        let one = self.id.map(|id| format!("/{{{id}}}")).unwrap_or_default();
        let path = format!("{}{one}/{}", self.path, verb.replace('_', "-"));
        Some(Route { entry, path, makes: false })
    }
}

impl Route {
    /// The fields of the command that the path gives.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_one_route_and_gives_the_fields_of_its_path() {
        let routed: Vec<Route> = RESOURCES.iter().flat_map(Resource::routes).collect();
        let given = COMMANDS.iter().filter(|entry| matches!(entry.row.right(), Right::Run(_)));
        for entry in given {
            let routes = routed.iter().filter(|route| route.entry.name == entry.name).count();
            assert_eq!(routes, 1, "{} has {routes} routes", entry.name);
        }
        for route in &routed {
            let schema = route.entry.schema();
            for field in route.fields() {
                let name = route.entry.name;
                assert!(schema["properties"].get(field).is_some(), "{field} of {name}");
            }
        }
    }

    #[test]
    fn every_line_names_a_command() {
        for line in RESOURCES.iter().flat_map(|resource| resource.lines) {
            assert!(COMMANDS.iter().any(|entry| entry.name == line.command), "{}", line.command);
        }
    }
}
