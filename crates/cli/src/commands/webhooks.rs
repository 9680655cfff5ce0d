//! `daicho webhook`: the addresses to which a service that runs sends the events of a book.

use clap::{Args, Subcommand, ValueEnum};
use daicho_app::{
    Ledger, MadeWebhook, Parked, ParkedChoice, Position, Signature, WebhookChange, WebhookRequest,
    WebhookState,
};
use serde_json::json;

use super::consumers::{FilterArgs, NameArgs};
use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Heading, Output, number, text};

const HEADINGS: [Heading; 6] = [
    text("webhook"),
    text("url"),
    number("position"),
    number("behind by"),
    number("parked"),
    text("state"),
];
const PARKED_HEADINGS: [Heading; 4] =
    [number("position"), text("parked at"), text("error"), text("sent again")];

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Make a webhook; its secret is shown here and never again
    Create(CreateArgs),
    /// Every webhook, and how far it has come
    List,
    /// One webhook
    Show(NameArgs),
    /// Send nothing to it until it is enabled again
    Disable(NameArgs),
    /// Send to it again, from where it was
    Enable(NameArgs),
    /// Give it another secret, which is shown here and never again; both sign for a while
    RotateSecret(RotateArgs),
    /// The messages that could not be delivered
    Parked(NameArgs),
    /// Have parked messages sent once more
    Resend(ChoiceArgs),
    /// Drop parked messages; their events stay in the record
    Drop(ChoiceArgs),
    /// Delete it, and its parked deliveries
    Delete(NameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name
    name: String,
    /// Where events are sent: an https address of the open network
    url: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// How messages are signed
    #[arg(long, value_name = "KIND", value_enum, default_value_t = SignatureKind::Hmac)]
    signature: SignatureKind,
    /// Begin after this position; left out: with what is recorded from now on
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// Take a private address or plain http, as a service with `webhooks.private_addresses` does
    #[arg(long)]
    private_address: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SignatureKind {
    /// A secret that sender and receiver have
    Hmac,
    /// The receiver has a public key only
    Ed25519,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// Its name
    name: String,
    /// For how long the previous secret signs, too: up to a week
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    overlap_seconds: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ChoiceArgs {
    /// Its name
    name: String,
    /// The messages about the events at these positions; left out: all
    #[arg(value_name = "POSITION")]
    positions: Vec<u64>,
}

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: WebhookCommand,
) -> Result<Exit, CliError> {
    book::with(global, async |ledger| match command {
        WebhookCommand::Create(args) => create(ledger, output, args).await,
        WebhookCommand::List => list(output, &ledger.webhooks().all().await?),
        WebhookCommand::Show(NameArgs { name }) => {
            show(output, &ledger.webhooks().find(&name).await?)
        }
        WebhookCommand::Disable(NameArgs { name }) => switch(ledger, output, &name, true).await,
        WebhookCommand::Enable(NameArgs { name }) => switch(ledger, output, &name, false).await,
        WebhookCommand::RotateSecret(RotateArgs { name, overlap_seconds }) => {
            made(output, &ledger.webhooks().rotate_secret(&name, overlap_seconds).await?)
        }
        WebhookCommand::Parked(NameArgs { name }) => {
            parked(output, &ledger.webhooks().parked().of(&name).await?)
        }
        WebhookCommand::Resend(args) => {
            let (name, choice) = args.choice();
            counted(
                output,
                "sent once more",
                ledger.webhooks().parked().resend(&name, &choice).await?,
            )
        }
        WebhookCommand::Drop(args) => {
            let (name, choice) = args.choice();
            counted(output, "dropped", ledger.webhooks().parked().discard(&name, &choice).await?)
        }
        WebhookCommand::Delete(NameArgs { name }) => {
            let webhook = ledger.webhooks().find(&name).await?;
            ledger.webhooks().delete(&name).await?;
            show(output, &webhook)?;
            output.note("It is deleted.")
        }
    })
    .await?;
    Ok(Exit::Done)
}

impl ChoiceArgs {
    fn choice(self) -> (String, ParkedChoice) {
        let positions: Vec<Position> = self.positions.into_iter().map(Position).collect();
        let positions = (!positions.is_empty()).then_some(positions);
        (self.name, ParkedChoice { positions })
    }
}

async fn create(ledger: &Ledger, output: Output, args: CreateArgs) -> Result<(), CliError> {
    let CreateArgs { name, url, filter, signature, after, private_address } = args;
    let FilterArgs { types, tags } = filter;
    let signature = match signature {
        SignatureKind::Hmac => Signature::Hmac,
        SignatureKind::Ed25519 => Signature::Ed25519,
    };
    let after = after.map(Position);
    let request = WebhookRequest { name, url, types, tags, signature, after };
    made(output, &ledger.webhooks().create(&request, private_address).await?)
}

async fn switch(
    ledger: &Ledger,
    output: Output,
    name: &str,
    disabled: bool,
) -> Result<(), CliError> {
    let change = WebhookChange { disabled: Some(disabled), ..WebhookChange::default() };
    // The address is not changed here.
    show(output, &ledger.webhooks().change(name, &change, true).await?)
}

fn made(output: Output, made: &MadeWebhook) -> Result<(), CliError> {
    let row = vec![made.webhook.name.clone(), made.secret.clone()];
    output.show(made, &[text("webhook"), text("secret")], &[row])?;
    output.note("The secret is not shown again: give it to the receiver.")
}

fn list(output: Output, webhooks: &[WebhookState]) -> Result<(), CliError> {
    let rows: Vec<Vec<String>> = webhooks.iter().map(cells).collect();
    output.show(&webhooks, &HEADINGS, &rows)?;
    if webhooks.is_empty() {
        output.note("There is no webhook: `daicho webhook create NAME URL` makes one.")?;
    }
    Ok(())
}

fn show(output: Output, webhook: &WebhookState) -> Result<(), CliError> {
    output.show(webhook, &HEADINGS, &[cells(webhook)])?;
    match &webhook.last_error {
        Some(error) => output.note(&format!("What was wrong last: {error}")),
        None => Ok(()),
    }
}

fn cells(webhook: &WebhookState) -> Vec<String> {
    let state = match (&webhook.disabled, webhook.next_try_at) {
        (Some(why), _) => format!("disabled: {why}"),
        (None, Some(next)) => format!("tried {} times, again at {next}", webhook.tries),
        (None, None) => "sending".to_owned(),
    };
    vec![
        webhook.name.clone(),
        webhook.url.clone(),
        webhook.position.to_string(),
        webhook.behind_by.to_string(),
        webhook.parked.to_string(),
        state,
    ]
}

/// The messages that are chosen.
fn counted(output: Output, what: &'static str, messages: usize) -> Result<(), CliError> {
    let row = vec![messages.to_string()];
    output.show(&json!({ "messages": messages }), &[number(what)], &[row])
}

fn parked(output: Output, parked: &[Parked]) -> Result<(), CliError> {
    let rows: Vec<Vec<String>> = parked
        .iter()
        .map(|Parked { position, note }| {
            let again = if note.resend { "asked for" } else { "" };
            vec![
                position.to_string(),
                note.parked_at.to_string(),
                note.error.clone(),
                again.to_owned(),
            ]
        })
        .collect();
    output.show(&parked, &PARKED_HEADINGS, &rows)
}
