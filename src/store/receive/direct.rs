//! Claims in the storing transaction: replies whose conversation has nothing else to send are
//! inserted as claimed, and sent as soon as the commit has taken place.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::decide::DecidedTurn;
use super::load::{Loaded, LoadedConversation};
use super::policy::{DirectClaims, ReceivePolicy};
use super::rows::{OutboxRow, about};
use crate::engine::Reply;
use crate::store::outbox::{Claimed, ReadMark};

/// Replies of one conversation in the batch, by their place in the outbox.
struct Chain<'a> {
    conversation: &'a LoadedConversation,
    places: Vec<usize>,
}

/// Claims the replies of each idle conversation, all of them or none, if there is room. `outbox`
/// are the rows of all replies, in order; they get the next ids.
pub(super) fn claim_replies(
    outbox: &mut [OutboxRow<'_>],
    turns: &[DecidedTurn],
    loaded: &Loaded,
    policy: ReceivePolicy,
    direct: &DirectClaims<'_>,
) -> Vec<Claimed> {
    let last_row = loaded.last_outbox_row;
    let replies = turns.iter().flat_map(|decided| &decided.turn.replies);
    let replies: Vec<&Reply> = replies.collect();
    for (row, id) in outbox.iter_mut().zip(last_row + 1..) {
        row.id = Some(id);
    }
    let lease_until = policy.now.saturating_add(direct.lease);
    let lease_until = lease_until.unwrap_or(Timestamp::MAX);
    let mut claimed = Vec::new();
    for Chain {
        conversation,
        places,
    } in chains(outbox, &loaded.conversations)
    {
        let number = &conversation.conversation.phone_number_id;
        let Some(tokens) = direct.room.reserve(number, places.len()) else {
            continue;
        };
        for (place, claim_token) in places.into_iter().zip(tokens) {
            let row = &mut outbox[place];
            row.claim(claim_token.clone(), lease_until);
            claimed.push(Claimed {
                id: last_row + 1 + i64::try_from(place).expect("a batch is bounded"),
                conversation_id: conversation.id,
                phone_number_id: number.clone(),
                claim_token,
                attempt: 1,
                expires_at: row.expires_at(),
                recipient: conversation.conversation.contact.identity.recipient(),
                content: Box::new(replies[place].content.clone()),
                about: about(replies[place]).cloned(),
            });
        }
    }
    claimed
}

/// Groups the rows of idle conversations, in the order of their first replies.
fn chains<'a>(outbox: &[OutboxRow<'_>], conversations: &'a [LoadedConversation]) -> Vec<Chain<'a>> {
    let idle = conversations.iter().filter(|loaded| loaded.is_idle);
    let idle: HashMap<i64, &LoadedConversation> = idle.map(|loaded| (loaded.id, loaded)).collect();
    let mut chains: Vec<Chain<'a>> = Vec::new();
    let mut indexes: HashMap<i64, usize> = HashMap::new();
    for (place, row) in outbox.iter().enumerate() {
        let Some(conversation) = idle.get(&row.conversation_id) else {
            continue;
        };
        let index = *indexes.entry(row.conversation_id).or_insert_with(|| {
            chains.push(Chain {
                conversation,
                places: Vec::new(),
            });
            chains.len() - 1
        });
        chains[index].places.push(place);
    }
    chains
}

/// Read marks of conversations in which nothing else was to be sent before.
pub(super) fn marks_of_idle(marks: &[ReadMark], loaded: &Loaded) -> Vec<ReadMark> {
    let idle = loaded.conversations.iter().filter(|loaded| loaded.is_idle);
    let idle: HashSet<i64> = idle.map(|loaded| loaded.id).collect();
    let marks = marks.iter();
    let marks = marks.filter(|mark| idle.contains(&mark.conversation_id));
    marks.cloned().collect()
}
