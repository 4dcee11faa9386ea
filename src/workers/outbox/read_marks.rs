//! Read marks: which of them go now, and what their ends mean.
//!
//! A mark is not claimed: the worker remembers which ones are on their way, and after a crash they are
//! sent again. A mark that was not started stays in the database.

use tokio::time::Instant;

use super::Delivery;
use super::direct::SendEnd;
use super::rate_limit::Feedback;
use super::retry_policy;
use super::sender::{FinishedMark, Scheduled};
use crate::gateway::SendError;
use crate::store::{DueReadMarks, ReadMark};

impl Delivery {
    /// Reads up to `limit` marks to send: those of the conversations whose replies are about to
    /// be sent, and those of conversations without one. Replies have taken their room before.
    ///
    /// Without the database there are none: a mark may wait, and the replies are claimed already.
    pub(crate) async fn due_marks(
        &self,
        replies: &[Scheduled],
        limit: u32,
        now: Instant,
    ) -> Vec<ReadMark> {
        if limit == 0 {
            return Vec::new();
        }
        let due = {
            let capacity = self.shared.capacity();
            let without_room = capacity.limiter.numbers_without_room(now);
            DueReadMarks {
                now: self.parts.clock.now(),
                without_room: without_room.into_iter().cloned().collect(),
                on_their_way: capacity.marks_on_their_way.iter().copied().collect(),
                answered: replies
                    .iter()
                    .map(|reply| reply.row.conversation_id)
                    .collect(),
                limit,
            }
        };
        let marks = self.parts.store.due_read_marks(due).await;
        marks.unwrap_or_else(|error| {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "read marks are out of reach"
            );
            Vec::new()
        })
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
            let mut capacity = self.shared.capacity();
            capacity.marks_on_their_way.remove(&mark.conversation_id);
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
        self.end(SendEnd::Mark(mark));
    }
}
