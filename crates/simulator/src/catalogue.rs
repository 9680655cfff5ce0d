//! The catalogue over the years: products are listed, repriced, renamed, and retired.

use daicho_domain::product::{
    FirstPlan, FirstTerms, ListProduct, PublishPlan, PublishTerms, RenameProduct, RetireProduct,
    SetRules,
};
use daicho_events::Actor;
use daicho_events::product::{ProductKind, PurchaseRules};
use daicho_values::{Date, Name, PlanCode, ProductCode, Sha256, TermsVersion};

use crate::SimulateError;
use crate::agenda::Step;
use crate::assortment::{ASSORTMENT, PlanTemplate, Template};
use crate::days::{at, hour};
use crate::world::World;

/// Products listed on the first day; the others follow over the first half of the life.
const FIRST_DAY_PRODUCTS: usize = 12;
/// Days between the later ones.
const LISTING_DAYS: u32 = 18;
/// A small book has a small catalogue: one product for so many events, within these bounds.
const EVENTS_A_PRODUCT: u64 = 60;
const PRODUCTS_MIN: usize = 6;
/// Products that see every kind of change, so that the smallest life has them.
const EVENTFUL_SERVICE: usize = 0;
const SHORT_LIVED_GOODS: usize = 3;

/// A change of the catalogue.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    /// The next product of the assortment is listed.
    List,
    /// A product's plans cost more from a month to come.
    Reprice(usize),
    /// A product's terms have a new version.
    NewTerms(usize),
    /// A product has another name.
    Rename(usize),
    /// A product's purchase rules change.
    SetRules(usize),
    /// A product will not be sold any more.
    Retire(usize),
}

/// What is remembered of a product.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) code: ProductCode,
    pub(crate) kind: ProductKind,
    pub(crate) plans: Vec<PlanCode>,
    pub(crate) rules: PurchaseRules,
    pub(crate) terms: Option<TermsVersion>,
    /// First day on which it cannot be bought.
    pub(crate) retired_from: Option<Date>,
    template: Template,
    /// Percent of the price of the template.
    price_percent: i64,
}

impl Product {
    pub(crate) fn is_sold_on(&self, day: Date) -> bool {
        self.retired_from.is_none_or(|from| day < from)
    }

    /// What one of the goods costs now, or a month of a service.
    pub(crate) fn price(&self) -> i64 {
        self.template.price * self.price_percent / 100
    }
}

