//! What a person can tap: its ids, and what a tap sends.

use super::{Button, CardAction, Outbound, Row, TemplateButton};
use crate::message::Content;

impl Outbound {
    /// Gives every button and row another id.
    pub fn rename_choices(&mut self, rename: impl Fn(&str) -> String) {
        match self {
            Self::Buttons { buttons, .. } => {
                for button in buttons {
                    button.id = rename(&button.id);
                }
            }
            Self::List { sections, .. } => {
                for row in sections.iter_mut().flat_map(|section| &mut section.rows) {
                    row.id = rename(&row.id);
                }
            }
            Self::Carousel { cards, .. } => {
                for card in cards {
                    if let CardAction::Buttons(buttons) = &mut card.action {
                        for button in buttons {
                            button.id = rename(&button.id);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

impl Outbound {
    /// What a person can tap, in order: the message that each tap sends.
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
    /// The label stands in the template, which Meta has; the payload stands for it here.
    fn tap(&self) -> Option<Content> {
        match self {
            Self::Payload(_, payload) => Some(Content::TemplateButton {
                payload: payload.clone(),
                text: payload.clone(),
            }),
            Self::Url(..) | Self::Code(..) | Self::Form(..) => None,
        }
    }
}
