//! Buttons and rows on the screen of a simulated phone, of the last answer and of all before it.

use crate::engine::Reply;
use crate::message::Content;
use crate::rules::button_id;

/// Everything that a contact can tap, each as the message that the tap sends; the newest answer
/// comes first.
#[derive(Debug, Default)]
pub(crate) struct Offered(Vec<Content>);

impl Offered {
    /// Adds the buttons and rows of an answer.
    pub(crate) fn add(&mut self, replies: &[Reply]) {
        let taps = replies.iter().flat_map(|reply| reply.content.taps());
        self.0.splice(0..0, taps);
    }

    /// Finds a tap by the owner's id or by the title. When several messages offer it, that of the
    /// newest answer counts.
    pub(crate) fn find(&self, wanted: &str) -> Option<&Content> {
        self.0
            .iter()
            .find(|tap| owner_id(tap) == Some(wanted) || tap.text_or_label() == Some(wanted))
    }

    /// Lists the owner's ids, each once.
    pub(crate) fn ids(&self) -> Vec<&str> {
        distinct(self.0.iter().filter_map(owner_id))
    }

    /// Lists the titles, each once.
    pub(crate) fn titles(&self) -> Vec<&str> {
        distinct(self.0.iter().filter_map(Content::text_or_label))
    }
}

fn owner_id(tap: &Content) -> Option<&str> {
    tap.button().map(button_id::owner_id)
}

fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut distinct = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}
