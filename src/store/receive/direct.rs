//! Claims in the storing transaction: replies whose conversation has nothing else to send are
//! inserted as claimed, and sent as soon as the commit has taken place.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::decide::DecidedTurn;
use super::load::{Loaded, LoadedConversation};
use super::policy::{DirectClaims, ReceivePolicy};
use super::rows::{OutboxRow, about};
use crate::store::outbox::{Claimed, ReadMark};

/// Claims the first reply of each idle conversation, if there is room. Those behind it stay queued:
/// until they are claimed too, an opt-out cancels them. `outbox` are the rows of all replies, in
/// order; they get the next ids.
pub(super) fn claim_replies(
    outbox: &mut [OutboxRow<'_>],
    turns: &[DecidedTurn],
    loaded: &Loaded,
    policy: ReceivePolicy,
    direct: &DirectClaims<'_>,
) -> Vec<Claimed> {
    let lease_until = policy.now.saturating_add(direct.lease);
    let lease_until = lease_until.unwrap_or(Timestamp::MAX);
    let idle = loaded.conversations.iter().filter(|loaded| loaded.is_idle);
    let mut idle: HashMap<i64, &LoadedConversation> =
        idle.map(|loaded| (loaded.id, loaded)).collect();
    let replies = turns.iter().flat_map(|decided| &decided.turn.replies);
    let mut claimed = Vec::new();
    for ((row, reply), id) in outbox
        .iter_mut()
        .zip(replies)
        .zip(loaded.last_outbox_row + 1..)
    {
        row.id = Some(id);
        let Some(first_of) = idle.remove(&row.conversation_id) else {
            continue;
        };
        let conversation = &first_of.conversation;
        let number = &conversation.phone_number_id;
        let Some(claim_token) = direct.room.reserve(number) else {
            continue;
        };
        row.claim(claim_token.clone(), lease_until);
        claimed.push(Claimed {
            id,
            conversation_id: row.conversation_id,
            phone_number_id: number.clone(),
            claim_token,
            attempt: 1,
            expires_at: row.expires_at(),
            recipient: conversation.contact.identity.recipient(),
            content: Box::new(reply.content.clone()),
            about: about(reply).cloned(),
        });
    }
    claimed
}

/// Read marks of conversations in which nothing else was to be sent before.
pub(super) fn marks_of_idle(marks: &[ReadMark], loaded: &Loaded) -> Vec<ReadMark> {
    let idle = loaded.conversations.iter().filter(|loaded| loaded.is_idle);
    let idle: HashSet<i64> = idle.map(|loaded| loaded.id).collect();
    let marks = marks.iter();
    let marks = marks.filter(|mark| idle.contains(&mark.conversation_id));
    marks.cloned().collect()
}
