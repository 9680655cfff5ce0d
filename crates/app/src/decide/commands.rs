//! Every command by its name: its form, and the way from a JSON text to the command's result.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use daicho_domain::{Command, CommandRow, Private, for_each_command};
use daicho_events::{Actor, Position};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ulid::Ulid;

use super::context::{Context, Executed, Expectation, RequestKey};
use super::execute::Decisions;
use super::form::{self, FormError};
use super::personal::PersonalValues;
use super::secret::KeySecret;
use super::unique_json;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::error::ExecuteError;
use crate::storage::Storage;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Executed, ExecuteError>> + Send + 'a>>;

/// A command that can be asked for by name.
pub struct CommandEntry {
    /// `family.verb`, e.g. `order.place`.
    pub name: &'static str,
    /// Its row in the table of commands.
    pub row: CommandRow,
    schema: fn() -> Value,
    run: for<'a> fn(&'a Decisions, Value, Context) -> Answer<'a>,
}

/// A request as a caller sends it, one JSON object.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// Identifies the request, so that it takes effect only once, however often it is sent; left
    /// out, each call is a new request.
    #[serde(default)]
    pub request: Option<String>,
    /// Who acts: `member:<id>`, `staff:<log-in>` or `system:<name>`.
    pub actor: Actor,
    /// On whose behalf.
    #[serde(default)]
    pub on_behalf_of: Option<Actor>,
    /// The position of the event that caused it.
    #[serde(default)]
    pub cause: Option<Position>,
    /// The command's name.
    pub command: String,
    /// The command's fields.
    #[serde(default, deserialize_with = "unique_json::object")]
    pub data: Map<String, Value>,
    /// The last position about a thing that the caller knows; the command is refused if there is a
    /// newer one.
    #[serde(skip)]
    pub expects: Option<Expectation>,
}

impl CommandRequest {
    /// A command with its fields, requested by `actor` without a recorded cause.
    pub fn new(command: &str, actor: Actor, data: Map<String, Value>) -> Self {
        let command = command.to_owned();
        let (request, on_behalf_of, cause, expects) = (None, None, None, None);
        Self { request, actor, on_behalf_of, cause, command, data, expects }
    }
}

impl CommandEntry {
    const fn of<C: Command>() -> Self
    where
        C::State: Send,
    {
        Self {
            name: C::NAME,
            row: CommandRow::of::<C>(),
            schema: || schemars::schema_for!(C).to_value(),
            run: |decisions, data, context| {
                Box::pin(async move {
                    let command: C = form::read(data)?;
                    decisions.execute(&command, &context).await
                })
            },
        }
    }

    /// The command of that name.
    ///
    /// # Errors
    /// No command has that name.
    pub fn by_name(name: &str) -> Result<&'static Self, ExecuteError> {
        COMMANDS.iter().find(|entry| entry.row.names().any(|known| known == name)).ok_or_else(
            || {
                ExecuteError::malformed(format!(
                    "there is no command `{name}`: `daicho run --schema` lists them"
                ))
            },
        )
    }

    /// The JSON Schema of the command's fields as a caller writes them: ids that the ledger
    /// generates may be left out, and personal fields are plain texts.
    pub fn schema(&self) -> Value {
        let mut schema = (self.schema)();
        let made: Vec<&str> = self.made().collect();
        let optional = |name: &Value| {
            name.as_str()
                .is_some_and(|name| self.row.new_ids.contains(&name) || made.contains(&name))
        };
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| !optional(name));
        }
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            made.iter().for_each(|made| drop(properties.remove(*made)));
            for sealed in self.row.private.iter().filter_map(|private| private.sealed()) {
                let plain =
                    json!({ "type": "string", "description": "personal: sealed before use" });
                properties.insert(sealed.to_owned(), plain);
            }
        }
        schema
    }

    /// Fields that only the ledger fills.
    fn made(&self) -> impl Iterator<Item = &'static str> {
        self.row.private.iter().filter_map(|private| private.made())
    }
}

impl std::fmt::Debug for CommandEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Carries out commands given by their names, as JSON texts.
pub struct Commands {
    decisions: Arc<Decisions>,
    personal_values: PersonalValues,
    clock_and_entropy: ClockAndEntropy,
}

