//! Meta's wire format, in and out: the only module that knows how WhatsApp writes things down.
//!
//! Pure: bytes and JSON on one side, [`crate::message`] on the other; no IO, no clock, no logs. A webhook goes
//! through [`signature`] and [`webhook`], a reply through [`send`]; [`codes`] says what an error code means for
//! us; [`manage`] is for the owner's commands. Next on the way of a message: `crate::intake`.

mod account;
mod bounds;
pub mod codes;
mod content;
mod events;
mod fields;
pub mod graph;
pub mod manage;
pub mod media;
mod people;
pub mod send;
pub mod signature;
pub mod standing;
pub mod webhook;
