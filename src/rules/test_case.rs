//! Conversations that the rules are tested with.

use std::ops::Range;
use std::time::Duration;

use jiff::civil::DateTime;

use crate::message::Kind;

/// A `[[test]]`.
#[derive(Clone, Debug)]
pub struct Test {
    /// Name of the test.
    pub name: String,
    /// Where its header stands, among the bytes of all files.
    pub span: Range<usize>,
    /// When it begins, in the zone of the bot; left out: at a time when the shop is open.
    pub at: Option<DateTime>,
    /// Lines of the conversation, in order.
    pub talk: Vec<Line>,
}

/// One line of a conversation.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it stands.
    pub span: Range<usize>,
    /// `as`: contact of the line; empty for the first contact.
    pub who: String,
    /// Event or expectation of the line.
    pub event: LineEvent,
}

/// Message of a contact other than a text or a tap.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its type; neither `text` nor `button`.
    pub kind: Kind,
    /// `with`: the answers of a form, by name.
    pub with: serde_json::Map<String, serde_json::Value>,
}

impl Sent {
    /// Types that have a key of their own in a line: `user` and `tap`.
    pub const NEVER: [Kind; 2] = [Kind::Text, Kind::Button];
}

/// Event or expectation in a line of a test.
#[derive(Clone, Debug)]
pub enum LineEvent {
    /// `user`: the contact writes a text.
    Says(String),
    /// `tap`: the contact taps a button, named by its id or title.
    Taps(String),
    /// `sends`: the contact sends a message of this type.
    Sends(Sent),
    /// `wait`: time passes.
    Waits(Duration),
    /// `bot`: the next reply has this text in it, and comes from this rule.
    Expects {
        /// A part of the text.
        text: Option<String>,
        /// The rule, or `flow/step`.
        rule: Option<String>,
    },
    /// `bot = false`: nothing is answered.
    ExpectsNothing,
    /// `result`: the action that waits gives this.
    Gives(serde_json::Value),
    /// `fails`: the action that waits fails.
    Fails(String),
}
