//! `daicho key`: the keys with which programs authenticate over HTTP.

use clap::{Args, Subcommand};
use daicho_app::{Actor, CommandRequest, Date, KeyId, KeyRequest, KeyState, Ledger, Role, Scope};
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Heading, Output, text};

const HEADINGS: [Heading; 7] = [
    text("key"),
    text("name"),
    text("actor"),
    text("role"),
    text("scopes"),
    text("in force"),
    text("last used"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its secret is shown here and never again
    Create(CreateArgs),
    /// Every key that was ever made, without its secret
    List,
    /// End a key at once, for ever
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// What it is for, "the CRM"
    #[arg(long)]
    name: String,
    /// The actor of what is done with it: staff:LOG-IN or system:NAME
    #[arg(long)]
    actor: Actor,
    /// What it may do at most: operator, fulfilment, billing, auditor or integration
    #[arg(long)]
    role: Role,
    /// Narrows it within its role, may be repeated: read, personal, events, deliveries, keys,
    /// on-behalf, run, run:FAMILY or run:COMMAND; left out: all that the role may
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// The last day on which it is valid, in the shop's time zone
    #[arg(long, value_name = "DATE")]
    expires_on: Option<Date>,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// Its id
    key: KeyId,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
struct By {
    /// Who does this, for the record
    #[arg(long, value_name = "ACTOR", default_value = "system:daicho")]
    by: Actor,
}

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: KeyCommand,
) -> Result<Exit, CliError> {
    book::with(global, async |ledger| match command {
        KeyCommand::Create(args) => create(ledger, output, args).await,
        KeyCommand::List => list(ledger, output).await,
        KeyCommand::Revoke(args) => revoke(ledger, output, args).await,
    })
    .await?;
    Ok(Exit::Done)
}

async fn create(ledger: &Ledger, output: Output, args: CreateArgs) -> Result<(), CliError> {
    let CreateArgs { name, actor, role, scopes, expires_on, by: By { by } } = args;
    let name = name.parse().map_err(|error| CliError::Usage(format!("{error}")))?;
    let request = KeyRequest { name, actor, role, scopes, expires_on };
    let executed = ledger.commands().run(CommandRequest::create_key(&request, by)).await?;
    let key = executed.identity(KeyId::TAG).unwrap_or_default();
    let secret = executed.secret.map(|secret| secret.to_string()).unwrap_or_default();
    let made = json!({ "key": key, "secret": secret, "position": executed.first });
    let row = vec![key, secret, executed.first.to_string()];
    output.show(&made, &[text("key"), text("secret"), text("position")], &[row])?;
    output.note("The secret is not shown again: store it with your passwords.")
}

async fn list(ledger: &Ledger, output: Output) -> Result<(), CliError> {
    let keys = ledger.keys().all().await?;
    let rows: Vec<Vec<String>> = keys.iter().map(cells).collect();
    output.show(&keys, &HEADINGS, &rows)?;
    if keys.is_empty() {
        output.note("There is no key: `daicho key create` makes one.")?;
    }
    Ok(())
}

async fn revoke(ledger: &Ledger, output: Output, args: RevokeArgs) -> Result<(), CliError> {
    let revoke = CommandRequest::revoke_key(args.key, args.by.by);
    let executed = ledger.commands().run(revoke).await?;
    let value = json!({ "key": args.key, "position": executed.first });
    let row = vec![args.key.to_string(), executed.first.to_string()];
    output.show(&value, &[text("key"), text("position")], &[row])
}

fn cells(key: &KeyState) -> Vec<String> {
    let in_force = match (key.revoked_at, key.expires_on) {
        (Some(revoked_at), _) => format!("revoked {revoked_at}"),
        (None, Some(last)) => format!("until {last}"),
        (None, None) => "until revoked".to_owned(),
    };
    let scopes: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
    let scopes = if scopes.is_empty() { "all".to_owned() } else { scopes.join(" ") };
    let last_used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    vec![
        key.key.to_string(),
        key.name.to_string(),
        key.actor.to_string(),
        key.role.to_string(),
        scopes,
        in_force,
        last_used,
    ]
}
