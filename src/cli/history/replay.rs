//! `replyd replay`: compares the replies of other rules with the recorded ones.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::options;
use crate::cli::rules::load;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{self, BAD, DIM, GOOD, STRONG, paint};
use crate::clock::Clock;
use crate::engine::Engine;
use crate::message::{Action, ActionResult, Author, Inbound, Profile, QuotedMessage, counted};
use crate::simulator::replay::{Answer, PastEvent, replay};
use crate::store::{RecordedConversation, RecordedMessage};
use crate::whatsapp::inbound::{read_echo, read_message};

/// Number of conversations per page.
const TOGETHER: u32 = 500;

/// Shows what other rules would have answered to the messages of the past.
///
/// Every conversation is replayed from its beginning at its recorded times, with its flows, hours
/// and fields. Calls and models are not repeated: their recorded results are used. Nothing is sent
/// or stored.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The rules to try.
    #[arg(long, value_name = "FILE", default_value = "rules.toml")]
    rules: PathBuf,
    /// Tell only of messages since then: 30d, 12h, 2w.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what came to this number of ours, by Meta's id.
    #[arg(long, value_name = "ID", default_value = "")]
    number: String,
    /// So many examples of each difference.
    #[arg(long, default_value_t = 3)]
    examples: usize,
    #[command(flatten)]
    options: options::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (_, rules) = load::read(&arguments.rules)?;
    let engine = Engine::new(rules);
    let since = options::since(arguments.since.as_deref(), Clock::System.now())?;
    let store = arguments.options.open().await?;
    let total = store.count_inbound(&arguments.number).await;
    let total = total.context("could not count the messages")?;
    let until = store.last_stored().await;
    let wanted = Wanted {
        since,
        until: until.context("could not read the messages")?,
        examples: arguments.examples,
    };
    let progress = Progress::of_things("replaying", "messages", total);
    let mut report = Report::default();
    let (mut after, mut through) = (0, 0);
    loop {
        let page = store
            .recorded_conversations(after, TOGETHER, &arguments.number)
            .await;
        let page = page.context("could not read the messages")?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for past in &page {
            report.compare(&engine, past, &wanted);
            through += past.messages.iter().filter(|row| row.is_inbound).count() as u64;
            progress.at(through);
        }
    }
    progress.done();
    store.close().await;
    if arguments.options.json {
        report.print_json();
    } else {
        report.print(&terminal::path(&arguments.rules));
    }
    Ok(ExitCode::SUCCESS)
}

struct Wanted {
    since: Timestamp,
    /// End of the recorded period; timers after it are not fired.
    until: Timestamp,
    /// Number of examples per difference.
    examples: usize,
}

/// Differences, grouped by the rules that answered then and now.
#[derive(Default)]
struct Report {
    messages: u64,
    unreadable: u64,
    people: BTreeSet<i64>,
    groups: BTreeMap<(String, String), Group>,
}

#[derive(Default)]
struct Group {
    count: u64,
    people: BTreeSet<i64>,
    examples: Vec<Example>,
}

struct Example {
    asked: String,
    was: String,
    now: String,
}

/// Recorded answer.
#[derive(Default)]
struct Was<'p> {
    decision: &'p str,
    replies: Vec<&'p RecordedMessage>,
}

impl Report {
    fn compare(&mut self, engine: &Engine, past: &RecordedConversation, wanted: &Wanted) {
        let (events, asked) = events(past);
        let theirs = past.messages.iter().filter(|row| row.is_inbound).count();
        self.unreadable += (theirs - asked.len()) as u64;
        let recorded = Recorded::new(past);
        let conversation = past.conversation.clone();
        let answers = replay(
            engine,
            conversation,
            &events,
            |action| recorded.take(action),
            wanted.until,
        );
        let then = answers_of(past);
        for (message, answer) in asked.into_iter().zip(answers) {
            if message.at < wanted.since {
                continue;
            }
            self.messages += 1;
            self.people.insert(past.id);
            let was = &then[&message.id];
            if is_same(was, &answer) {
                continue;
            }
            let rules_then = was.replies.iter().filter_map(|reply| reply.rule.as_deref());
            let rules_now = answer.replies.iter().map(|reply| reply.rule.as_str());
            let key = (
                label(rules_then, was.decision),
                label(rules_now, answer.decision.name()),
            );
            let group = self.groups.entry(key).or_default();
            group.count += 1;
            group.people.insert(past.id);
            // Skips texts that are among the examples already.
            let is_told = group
                .examples
                .iter()
                .any(|example| example.asked == message.text);
            if group.examples.len() < wanted.examples && !is_told {
                let was = was.replies.iter().map(|reply| reply.text.clone());
                let now = answer.replies.iter();
                let now = now.map(|reply| reply.content.transcript_text());
                group.examples.push(Example {
                    asked: message.text.clone(),
                    was: was.collect::<Vec<_>>().join("\n"),
                    now: now.collect::<Vec<_>>().join("\n"),
                });
            }
        }
    }

    fn sorted(&self) -> Vec<(&(String, String), &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
        groups
    }

