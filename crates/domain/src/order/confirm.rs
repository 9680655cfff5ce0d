//! Confirms an order (契約確定, R64): it binds, and each of its services becomes a contract.

use std::num::NonZeroU32;

use daicho_events::access::Role;
use daicho_events::contract::{ContractConcluded, ContractTerms};
use daicho_events::order::{OrderConfirmed, OrderEvent, OrderLine};
use daicho_events::product::{ProductEvent, ProductKind, PurchaseRules};
use daicho_events::{Event, NewEvent, Query, Recorded};
use daicho_values::{ContractId, Date, OrderId, Term};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stage::{self, StageRejection};
use crate::frame::Known;
use crate::pricing::LineRejection;
use crate::state::{Catalogue, Fold, Order, Orders, Plan};
use crate::{By, Command, Decision, Moment};

/// Makes an order binding. A contract is concluded for each line of a service, under the plan and
/// the rules that held when the order was placed (R63).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmOrder {
    /// The order.
    pub order: OrderId,
}

rejections! {
    /// Why an order is not confirmed.
    pub enum ConfirmOrderRejection {
        shared {
            /// The order is at another stage.
            Stage(StageRejection),
            /// A line names what the catalogue does not have.
            Line(LineRejection),
        }
    }
}

/// The catalogue as it was when the order was placed: what was published later is left out, also
/// where it is dated back.
#[derive(Debug, Default)]
pub(crate) struct CatalogueAsOrdered {
    catalogue: Catalogue,
    ordered: bool,
}

impl Fold for CatalogueAsOrdered {
    const READS: &'static [&'static [&'static str]] = &[OrderEvent::STORED, ProductEvent::STORED];

    fn apply(&mut self, recorded: &Recorded) {
        if let Event::Order(_) = recorded.event {
            self.ordered = true;
        }
        if !self.ordered {
            self.catalogue.apply(recorded);
        }
    }
}

known! {
    /// The order, and its products as they were when it was placed.
    pub struct ConfirmOrderState { orders: Orders, products: CatalogueAsOrdered, }
}

impl Decision for ConfirmOrder {
    type State = ConfirmOrderState;
    type Rejection = ConfirmOrderRejection;

    fn query(&self, known: &Known<ConfirmOrderState>) -> Query {
        let lines = known.orders.get(self.order).map(|order| &order.placed.lines);
        Orders::query(self.order)
            .or(Catalogue::query(lines.into_iter().flatten().map(|line| &line.product)))
    }

    fn decide(
        &self,
        known: &Known<ConfirmOrderState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, ConfirmOrderRejection> {
        let order = stage::open(&known.orders, self.order)?;
        stage::accepted(order)?;
        stage::unconfirmed(order)?;
        let not_fixed = StageRejection::DeliveryNotFixed { order: self.order };
        let delivery_on = order.delivery_on.ok_or(not_fixed)?;
        let starts_on = order.placed.desired_start.map_or(delivery_on, |day| day.max(delivery_on));
        let confirmed = OrderConfirmed { order: self.order };
        let mut events = vec![NewEvent::on(known.shop.today(at), confirmed)];
        let mut contracts = 0;
        for line in &order.placed.lines {
            let service = service_plan(&known.products.catalogue, order, line)?;
            let Some(service) = service else { continue };
            let contract = Contract { id: at.id(contracts), starts_on };
            events.push(NewEvent::on(starts_on, concluded(order, line, service, contract)));
            contracts += 1;
        }
        Ok(events)
    }
}

/// The rules and the plan under which a line of a service was ordered.
type ServicePlan<'a> = (PurchaseRules, &'a Plan);

/// The rules and the plan of a line, if its product is a service.
fn service_plan<'a>(
    catalogue: &'a Catalogue,
    order: &Order,
    line: &OrderLine,
) -> Result<Option<ServicePlan<'a>>, LineRejection> {
    let code = || line.product.clone();
    let unknown = || LineRejection::ProductUnknown { product: code() };
    let product = catalogue.get(&line.product).ok_or_else(unknown)?;
    if product.kind == ProductKind::Goods {
        return Ok(None);
    }
    let plan = line.plan.as_ref().ok_or_else(|| LineRejection::PlanRequired { product: code() })?;
    let unknown = || LineRejection::PlanUnknown { product: code(), plan: plan.clone() };
    let plan = product.plan_on(plan, order.placed_on).ok_or_else(unknown)?;
    Ok(Some((product.rules_on(order.placed_on), plan)))
}

