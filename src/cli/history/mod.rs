//! Commands on the recorded history: conversations, outbox, account events, replay, gaps.

pub(crate) mod conversations;
pub(crate) mod events;
pub(crate) mod gaps;
pub(crate) mod options;
pub(crate) mod outbox;
pub(crate) mod replay;
pub(crate) mod why;
