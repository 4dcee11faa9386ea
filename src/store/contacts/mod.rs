//! Contacts of updates and of sends: looked up, resolved ([`identity`]), merged and written, within
//! the transaction of the caller.

mod identity;
mod lookup;
mod merge;
mod recipient;
mod scopes;
mod write;

pub(super) use identity::{ContactRow, Contacts, Sighting};
pub(super) use lookup::{Lookup, Wanted, look_up};
pub(super) use merge::{merge, parse_state};
pub(super) use recipient::{Receiver, complete, find_or_add, hear};
pub(super) use scopes::{NumberRow, Scopes};
pub(super) use write::add;