    fn print(&self, name: &str) {
        let different: u64 = self.groups.values().map(|group| group.count).sum();
        let messages = counted(self.messages, "message");
        let people = counted(self.people.len(), "conversation");
        let style = if different == 0 { GOOD } else { STRONG };
        terminal::line(paint!(
            style,
            "{name}: {messages} of {people}, {different} answered differently"
        ));
        if self.unreadable > 0 {
            let unreadable = counted(self.unreadable, "message");
            terminal::note!("{unreadable} could not be read again");
        }
        for ((was, now), group) in self.sorted() {
            let count = group.count;
            let people = counted(group.people.len(), "conversation");
            let (was, now) = (terminal::one_line(was), terminal::one_line(now));
            let change = if was == now {
                format!("{was}: in other words")
            } else {
                format!("{was} → {now}")
            };
            let people = paint!(DIM, "in {people}");
            terminal::line!("\n{count} × {} {people}", paint(STRONG, change));
            for example in &group.examples {
                terminal::line(terminal::framed(terminal::CONTACT, &example.asked));
                terminal::line(shown("was: ", &example.was, BAD));
                terminal::line(shown("now: ", &example.now, GOOD));
            }
        }
    }

    fn print_json(&self) {
        for ((was, now), group) in self.sorted() {
            let examples = group.examples.iter();
            let examples = examples.map(
                |Example { asked, was, now }| json!({ "asked": asked, "was": was, "now": now }),
            );
            terminal::json_line(&json!({
                "was": was, "now": now, "count": group.count, "conversations": group.people.len(),
                "examples": examples.collect::<Vec<_>>(),
            }));
        }
    }
}

fn shown(what: &str, text: &str, style: anstyle::Style) -> String {
    if text.is_empty() {
        return format!("    {what}{}", paint(DIM, "nothing"));
    }
    let text = terminal::one_line(text);
    terminal::behind(&format!("    {what}"), "         ", style, &text)
}

/// Label of an answer: its rules, or the decision when no rule answered.
fn label<'r>(rules: impl Iterator<Item = &'r str>, decision: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for rule in rules {
        if !names.contains(&rule) {
            names.push(rule);
        }
    }
    if names.is_empty() {
        format!("({decision})")
    } else {
        names.join(" + ")
    }
}

fn is_same(was: &Was<'_>, answer: &Answer) -> bool {
    let same = |(then, now): (&&RecordedMessage, &crate::engine::Reply)| {
        let content = serde_json::to_string(&now.content).expect("its keys are strings");
        then.rule.as_deref() == Some(now.rule.as_str()) && then.raw == content
    };
    was.decision == answer.decision.name()
        && was.replies.len() == answer.replies.len()
        && was.replies.iter().zip(&answer.replies).all(same)
}

/// Reads the recorded events for the simulation, and the messages among them.
fn events(past: &RecordedConversation) -> (Vec<PastEvent>, Vec<&RecordedMessage>) {
    let number = &past.conversation.phone_number_id;
    let contact = &past.conversation.contact;
    let (mut events, mut asked) = (Vec::new(), Vec::new());
    let quotable = past.messages.iter();
    let quotable: HashMap<&str, &RecordedMessage> = quotable
        .filter_map(|row| Some((row.wamid.as_deref()?, row)))
        .collect();
    for row in &past.messages {
        if row.is_inbound {
            if let Some(message) = read_message(&row.raw, number, row.at) {
                let profile = Profile {
                    name: contact.name.clone(),
                    username: contact.username.clone(),
                };
                let mut message = Inbound {
                    profile,
                    // What came under `metadata`, beside the message, is not stored with it.
                    author: Author::from_origin(&row.origin),
                    ..*message
                };
                let quoted = message.target().and_then(|id| quotable.get(id.as_str()));
                message.context.quoted_message = quoted.map(|row| QuotedMessage {
                    text: row.text.clone(),
                    origin: row.origin.clone(),
                });
                events.push(PastEvent::Message(row.at, Box::new(message)));
                asked.push(row);
            }
        } else if row.origin == "phone_app"
            && let Some(echo) = read_echo(&row.raw, number, row.at)
        {
            events.push(PastEvent::Echo(row.at, echo));
        }
    }
    (events, asked)
}

/// Recorded answer of each message; replies of timers belong to the message before.
fn answers_of(past: &RecordedConversation) -> HashMap<i64, Was<'_>> {
    let mut answers: HashMap<i64, Was<'_>> = HashMap::new();
    let mut last = None;
    for row in &past.messages {
        if row.is_inbound {
            last = Some(row.id);
            let decision = row.decision.as_deref().unwrap_or_default();
            answers.entry(row.id).or_default().decision = decision;
        } else if row.origin == "bot"
            && let Some(to) = row.reply_to.or(last)
        {
            answers.entry(to).or_default().replies.push(row);
        }
    }
    answers
}

/// Recorded results of a conversation's actions; each is returned once.
struct Recorded(RefCell<HashMap<String, VecDeque<(ActionResult, Timestamp)>>>);

impl Recorded {
    fn new(past: &RecordedConversation) -> Self {
        let mut results: HashMap<String, VecDeque<_>> = HashMap::new();
        for (request, outcome, at) in &past.actions {
            if let Ok(outcome) = serde_json::from_str(outcome) {
                let same = results.entry(request.clone()).or_default();
                same.push_back((outcome, *at));
            }
        }
        Self(RefCell::new(results))
    }

    fn take(&self, action: &Action) -> Option<(ActionResult, Timestamp)> {
        let request = serde_json::to_string(action).expect("its keys are strings");
        self.0.borrow_mut().get_mut(&request)?.pop_front()
    }
}
