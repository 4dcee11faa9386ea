//! The nouns that every other module speaks of: who wrote, what came in, what goes out.
//!
//! Pure: no IO, no clock, no SQL. Everything here is plain data with the few rules that belong to the
//! noun itself. Next on the way of a message: [`crate::whatsapp`], which makes these from Meta's JSON.

mod address;
mod conversation;
mod event;
mod hex;
mod ids;
mod inbound;
pub mod limits;
mod outbound;
mod receipt;

pub use address::{Identity, Recipient};
pub use conversation::{Contact, Conversation, State};
pub use event::{AccountEvent, Event, Unreadable};
pub(crate) use hex::hex;
pub use ids::{PhoneNumberId, RuleId, RulesVersion, UserId, WaId, Wamid};
pub use inbound::{Content, ContextInfo, Inbound, Kind, Media};
pub use outbound::{Button, Header, Media as OutboundMedia, MediaKind, Outbound, Row, Section};
pub use receipt::{DeliveryStatus, GraphError, Receipt};
