//! Configuration: keys, their layers and their checks. The only module that reads the environment.
//!
//! Three layers, each over the one before it: `default.toml` (compiled in), the owner's
//! `replyd.toml`, and variables `REPLYD__SECTION__KEY`. [`load()`] does everything but find the
//! file and the environment, so that tests need neither. Next on the way: [`crate::app`], which is
//! built from a [`Config`].

mod layers;
mod listeners;
mod load;
mod problems;
mod reader;
mod redaction;
mod secrets;
mod sections;
mod set_key;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use crate::diagnostics::toml_reader;
use crate::message::PhoneNumberId;
use crate::telemetry::LogFormat;

pub use layers::{DEFAULT, Sources};
pub use load::{ReadError, read};
pub(crate) use load::{
    file, is_run_by_cargo, read_action_bases, read_admin, read_calls, read_database, read_delivery,
    read_server, secret_places,
};
pub use problems::Problems;
pub use reader::SecretPlaces;
pub use set_key::with_connection;

use layers::Layers;
use reader::{ReadFile, Reader};

/// Everything the owner can set, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[admin]`.
    pub admin: Admin,
    /// `[database]`.
    pub database: Database,
    /// `[webhook]`.
    pub webhook: Webhook,
    /// `[gateway]`.
    pub gateway: Gateway,
    /// `[delivery]`.
    pub delivery: Delivery,
    /// `[media]`.
    pub media: Media,
    /// `[rules]`.
    pub rules: Rules,
    /// `[actions]`.
    pub actions: Actions,
    /// `[model]`; none means that no model is asked.
    pub model: Option<Model>,
    /// Every `[[number]]`; none means every number.
    pub numbers: Vec<Number>,
    /// `[log]`.
    pub log: Log,
}

/// `[server]`: the public listener.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

/// `[admin]`: the listener for the owner.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Where it listens: a loopback address.
    pub listen: SocketAddr,
    /// Host names it answers to beside loopback addresses and `localhost`, in lower case.
    pub hosts: Vec<String>,
}

/// `[database]`.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite:` and a path.
    pub url: String,
}

/// `[webhook]`.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Path of the callback URL, with its leading slash.
    pub path: String,
    /// App secrets, at least one; any of them may have signed.
    pub app_secrets: Vec<SecretString>,
    /// Token that Meta presents to verify the webhook.
    pub verify_token: SecretString,
}

/// Kind of gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Maton's gateway.
    Maton,
    /// Meta's own Graph API.
    Graph,
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Maton => "maton",
            Self::Graph => "graph",
        })
    }
}

/// `[gateway]`, with the preset's values where the owner gave none.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Which gateway it is.
    pub preset: Preset,
    /// Without a slash at its end.
    pub base_url: String,
    /// The gateway's own API (connections), without a slash at its end.
    pub control_url: String,
    /// Such as `v23.0`.
    pub graph_version: String,
    /// Sent as bearer token.
    pub api_key: SecretString,
    /// Sent as `Maton-Connection`.
    pub connection: Option<String>,
    /// Over all numbers; 0 is no bound.
    pub requests_per_second: u32,
    /// For one request.
    pub timeout: Duration,
    /// Secret that proves the token in each call; `None` without `app_secret_proof`.
    pub app_secret: Option<SecretString>,
}

/// Sections that calls of the gateway need; without the webhook's secrets.
#[derive(Clone, Debug)]
pub struct Calls {
    /// `[gateway]`.
    pub gateway: Gateway,
    /// `[database]`.
    pub database: Database,
    /// `[media]`.
    pub media: Media,
    /// `[rules]`.
    pub rules: Rules,
    /// Every `[[number]]`.
    pub numbers: Vec<Number>,
}

impl From<&Config> for Calls {
    fn from(config: &Config) -> Self {
        Self {
            gateway: config.gateway.clone(),
            database: config.database.clone(),
            rules: config.rules.clone(),
            media: config.media.clone(),
            numbers: config.numbers.clone(),
        }
    }
}