impl Commands {
    pub(crate) fn of(storage: &Storage, decisions: &Arc<Decisions>) -> Self {
        Self {
            decisions: Arc::clone(decisions),
            personal_values: PersonalValues::of(storage),
            clock_and_entropy: storage.clock_and_entropy.clone(),
        }
    }

    /// Carries out a request, by the command's name.
    ///
    /// # Errors
    /// As [`Decisions::execute`], or the request does not have the form of its command.
    pub async fn run(&self, request: CommandRequest) -> Result<Executed, ExecuteError> {
        let entry = CommandEntry::by_name(&request.command)?;
        let key = match &request.request {
            Some(id) => {
                let mut plain = json!({
                    "actor": request.actor, "cause": request.cause,
                    "command": entry.row.first_name(), "data": request.data,
                });
                if let (Some(on_behalf_of), Some(plain)) =
                    (&request.on_behalf_of, plain.as_object_mut())
                {
                    plain.insert("on_behalf_of".to_owned(), json!(on_behalf_of));
                }
                Some(self.decisions.request_key(id, plain.to_string().as_bytes()).await?)
            }
            None => None,
        };
        let repeats = key.clone();
        match self.first_time(entry, request, key).await {
            // The form of the command may have changed since the request was first answered.
            Err(error @ ExecuteError::Malformed(_)) => {
                self.decisions.answered(repeats.as_ref()).await?.ok_or(error)
            }
            outcome => outcome,
        }
    }

    async fn first_time(
        &self,
        entry: &CommandEntry,
        request: CommandRequest,
        key: Option<RequestKey>,
    ) -> Result<Executed, ExecuteError> {
        let mut data = request.data;
        for name in entry.row.new_ids {
            data.entry(*name)
                .or_insert_with(|| Value::String(self.clock_and_entropy.id::<Ulid>().to_string()));
        }
        if let Some(given) = entry.made().find(|made| data.contains_key(*made)) {
            let reason = format!("`{given}` is made by the ledger: leave it out");
            return Err(FormError::at(given, reason).into());
        }
        let mut secret = None;
        if !entry.row.private.is_empty() {
            // This comes before texts are sealed: a repeated request must leave no trace in the
            // vault.
            if let Some(answer) = self.decisions.answered(key.as_ref()).await? {
                return Ok(answer);
            }
            self.personal_values.seal(entry.row.private, &mut data).await?;
            secret = self.secret(entry.row.private, &mut data)?;
        }
        let CommandRequest { actor, on_behalf_of, cause, expects, .. } = request;
        let context = Context { actor, on_behalf_of, cause, request: key, expects };
        let executed = (entry.run)(&self.decisions, Value::Object(data), context).await?;
        // Of two requests with one id the other may have been recorded first, with its own secret.
        let secret = secret.filter(|_| !executed.repeated);
        Ok(Executed { secret, ..executed })
    }

    /// Generates the secret of a command that has one; the command holds its hash.
    fn secret(
        &self,
        private: &[Private],
        command: &mut Map<String, Value>,
    ) -> Result<Option<KeySecret>, FormError> {
        let mut secrets = private.iter().filter_map(|private| match *private {
            Private::Secret { field, key } => Some((field, key)),
            Private::Sealed { .. } => None,
        });
        let Some((field, key)) = secrets.next() else { return Ok(None) };
        let id = command.get(key).and_then(Value::as_str).and_then(|id| id.parse().ok());
        let id =
            id.ok_or_else(|| FormError::at(key, format!("`{key}` must be the id of a key")))?;
        let secret = KeySecret::new(id, self.clock_and_entropy.entropy.as_ref());
        command.insert(field.to_owned(), Value::String(secret.sha256()));
        Ok(Some(secret))
    }
}

macro_rules! table {
    ($($module:ident :: $command:ident,)+) => {
        /// Every command, in the order of the domain's list.
        pub const COMMANDS: &[CommandEntry] =
            &[$(CommandEntry::of::<daicho_domain::$module::$command>(),)+];
    };
}

for_each_command!(table);
