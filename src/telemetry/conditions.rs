//! Conditions that stop the service or need the operator. The part that notices a condition sets
//! and clears it; `/readyz` of the admin listener shows all.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Kind of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The database cannot be written, or is not the one that was opened.
    Database,
    /// A check found the database damaged: nothing is written or sent.
    Damage,
    /// The rules on the disk do not pass the check; older rules are in use.
    Rules,
    /// WhatsApp disabled, flagged or restricted the account or one of its numbers.
    Account,
    /// Server time differs from WhatsApp's.
    Clock,
    /// Messages with an unknown result wait for an operator.
    HeldSends,
    /// The database is a restored copy: nothing is sent until its release.
    Restored,
}

impl Condition {
    /// Whether the service accepts no webhooks while the condition lasts.
    #[must_use]
    pub fn blocks(self) -> bool {
        match self {
            Self::Database | Self::Damage => true,
            Self::Rules | Self::Account | Self::Clock | Self::HeldSends | Self::Restored => false,
        }
    }

    /// Name, as `/readyz` shows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Damage => "damage",
            Self::Rules => "rules",
            Self::Account => "account",
            Self::Clock => "clock",
            Self::HeldSends => "held sends",
            Self::Restored => "restored",
        }
    }
}

/// Current conditions, each with a sentence about the problem and its remedy.
#[derive(Debug, Default)]
pub struct Conditions(Mutex<BTreeMap<Condition, String>>);

impl Conditions {
    /// Sets a condition with its sentence, or clears it. Returns whether that is a change.
    pub fn set(&self, condition: Condition, sentence: Option<String>) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sentence {
            Some(sentence) => {
                let before = held.insert(condition, sentence.clone());
                before.as_ref() != Some(&sentence)
            }
            None => held.remove(&condition).is_some(),
        }
    }

    /// Lists the conditions, those that block first.
    #[must_use]
    pub fn list(&self) -> Vec<(Condition, String)> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .map(|(condition, sentence)| (*condition, sentence.clone()))
            .collect()
    }
}
