//! State of the sandbox: every request, every phone's screen, files, and the account.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::faults::Fault;

/// Everything that happened since the start.
#[derive(Debug, Default)]
pub struct State {
    /// Every request to send or to mark as read, in the order of arrival.
    pub requests: Vec<Request>,
    /// Messages on each phone, by phone number or user id.
    pub screens: BTreeMap<String, Vec<Bubble>>,
    /// Ids of contacts' messages that the service acknowledged with 200.
    pub acknowledged: BTreeSet<String>,
    /// Number of webhook posts that were answered with another status.
    pub refused_webhooks: usize,
    /// Files by media id.
    pub(super) files: BTreeMap<String, StoredFile>,
    /// Number of files stored since the start.
    stored: u64,
    /// Templates, profiles and connections.
    pub account: Account,
    /// Numbers that WhatsApp writes in another way than they are dialled.
    pub(super) written: BTreeMap<String, String>,
    pub(super) faults: VecDeque<Fault>,
    /// "Require app secret" is on: each Graph call needs the proof of its token.
    pub(super) requires_app_secret: bool,
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
    /// Outcome.
    pub verdict: Verdict,
}

/// File, uploaded by the business or sent by a contact.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The business number it belongs to.
    pub phone_number_id: String,
    /// MIME type given with the upload.
    pub mime_type: String,
    /// Name given with the upload.
    pub filename: std::option::Option<String>,
    /// Content.
    pub bytes: Bytes,
}

impl fmt::Debug for StoredFile {
    /// Shows the size instead of the content, which would hide the rest of a [`State`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFile")
            .field("phone_number_id", &self.phone_number_id)
            .field("mime_type", &self.mime_type)
            .field("filename", &self.filename)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Outcome of a Graph request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Sent under this id.
    Accepted(String),
    /// A read mark was accepted.
    Marked,
    /// Refused with this Graph code; 0 for a proxy's own refusal.
    Refused(i64),
}

/// Author of a bubble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The business.
    Business,
    /// The contact who holds the phone.
    Contact,
}

/// Message on a phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bubble {
    /// Author.
    pub side: Side,
    /// Text, without buttons.
    pub text: String,
    /// Buttons and rows.
    pub options: Vec<Option>,
    /// Message id.
    pub wamid: String,
    /// Whether the business has marked it as read; `false` for messages of the business.
    pub read: bool,
}

/// Button or row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Option {
    /// Id that a tap sends back.
    pub id: String,
    /// Label.
    pub title: String,
    /// Second line of a row.
    pub description: std::option::Option<String>,
    /// `button_reply` or `list_reply`.
    pub kind: String,
    /// Id of the message that offers it.
    pub of: String,
}

impl State {
    /// Iterates over accepted sends, in order.
    pub fn accepted(&self) -> impl Iterator<Item = &Request> {
        let requests = self.requests.iter();
        requests.filter(|request| matches!(request.verdict, Verdict::Accepted(_)))
    }

    /// Iterates over the message ids of accepted read marks.
    pub fn marked(&self) -> impl Iterator<Item = &str> {
        self.requests
            .iter()
            .filter(|request| request.verdict == Verdict::Marked)
            .filter_map(|request| request.body["message_id"].as_str())
    }

    /// Whether a send is stalled by [`Fault::Stall`].
    #[must_use]
    pub fn stalled(&self) -> bool {
        self.stalling > 0
    }

    /// Looks a file up by its media id; deleted files are not found.
    #[must_use]
    pub fn file(&self, media_id: &str) -> std::option::Option<&StoredFile> {
        self.files.get(media_id)
    }

    /// Stores a file under a new id; ids count up, so that tests can predict them.
    pub(super) fn add_file(&mut self, file: StoredFile) -> String {
        const FIRST: u64 = 900_200;
        let id = (FIRST + self.stored).to_string();
        self.stored += 1;
        self.files.insert(id.clone(), file);
        id
    }

    /// Texts of the business on this phone, in order.
    #[must_use]
    pub fn replies(&self, phone: &str) -> Vec<&str> {
        let screen = self.screens.get(phone).into_iter().flatten();
        screen
            .filter(|bubble| bubble.side == Side::Business)
            .map(|bubble| bubble.text.as_str())
            .collect()
    }

    /// Options of the newest message that has some.
    #[must_use]
    pub fn options(&self, phone: &str) -> &[Option] {
        let screen = self.screens.get(phone).into_iter().flatten();
        let newest = screen.rev().find(|bubble| !bubble.options.is_empty());
        newest.map_or(&[], |bubble| &bubble.options)
    }

    /// Finds the newest button or row with this id, title or number (from 1, in the newest
    /// message).
    #[must_use]
    pub fn option(&self, phone: &str, wanted: &str) -> std::option::Option<&Option> {
        let screen = self.screens.get(phone).into_iter().flatten();
        let options = || screen.clone().rev().flat_map(|bubble| &bubble.options);
        let title = wanted.to_lowercase();
        options()
            .find(|option| option.id == wanted)
            .or_else(|| options().find(|option| option.title.to_lowercase() == title))
            .or_else(|| {
                let number: usize = wanted.parse().ok()?;
                self.options(phone).get(number.checked_sub(1)?)
            })
    }

    pub(super) fn knows(&self, wamid: &str) -> bool {
        let mut bubbles = self.screens.values().flatten();
        bubbles.any(|bubble| bubble.side == Side::Contact && bubble.wamid == wamid)
    }

    pub(super) fn mark_read(&mut self, wamid: &str) {
        let holds = |screen: &&mut Vec<Bubble>| screen.iter().any(|bubble| bubble.wamid == wamid);
        let Some(screen) = self.screens.values_mut().find(holds) else {
            return;
        };
        for bubble in screen {
            bubble.read |= bubble.side == Side::Contact;
            if bubble.wamid == wamid {
                break; // a read mark covers the message and every earlier one
            }
        }
    }
}

impl Option {
    /// Type-dependent part of the message that a tap sends.
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
