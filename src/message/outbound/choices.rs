//! The ids of what a person can tap.

use super::{CardAction, Outbound};

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
    /// What a person can tap: each id with its label, in order.
    #[must_use]
    pub fn choices(&self) -> Vec<(String, String)> {
        let pair = |id: &String, title: &String| (id.clone(), title.clone());
        match self {
            Self::Buttons { buttons, .. } => buttons
                .iter()
                .map(|one| pair(&one.id, &one.title))
                .collect(),
            Self::List { sections, .. } => {
                let rows = sections.iter().flat_map(|section| &section.rows);
                rows.map(|row| pair(&row.id, &row.title)).collect()
            }
            Self::Carousel { cards, .. } => {
                let buttons = cards.iter().filter_map(|card| match &card.action {
                    CardAction::Buttons(buttons) => Some(buttons),
                    CardAction::Link(_) => None,
                });
                buttons
                    .flatten()
                    .map(|one| pair(&one.id, &one.title))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}
