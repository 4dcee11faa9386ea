//! Session of a command that calls the gateway: options, calls, lists of several pages, and errors
//! with advice.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::Value;

use crate::cli::terminal::{self, Format, Hint, LITERAL, STRONG, WARN, paint};
use crate::config::{self, Calls, Preset};
use crate::gateway::{Gateway, SendError, Source};
use crate::message::{PhoneNumberId, is_id};
use crate::whatsapp::account_api::{self, Checked, Pages, Problem};
use crate::whatsapp::api_call::{Api, Call, Payload};

/// Options of every command that calls the gateway.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Configuration file [default: replyd.toml when there is one].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Business number to act for [default: the only `[[number]]` of the configuration].
    #[arg(long, global = true, value_name = "PHONE_NUMBER_ID")]
    pub(crate) number: Option<String>,
    /// WhatsApp Business Account to act for [default: the `waba_id` of the number].
    #[arg(long, global = true, value_name = "WABA_ID")]
    pub(crate) waba: Option<String>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print the exact request and send nothing.
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
}

/// Command line of a command on the account.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments<A: clap::Subcommand> {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) action: A,
}

/// Gateway with its settings and the command's options.
pub(crate) struct Session {
    pub(crate) gateway: Gateway,
    pub(crate) settings: Calls,
    pub(crate) options: Options,
}

impl Session {
    /// Reads the configuration; opens no connection.
    pub(crate) fn open(options: &Options) -> anyhow::Result<Self> {
        let settings = config::read_calls(options.config.as_deref())?;
        Ok(Self {
            gateway: Gateway::new(&settings.gateway)?,
            settings,
            options: options.clone(),
        })
    }

    /// Business number: the one named, or the only one configured.
    pub(crate) fn number(&self) -> anyhow::Result<PhoneNumberId> {
        let id = if let Some(named) = &self.options.number {
            checked_id("--number", named)?
        } else {
            let numbers = self.settings.numbers.iter();
            let ids: Vec<&str> = numbers.map(|it| it.phone_number_id.as_str()).collect();
            let missing = "list it under [[number]] in replyd.toml";
            only(&ids, "business number", "--number", missing)?
        };
        PhoneNumberId::parse(id).context("--number is empty")
    }

    /// WhatsApp Business Account: the one named, that of the number named, or the only one
    /// configured.
    pub(crate) fn waba(&self) -> anyhow::Result<String> {
        if let Some(waba) = &self.options.waba {
            return Ok(checked_id("--waba", waba)?.to_owned());
        }
        let numbers = self.settings.numbers.iter().filter(|number| {
            let named = self.options.number.as_deref();
            named.is_none_or(|named| named == number.phone_number_id.as_str())
        });
        let mut wabas: Vec<&str> = numbers
            .filter_map(|number| number.waba_id.as_deref())
            .collect();
        wabas.sort_unstable();
        wabas.dedup();
        let missing = "give the [[number]] in replyd.toml a waba_id";
        let waba = only(&wabas, "WhatsApp Business Account", "--waba", missing)?;
        Ok(waba.to_owned())
    }

    /// Performs a call and returns the JSON of the response; with `--dry-run` prints the call and
    /// returns `None`.
    pub(crate) async fn call(&self, call: &Call) -> anyhow::Result<Option<Value>> {
        if self.options.dry_run {
            self.show(call);
            return Ok(None);
        }
        match self.gateway.call(call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => Err(explain(call, &error)),
        }
    }

    /// Fetches every row of a list, page by page; `None` with `--dry-run`, which prints the call
    /// for the first page.
    pub(crate) async fn all_rows(
        &self,
        page: impl Fn(Option<&str>) -> Call,
    ) -> anyhow::Result<Option<Vec<Value>>> {
        let (mut pages, mut after, mut rows) = (Pages::default(), None, Vec::new());
        loop {
            let Some(answer) = self.call(&page(after.as_deref())).await? else {
                return Ok(None);
            };
            rows.extend(account_api::rows(&answer));
            after = pages.next(&answer).map_err(|error| {
                Hint::new(
                    error.to_string(),
                    "this is not how Graph answers: check gateway.base_url",
                )
            })?;
            if after.is_none() {
                return Ok(Some(rows));
            }
        }
    }

    pub(crate) fn format(&self) -> Format {
        Format::from_flag(self.options.json)
    }

    /// As [`Self::call`], but with `--json` prints the answer and returns `None`.
    pub(crate) async fn call_for_text(&self, call: &Call) -> anyhow::Result<Option<Value>> {
        let answer = self.call(call).await?;
        if self.options.json
            && let Some(answer) = &answer
        {
            terminal::json_line(answer);
            return Ok(None);
        }
        Ok(answer)
    }