/// What a new contract has of its own: all else comes from its order.
#[derive(Debug, Clone, Copy)]
struct Contract {
    id: ContractId,
    starts_on: Date,
}

fn concluded(
    order: &Order,
    line: &OrderLine,
    service: ServicePlan<'_>,
    contract: Contract,
) -> ContractConcluded {
    ContractConcluded {
        contract: contract.id,
        order: order.placed.order,
        member: order.placed.member,
        organisation: order.placed.organisation,
        product: line.product.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        tax: line.tax,
        starts_on: contract.starts_on,
        terms: terms(service, contract.starts_on),
    }
}

fn terms((rules, plan): ServicePlan<'_>, starts_on: Date) -> ContractTerms {
    ContractTerms {
        plan: plan.plan.clone(),
        billing: plan.billing,
        term: plan
            .term_months
            .and_then(NonZeroU32::new)
            .map(|months| Term::of_months(starts_on, months).nth(0)),
        auto_renew: plan.auto_renew,
        first_month_free: plan.first_month_free,
        licence_addition: rules.licence_addition,
        licence_reduction: rules.licence_reduction,
        notice_days: rules.notice_days,
        penalty: rules.penalty,
    }
}

impl Command for ConfirmOrder {
    const NAME: &'static str = "order.confirm";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::contract::ContractEvent;
    use daicho_events::order::OrderPlaced;
    use daicho_events::product::{BillingPeriod, PenaltyRule};
    use daicho_values::Period;

    use super::*;
    use crate::order::fixtures::{
        ANNUAL, MAIL, TEA, accepted, administrator, cancelled, code, confirmed, delivery_fixed,
        fulfilled, name, order_id, order_placed, organisation, placed, plan, rules, shop, wanted,
    };
    use crate::testing::{Step, at, by, day, event, given, yen};

    fn confirm() -> ConfirmOrder {
        ConfirmOrder { order: order_id() }
    }

    fn ready(order: OrderPlaced, more: impl IntoIterator<Item = Step>) -> Vec<Step> {
        let steps = [event(order), accepted("2026-05-11"), delivery_fixed("2026-06-01")];
        shop(steps.into_iter().chain(more))
    }

    fn services() -> OrderPlaced {
        order_placed(&[wanted(MAIL, Some("monthly"), 2), wanted(MAIL, Some(ANNUAL), 5)])
    }

    fn contracts(events: Vec<NewEvent>) -> Vec<ContractConcluded> {
        let contract = |new: NewEvent| {
            let Event::Contract(ContractEvent::Concluded(contract)) = new.event else {
                return None;
            };
            assert_eq!(new.effective_on, contract.starts_on);
            Some(contract)
        };
        events.into_iter().filter_map(contract).collect()
    }

    #[test]
    fn each_line_of_a_service_becomes_a_contract_of_its_own_r67() {
        let contracts = contracts(given(ready(services(), [])).when(confirm()).events());
        let [monthly, annual] = contracts.as_slice() else { panic!("{contracts:?}") };
        assert_ne!(monthly.contract, annual.contract);
        assert_eq!((monthly.order, monthly.organisation), (order_id(), organisation()));
        assert_eq!(
            (monthly.product.clone(), monthly.name.clone()),
            (code(MAIL), name("Business Mail"))
        );
        assert_eq!((monthly.quantity.get(), monthly.unit_price), (2, yen(1_200)));
        assert_eq!((annual.quantity.get(), annual.unit_price), (5, yen(12_000)));
    }

    #[test]
    fn a_contract_has_its_plans_term_from_the_delivery_date_and_its_products_rules() {
        let contracts = contracts(given(ready(services(), [])).when(confirm()).events());
        assert_eq!(contracts[0].starts_on, day("2026-06-01"));
        assert_eq!((contracts[0].terms.term, contracts[0].terms.first_month_free), (None, true));
        let annual = &contracts[1].terms;
        assert_eq!(annual.term, Period::new(day("2026-06-01"), day("2027-05-31")));
        assert_eq!((annual.billing, annual.auto_renew), (BillingPeriod::Annual, false));
        assert_eq!((annual.notice_days, annual.penalty), (30, PenaltyRule::RemainingTerm));
    }