/// `[delivery]`.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Per business number.
    pub messages_per_second: u32,
    /// Requests that wait for an answer at the same time.
    pub max_in_flight: u32,
    /// Duration of a claim.
    pub lease: Duration,
    /// A reply older than this is not sent any more.
    pub give_up_after: Duration,
    /// How long a send of unknown outcome waits for a receipt.
    pub unknown_wait: Duration,
}

/// `[media]`: files of inbound messages.
#[derive(Clone, Debug)]
pub struct Media {
    /// Fetch them.
    pub download: bool,
    /// Where they are put.
    pub folder: PathBuf,
    /// Larger ones are left where they are.
    pub max_bytes: u64,
    /// Opens Meta's file host: the one that was set, or the gateway's key when that is Meta's own.
    pub token: Option<SecretString>,
}

/// `[rules]`.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The rules of numbers that name none.
    pub file: PathBuf,
}

/// `[actions]`: hosts that rules may call.
#[derive(Clone, Debug)]
pub struct Actions {
    /// Nothing else is called.
    pub hosts: Vec<ActionHost>,
    /// Maximum size of a response in bytes; larger ones are rejected.
    pub max_bytes: usize,
    /// Calls of one host at the same time.
    pub per_host: usize,
}

/// One of `actions.hosts`.
#[derive(Clone, Debug)]
pub struct ActionHost {
    /// Scheme, host and port.
    pub base: reqwest::Url,
    /// It may have an address of one's own network.
    pub private: bool,
    /// Sent with each call as `Authorization`.
    pub authorization: Option<SecretString>,
}

/// `[model]`: any service with the chat completions of `OpenAI`.
#[derive(Clone, Debug)]
pub struct Model {
    /// Without a slash at its end.
    pub url: String,
    /// Name of the model in requests.
    pub name: String,
    /// Sent as bearer token.
    pub api_key: Option<SecretString>,
    /// Sampling temperature; `None` leaves the default of the service.
    pub temperature: Option<u32>,
    /// Parameter that limits the length of a response.
    pub limit_key: LimitKey,
}

/// What a service of language models calls the longest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKey {
    /// Most services, and the older models of `OpenAI`.
    MaxTokens,
    /// The newer models of `OpenAI`, which refuse the other.
    MaxCompletionTokens,
}

impl LimitKey {
    /// As it stands in a request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// One `[[number]]`.
#[derive(Clone, Debug)]
pub struct Number {
    /// Which number.
    pub phone_number_id: PhoneNumberId,
    /// The account it belongs to.
    pub waba_id: Option<String>,
    /// Its own rules.
    pub rules: Option<PathBuf>,
}

/// `[log]`.
#[derive(Clone, Debug)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// Which lines are written: a directive list of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

/// Lays the sources over the built-in default and checks everything.
///
/// Files named by secrets are read; nothing else is touched.
///
/// # Errors
/// Every problem, each with its key and place.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Reader<'d>` is bound to one `'d`"
)]
pub fn load(sources: &Sources) -> Result<Config, Problems> {
    let read_file = |path: &Path| std::fs::read_to_string(path);
    read_with(sources, &read_file, |reader| reader.config())
}

fn read_with<T>(
    sources: &Sources,
    read_file: &ReadFile<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, Problems> {
    let layers = Layers::parse(sources);
    let mut reader = reader(sources, &layers, read_file);
    let part = read(&mut reader);
    let (diagnostics, syntax_errors) = (reader.into_problems(), layers.syntax_errors());
    match part {
        Some(part) if diagnostics.is_empty() && syntax_errors.is_empty() => Ok(part),
        _ => Err(Problems::new(diagnostics, syntax_errors, layers.places)),
    }
}

fn reader<'d>(
    sources: &'d Sources,
    layers: &'d Layers<'d>,
    read_file: &'d ReadFile<'d>,
) -> Reader<'d> {
    let file = sources.file.as_ref();
    let folder = file.and_then(|(name, _)| name.parent());
    Reader {
        toml: toml_reader::Reader::new(layers.places.text()),
        layers,
        settings: layers.settings(),
        known: Vec::new(),
        missing: Vec::new(),
        misspelt: Vec::new(),
        folder: folder.map(Path::to_owned).unwrap_or_default(),
        environment: &sources.environment,
        read_file,
        secret_places: SecretPlaces::default(),
    }
}

#[cfg(test)]
mod tests;
