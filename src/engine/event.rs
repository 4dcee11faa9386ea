//! Events that a turn decides on.

use crate::message::{ActionResult, Echo, FailedReply, Inbound};

/// Event that a turn decides on.
#[derive(Clone, Copy, Debug)]
pub enum EngineEvent<'a> {
    /// A message from the contact.
    Message(&'a Inbound),
    /// A message that a colleague sent to the contact from the phone app.
    Echo(&'a Echo),
    /// A due timer; each turn takes the earliest one.
    Timer,
    /// The end of an action.
    Action {
        /// Number of the action in this conversation.
        number: u64,
        /// Result of the action.
        outcome: &'a ActionResult,
    },
    /// A reply that WhatsApp refused or did not deliver.
    FailedReply(&'a FailedReply),
}
