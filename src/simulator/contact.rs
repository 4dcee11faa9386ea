//! Simulated contacts, their messages, and the time at which they write.

use jiff::Timestamp;

use crate::message::{
    Contact, Content, Conversation, ConversationState, Identity, Inbound, PhoneNumberId, WaId,
    Wamid,
};
use crate::rules::RuleSet;

/// Time of tests that name none: a Wednesday morning in UTC.
const USUAL: Timestamp = Timestamp::constant(1_794_999_600, 0);

/// Finds a time at which the shop is open, if it has hours.
pub(crate) fn usual_time(rules: &RuleSet) -> Timestamp {
    let hours = rules.hours.as_ref();
    let open = hours.filter(|hours| !hours.is_open(USUAL));
    open.and_then(|hours| hours.next_open(USUAL))
        .unwrap_or(USUAL)
}

/// Makes a new conversation; contacts with different `index` have different phone numbers.
pub(crate) fn new_conversation(name: &str, index: usize) -> Conversation {
    let phone = WaId::parse(format!("1555{index:07}")).expect("digits");
    Conversation {
        phone_number_id: PhoneNumberId::parse("simulator").expect("not empty"),
        contact: Contact {
            identity: Identity::Phone(phone),
            name: Some(if name.is_empty() { "Ana Lima" } else { name }.to_owned()),
            username: None,
            refuses_marketing: false,
        },
        inbound_count: 0,
        state: ConversationState::default(),
    }
}

/// Makes the message number `number` of a conversation.
pub(crate) fn new_message(
    conversation: &Conversation,
    number: u64,
    now: Timestamp,
    content: Content,
) -> Inbound {
    Inbound::new(
        conversation.phone_number_id.clone(),
        Wamid::parse(format!("wamid.SIMULATOR{number}")).expect("not empty"),
        conversation.contact.identity.clone(),
        now,
        content,
    )
}
