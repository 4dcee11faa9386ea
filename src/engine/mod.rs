//! The decision on one event: pure, deterministic, explained.
//!
//! [`Engine::decide`] is the only place where answers are decided; the service, the terminal chat,
//! `replyd test` and `replyd replay` all call it. `decide` reads from top to bottom: the guards,
//! then the flow in progress (`flow`) or the rules (`select`), then the answer (`respond`). No file
//! calls one above it: ARCHITECTURE.md lists the floors. Next on the way of a message:
//! [`crate::store`], which calls it inside the transaction that stores the message.

mod action_request;
mod action_result;
mod context;
mod conversation_event;
mod coverage_point;
mod decide;
mod discard;
mod event;
mod experiment;
mod explanation;
mod failed_reply;
pub(crate) mod flow;
mod guards;
mod matching;
mod outcome;
mod render;
mod replies;
mod respond;
mod select;
mod time;
mod timers;
mod turn;

pub use conversation_event::{ConversationEvent, ConversationEventKind};
pub use coverage_point::CoveragePoint;
pub use decide::Engine;
pub(crate) use discard::discard_undone;
pub use event::EngineEvent;
pub use explanation::{Considered, Explanation, Trace, Verdict};
pub use turn::{Decision, LateDecision, Reply, RequestedAction, Turn};

#[cfg(test)]
mod tests;
