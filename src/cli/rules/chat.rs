//! `replyd chat`: a conversation with the rules in the terminal, without network and database.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use super::{explanation, load};
use crate::app::rules_loader::RulesFiles;
use crate::cli::terminal::bubble::{self, Tappable};
use crate::cli::terminal::{self, BAD, DIM, LITERAL, STRONG, paint};
use crate::clock::Clock;
use crate::diagnostics::duration;
use crate::diagnostics::sources::SourceMap;
use crate::engine::{
    ConversationEventKind, Decision, Engine, EngineEvent, Explanation, Trace, Turn,
};
use crate::message::{
    ActionResult, Contact, Content, Conversation, ConversationState, Identity, Inbound, Media,
    PhoneNumberId, WaId, Wamid,
};
use crate::rules::RuleSet;
use crate::simulator::offered::Offered;

const EXAMPLE: &str = include_str!("../../../examples/bakery.toml");
/// Largest number of timers that one `/wait` runs.
const TIMERS_MAX: usize = 100;
const GREETING: &str =
    "Write as a customer would; a number taps a button, and /help lists what else there is.";
const HELP: &str = "\
/tap TITLE  taps a button or row of an older message
/wait 8h    lets time pass
/why        explains the last answer
/image /voice /location  send such a message
/new        starts as another contact
/quit       ends";

/// Input is read line by line, so that a pipe works too.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Rules file [default: rules.toml when there is one, else the bakery's example].
    #[arg(value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Name of the contact who writes.
    #[arg(long, default_value = "Ana Lima")]
    name: String,
}

/// Talks until the input ends.
#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (name, rules) = read(arguments.rules.as_deref())?;
    let title = if rules.bot.name.is_empty() {
        &name
    } else {
        &rules.bot.name
    };
    let (title, name) = (
        paint(STRONG, terminal::name(title)),
        terminal::one_line(&name),
    );
    terminal::note!("{title} — {name}. {GREETING}");
    let engine = Engine::new(rules);
    let mut chat = Chat::new(&engine, arguments.name, Clock::System);
    let input = std::io::stdin();
    let typed_here = input.is_terminal();
    prompt(typed_here);
    for line in input.lock().lines() {
        let line = line.context("could not read what was typed")?;
        if line.trim() == "/quit" {
            break;
        }
        if !typed_here && !line.trim().is_empty() {
            let you = paint(LITERAL, "you › ");
            terminal::line(terminal::behind(&you, terminal::CONTACT, LITERAL, &line));
        }
        chat.take(line.trim());
        prompt(typed_here);
    }
    Ok(ExitCode::SUCCESS)
}

fn prompt(typed_here: bool) {
    if typed_here {
        terminal::prompt(paint(LITERAL, "you › "));
    }
}

/// Reads the rules; returns them with the name to show.
fn read(file: Option<&Path>) -> anyhow::Result<(String, RuleSet)> {
    let default = Path::new("rules.toml");
    let file = file.or_else(|| default.exists().then_some(default));
    let (name, files) = if let Some(file) = file {
        (terminal::path(file), RulesFiles::read(file)?)
    } else {
        let name = "the example rules";
        let files = RulesFiles {
            sources: SourceMap::new(name, EXAMPLE),
            paths: Vec::new(),
            templates: None,
        };
        (name.to_owned(), files)
    };
    let (_, rules) = load::compile(&name, files)?;
    Ok((name, rules))
}

struct Chat<'r> {
    engine: &'r Engine,
    clock: Clock,
    /// How far `/wait` has moved the time.
    waited: SignedDuration,
    name: String,
    contacts: u64,
    sent: u64,
    conversation: Conversation,
    /// Buttons and rows with a number: those of the last answer.
    tappable: Vec<Tappable>,
    /// Buttons and rows of all answers.
    offered: Offered,
    last: Option<Turn>,
}

impl<'r> Chat<'r> {
    fn new(engine: &'r Engine, name: String, clock: Clock) -> Self {
        let conversation = conversation(0, &name);
        Self {
            engine,
            clock,
            waited: SignedDuration::ZERO,
            name,
            contacts: 0,
            sent: 0,
            conversation,
            tappable: Vec::new(),
            offered: Offered::default(),
            last: None,
        }
    }

