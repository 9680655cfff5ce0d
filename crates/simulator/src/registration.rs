//! How organisations become customers: they register, a person asks for membership, follows the
//! link in time or not, and staff complete the registration.

use daicho_app::CommandRequest;
use daicho_domain::Command;
use daicho_domain::member::{
    CompleteRegistration, MigrateMember, RequestRegistration, VerifyMember,
};
use daicho_domain::organisation::RegisterOrganisation;
use daicho_events::Actor;
use daicho_events::member::MemberRole;
use daicho_events::product::PaymentMethod;
use daicho_values::{Login, MemberId, Name, OrganisationId, Reference};
use serde_json::{Value, json};

use crate::agenda::{CustomerPlace, Step};
use crate::opening::VERIFICATION_MINUTES;
use crate::world::{Customer, Habit, World};
use crate::{SimulateError, people};

/// Of a thousand organisations, those with a corporate number; the others are sole proprietors.
const COMPANIES_PER_MILLE: u32 = 850;
/// Of so many organisations one comes from another system.
const MIGRATED_ONE_IN: u64 = 30;
/// Which of them.
const MIGRATED_AT: u64 = 2;
/// Of a thousand persons who asked: follow the link too late; never follow it.
const LATE_PER_MILLE: u32 = 90;
const NEVER_PER_MILLE: u32 = 60;
/// Of a thousand who were late, those who ask again.
const AGAIN_PER_MILLE: u32 = 600;
/// Of a thousand customers, those with a second member.
const COLLEAGUE_PER_MILLE: u32 = 250;
/// Of a thousand colleagues, those who give the address that is registered already.
const SAME_ADDRESS_PER_MILLE: u32 = 60;

/// Somebody who wants to become a member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applicant {
    organisation: OrganisationId,
    /// The organisation's number, in the order of arrival.
    number: u64,
    /// The customer whose colleague this is; `None`: the first member.
    colleague_of: Option<CustomerPlace>,
}

impl Applicant {
    fn role(&self) -> MemberRole {
        match self.colleague_of {
            Some(_) => MemberRole::General,
            None => MemberRole::Administrator,
        }
    }
}

