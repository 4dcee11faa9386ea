//! What keeps the service from working, and what its owner should look at. The part that notices a
//! condition sets and clears it; `/readyz` of the admin listener shows them all.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// One thing that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The database cannot be written or is not the one that was opened.
    Database,
    /// A check found the database damaged: nothing is written and nothing is sent.
    Damage,
    /// The rules on the disk do not pass the check; older ones answer.
    Rules,
    /// WhatsApp disabled, flagged or restricted the account or one of its numbers.
    Account,
    /// The clock of this machine does not agree with WhatsApp's.
    Clock,
    /// Messages wait for a person: their fate is unknown.
    HeldSends,
    /// The database is a restored copy: nothing is sent until its owner says so.
    Restored,
}

impl Condition {
    /// Whether webhooks must go elsewhere or wait while it lasts.
    #[must_use]
    pub fn blocks(self) -> bool {
        match self {
            Self::Database | Self::Damage => true,
            Self::Rules | Self::Account | Self::Clock | Self::HeldSends | Self::Restored => false,
        }
    }

    /// In one word, as `/readyz` shows it.
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

/// Every condition that holds now, each with a sentence that says what is wrong and what to do.
#[derive(Debug, Default)]
pub struct Conditions(Mutex<BTreeMap<Condition, String>>);

impl Conditions {
    /// Sets a condition with its sentence, or clears it. Says whether that is a change.
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

    /// All of them, those that block first.
    #[must_use]
    pub fn list(&self) -> Vec<(Condition, String)> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .map(|(condition, sentence)| (*condition, sentence.clone()))
            .collect()
    }
}