impl World<'_> {
    /// Enters the listing of every product, in the order of the assortment.
    pub(crate) fn enter_catalogue(&mut self) {
        let products = usize::try_from(self.goal / EVENTS_A_PRODUCT).unwrap_or(usize::MAX);
        let products = products.clamp(PRODUCTS_MIN, ASSORTMENT.len());
        let mut day = self.pace.first;
        for place in 0..products {
            if place >= FIRST_DAY_PRODUCTS {
                day = day.plus_days(LISTING_DAYS);
            }
            self.agenda.enter(at(day, hour(7) + 30), Step::Catalogue(Change::List));
        }
    }

    pub(crate) async fn change_catalogue(&mut self, change: Change) -> Result<(), SimulateError> {
        let actor = Self::staff("mori")?;
        match change {
            Change::List => self.list(actor).await,
            Change::Reprice(place) => self.reprice(actor, place).await,
            Change::NewTerms(place) => self.publish_terms(actor, place).await,
            Change::Rename(place) => self.rename(actor, place).await,
            Change::SetRules(place) => self.set_rules(actor, place).await,
            Change::Retire(place) => self.retire(actor, place).await,
        }
    }

    async fn list(&mut self, actor: Actor) -> Result<(), SimulateError> {
        let place = self.products.len();
        let Some(template) = ASSORTMENT.get(place).copied() else { return Ok(()) };
        let kind = template.kind();
        let (today, sha256) = (self.today(), self.sha256()?);
        let prefix = match kind {
            ProductKind::Service => "S",
            ProductKind::Goods => "G",
        };
        let terms = match kind {
            ProductKind::Service => Some(TermsVersion::new(&today.to_string())?),
            ProductKind::Goods => None,
        };
        let plans = template.plans();
        let first = |plan: &PlanTemplate| -> Result<FirstPlan, SimulateError> {
            Ok(FirstPlan {
                plan: PlanCode::new(plan.code)?,
                from: today,
                price: Self::yen(template.price * plan.months)?,
                billing: plan.billing,
                term_months: plan.term_months,
                auto_renew: plan.auto_renew,
                first_month_free: plan.first_month_free,
            })
        };
        let list = ListProduct {
            product: ProductCode::new(&format!("{prefix}-{:03}", place + 1))?,
            name: Name::new(template.name)?,
            kind,
            tax: template.tax,
            rules: template.rules(place)?,
            plans: plans.iter().map(first).collect::<Result<_, _>>()?,
            terms: terms.clone().map(|version| FirstTerms { version, sha256 }),
        };
        self.must(actor, &list).await?;
        self.products.push(Product {
            code: list.product,
            kind,
            plans: list.plans.into_iter().map(|plan| plan.plan).collect(),
            rules: list.rules,
            terms,
            retired_from: None,
            template,
            price_percent: 100,
        });
        self.enter_changes(place);
        Ok(())
    }

    /// Enters what will happen to a product.
    fn enter_changes(&mut self, place: usize) {
        let is_eventful = place == EVENTFUL_SERVICE;
        let mut enter = |per_mille, (low, high), change| {
            let (happens, day) = (self.chance.per_mille(per_mille), self.chance.between(low, high));
            if happens || is_eventful {
                let day = self.today().plus_days(day);
                self.agenda.enter(at(day, hour(10)), Step::Catalogue(change));
            }
        };
        enter(600, (150, 400), Change::Reprice(place));
        enter(400, (500, 900), Change::Reprice(place));
        enter(400, (200, 700), Change::NewTerms(place));
        enter(150, (100, 800), Change::Rename(place));
        enter(150, (100, 800), Change::SetRules(place));
        if place == SHORT_LIVED_GOODS || (!is_eventful && self.chance.per_mille(60)) {
            let day = self.today().plus_days(self.chance.between(400, 900));
            self.agenda.enter(at(day, hour(10)), Step::Catalogue(Change::Retire(place)));
        }
    }

    /// New prices from the first of the month after next.
    async fn reprice(&mut self, actor: Actor, place: usize) -> Result<(), SimulateError> {
        let from = self.today().month().next().next().first();
        let rise = i64::from(self.chance.between(3, 12));
        let Some(product) = self.products.get_mut(place) else { return Ok(()) };
        product.price_percent += rise;
        let (code, price) = (product.code.clone(), product.price());
        for plan in product.template.plans() {
            let publish = PublishPlan {
                product: code.clone(),
                plan: PlanCode::new(plan.code)?,
                from,
                price: Self::yen(price * plan.months)?,
                billing: plan.billing,
                term_months: plan.term_months,
                auto_renew: plan.auto_renew,
                first_month_free: plan.first_month_free,
            };
            self.must(actor.clone(), &publish).await?;
        }
        Ok(())
    }

    async fn publish_terms(&mut self, actor: Actor, place: usize) -> Result<(), SimulateError> {
        let version = TermsVersion::new(&self.today().to_string())?;
        let sha256 = self.sha256()?;
        let Some(product) = self.products.get_mut(place) else { return Ok(()) };
        if product.kind == ProductKind::Goods {
            return Ok(());
        }
        product.terms = Some(version.clone());
        let publish = PublishTerms { product: product.code.clone(), version, sha256 };
        self.must(actor, &publish).await.map(drop)
    }

    async fn rename(&mut self, actor: Actor, place: usize) -> Result<(), SimulateError> {
        let Some(product) = self.products.get(place) else { return Ok(()) };
        let name = match product.kind {
            ProductKind::Service => format!("{} プラス", product.template.name),
            ProductKind::Goods => format!("新 {}", product.template.name),
        };
        let rename = RenameProduct { product: product.code.clone(), name: Name::new(&name)? };
        self.must(actor, &rename).await.map(drop)
    }

    /// Longer notice of services, no other change: what is sold under a rule keeps it.
    async fn set_rules(&mut self, actor: Actor, place: usize) -> Result<(), SimulateError> {
        let Some(product) = self.products.get_mut(place) else { return Ok(()) };
        match product.kind {
            ProductKind::Service => product.rules.notice_days += 15,
            ProductKind::Goods => product.rules.quantity_max = None,
        }
        let set =
            SetRules { product: product.code.clone(), rules: product.rules.clone(), from: None };
        self.must(actor, &set).await.map(drop)
    }

    /// From the first of the month after next it is not sold.
    async fn retire(&mut self, actor: Actor, place: usize) -> Result<(), SimulateError> {
        let from = self.today().month().next().next().first();
        let Some(product) = self.products.get_mut(place) else { return Ok(()) };
        product.retired_from = Some(from);
        let retire = RetireProduct { product: product.code.clone(), from };
        self.must(actor, &retire).await.map(drop)
    }

    fn sha256(&mut self) -> Result<Sha256, SimulateError> {
        let text: String = (0..4).map(|_| format!("{:016x}", self.chance.bits())).collect();
        Ok(Sha256::new(&text)?)
    }
}
