//! Transcript of a `[[test]]`, shown when the test fails.

use std::collections::BTreeSet;

use crate::engine::Reply;

/// Messages of a test so far, in order.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Name of the contact that writes or is answered; empty for the first contact.
    contact: String,
    speaker: Speaker,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    Contact,
    Bot,
    /// The bot does not answer.
    Nobody,
}

impl Transcript {
    pub(crate) fn add_message(&mut self, contact: &str, text: &str) {
        self.add(contact, Speaker::Contact, text);
    }

    pub(crate) fn add_reply(&mut self, contact: &str, reply: &Reply) {
        let text = format!("{}   ({})", reply.content.transcript_text(), reply.rule);
        self.add(contact, Speaker::Bot, &text);
    }

    pub(crate) fn add_no_reply(&mut self, contact: &str) {
        self.add(contact, Speaker::Nobody, "(nothing)");
    }

    fn add(&mut self, contact: &str, speaker: Speaker, text: &str) {
        self.entries.push(Entry {
            contact: contact.to_owned(),
            speaker,
            text: text.to_owned(),
        });
    }

    /// Formats the transcript by line, with the speakers in a column of their own.
    pub(crate) fn lines(&self) -> Vec<String> {
        let entries = self.entries.iter();
        let contacts: BTreeSet<&str> = entries.map(|entry| entry.contact.as_str()).collect();
        let several = contacts.len() > 1;
        let labels = self.entries.iter().map(|entry| entry.label(several));
        let labels: Vec<String> = labels.collect();
        let widths = labels.iter().map(|label| label.chars().count());
        let width = widths.max().unwrap_or_default().max("user".len());
        let mut lines = Vec::new();
        for (entry, label) in self.entries.iter().zip(&labels) {
            let mut speaker = label.as_str();
            for line in entry.text.split('\n') {
                lines.push(format!("{speaker:width$}  {line}"));
                speaker = "";
            }
        }
        lines
    }
}

impl Entry {
    /// Names the speaker; among several contacts, the contact too.
    fn label(&self, several: bool) -> String {
        let is_named = several && !self.contact.is_empty();
        let name = if is_named { &self.contact } else { "user" };
        match self.speaker {
            Speaker::Contact => name.to_owned(),
            Speaker::Bot if several => format!("bot to {name}"),
            Speaker::Bot => "bot".to_owned(),
            Speaker::Nobody => String::new(),
        }
    }
}
