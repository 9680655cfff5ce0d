//! The import of a file of order lines, invoice number by invoice number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use daicho_domain::member::MigrateMember;
use daicho_domain::order::{RecordSale, SoldLine};
use daicho_domain::organisation::RegisterOrganisation;
use daicho_domain::product::ListProduct;
use daicho_domain::returns::ImportReturn;
use daicho_events::member::{MemberEvent, MemberRole};
use daicho_events::organisation::OrganisationEvent;
use daicho_events::product::{
    CancellationPolicy, PaymentMethod, PenaltyRule, ProductKind, PurchaseRules, ReductionPolicy,
};
use daicho_events::{Actor, Event};
use daicho_store::vault::{Subject, Vault};
use daicho_values::{
    Login, MemberId, Money, MoneyError, Name, OrderId, ProductCode, Reference, SealedText,
    TaxCategory,
};

use super::originals::Originals;
use super::row::{self, Direction, FileError, Rejected, Row};
use crate::blame::Blame;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::decide::context::{Context, Executed};
use crate::decide::execute::Decisions;
use crate::error::{ExecuteError, Failure};
use crate::progress::Progress;
use crate::record::Record;
use crate::storage::Storage;

/// What an import needs besides the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportOptions {
    /// The customer for whom rows without a customer are recorded; left out, they are rejected.
    pub unknown_customer: Option<Name>,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImportReport {
    /// Rows of the file.
    pub rows: u64,
    /// Rows recorded by this import.
    pub recorded: u64,
    /// Rows that were already in the book.
    pub already_recorded: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Orders recorded by this import.
    pub orders: u64,
    /// Returns recorded by this import.
    pub returns: u64,
    /// Sum of quantity × price of the rows recorded by this import.
    pub recorded_amount: Money,
    /// The same sum of the rejected rows, as far as their numbers can be read.
    pub rejected_amount: Money,
    /// The rejected rows, each with the rule that it broke.
    #[serde(skip)]
    pub rejects: Vec<Rejected>,
}

/// Why an import stopped. What it has recorded stays, and repeating the call continues the import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole is refused; nothing was recorded.
    #[error(transparent)]
    File(#[from] FileError),
    /// A sum is beyond the ledger's limits.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The ledger failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The book does not accept imports at all.
    #[error("the book does not accept this import")]
    Refused(#[source] ExecuteError),
}

impl ImportError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::File(error) => error.blame(),
            Self::Money(_) => Blame::Caller,
            Self::Failure(failure) => failure.blame(),
            Self::Refused(error) => error.blame(),
        }
    }
}

/// The rows of one invoice number.
struct Document {
    number: Reference,
    rows: Vec<Row>,
}

/// The work of one import: what it has registered, and its results.
struct Import<'a> {
    book: &'a Imports,
    actor: Actor,
    members: BTreeMap<Option<Reference>, MemberId>,
    products: BTreeSet<ProductCode>,
    originals: Originals,
    unknown_customer: Option<Name>,
    report: ImportReport,
}

/// Imports files of order lines.
pub struct Imports {
    record: Arc<Record>,
    decisions: Arc<Decisions>,
    vault: Arc<dyn Vault>,
    clock_and_entropy: ClockAndEntropy,
}

