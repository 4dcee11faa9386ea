//! Graph's side of the sandbox, one file per edge: what it accepts, answers and refuses.
//!
//! `request` reads and authorizes requests, `response` writes pages and errors, `validate` holds
//! Graph's checks of messages. Maton's own API stands in `connections`.

pub(super) mod connections;
pub(super) mod media;
pub(super) mod messages;
pub(super) mod numbers;
pub(super) mod object;
pub(super) mod profile;
mod request;
mod response;
pub(super) mod templates;
mod validate;
