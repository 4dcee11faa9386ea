//! What was said in a `[[test]]`, as a person reads it when the test fails.

use std::collections::BTreeSet;

use crate::engine::Reply;

/// Everything that was said until now.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    said: Vec<Said>,
}

#[derive(Debug)]
struct Said {
    /// Who says it, or to whom; empty for the first person.
    person: String,
    speaker: Speaker,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    Person,
    Bot,
    /// Nothing was answered.
    Nobody,
}

impl Transcript {
    pub(crate) fn person_says(&mut self, person: &str, text: &str) {
        self.say(person, Speaker::Person, text);
    }

    pub(crate) fn bot_says(&mut self, person: &str, reply: &Reply) {
        let text = format!("{}   ({})", reply.content.transcript_text(), reply.rule);
        self.say(person, Speaker::Bot, &text);
    }

    pub(crate) fn nothing_is_said(&mut self, person: &str) {
        self.say(person, Speaker::Nobody, "(nothing)");
    }

    fn say(&mut self, person: &str, speaker: Speaker, text: &str) {
        self.said.push(Said {
            person: person.to_owned(),
            speaker,
            text: text.to_owned(),
        });
    }

    /// Line by line; the speakers stand in a column of their own.
    pub(crate) fn lines(&self) -> Vec<String> {
        let persons: BTreeSet<&str> = self.said.iter().map(|one| one.person.as_str()).collect();
        let several = persons.len() > 1;
        let labels = self.said.iter().map(|one| one.label(several));
        let labels: Vec<String> = labels.collect();
        let widths = labels.iter().map(|label| label.chars().count());
        let width = widths.max().unwrap_or_default().max("user".len());
        let mut lines = Vec::new();
        for (one, label) in self.said.iter().zip(&labels) {
            let mut speaker = label.as_str();
            for line in one.text.split('\n') {
                lines.push(format!("{speaker:width$}  {line}"));
                speaker = "";
            }
        }
        lines
    }
}

impl Said {
    /// Who speaks; among several persons by name, and to whom.
    fn label(&self, several: bool) -> String {
        let name = if self.person.is_empty() || !several {
            "user"
        } else {
            &self.person
        };
        match self.speaker {
            Speaker::Person => name.to_owned(),
            Speaker::Bot if several => format!("bot to {name}"),
            Speaker::Bot => "bot".to_owned(),
            Speaker::Nobody => String::new(),
        }
    }
}
