//! Meta's wire format, in and out: the only module that knows how WhatsApp writes things down.
//!
//! Pure: bytes and JSON on one side, [`crate::message`] on the other; no IO, no clock, no logs. A
//! webhook goes through [`signature`] and `inbound`, a reply through `outbound`; `error_codes` says
//! what an error code means for us; `account_api` is for the owner's commands. Next on the way of a
//! message: `crate::intake`.

pub mod account_api;
pub mod api_call;
mod bounds;
pub mod error_codes;
pub mod inbound;
pub mod media;
pub mod outbound;
pub mod signature;
pub mod standing;