    #[test]
    fn a_service_that_is_ready_before_the_desired_day_starts_on_the_desired_day_r56() {
        let order = OrderPlaced { desired_start: Some(day("2026-06-15")), ..services() };
        let contracts = contracts(given(ready(order, [])).when(confirm()).events());
        assert_eq!(contracts[0].starts_on, day("2026-06-15"));
        let term = Period::new(day("2026-06-15"), day("2027-06-14"));
        assert_eq!(contracts[1].terms.term, term);
    }

    #[test]
    fn a_service_that_is_ready_after_the_desired_day_starts_when_it_is_ready_r56() {
        let order = OrderPlaced { desired_start: Some(day("2026-05-15")), ..services() };
        let contracts = contracts(given(ready(order, [])).when(confirm()).events());
        assert_eq!(contracts[0].starts_on, day("2026-06-01"));
    }

    #[test]
    fn what_is_published_after_the_order_does_not_change_its_contracts_r63() {
        let longer = plan(MAIL, ANNUAL, "2026-01-01", yen(9_000));
        let longer =
            event(daicho_events::product::PlanPublished { term_months: Some(36), ..longer });
        let stricter = event(rules(MAIL, |rules| rules.notice_days = 90));
        let contracts =
            contracts(given(ready(services(), [longer, stricter])).when(confirm()).events());
        let annual = &contracts[1].terms;
        assert_eq!(annual.term, Period::new(day("2026-06-01"), day("2027-05-31")));
        assert_eq!(annual.notice_days, 30);
    }

    #[test]
    fn goods_are_confirmed_without_a_contract() {
        let order = order_placed(&[wanted(TEA, None, 5)]);
        let confirmed = OrderConfirmed { order: order_id() };
        given(ready(order, [])).when(confirm()).then([confirmed.into()]);
    }

    #[test]
    fn a_line_whose_product_is_not_in_the_catalogue_is_named() {
        let mut order = services();
        order.lines[0].product = code("nothing");
        given(ready(order, [])).when(confirm()).then_rejected("product_unknown");
    }

    #[test]
    fn a_line_whose_plan_is_not_in_the_catalogue_is_named() {
        let mut order = services();
        order.lines[0].plan = daicho_values::PlanCode::new("weekly").ok();
        given(ready(order, [])).when(confirm()).then_rejected("plan_unknown");
    }

    #[test]
    fn a_line_of_a_service_without_a_plan_is_named() {
        let mut order = services();
        order.lines[0].plan = None;
        given(ready(order, [])).when(confirm()).then_rejected("plan_required");
    }

    #[test]
    fn a_customer_confirms_nothing_r65() {
        let history = ready(services(), [by(Actor::Member(administrator()))]);
        given(history).when(confirm()).then_rejected("staff_only");
    }

    #[test]
    fn a_book_that_is_not_open_confirms_nothing() {
        given([]).when(confirm()).then_rejected("shop_not_open");
    }

    #[test]
    fn an_order_that_was_never_placed_is_not_confirmed() {
        given(shop([])).when(confirm()).then_rejected("order_unknown");
    }

    #[test]
    fn an_order_is_accepted_before_it_is_confirmed_r64() {
        given(placed([])).when(confirm()).then_rejected("order_not_accepted");
    }

    #[test]
    fn the_delivery_date_is_fixed_before_the_order_is_confirmed_r64() {
        given(placed([accepted("2026-05-11")])).when(confirm()).then_rejected("delivery_not_fixed");
    }

    #[test]
    fn an_order_is_confirmed_once() {
        let history = ready(services(), [at("2026-05-12T10:00"), confirmed()]);
        given(history).when(confirm()).then_rejected("order_already_confirmed");
    }

    #[test]
    fn a_cancelled_order_is_not_confirmed() {
        given(ready(services(), [cancelled()])).when(confirm()).then_rejected("order_cancelled");
    }

    #[test]
    fn a_fulfilled_order_is_not_confirmed() {
        let history = ready(services(), [fulfilled("2026-05-11")]);
        given(history).when(confirm()).then_rejected("order_already_fulfilled");
    }
}
