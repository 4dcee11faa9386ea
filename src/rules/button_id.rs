//! Ids of the buttons that a flow offers.
//!
//! A person may tap a button long after it was sent. Its id on the wire tells which question of

use crate::message::Content;

/// Prefix of the ids of flow buttons; ids written by owners cannot begin with it.
pub const MARK: char = '~';

/// A button of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowButtonId<'a> {
    /// The flow.
    pub flow: &'a str,
    /// The step.
    pub step: &'a str,
    /// Which run of the conversation offered it.
    pub run: u64,
    /// As the owner gave it.
    pub id: &'a str,
}

impl<'a> FlowButtonId<'a> {
    /// Reads the id of a tapped button; `None` when it is not one of a flow.
    #[must_use]
    pub fn parse(id: &'a str) -> Option<Self> {
        let mut parts = id.strip_prefix(MARK)?.splitn(4, '/');
        Some(Self {
            flow: parts.next()?,
            step: parts.next()?,
            run: parts.next()?.parse().ok()?,
            id: parts.next()?,
        })
    }

    /// The id on the wire.
    #[must_use]
    pub fn wire(&self) -> String {
        let Self {
            flow,
            step,
            run,
            id,
        } = self;
        format!("{MARK}{flow}/{step}/{run}/{id}")
    }
}

/// Returns the text that may be a command: a message, or the label of a tapped button that is not
/// one of a flow's own.
#[must_use]
pub fn command_text(content: &Content) -> Option<&str> {
    match content {
        Content::Text { body } => Some(body),
        Content::ButtonReply { id, title } if FlowButtonId::parse(id).is_none() => Some(title),
        Content::TemplateButton { text, .. } => Some(text),
        _ => None,
    }
}

/// Id that the owner gave a button, of a rule or of a flow.
#[must_use]
pub fn owner_id(id: &str) -> &str {
    FlowButtonId::parse(id).map_or(id, |tap| tap.id)
}

#[cfg(test)]
mod tests {
    use super::{FlowButtonId, owner_id};

    #[test]
    fn an_id_comes_back_from_the_wire() {
        let tap = FlowButtonId {
            flow: "cake",
            step: "size",
            run: 3,
            id: "l/xl",
        };

        assert_eq!(tap.wire(), "~cake/size/3/l/xl");
        assert_eq!(FlowButtonId::parse(&tap.wire()), Some(tap));
        assert_eq!(owner_id(&tap.wire()), "l/xl");
        assert_eq!(owner_id("plain/id"), "plain/id");
        assert_eq!(owner_id("~odd"), "~odd");
    }
}