    /// Runs the command of a line, or sends the line as a message.
    fn take(&mut self, line: &str) {
        match line {
            "" => {}
            "/new" => {
                self.contacts += 1;
                self.conversation = conversation(self.contacts, &self.name);
                self.tappable.clear();
                self.offered = Offered::default();
                terminal::line(paint(DIM, "— another contact writes —"));
            }
            "/why" => self.explain(),
            "/image" => self.send(Content::Image(Media::default())),
            "/voice" => self.send(Content::Audio {
                media: Media::default(),
                voice: true,
            }),
            "/location" => self.send(Content::Location {
                latitude: 40.71,
                longitude: -74.0,
                name: None,
                address: None,
            }),
            _ if line.starts_with('/') => match line.split_once(' ') {
                Some(("/tap", wanted)) => self.tap(wanted.trim()),
                Some(("/wait", length)) => self.wait(length.trim()),
                _ => terminal::line(paint(DIM, HELP)),
            },
            _ => self.send(self.typed(line)),
        }
    }

    /// Taps a button or row of any message, by its title or id.
    fn tap(&mut self, wanted: &str) {
        if let Some(content) = self.offered.find(wanted).cloned() {
            self.send(content);
            return;
        }
        let (wanted, titles) = (terminal::one_line(wanted), self.offered.titles());
        let there = if titles.is_empty() {
            "no message has buttons or rows yet".to_owned()
        } else {
            format!("there are: {}", terminal::one_line(&titles.join(", ")))
        };
        terminal::line(paint!(DIM, "(nothing offers `{wanted}`; {there})"));
    }

    /// Moves the time on, from one due timer to the next.
    fn wait(&mut self, length: &str) {
        let Some(length) = duration::parse(length) else {
            let example = "write how long, as a number and s, m, h or d: /wait 8h";
            terminal::line(paint!(DIM, "({example})"));
            return;
        };
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let until = self.now().saturating_add(length).unwrap_or(Timestamp::MAX);
        self.waited = self.waited.saturating_add(length);
        // Bounded: each turn takes one timer.
        for _ in 0..TIMERS_MAX {
            let due = self.conversation.state.next_timer();
            let Some(due) = due.filter(|due| *due <= until) else {
                break;
            };
            let turn = self.decide(EngineEvent::Timer, due);
            self.show(turn, Silence::Expected);
        }
    }

    fn now(&self) -> Timestamp {
        let now = self.clock.now().saturating_add(self.waited);
        now.unwrap_or(Timestamp::MAX)
    }

    /// Content of a typed line: a tap if it is the number of an offered button or row.
    fn typed(&self, line: &str) -> Content {
        let number: Option<usize> = line.parse().ok();
        let index = number.and_then(|number| number.checked_sub(1));
        let tapped = index.and_then(|index| self.tappable.get(index));
        let body = line.to_owned();
        tapped.map_or(Content::Text { body }, Tappable::content)
    }

    fn send(&mut self, content: Content) {
        self.sent += 1;
        if content.button().is_some() {
            terminal::line(paint(DIM, terminal::one_line(&content.transcript_text())));
        }
        let now = self.now();
        let message = Inbound::new(
            self.conversation.phone_number_id.clone(),
            Wamid::parse(format!("wamid.CHAT{}", self.sent)).expect("not empty"),
            self.conversation.contact.identity.clone(),
            now,
            content,
        );
        let turn = self.decide(EngineEvent::Message(&message), now);
        self.conversation.inbound_count += 1;
        self.show(turn, Silence::Explained);
        // The debounce time ends at once in a terminal, and no external service is called.
        let debounce = self.conversation.state.debounce.as_ref();
        if let Some(due) = debounce.map(|debounce| debounce.due) {
            let turn = self.decide(EngineEvent::Timer, due);
            self.show(turn, Silence::Explained);
        }
        while let Some(action) = self.conversation.state.pending_actions.first() {
            let number = action.number;
            let outcome = &ActionResult::Failed("the terminal calls no services".to_owned());
            let incoming = EngineEvent::Action { number, outcome };
            let turn = self.decide(incoming, now);
            self.show(turn, Silence::Explained);
        }
    }

