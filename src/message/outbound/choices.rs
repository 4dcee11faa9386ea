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
