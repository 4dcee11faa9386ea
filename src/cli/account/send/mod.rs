//! `replyd send`: sends one message by hand, of any kind.
//!
//! [`addressee`] reads the recipient and [`message`] builds the message; this file checks it,
//! uploads a local file unless an earlier upload is still valid, sends, and records the message.

mod addressee;
mod message;

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::session::{self, Session, explain};
use crate::cli::terminal::{self, DIM, GOOD, Hint, LITERAL, WARN, paint};
use crate::clock::Clock;
use crate::gateway::SendError;
use crate::message::{
    ErrorClass, MediaSource, Outbound, PhoneNumberId, Recipient, TemplateFile, TemplateMessage,
    TemplateShape, TemplateState, TemplateStates, Wamid, limits,
};
use crate::store::{SendEligibility, Sent, Store, StoreError, Upload};
use crate::whatsapp::api_call::Call;
use crate::whatsapp::outbound::MessageBody;
use crate::whatsapp::template_status;
use addressee::Addressee;
use message::{Attached, Built, MessageOptions};

/// WhatsApp accepts free messages for this long after the contact's last message. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
const SERVICE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Sends one message, after checking it against every limit of WhatsApp.
///
/// The message is recorded in the configured database, if it exists.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Recipient: a phone number with + and its country code, or a business-scoped user id; a
    /// contact of the database may be named by the digits alone.
    #[arg(value_name = "PHONE|USER_ID")]
    to: String,
    #[command(flatten)]
    message: MessageOptions,
    #[command(flatten)]
    options: session::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let addressee = Addressee::parse(&arguments.to)?;
    let session = Session::open(&arguments.options)?;
    let number = session.number()?;
    let store = open(&session).await?;
    let templates = Templates::read(&session, store.as_ref()).await?;
    let fetched = templates.fetched.as_ref();
    let mut built = arguments.message.build(fetched).await?;
    built.content = built.content.without_blank_parts().with_single_spaces();
    check(&built.content)?;
    compare(&mut built.content, &templates)?;
    let about = arguments.message.about();
    names_its_message(&built.content, about.as_ref())?;
    let mut recipient = addressee.resolve(store.as_ref(), &number).await?;
    fits_recipient(&built.content, &recipient)?;
    match &store {
        Some(store) => {
            let eligibility = store.send_eligibility(&number, &recipient).await;
            if let Some(eligibility) = eligibility.context("could not look the contact up")? {
                may_send(&eligibility, &built.content, &templates)?;
                recipient = eligibility.address(&recipient);
            }
        }
        None if session.options.dry_run => {}
        None => {
            let warning = paint(WARN, "warning:");
            let text = "there is no database yet, so the message will not be in the history";
            terminal::note!("{warning} {text}");
        }
    }
    let Some(content) = with_file(&session, &number, built, store.as_ref()).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let body = MessageBody {
        to: &recipient,
        content: &content,
        about: about.as_ref(),
        claim_token: None,
    };
    let call = Call::post(&[number.as_str(), "messages"], json!(body));
    if session.options.dry_run {
        session.show(&call);
        return Ok(ExitCode::SUCCESS);
    }
    let accepted = match session.gateway.send_message(&number, &body).await {
        Ok(accepted) => accepted,
        Err(error) => {
            if let Some(store) = &store {
                remember_refusal(store, &number, &recipient, &error).await;
            }
            return Err(failed(&call, &error));
        }
    };
    print(&session, &accepted.wamid, &content);
    if let Some(store) = store {
        let sent = Sent {
            number: &number,
            recipient: &recipient,
            reported: accepted.recipient.as_ref(),
            content: &content,
            about: about.as_ref(),
            wamid: &accepted.wamid,
            at: Clock::System.now(),
        };
        let recorded = store.record_sent(&sent).await;
        store.close().await;
        recorded.context("the message is sent, but could not be put into the history")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Message templates, to compare a message with.
struct Templates {
    /// As they were fetched, if they ever were.
    fetched: Option<TemplateFile>,
    /// As they are now, as far as that is known.
    states: TemplateStates,
}

impl Templates {
    async fn read(session: &Session, store: Option<&Store>) -> anyhow::Result<Self> {
        let fetched = crate::app::rules_loader::fetched(&session.settings.rules.file)?;
        let events = match store {
            Some(store) => store.template_status_events().await,
            None => Ok(Vec::new()),
        };
        let events = events.context("could not read the account events about templates")?;
        Ok(Self {
            states: template_status::states(fetched.as_ref(), &events),
            fetched,
        })
    }

    /// State of a message's template, if it is known.
    fn state_of(&self, template: &TemplateMessage<String>) -> Option<&TemplateState> {
        self.states.get(&template.name, &template.language)
    }
}

/// Refuses a reaction to no message.
fn names_its_message(content: &Outbound, about: Option<&Wamid>) -> anyhow::Result<()> {
    if matches!(content, Outbound::Reaction { .. }) && about.is_none() {
        return Err(Hint::error(
            "a reaction stands on a message, and none is named",
            "name it with --quote WAMID, as `replyd history --json` shows it",
        ));
    }
    Ok(())
}

/// Records that WhatsApp refused a free message because the contact has not written for 24 hours.
async fn remember_refusal(
    store: &Store,
    number: &PhoneNumberId,
    recipient: &Recipient,
    error: &SendError,
) {
    let SendError::Rejected(rejection) = error else {
        return;
    };
    if rejection.class() != ErrorClass::WindowClosed {
        return;
    }
    let at = Clock::System.now();
    if let Err(error) = store.close_window(number, recipient, at).await {
        let warning = paint(WARN, "warning:");
        terminal::note!("{warning} could not record WhatsApp's refusal: {error}");
    }
}

fn failed(call: &Call, error: &SendError) -> anyhow::Error {
    match error {
        SendError::Unknown(_) => Hint::error(
            format!("{error}: it may have been sent"),
            "look at `replyd history` for its receipts before you send it again",
        ),
        SendError::NotSent(_) | SendError::Rejected(_) => explain(call, error),
    }
}

fn print(session: &Session, wamid: &Wamid, content: &Outbound) {
    if session.options.json {
        terminal::json_line(&json!({ "wamid": wamid.as_str(), "kind": content.kind_name() }));
        return;
    }
    terminal::line(terminal::one_line(wamid.as_str()));
    terminal::note!(
        "{} {}; receipts tell whether it arrives",
        paint(GOOD, "accepted:"),
        content.kind_name()
    );
}

/// Fails with every limit that the message breaks.
fn check(content: &Outbound) -> anyhow::Result<()> {
    let violations = limits::violations(content);
    if violations.is_empty() {
        return Ok(());
    }
    let lines = violations.iter().map(|violation| {
        let help = violation.help.as_ref().map(|help| format!(" ({help})"));
        format!(
            "  {}: {}{}",
            violation.part,
            violation.message,
            help.unwrap_or_default()
        )
    });
    let lines: Vec<String> = lines.collect();
    anyhow::bail!("WhatsApp would not take this message\n{}", lines.join("\n"))
}

/// Refuses a template that Meta does not send, compares it with the fetched ones, if some ever were,
/// as `replyd check` does, and completes it.
fn compare(content: &mut Outbound, templates: &Templates) -> anyhow::Result<()> {
    let Outbound::Template(template) = content else {
        return Ok(());
    };
    if let Some(state) = templates.state_of(template).filter(|it| it.is_stopped()) {
        return Err(Hint::error(
            format!(
                "the template `{}` is {}: Meta does not send it",
                template.name,
                terminal::visible(&state.status)
            ),
            "look at it in WhatsApp Manager; `replyd templates sync` fetches its present state",
        ));
    }
    let Some(fetched) = &templates.fetched else {
        return Ok(());
    };
    let shapes = fetched.templates.iter();
    let of_name: Vec<&TemplateShape> = shapes.filter(|it| it.name == template.name).collect();
    let shape = of_name.iter().find(|it| it.language == template.language);
    let Some(shape) = shape else {
        return Err(unknown(template, &of_name, &fetched.synced_at));
    };
    shape.complete(template);
    let differences = shape.differences(template);
    if differences.is_empty() {
        return Ok(());
    }
    let lines = differences
        .iter()
        .map(|(part, message)| format!("  {part}: {message}"));
    let lines: Vec<String> = lines.collect();
    Err(Hint::error(
        format!(
            "the template `{}` takes something else\n{}",
            template.name,
            lines.join("\n")
        ),
        "`replyd templates show` tells what it takes; buttons are given with --reply",
    ))
}

/// Refuses a one-time code to a contact without a phone number.
fn fits_recipient(content: &Outbound, recipient: &Recipient) -> anyhow::Result<()> {
    match (content, recipient) {
        (Outbound::Template(template), Recipient::UserId(_)) if template.authentication => {
            Err(Hint::error(
                "WhatsApp sends one-time codes to phone numbers only (131062)",
                "send it to the phone number, or ask for it: `ask_contact` in --reply",
            ))
        }
        _ => Ok(()),
    }
}

/// Describes a template that is not among the fetched ones, or not in this language.
fn unknown(
    template: &TemplateMessage<String>,
    of_name: &[&TemplateShape],
    synced_at: &str,
) -> anyhow::Error {
    let again = "if it is new, fetch the templates again: `replyd templates sync`";
    if of_name.is_empty() {
        let message = format!(
            "there is no template `{}` among those of {synced_at}",
            terminal::visible(&template.name)
        );
        return Hint::error(message, again);
    }
    let languages: Vec<&str> = of_name.iter().map(|it| it.language.as_str()).collect();
    Hint::error(
        format!(
            "the template `{}` has no `{}`",
            template.name,
            terminal::visible(&template.language)
        ),
        format!("it has {}; {again}", languages.join(", ")),
    )
}

/// Opens the database. Without one the message is sent, but not recorded.
async fn open(session: &Session) -> anyhow::Result<Option<Store>> {
    let url = &session.settings.database.url;
    match Store::open_for_cli(url).await {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Missing(_)) => Ok(None),
        Err(error) => Err(anyhow::Error::from(error).context(format!("could not open `{url}`"))),
    }
}

