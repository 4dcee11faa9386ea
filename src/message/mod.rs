//! Data types that all modules share: contacts, inbound and outbound messages, events, state.
//!
//! Pure: no IO, no clock, no SQL; plain data with the few rules that belong to a type itself. Next
//! on the way of a message: [`crate::whatsapp`], which parses Meta's JSON into these types.

mod action;
mod conversation;
mod conversation_state;
mod counted;
mod event;
mod failure;
mod identity;
mod ids;
mod inbound;
pub mod limits;
pub mod media_file;
mod message_template;
mod outbound;
mod phone_spelling;
mod profile;
mod receipt;

pub use action::{
    ACTION_TIMEOUT_MAX, Action, ActionResult, HttpCall, HttpMethod, MODEL, ModelCall, ModelChoice,
    ModelTurn, Speaker, has_dot_segments,
};
pub use conversation::{Contact, Conversation};
pub use conversation_state::{
    ConversationState, Debounce, FlowFrame, FlowRun, PendingAction, Repeated, ScheduledReply,
};
pub(crate) use counted::counted;
pub use event::{
    ACCOUNT_STATUS_FIELDS, AccountEvent, AccountStatusEvent, Consent, Event, Marketing,
    TEMPLATE_STATUS_FIELDS, Unreadable,
};
pub use failure::{
    ErrorClass, FailedReply, Failure, LaterAnswer, MARKETING_STOPPED, WINDOW_CLOSED,
};
pub use identity::{Identity, Recipient, RecipientReport};
pub use ids::{PhoneNumberId, RuleId, RulesVersion, UserId, WaId, Wamid, is_id};
pub(crate) use ids::{from_hex, hex};
pub use inbound::content::{Content, Kind, Media, Order, OrderItem};
pub use inbound::{
    Author, ContextInfo, Echo, Forwarded, Inbound, QuotedMessage, Referral, ReferredProduct,
};
pub use media_file::{FileKind, MediaFile};
pub use message_template::{
    ButtonShape, HeaderShape, TemplateFile, TemplateShape, TemplateState, TemplateStates,
};
pub use outbound::{
    Address, Button, Card, CardAction, Checkout, CheckoutStep, Commerce, ContactCard, Email, Form,
    FormName, Frame, Header, Json, LinkButton, Localized, Media as OutboundMedia, MediaKind,
    MediaSource, Outbound, Phone, ProductList, ProductSection, Raw, Row, Section, TemplateButton,
    TemplateCard, TemplateMessage, TemplateParameter, whole_number,
};
pub use profile::Profile;
pub use receipt::{DeliveryStatus, GraphError, Receipt};
