//! Read marks: which of them go now, and what their ends mean.
//!
//! A mark is not claimed: the worker remembers which ones are on their way, and after a crash they are
//! sent again. A mark that was not started stays in the database.

use std::collections::HashMap;

use tokio::time::Instant;

use super::Delivery;
use super::rate_limit::Feedback;
use super::retry_policy;
use super::sender::FinishedMark;
use crate::gateway::SendError;
use crate::store::{Claimed, DueReadMarks, ReadMark};

impl Delivery {
    /// Takes on up to `limit` marks to send: those of the conversations whose replies are about to
    /// be sent, and those of conversations without one. Replies have taken their room before.
    ///
    /// Without the database there are none: a mark may wait, and the replies are claimed already.
    pub(crate) async fn take_marks(
        &mut self,
        replies: &[Claimed],
        limit: u32,
        now: Instant,
    ) -> Vec<ReadMark> {
        if limit == 0 {
            return Vec::new();
        }
        let mut claimed: HashMap<_, u32> = HashMap::new();
        for reply in replies {
            *claimed.entry(&reply.phone_number_id).or_default() += 1;
        }
        let due = DueReadMarks {
            now: self.parts.clock.now(),
            without_room: self.limiter.numbers_without_room(&claimed, now),
            on_their_way: self.marks.on_their_way.iter().copied().collect(),
            answered: replies.iter().map(|reply| reply.conversation_id).collect(),
            limit,
        };
        let marks = self.parts.store.due_read_marks(due).await;
        let marks = marks.unwrap_or_else(|error| {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "read marks are out of reach"
            );
            Vec::new()
        });
        let conversations = marks.iter().map(|mark| mark.conversation_id);
        self.marks.on_their_way.extend(conversations);
        marks
    }

    /// Passes the end of a mark to the rate limiter and the counters. Whatever the response, the
    /// mark leaves: one that was refused is not worth a second try.
    pub(crate) fn end_mark(&mut self, finished: FinishedMark) {
        let FinishedMark {
            mark,
            started,
            ended,
            result,
        } = finished;
        let number = &mark.phone_number_id;
        let Some(result) = result else {
            self.learn(number, started, Feedback::NotStarted, None);
            self.marks.on_their_way.remove(&mark.conversation_id);
            return;
        };
        self.count_request(ended.duration_since(started));
        let feedback = retry_policy::judge_read_mark(&result);
        self.learn(number, started, feedback, result.as_ref().err());
        let word = match &result {
            Ok(()) | Err(SendError::Unknown(_)) => "accepted",
            Err(SendError::NotSent(_) | SendError::Rejected(_)) => "dead",
        };
        self.count_end(word, result.as_ref().err());
        self.marks.tried.push(mark);
    }
}