impl Imports {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>, decisions: &Arc<Decisions>) -> Self {
        Self {
            record: Arc::clone(record),
            decisions: Arc::clone(decisions),
            vault: Arc::clone(&storage.vault),
            clock_and_entropy: storage.clock_and_entropy.clone(),
        }
    }

    /// Imports the order lines of a CSV file as commands.
    ///
    /// # Errors
    /// The file as a whole cannot be read (nothing is recorded), or the ledger fails (what was
    /// recorded stays; repeating the call continues the import).
    pub async fn orders(
        &self,
        file: &Path,
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<ImportReport, ImportError> {
        let currency = self.record.shop().await?.opened().map_err(refused)?.currency;
        let (rows, rejects) = row::read(file, currency, options.unknown_customer.is_some())?;
        let zero = Money::zero(currency);
        let mut import = Import {
            book: self,
            actor: Actor::System(Login::new("import").map_err(refused_text)?),
            members: BTreeMap::new(),
            products: BTreeSet::new(),
            originals: Originals::default(),
            unknown_customer: options.unknown_customer.clone(),
            report: ImportReport {
                rows: (rows.len() + rejects.len()) as u64,
                recorded: 0,
                already_recorded: 0,
                rejected: 0,
                orders: 0,
                returns: 0,
                recorded_amount: zero,
                rejected_amount: zero,
                rejects: Vec::new(),
            },
        };
        // An invoice is recorded whole or not at all: if one row breaks a rule, its other rows are
        // rejected, too.
        let broken: BTreeSet<String> =
            rejects.iter().filter_map(|rejected| rejected.fields.first().cloned()).collect();
        for rejected in rejects {
            import.reject(rejected)?;
        }
        let documents = import.whole(documents(rows), &broken)?;
        progress.begin("invoice numbers recorded", documents.len() as u64);
        for (index, document) in documents.into_iter().enumerate() {
            import.record(document).await?;
            progress.at(index as u64 + 1);
        }
        progress.end();
        import.report.rejects.sort_by_key(|rejected| rejected.row);
        assert_eq!(
            import.report.recorded + import.report.already_recorded + import.report.rejected,
            import.report.rows,
            "each row is recorded or rejected"
        );
        Ok(import.report)
    }
}

fn refused(rejection: daicho_domain::state::ShopNotOpen) -> ImportError {
    ImportError::Refused(ExecuteError::Rejected(Box::new(rejection)))
}

fn refused_text(error: daicho_values::TextError) -> ImportError {
    ImportError::Failure(Failure::Contradiction(error.to_string()))
}

/// The rows by invoice number, in order of their days; on the same day, sales come before returns.
fn documents(rows: Vec<Row>) -> Vec<Document> {
    let mut by_number: BTreeMap<Reference, Vec<Row>> = BTreeMap::new();
    for row in rows {
        by_number.entry(row.number.clone()).or_default().push(row);
    }
    let mut documents: Vec<Document> =
        by_number.into_iter().map(|(number, rows)| Document { number, rows }).collect();
    documents.sort_by_key(|document| {
        let first = document.rows.first();
        (first.map(|row| row.day), first.map(|row| row.direction), document.number.clone())
    });
    documents
}