    /// Prints a call as an HTTP request, without the key.
    pub(crate) fn show(&self, call: &Call) {
        let mut text = format!(
            "{} {}\n",
            paint(STRONG, call.method.name()),
            paint(LITERAL, self.gateway.url(call))
        );
        text.push_str("authorization: Bearer ***\n");
        if let Some(connection) = &self.settings.gateway.connection
            && call.api == Api::Graph
        {
            writeln!(text, "maton-connection: {connection}").expect("a String takes everything");
        }
        match &call.payload {
            Payload::Empty => {}
            Payload::Json(body) => {
                write!(text, "content-type: application/json\n\n{body:#}")
                    .expect("a String takes everything");
            }
            Payload::File(file) => {
                write!(
                    text,
                    "content-type: multipart/form-data\n\n\
                     messaging_product=whatsapp\ntype={}\nfile={} ({} bytes, {})",
                    file.mime_type, file.filename, file.size, file.mime_type
                )
                .expect("a String takes everything");
            }
        }
        terminal::line(text.trim_end());
    }

    /// Refuses a command that only Maton supports, before anything is sent.
    pub(crate) fn needs_maton(&self) -> anyhow::Result<()> {
        if self.settings.gateway.preset == Preset::Maton {
            return Ok(());
        }
        Err(Hint::error(
            "connections belong to Maton's gateway",
            "gateway.preset is \"graph\": its token comes from Meta itself",
        ))
    }
}

/// Returns the only configured id. `missing` is the advice when there is none, besides `option`.
fn only<'a>(ids: &[&'a str], noun: &str, option: &str, missing: &str) -> anyhow::Result<&'a str> {
    match ids {
        [only] => Ok(only),
        [] => Err(Hint::error(
            format!("no {noun} is named"),
            format!("name one with {option}, or {missing}"),
        )),
        several => Err(Hint::error(
            format!("several {noun}s are configured"),
            format!("name one with {option}: {}", several.join(", ")),
        )),
    }
}

/// Returns a valid call after printing its warnings, or every problem as one error.
pub(crate) fn checked(what: &str, checked: Result<Checked, Vec<Problem>>) -> anyhow::Result<Call> {
    match checked {
        Ok(checked) => {
            for warning in &checked.warnings {
                let warning = terminal::one_line(&warning.to_string());
                terminal::note!("{} {warning}", paint(WARN, "warning:"));
            }
            Ok(checked.call)
        }
        Err(problems) => {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("\n  {}", terminal::one_line(&problem.to_string())))
                .collect();
            Err(Hint::error(
                format!("{what} is not what WhatsApp takes{}", lines.concat()),
                "mend this and try again; nothing was sent",
            ))
        }
    }
}

/// Checks an id from the command line: it becomes part of a URL, where `..` would change the path.
pub(crate) fn checked_id<'a>(what: &str, id: &'a str) -> anyhow::Result<&'a str> {
    if is_id(id) {
        return Ok(id);
    }
    Err(Hint::error(
        format!("{what} `{}` is no id", terminal::visible(id)),
        "an id holds only letters, digits, - and _",
    ))
}

/// Describes a failed call: origin of the refusal, reason, advice.
pub(crate) fn explain(call: &Call, error: &SendError) -> anyhow::Error {
    let message = match error {
        SendError::Rejected(rejection) => {
            let reason = terminal::one_line(&rejection.reason());
            match rejection.source() {
                Source::Meta => format!("Meta refused with {reason}"),
                Source::Gateway => reason,
            }
        }
        SendError::NotSent(_) | SendError::Unknown(_) => error.to_string(),
    };
    Hint::error(message, advice(call, error))
}

/// Advice for values from the command line; the advice of the error itself is about values of
/// rules.
fn advice(call: &Call, error: &SendError) -> String {
    if error.is_about_address()
        && let Some(id) = call.path.first()
    {
        return format!(
            "check the id {id}, gateway.connection (or the token), and that its permissions cover this id"
        );
    }
    general_advice(call.api, error).to_owned()
}

fn general_advice(api: Api, error: &SendError) -> &'static str {
    match (error.code(), error, api) {
        (Some(100), SendError::Rejected(rejection), _)
            if rejection
                .error
                .as_ref()
                .is_some_and(|error| error.subcode.is_none()) =>
        {
            "check the ids, names and values that this command was given; if every command fails so, \"Require app secret\" may be on at Meta: set gateway.app_secret_proof = true"
        }
        (Some(100 | 131_008 | 131_009), _, _) => {
            "check the ids, names and values that this command was given"
        }
        (Some(0 | 190), _, _) => {
            "renew the connection (`replyd connections create`) or the token, and check gateway.api_key"
        }
        (Some(3 | 10 | 200..=299 | 131_005), _, _) => {
            "grant whatsapp_business_management and whatsapp_business_messaging to the app or connection"
        }
        (_, SendError::Rejected(rejection), Api::Control) if rejection.status == 404 => {
            "check the id, with `replyd connections list`, and gateway.control_url"
        }
        // The advice of the error is for a service that retries by itself.
        _ => match error.advice() {
            "nothing" => "there is nothing to be done about it",
            advice if advice.starts_with("nothing") => "try again in a while",
            advice => advice,
        },
    }
}