/// Refuses a message that the contact has opted out of, or that WhatsApp no longer accepts.
fn may_send(
    eligibility: &SendEligibility,
    content: &Outbound,
    templates: &Templates,
) -> anyhow::Result<()> {
    if eligibility.opted_out {
        return Err(Hint::error(
            "the contact has opted out of all messages",
            "the contact wrote one of the words of `[opt_out]`; one of `[opt_in]` ends that",
        ));
    }
    if let Outbound::Template(template) = content {
        let state = templates.state_of(template);
        let is_marketing = state.is_some_and(TemplateState::is_marketing);
        if is_marketing && eligibility.no_marketing {
            return Err(Hint::error(
                "the contact has opted out of marketing messages",
                "WhatsApp would refuse it too (131050)",
            ));
        }
        return Ok(());
    }
    // Without an inbound message the window is unknown: WhatsApp decides.
    let is_over = eligibility
        .last_inbound
        .is_some_and(|last| over(last, Clock::System.now()));
    let refused = match (is_over, eligibility.window_closed) {
        (true, _) => "the contact has not written in the last 24 hours",
        (false, Some(_)) => {
            "WhatsApp refused the last message (131047), and the contact has not written since"
        }
        (false, None) => return Ok(()),
    };
    Err(Hint::error(
        refused,
        "only a template may be sent now: --template NAME --language LANGUAGE",
    ))
}

