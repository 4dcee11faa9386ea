//! What contacts and WhatsApp send to one server: the next webhook, made when it is due, and what
//! became of the messages before.
//!
//! Of ten webhooks six are messages (three texts that the rules match, one that goes to the
//! fallback, a tap on a button and one on a row of a list) and four are receipts. A receipt is about
//! a reply that the gateway took from this server and brings back its claim token; every reported
//! reply is sent, delivered and read. Servers that answer nothing get receipts of messages that they
//! do not know.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::support;

/// Contacts that write; each to one number.
pub(crate) const CONTACTS: usize = 5_000;
/// Enough that WhatsApp's 1,000 messages a second and number are no limit here.
pub(crate) const NUMBERS: usize = 64;
/// Replies that wait for their receipts; there are more replies than receipts.
const REPORTED: usize = 1_024;

/// What a contact or WhatsApp sends.
#[derive(Clone, Copy)]
enum Update {
    Text(&'static str),
    Tap(&'static str),
    Receipt,
}

const MIX: [Update; 10] = [
    Update::Text("Hello, is there a menu for today?"),
    Update::Receipt,
    Update::Tap(r#""button_reply","button_reply":{"id":"order","title":"Order a cake"}"#),
    Update::Text("good evening! could you send me the menu please"),
    Update::Receipt,
    Update::Text("My sister said that your carrot cake was the best of her life"),
    Update::Receipt,
    Update::Tap(
        r#""list_reply","list_reply":{"id":"cake:lemon","title":"Lemon","description":"For 8 people"}"#,
    ),
    Update::Receipt,
    Update::Text("hello again, what do you have on the menu tomorrow?"),
];

/// A reply that the gateway took: what its receipts name.
struct Accepted {
    contact: usize,
    number: u64,
    claim_token: String,
    reported: usize,
}

/// One webhook that is ready to be sent.
pub(crate) struct Webhook {
    pub(crate) request: Vec<u8>,
    /// Contact whose message it brings, if it is one that is answered.
    contact: Option<usize>,
}

/// The conversations of one server. Everything runs on one thread.
pub(crate) struct Traffic {
    answers: bool,
    /// Every how many contacts of the database write.
    every: u64,
    sent: Cell<usize>,
    messages: Cell<usize>,
    conversations: RefCell<Vec<Conversation>>,
    accepted: RefCell<VecDeque<Accepted>>,
    pub(crate) gateway: Taken,
}

#[derive(Clone, Default)]
struct Conversation {
    /// When each message that has no reply yet was sent.
    waiting: VecDeque<Instant>,
    /// Number of the last reply; 0 for none.
    last_reply: u64,
}

/// What the gateway took.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) replies: Cell<usize>,
    pub(crate) read_marks: Cell<usize>,
    pub(crate) waiting: Cell<usize>,
    pub(crate) last: Cell<Option<Instant>>,
    pub(crate) latencies: RefCell<Vec<Duration>>,
}

impl Traffic {
    pub(crate) fn new(answers: bool, every: u64) -> Self {
        Self {
            answers,
            every,
            sent: Cell::default(),
            messages: Cell::default(),
            conversations: RefCell::new(vec![Conversation::default(); CONTACTS]),
            accepted: RefCell::default(),
            gateway: Taken::default(),
        }
    }

    /// Makes and signs the next webhook.
    pub(crate) fn next(&self) -> Webhook {
        let number = self.sent.replace(self.sent.get() + 1);
        let mut update = MIX[number % MIX.len()];
        if let Update::Receipt = update {
            match self.next_receipt(number) {
                Some(body) => return webhook(&body, None),
                // No reply has come yet.
                None => update = MIX[0],
            }
        }
        let message = self.messages.replace(self.messages.get() + 1);
        // One further each time around, so that every contact sends every kind.
        let contact = (message + message / CONTACTS) % CONTACTS;
        let body = self.message(number, contact, update);
        webhook(&body, self.answers.then_some(contact))
    }

    fn message(&self, number: usize, contact: usize, update: Update) -> String {
        let content = match update {
            Update::Tap(choice) => {
                let quoted = reply_wamid(self.conversations.borrow()[contact].last_reply);
                format!(
                    r#""type":"interactive","context":{{"from":"15559990000","id":"{quoted}"}},"interactive":{{"type":{choice}}}"#
                )
            }
            Update::Text(text) => format!(r#""type":"text","text":{{"body":"{text}"}}"#),
            Update::Receipt => unreachable!("receipts are no messages"),
        };
        let (phone, now) = (self.phone(contact), seconds_since_1970());
        body(
            contact,
            &format!(
                r#""contacts":[{{"profile":{{"name":"Ana Lima"}},"wa_id":"{phone}"}}],"messages":[{{"from":"{phone}","id":"wamid.HBgLMTU1NTAwMDAwMDAVAgASGBQzQTg2{number:012}AA==","timestamp":"{now}",{content}}}]"#
            ),
        )
    }

    /// `None` while no reply waits for its receipts.
    fn next_receipt(&self, number: usize) -> Option<String> {
        const STATUSES: [&str; 3] = ["sent", "delivered", "read"];
        if !self.answers {
            let (unknown, status) = (number / MIX.len(), STATUSES[number % STATUSES.len()]);
            let wamid = format!("wamid.HBgLMTU1NTAwMDAwMDAVAgARGBIx{number:012}AA==");
            return Some(self.receipt(unknown % CONTACTS, &wamid, "", status));
        }
        let mut accepted = self.accepted.borrow_mut();
        let reply = accepted.front_mut()?;
        let status = STATUSES[reply.reported];
        let wamid = reply_wamid(reply.number);
        let body = self.receipt(reply.contact, &wamid, &reply.claim_token, status);
        reply.reported += 1;
        if reply.reported == STATUSES.len() {
            accepted.pop_front();
        }
        Some(body)
    }

    fn receipt(&self, contact: usize, wamid: &str, claim_token: &str, status: &str) -> String {
        let (phone, now) = (self.phone(contact), seconds_since_1970());
        let mut statuses = format!(
            r#""statuses":[{{"id":"{wamid}","status":"{status}","timestamp":"{now}","recipient_id":"{phone}""#
        );
        if !claim_token.is_empty() {
            let _ = write!(statuses, r#","biz_opaque_callback_data":"{claim_token}""#);
        }
        statuses.push_str(
            r#","conversation":{"id":"6ceb9d929c9bdc4f90967a32f8639b4d","origin":{"type":"service"}},"pricing":{"billable":false,"pricing_model":"PMP","category":"service","type":"free_customer_service"}}]"#,
        );
        body(contact, &statuses)
    }

    /// Notes the time at which a webhook is sent, or was due.
    pub(crate) fn sends(&self, webhook: &Webhook, at: Instant) {
        if let Some(contact) = webhook.contact {
            self.conversations.borrow_mut()[contact]
                .waiting
                .push_back(at);
            let waiting = &self.gateway.waiting;
            waiting.set(waiting.get() + 1);
        }
    }

    /// Notes a reply and gives it the id under which its receipts will come.
    pub(crate) fn takes_reply(&self, contact: usize, claim_token: &str, at: Instant) -> String {
        let taken = &self.gateway;
        let replies = taken.replies.get() + 1;
        taken.replies.set(replies);
        taken.last.set(Some(at));
        let number = replies as u64;
        let conversation = &mut self.conversations.borrow_mut()[contact];
        conversation.last_reply = number;
        if let Some(sent) = conversation.waiting.pop_front() {
            taken.waiting.set(taken.waiting.get() - 1);
            taken.latencies.borrow_mut().push(at - sent);
        }
        let mut accepted = self.accepted.borrow_mut();
        if accepted.len() == REPORTED {
            accepted.pop_front();
        }
        accepted.push_back(Accepted {
            contact,
            number,
            claim_token: claim_token.to_owned(),
            reported: 0,
        });
        reply_wamid(number)
    }

    pub(crate) fn takes_read_mark(&self, at: Instant) {
        let taken = &self.gateway;
        taken.read_marks.set(taken.read_marks.get() + 1);
        taken.last.set(Some(at));
    }

    fn phone(&self, contact: usize) -> u64 {
        FIRST_PHONE + contact as u64 * self.every
    }

    /// Contact with a phone number.
    pub(crate) fn contact_of(&self, phone: u64) -> Option<usize> {
        let contact = usize::try_from(phone.checked_sub(FIRST_PHONE)? / self.every).ok()?;
        (contact < CONTACTS).then_some(contact)
    }

    /// Gives up the messages that were not answered, and returns their number.
    pub(crate) fn give_up(&self) -> usize {
        for conversation in self.conversations.borrow_mut().iter_mut() {
            conversation.waiting.clear();
        }
        self.gateway.waiting.take()
    }
}

/// Phone number of the first contact; the others follow.
pub(crate) const FIRST_PHONE: u64 = 15_550_000_000;

fn reply_wamid(number: u64) -> String {
    format!("wamid.HBgLMTU1NTAwMDAwMDAVAgARGBI5{number:012}AA==")
}

fn body(contact: usize, updates: &str) -> String {
    let number = contact % NUMBERS;
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"102290129340398","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15559990000","phone_number_id":"1065{number:04}"}},{updates}}},"field":"messages"}}]}}]}}"#
    )
}

fn webhook(body: &str, contact: Option<usize>) -> Webhook {
    Webhook {
        request: support::signed_post("", body),
        contact,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the messages must be fresh or they are not answered"
)]
pub(crate) fn seconds_since_1970() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}