impl World<'_> {
    /// An organisation registers; some come from another system with their member.
    pub(crate) async fn arrive(&mut self) -> Result<(), SimulateError> {
        let number = self.arrivals;
        self.arrivals += 1;
        let is_company = self.chance.per_mille(COMPANIES_PER_MILLE);
        let name = Name::new(&people::company(&mut self.chance, is_company))?;
        let is_migrated = number % MIGRATED_ONE_IN == MIGRATED_AT;
        let organisation: OrganisationId = self.ledger.clock_and_entropy().id();
        let register = RegisterOrganisation {
            organisation,
            name,
            corporate_number: is_company.then(|| people::corporate_number(number)).transpose()?,
            country: None,
            reference: is_migrated
                .then(|| Reference::new(&format!("OLD-{number:07}")))
                .transpose()?,
        };
        if is_migrated {
            self.must(Self::staff("ito")?, &register).await?;
            return self.migrate(organisation).await;
        }
        self.must(Actor::System(Login::new("shop")?), &register).await?;
        let applicant = Applicant { organisation, number, colleague_of: None };
        let soon = self.in_minutes(1, 8);
        self.agenda.enter(soon, Step::Request(applicant));
        Ok(())
    }

    async fn migrate(&mut self, organisation: OrganisationId) -> Result<(), SimulateError> {
        let member: MemberId = self.ledger.clock_and_entropy().id();
        let name = people::person(&mut self.chance);
        let data = json!({
            "member": member, "organisation": organisation, "name": name,
            "role": MemberRole::Administrator, "origin": "旧受注システム",
        });
        let migrated = self.sealed::<MigrateMember>(Self::staff("ito")?, data, &[]).await?;
        if migrated {
            self.become_customer(organisation, member);
        }
        Ok(())
    }

    /// A person asks for membership, by the shop's form.
    pub(crate) async fn request(&mut self, applicant: Applicant) -> Result<(), SimulateError> {
        let member: MemberId = self.ledger.clock_and_entropy().id();
        let number = applicant.number;
        let same = self.chance.per_mille(SAME_ADDRESS_PER_MILLE);
        let box_name = match applicant.colleague_of {
            Some(_) if !same => "tantou",
            Some(_) | None => "soumu",
        };
        let name = people::person(&mut self.chance);
        let phone = format!("03-{:04}-{:04}", self.chance.below(10_000), self.chance.below(10_000));
        let data = json!({
            "member": member, "organisation": applicant.organisation,
            "name": name,
            "email": format!("{box_name}@c{number:07}.example.co.jp"),
            "phone": phone,
            "role": applicant.role(),
        });
        let refusals: &[_] =
            if applicant.colleague_of.is_some() { &["email_already_registered"] } else { &[] };
        let actor = Actor::Member(member);
        if !self.sealed::<RequestRegistration>(actor, data, refusals).await? {
            return Ok(());
        }
        let fate = self.chance.below(1_000);
        if fate < NEVER_PER_MILLE {
            return Ok(());
        }
        let limit = VERIFICATION_MINUTES;
        let is_late = fate < NEVER_PER_MILLE + LATE_PER_MILLE;
        let (low, high) = if is_late { (limit + 1, 8 * limit) } else { (1, limit - 5) };
        let when = self.in_minutes(low, high);
        self.agenda.enter(when, Step::Verify(applicant, member));
        Ok(())
    }

    /// A person follows the link; who is late may ask again.
    pub(crate) async fn verify(
        &mut self,
        applicant: Applicant,
        member: MemberId,
    ) -> Result<(), SimulateError> {
        let refusals = ["verification_link_expired"];
        let verified = self.may(Actor::Member(member), &VerifyMember { member }, &refusals).await?;
        if verified.is_some() {
            let morning = self.office_morning(self.today().next(), 0)?;
            self.agenda.enter(morning, Step::Complete(applicant, member));
        } else if self.chance.per_mille(AGAIN_PER_MILLE) {
            let again = self.in_minutes(2, 20);
            self.agenda.enter(again, Step::Request(applicant));
        }
        Ok(())
    }

    /// Staff complete a registration, and the organisation may buy.
    pub(crate) async fn complete(
        &mut self,
        applicant: Applicant,
        member: MemberId,
    ) -> Result<(), SimulateError> {
        self.must(Self::staff("ito")?, &CompleteRegistration { member }).await?;
        let Some(place) = applicant.colleague_of else {
            let place = self.become_customer(applicant.organisation, member);
            if self.chance.per_mille(COLLEAGUE_PER_MILLE) {
                let colleague = Applicant { colleague_of: Some(place), ..applicant };
                let later = self.in_days(3, 90);
                self.agenda.enter(later, Step::Request(colleague));
            }
            return Ok(());
        };
        if let Some(customer) = self.customers.get_mut(place) {
            customer.colleague = Some(member);
        }
        Ok(())
    }

    /// A customer more, who soon wants something.
    fn become_customer(
        &mut self,
        organisation: OrganisationId,
        administrator: MemberId,
    ) -> CustomerPlace {
        let method = match self.chance.below(10) {
            0..=5 => PaymentMethod::Invoice,
            6..=7 => PaymentMethod::DirectDebit,
            _ => PaymentMethod::Card,
        };
        let habit = match self.chance.below(100) {
            0..=77 => Habit::Punctual,
            78..=96 => Habit::Late,
            _ => Habit::Never,
        };
        let place = self.customers.len();
        self.customers.push(Customer {
            organisation,
            administrator,
            colleague: None,
            method,
            habit,
            contracts: Vec::new(),
            goods_months: Vec::new(),
        });
        let soon = self.in_minutes(20, 3 * 24 * 60);
        self.agenda.enter(soon, Step::Visit(place));
        place
    }

    /// Gives a command with personal fields as plain texts; whether it happened.
    async fn sealed<C: Command>(
        &mut self,
        actor: Actor,
        data: Value,
        refusals: &[&'static str],
    ) -> Result<bool, SimulateError> {
        let data = match data {
            Value::Object(data) => data,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => serde_json::Map::new(),
        };
        let request = CommandRequest::new(C::NAME, actor, data);
        let outcome = self.ledger.commands().run(request).await;
        Ok(self.settle(C::NAME, outcome, refusals)?.is_some())
    }
}
