//! Meta's wire format, in and out: the only module that knows how WhatsApp writes things down.
//!
//! Pure: bytes and JSON on one side, [`crate::message`] on the other; no IO, no clock, no logs. A webhook goes
//! through [`signature`] and [`webhook`], a reply through [`send`]; [`codes`] says what an error code means for
//! us. Next on the way of a message: `crate::intake`.

pub mod codes;
mod content;
mod events;
mod fields;
pub mod send;
pub mod signature;
pub mod webhook;
