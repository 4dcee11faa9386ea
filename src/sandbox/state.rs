//! What happened in the pretend WhatsApp: every request, and every phone's screen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::faults::Fault;

/// Everything that happened.
#[derive(Debug, Default)]
pub struct State {
    /// Every Graph request, in the order it came.
    pub requests: Vec<Request>,
    /// What each phone shows, by phone number or user id.
    pub screens: BTreeMap<String, Vec<Bubble>>,
    /// Ids of people's messages that the service acknowledged with 200.
    pub acknowledged: BTreeSet<String>,
    /// Webhook posts that were answered with something else.
    pub refused_webhooks: usize,
    /// Files by media id.
    pub(super) files: BTreeMap<String, StoredFile>,
    /// How many files there have been.
    stored: u64,
    /// Templates, profiles and connections.
    pub account: Account,
    pub(super) faults: VecDeque<Fault>,
    pub(super) released: usize,
    pub(super) stalling: usize,
}

/// One Graph request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The business number in the path.
    pub phone_number_id: String,
    /// `to` without its plus, or `recipient`.
    pub recipient: std::option::Option<String>,
    /// `biz_opaque_callback_data`.
    pub tag: std::option::Option<String>,
    /// The whole body.
    pub body: Value,
    /// What came of it.
    pub verdict: Verdict,
}

/// A file, uploaded by the business or sent by a person.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The business number it belongs to.
    pub phone_number_id: String,
    /// As it was said with the upload.
    pub mime_type: String,
    /// As it was said with the upload.
    pub filename: std::option::Option<String>,
    /// All of it.
    pub bytes: Bytes,
}

impl fmt::Debug for StoredFile {
    /// Megabytes would hide the rest of a [`State`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFile")
            .field("phone_number_id", &self.phone_number_id)
            .field("mime_type", &self.mime_type)
            .field("filename", &self.filename)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// What came of a Graph request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Sent under this id.
    Accepted(String),
    /// A read mark, taken.
    Marked,
    /// Refused with this Graph code; 0 for a proxy's own refusal.
    Refused(i64),
}

/// Who wrote a bubble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The business.
    Business,
    /// The person with the phone.
    Person,
}

/// One message on a phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bubble {
    /// Whose it is.
    pub side: Side,
    /// What stands in it, without its buttons.
    pub text: String,
    /// What can be tapped.
    pub options: Vec<Option>,
    /// Its id.
    pub wamid: String,
    /// Theirs: the business has marked it read.
    pub read: bool,
}

/// A button or row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Option {
    /// Comes back when tapped.
    pub id: String,
    /// What the person sees.
    pub title: String,
    /// The second line of a row.
    pub description: std::option::Option<String>,
    /// `button_reply` or `list_reply`.
    pub kind: String,
    /// The message it belongs to.
    pub of: String,
}

impl State {
    /// Sends that were accepted, in order.
    pub fn accepted(&self) -> impl Iterator<Item = &Request> {
        self.requests
            .iter()
            .filter(|request| matches!(request.verdict, Verdict::Accepted(_)))
    }

    /// Read marks that were taken, by the id of the message they mark.
    pub fn marked(&self) -> impl Iterator<Item = &str> {
        self.requests
            .iter()
            .filter(|request| request.verdict == Verdict::Marked)
            .filter_map(|request| request.body["message_id"].as_str())
    }

    /// Whether a send is held by [`Fault::Stall`] now.
    #[must_use]
    pub fn stalled(&self) -> bool {
        self.stalling > 0
    }

    /// A file by its media id; deleted ones are gone.
    #[must_use]
    pub fn file(&self, media_id: &str) -> std::option::Option<&StoredFile> {
        self.files.get(media_id)
    }

    /// Keeps a file under a new id; ids count up, so that tests know them.
    pub(super) fn keep(&mut self, file: StoredFile) -> String {
        const FIRST: u64 = 900_200;
        let id = (FIRST + self.stored).to_string();
        self.stored += 1;
        self.files.insert(id.clone(), file);
        id
    }

    /// What the business wrote to this phone, in order.
    #[must_use]
    pub fn replies(&self, phone: &str) -> Vec<&str> {
        let screen = self.screens.get(phone).into_iter().flatten();
        screen
            .filter(|bubble| bubble.side == Side::Business)
            .map(|bubble| bubble.text.as_str())
            .collect()
    }

    /// What can be tapped now: the options of the newest message that has some.
    #[must_use]
    pub fn options(&self, phone: &str) -> &[Option] {
        let screen = self.screens.get(phone).into_iter().flatten();
        let newest = screen.rev().find(|bubble| !bubble.options.is_empty());
        newest.map_or(&[], |bubble| &bubble.options)
    }

    /// The newest button or row with this id, title or number (from 1, in the newest message).
    #[must_use]
    pub fn option(&self, phone: &str, wanted: &str) -> std::option::Option<&Option> {
        let screen = self.screens.get(phone).into_iter().flatten();
        let all = || screen.clone().rev().flat_map(|bubble| &bubble.options);
        let title = wanted.to_lowercase();
        all()
            .find(|option| option.id == wanted)
            .or_else(|| all().find(|option| option.title.to_lowercase() == title))
            .or_else(|| {
                let number: usize = wanted.parse().ok()?;
                self.options(phone).get(number.checked_sub(1)?)
            })
    }

    pub(super) fn knows(&self, wamid: &str) -> bool {
        let mut bubbles = self.screens.values().flatten();
        bubbles.any(|bubble| bubble.side == Side::Person && bubble.wamid == wamid)
    }

    pub(super) fn mark_read(&mut self, wamid: &str) {
        let holds = |screen: &&mut Vec<Bubble>| screen.iter().any(|bubble| bubble.wamid == wamid);
        let Some(screen) = self.screens.values_mut().find(holds) else {
            return;
        };
        for bubble in screen {
            bubble.read |= bubble.side == Side::Person;
            if bubble.wamid == wamid {
                break; // a mark covers the message and all before it
            }
        }
    }
}

impl Option {
    /// The type-dependent part of the message that tapping it sends.
    #[must_use]
    pub fn tapped(&self) -> Value {
        let mut reply = json!({ "id": self.id, "title": self.title });
        if let Some(description) = &self.description {
            reply["description"] = json!(description);
        }
        json!({
            "type": "interactive",
            "context": { "from": "15550001111", "id": self.of },
            "interactive": { "type": self.kind, self.kind.as_str(): reply },
        })
    }
}
