//! The nouns that every other module speaks of: who wrote, what came in, what goes out.
//!
//! Pure: no IO, no clock, no SQL. Everything here is plain data with the few rules that belong to the
//! noun itself. Next on the way of a message: [`crate::whatsapp`], which makes these from Meta's JSON.

mod action;
mod address;
mod content;
mod conversation;
mod event;
mod hex;
mod ids;
mod inbound;
pub mod limits;
pub mod media_file;
mod outbound;
mod receipt;
mod state;
mod template;

pub use action::{
    ACTION_TIMEOUT_MAX, Action, HttpCall, HttpMethod, MODEL, ModelCall, ModelChoice, ModelTurn,
    Outcome, Speaker, leaves_its_place,
};
pub use address::{Identity, Recipient};
pub use content::{Content, Kind, Media, Order, OrderItem};
pub use conversation::{Contact, Conversation};
pub use event::{
    AccountEvent, AccountNews, Consent, Event, Marketing, STANDING_FIELDS, Unreadable,
};
pub(crate) use hex::hex;
pub use ids::{PhoneNumberId, RuleId, RulesVersion, UserId, WaId, Wamid, is_id};
pub use inbound::{ContextInfo, Echo, Forwarded, Inbound, Profile, Referral, ReferredProduct};
pub use media_file::{FileKind, MediaFile};
pub use outbound::{
    Button, Card, CardAction, Commerce, ContactCard, Email, Form, FormName, Frame, Header,
    LinkButton, Media as OutboundMedia, MediaKind, MediaSource, Outbound, Phone, ProductSection,
    Row, Section, TemplateButton, TemplateCard, TemplateMessage, TemplateParameter,
};
pub use receipt::{DeliveryStatus, GraphError, Receipt};
pub use state::{Burst, Frame as FlowFrame, Later, Newer, Repeated, Run, State, Waiting};
pub use template::{ButtonShape, HeaderShape, TemplateFile, TemplateShape};