impl Import<'_> {
    /// The documents whose rows are complete and agree; the rows of the others are rejected.
    fn whole(
        &mut self,
        documents: Vec<Document>,
        broken: &BTreeSet<String>,
    ) -> Result<Vec<Document>, ImportError> {
        let mut whole = Vec::new();
        for document in documents {
            let Document { number, rows } = &document;
            let first = rows.first();
            let differs = |of: fn(&Row, &Row) -> bool| {
                first.is_some_and(|first| rows.iter().any(|row| of(row, first)))
            };
            let (rule, text) = if broken.contains(number.as_str()) {
                ("invoice_with_a_rejected_row", "another row of it is rejected: correct that row")
            } else if differs(|row, first| row.customer != first.customer) {
                (
                    "invoice_of_two_customers",
                    "its rows name two customers: one invoice, one customer",
                )
            } else if differs(|row, first| row.day != first.day) {
                ("invoice_of_two_days", "its rows name two days: one invoice, one day")
            } else {
                whole.push(document);
                continue;
            };
            let text = format!("invoice {number}: {text}");
            self.reject_all(document.rows, rule, &text)?;
        }
        Ok(whole)
    }

    /// Records the rows of one invoice number, or rejects them all by the rule that one of them
    /// broke.
    async fn record(&mut self, document: Document) -> Result<(), ImportError> {
        let Document { number, rows } = document;
        let done = self.record_whole(&number, &rows).await;
        match done {
            Ok(executed) => self.count(&rows, &executed),
            Err(ExecuteError::Failure(failure)) => Err(failure.into()),
            Err(error @ ExecuteError::Conflict(_)) => Err(ImportError::Refused(error)),
            Err(ExecuteError::RequestReused { position, .. }) => {
                let text = format!(
                    "invoice {number} is recorded at position {position} with other rows: correct \
                     it there, or give these rows a number of their own"
                );
                self.reject_all(rows, "invoice_recorded_with_other_rows", &text)
            }
            Err(error) => self.reject_all(rows, error.code(), &error.to_string()),
        }
    }

    async fn record_whole(
        &mut self,
        number: &Reference,
        rows: &[Row],
    ) -> Result<Executed, ExecuteError> {
        let Some(first) = rows.first() else {
            return Err(Failure::Contradiction("an invoice without rows".to_owned()).into());
        };
        let key =
            self.book.decisions.request_key(&format!("import:{number}"), &plain(rows)).await?;
        let context = Context { request: Some(key), ..Context::of(self.actor.clone()) };
        if let Some(answer) = self.book.decisions.answered(context.request.as_ref()).await? {
            self.originals.learn(&answer.events);
            return Ok(answer);
        }
        let member = self.member_of(first).await?;
        for row in rows {
            self.list_product(row).await?;
        }
        let executed = match first.direction {
            Direction::Sale => {
                let sale = self.sale(number, member, rows, first);
                self.book.decisions.execute(&sale, &context).await?
            }
            Direction::Return => {
                let goods_return = self.goods_return(number, member, rows, first);
                self.book.decisions.execute(&goods_return, &context).await?
            }
        };
        self.originals.learn(&executed.events);
        Ok(executed)
    }

    fn sale(&self, number: &Reference, member: MemberId, rows: &[Row], first: &Row) -> RecordSale {
        RecordSale {
            order: self.book.clock_and_entropy.id::<OrderId>(),
            member,
            reference: number.clone(),
            sold_on: first.day,
            destination: first.country.clone(),
            lines: rows.iter().map(sold_line).collect(),
            tax: TaxCategory::OutOfScope,
        }
    }

    fn goods_return(
        &self,
        number: &Reference,
        member: MemberId,
        rows: &[Row],
        first: &Row,
    ) -> ImportReturn {
        ImportReturn {
            goods_return: self.book.clock_and_entropy.id(),
            member,
            reference: number.clone(),
            returned_on: first.day,
            original: self.originals.find(member, first.day, rows),
            lines: rows.iter().map(sold_line).collect(),
            tax: TaxCategory::OutOfScope,
            reason: format!("cancellation {number} of the imported file"),
        }
    }

    /// The member who represents the row's customer, registered when the customer first occurs.
    async fn member_of(&mut self, row: &Row) -> Result<MemberId, ExecuteError> {
        if let Some(member) = self.members.get(&row.customer) {
            return Ok(*member);
        }
        let (code, name) = match (&row.customer, &self.unknown_customer) {
            (Some(code), _) => (format!("customer {code}"), format!("Customer {code}")),
            (None, Some(name)) => ("customer unknown".to_owned(), name.to_string()),
            (None, None) => ("customer unknown".to_owned(), "Unknown customer".to_owned()),
        };
        let malformed =
            |error: daicho_values::TextError| ExecuteError::malformed(error.to_string());
        let name = Name::new(&name).map_err(malformed)?;
        let organisation = RegisterOrganisation {
            organisation: self.book.clock_and_entropy.id(),
            name: name.clone(),
            corporate_number: None,
            country: row.country.clone(),
            reference: Some(Reference::new(&code).map_err(malformed)?),
        };
        let request = format!("import:organisation of {code}");
        let known = self.once(&request, &organisation).await?;
        let organisation = known.events.iter().find_map(|recorded| {
            let Event::Organisation(OrganisationEvent::Registered(event)) = &recorded.event else {
                return None;
            };
            Some(event.organisation)
        });
        let missing = || Failure::Contradiction(format!("request `{request}` registered nobody"));
        let organisation = organisation.ok_or_else(missing)?;
        let id: MemberId = self.book.clock_and_entropy.id();
        let member = MigrateMember {
            member: id,
            organisation,
            name: self.sealed_name(id, name.as_str()).await?,
            role: MemberRole::Administrator,
            origin: Name::new("imported orders").map_err(malformed)?,
        };
        let known = self.once(&format!("import:member of {code}"), &member).await?;
        let member = known.events.iter().find_map(|recorded| {
            let Event::Member(event) = &recorded.event else { return None };
            let MemberEvent::Migrated(event) = event else { return None };
            Some(event.member)
        });
        let member = member.ok_or_else(missing)?;
        self.members.insert(row.customer.clone(), member);
        Ok(member)
    }

    async fn sealed_name(&self, member: MemberId, name: &str) -> Result<SealedText, ExecuteError> {
        let person = member.tag();
        let subject = Subject { person: person.as_str(), class: "contact", field: "name" };
        let sealed = self.book.vault.seal(subject, name).await.map_err(Failure::from)?;
        Ok(SealedText { key: sealed.key, sealed: sealed.sealed, commitment: sealed.commitment })
    }

    async fn list_product(&mut self, row: &Row) -> Result<(), ExecuteError> {
        if self.products.contains(&row.product) {
            return Ok(());
        }
        let product = ListProduct {
            product: row.product.clone(),
            name: row.name.clone(),
            kind: ProductKind::Goods,
            tax: TaxCategory::OutOfScope,
            rules: PurchaseRules {
                quantity_max: None,
                desired_start: false,
                licence_addition: false,
                licence_reduction: ReductionPolicy::NotAllowed,
                cancellation: CancellationPolicy::NotAllowed,
                notice_days: 0,
                penalty: PenaltyRule::Nothing,
                payment_methods: vec![PaymentMethod::Invoice],
            },
            plans: Vec::new(),
            terms: None,
        };
        self.once(&format!("import:product {}", row.product), &product).await?;
        self.products.insert(row.product.clone());
        Ok(())
    }

    /// Executes a command only once under its request id, whatever its details: the customer and
    /// the product stay as they first occurred.
    async fn once<C>(&self, request: &str, command: &C) -> Result<Executed, ExecuteError>
    where
        C: daicho_domain::Command,
        C::State: Send,
    {
        let key = self.book.decisions.request_key(request, request.as_bytes()).await?;
        let context = Context { request: Some(key), ..Context::of(self.actor.clone()) };
        self.book.decisions.execute(command, &context).await
    }

    fn count(&mut self, rows: &[Row], executed: &Executed) -> Result<(), ImportError> {
        let count = rows.len() as u64;
        if executed.repeated {
            self.report.already_recorded += count;
            return Ok(());
        }
        self.report.recorded += count;
        match rows.first().map(|row| row.direction) {
            Some(Direction::Sale) => self.report.orders += 1,
            Some(Direction::Return) => self.report.returns += 1,
            None => {}
        }
        for row in rows {
            self.report.recorded_amount = self.report.recorded_amount.plus(row.signed_amount()?)?;
        }
        Ok(())
    }

    fn reject_all(&mut self, rows: Vec<Row>, rule: &str, text: &str) -> Result<(), ImportError> {
        rows.into_iter().try_for_each(|row| self.reject(row.rejected(rule, text)))
    }

    fn reject(&mut self, rejected: Rejected) -> Result<(), ImportError> {
        self.report.rejected += 1;
        if let Some(amount) = rejected.amount {
            self.report.rejected_amount = self.report.rejected_amount.plus(amount)?;
        }
        self.report.rejects.push(rejected);
        Ok(())
    }
}

fn sold_line(row: &Row) -> SoldLine {
    SoldLine {
        product: row.product.clone(),
        name: row.name.clone(),
        quantity: row.quantity.get().into(),
        unit_price: row.unit_price,
    }
}

/// What makes two imports of an invoice number the same request: its rows as they are in the file,
/// in any order.
fn plain(rows: &[Row]) -> Vec<u8> {
    let mut lines: Vec<String> = rows.iter().map(|row| row.fields.join("\u{1f}")).collect();
    lines.sort_unstable();
    lines.join("\u{1e}").into_bytes()
}