fn over(last: Timestamp, now: Timestamp) -> bool {
    now.duration_since(last) >= SERVICE_WINDOW
}

/// Uploads the attached file, unless an earlier upload is still valid, and puts its id into the
/// message. `None` after a dry run, which prints the upload in place of an id.
async fn with_file(
    session: &Session,
    number: &PhoneNumberId,
    built: Built,
    store: Option<&Store>,
) -> anyhow::Result<Option<Outbound>> {
    let Built { content, attached } = built;
    let Some(Attached { mut local, place }) = attached else {
        return Ok(Some(content));
    };
    let sha256 = local.sha256().await?;
    let mime_type = local.described.mime_type.clone();
    let upload = Upload {
        number,
        sha256: &sha256,
        mime_type: &mime_type,
    };
    let now = Clock::System.now();
    let known = match store {
        Some(store) => store.find_upload(&upload, now).await?,
        None => None,
    };
    let id = if let Some(id) = known {
        terminal::note(paint!(DIM, "uploaded before, as {id}"));
        id
    } else {
        let Some(id) = local.upload(session, number).await? else {
            terminal::note!(
                "{} goes out with the id that this upload gives",
                paint(LITERAL, content.kind_name())
            );
            return Ok(None);
        };
        if let Some(store) = store {
            store.record_upload(&upload, &id, now).await?;
        }
        id
    };
    Ok(Some(place(content, MediaSource::Id(id))))
}
