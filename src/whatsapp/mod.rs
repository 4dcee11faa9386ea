//! Meta's wire format in both directions; no other module knows it.
//!
//! Pure: bytes and JSON on one side, [`crate::message`] on the other; no IO, no clock, no logs. A
//! webhook passes through [`signature`] and `inbound`, a reply through `outbound`; `error_codes`
//! classifies Graph's errors, `account_status` derives problems of the account, `template_status` the
//! present state of templates, and `account_api`
//! serves the owner's commands. Next on the way of a message: `crate::intake`.

pub mod account_api;
pub mod account_status;
pub mod api_call;
mod bounds;
pub mod error_codes;
pub mod inbound;
pub mod media;
pub mod outbound;
pub(crate) mod raw_json;
pub mod signature;
pub mod template_status;