    fn decide(&self, event: EngineEvent<'_>, now: Timestamp) -> Turn {
        let engine = self.engine;
        engine.decide(&self.conversation, event, now, Trace::Considered)
    }

    /// Prints the replies of a turn and keeps its state.
    fn show(&mut self, turn: Turn, silence: Silence) {
        self.conversation.state = turn.state.clone();
        self.offered.add(&turn.replies);
        if !turn.replies.is_empty() {
            // Without offered buttons, a number is a text again.
            self.tappable.clear();
        }
        for reply in &turn.replies {
            let options = bubble::tappable(&reply.content);
            terminal::line(bubble::bubble(&reply.content));
            if !options.is_empty() {
                self.tappable = options;
            }
        }
        if let Some(note) = unsaid(&turn, silence) {
            terminal::line(paint!(DIM, "({})", terminal::one_line(&note)));
        }
        self.last = Some(turn);
    }

    fn explain(&self) {
        let Some(turn) = &self.last else {
            terminal::line(paint(DIM, "no messages yet"));
            return;
        };
        let (_, explanation) = verdict(turn);
        if let Some(text) = &explanation.normalized {
            terminal::line(paint!(DIM, "read as: {}", terminal::one_line(text)));
        }
        for considered in &explanation.considered {
            terminal::line(explanation::verdict(considered));
        }
        if let Some(note) = &explanation.note {
            terminal::line(paint(BAD, terminal::one_line(note)));
        }
    }
}

/// Whether a turn without replies is remarkable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// A message got no answer: the reason is shown.
    Explained,
    /// A timer was due, which often changes the state only.
    Expected,
}

/// Decision and explanation of a turn; those on the earlier message if that one waited.
fn verdict(turn: &Turn) -> (Decision, &Explanation) {
    let late = turn.late_decisions.last();
    late.map_or((turn.decision, &turn.explanation), |late| {
        (late.decision, &late.explanation)
    })
}

/// Explains why nothing, or nothing more, is answered.
fn unsaid(turn: &Turn, silence: Silence) -> Option<String> {
    let (decision, explanation) = verdict(turn);
    let note = explanation.note.as_deref();
    let mut events = turn.conversation_events.iter();
    let is_limited = decision == Decision::RateLimited
        || events.any(|event| event.kind == ConversationEventKind::RateLimited);
    if is_limited {
        let why = note.unwrap_or("the budget of replies is used up");
        let more = if turn.replies.is_empty() { "" } else { " more" };
        return Some(format!(
            "nothing{more} is answered: {why}; `/wait 1m` lets time pass, and `reply_budget` in [bot] sets the budget"
        ));
    }
    if !turn.replies.is_empty() || silence == Silence::Expected {
        return None;
    }
    match decision {
        Decision::Pending => None,
        Decision::NoMatch => Some("no rule matches, so nothing is answered".to_owned()),
        Decision::Silent => Some("a rule matches and says nothing; /why shows which".to_owned()),
        Decision::Failed => Some(format!("failed: {}", note.unwrap_or_default())),
        Decision::Answered
        | Decision::TooOld
        | Decision::RateLimited
        | Decision::Unsupported
        | Decision::LoopDetected
        | Decision::OptedOut
        | Decision::HandedOff => Some(note.unwrap_or("nothing is answered").to_owned()),
    }
}

fn conversation(number: u64, name: &str) -> Conversation {
    let phone = WaId::parse(format!("1555{number:07}")).expect("digits");
    Conversation {
        phone_number_id: PhoneNumberId::parse("chat").expect("not empty"),
        contact: Contact {
            identity: Identity::Phone(phone),
            name: Some(name.to_owned()),
            username: None,
            refuses_marketing: false,
        },
        inbound_count: 0,
        state: ConversationState::default(),
    }
}
