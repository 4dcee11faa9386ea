//! Buttons and rows of outbound messages: their ids, and the messages that taps on them send.

use super::{Button, CardAction, Outbound, Row, TemplateButton};
use crate::message::Content;

impl Outbound {
    /// Replaces the id of every button and row.
    pub fn rename_choices(&mut self, rename: impl Fn(&str) -> String) {
        let ids: Vec<&mut String> = match self {
            Self::Buttons { buttons, .. } => {
                buttons.iter_mut().map(|button| &mut button.id).collect()
            }
            Self::List { sections, .. } => {
                let rows = sections.iter_mut().flat_map(|section| &mut section.rows);
                rows.map(|row| &mut row.id).collect()
            }
            Self::Carousel { cards, .. } => {
                let buttons = cards.iter_mut().filter_map(|card| match &mut card.action {
                    CardAction::Buttons(buttons) => Some(buttons),
                    CardAction::Link(_) => None,
                });
                buttons.flatten().map(|button| &mut button.id).collect()
            }
            _ => Vec::new(),
        };
        for id in ids {
            *id = rename(id);
        }
    }

    /// Lists the messages that taps on the buttons and rows send, in order.
    #[must_use]
    pub fn taps(&self) -> Vec<Content> {
        match self {
            Self::Buttons { buttons, .. } => buttons.iter().map(Button::tap).collect(),
            Self::List { sections, .. } => {
                let rows = sections.iter().flat_map(|section| &section.rows);
                rows.map(Row::tap).collect()
            }
            Self::Carousel { cards, .. } => {
                let buttons = cards.iter().filter_map(|card| match &card.action {
                    CardAction::Buttons(buttons) => Some(buttons),
                    CardAction::Link(_) => None,
                });
                buttons.flatten().map(Button::tap).collect()
            }
            Self::Template(template) => {
                let cards = template.cards.iter().flat_map(|card| &card.buttons);
                let buttons = template.buttons.iter().chain(cards);
                buttons.filter_map(TemplateButton::tap).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Button {
    fn tap(&self) -> Content {
        Content::ButtonReply {
            id: self.id.clone(),
            title: self.title.clone(),
        }
    }
}

impl Row {
    fn tap(&self) -> Content {
        Content::ListReply {
            id: self.id.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
        }
    }
}

impl TemplateButton {
    /// Returns the message of a quick reply. Only Meta has its label, so that the payload replaces
    /// it.
    fn tap(&self) -> Option<Content> {
        match self {
            Self::Payload(_, payload) => Some(Content::TemplateButton {
                payload: payload.clone(),
                text: payload.clone(),
            }),
            Self::Url(..)
            | Self::Code(..)
            | Self::Form(..)
            | Self::Catalog(..)
            | Self::Products(..) => None,
        }
    }
}
