//! Sends the rows of one conversation in sequence; conversations run in parallel.
//!
//! It uses nothing but the gateway: the results go to [`super::Delivery`].

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::gateway::{Accepted, Gateway, SendError};
use crate::message::{PhoneNumberId, RecipientReport, Wamid};
use crate::store::{Claimed, ClaimedKind};
use crate::whatsapp::outbound::{MessageBody, ReadMarkBody, Typing};

/// Parts that a group of sends needs beside its rows.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) gateway: Gateway,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
}

/// A claimed row with the time of its send.
pub(crate) struct Scheduled {
    pub(crate) row: Claimed,
    pub(crate) slot: Instant,
    /// Latest start that fits into the lease.
    pub(crate) latest: Instant,
}

/// A row that was sent or released.
pub(crate) struct Finished {
    pub(crate) id: i64,
    pub(crate) claim_token: String,
    pub(crate) attempt: u32,
    pub(crate) phone_number_id: PhoneNumberId,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_read_mark: bool,
    /// Start of the request, or time of the release.
    pub(crate) started: Instant,
    /// Arrival of the response.
    pub(crate) ended: Instant,
    /// `None` if the send was not started.
    pub(crate) result: Option<Result<Option<Wamid>, SendError>>,
    /// What WhatsApp says of the recipient.
    pub(crate) report: Option<RecipientReport>,
}

impl Sender {
    /// Sends the rows in order; after a message that was not accepted the rest is released.
    pub(crate) async fn send_in_order(self, rows: Vec<Scheduled>) -> Vec<Finished> {
        let mut finished = Vec::with_capacity(rows.len());
        let mut is_stuck = false;
        let last_message = rows.iter().rposition(|next| !is_read_mark(&next.row));
        for (index, scheduled) in rows.into_iter().enumerate() {
            // The typing indicator is shown only if a reply follows at once.
            let typing = if last_message > Some(index) {
                Typing::Shown
            } else {
                Typing::No
            };
            let may_start = !is_stuck && self.wait_for_turn(&scheduled).await;
            let started = Instant::now();
            let (result, report) = if may_start {
                let (result, report) = self.send(&scheduled.row, typing).await;
                (Some(result), report)
            } else {
                (None, None)
            };
            is_stuck |= !is_read_mark(&scheduled.row) && !matches!(result, Some(Ok(_)));
            finished.push(Finished {
                report,
                ..finish(scheduled.row, started, result)
            });
        }
        finished
    }

    /// Waits for the row's slot; returns whether it may still be sent then.
    async fn wait_for_turn(&self, scheduled: &Scheduled) -> bool {
        if self.stop.is_cancelled() {
            return false;
        }
        // Most slots have come, and need no timer.
        if Instant::now() < scheduled.slot {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return false,
                () = sleep_until(scheduled.slot) => {}
            }
        }
        Instant::now() < scheduled.latest && self.clock.now() < scheduled.row.expires_at
    }

    /// Sends a row; the second part is what WhatsApp says of a message's recipient.
    async fn send(
        &self,
        row: &Claimed,
        typing: Typing,
    ) -> (Result<Option<Wamid>, SendError>, Option<RecipientReport>) {
        let number = &row.phone_number_id;
        match &row.kind {
            ClaimedKind::Message {
                recipient,
                content,
                about,
            } => {
                let body = MessageBody {
                    to: recipient,
                    content,
                    about: about.as_ref(),
                    claim_token: Some(&row.claim_token),
                };
                match self.gateway.send_message(number, &body).await {
                    Ok(Accepted {
                        wamid,
                        recipient: reported,
                    }) => (Ok(Some(wamid)), RecipientReport::new(recipient, reported)),
                    Err(error) => (Err(error), None),
                }
            }
            ClaimedKind::ReadMark { wamid } => {
                let body = ReadMarkBody::new(wamid, typing);
                let marked = self.gateway.mark_read(number, &body).await;
                (marked.map(|()| None), None)
            }
        }
    }
}

pub(crate) fn is_read_mark(row: &Claimed) -> bool {
    matches!(row.kind, ClaimedKind::ReadMark { .. })
}

fn finish(
    row: Claimed,
    started: Instant,
    result: Option<Result<Option<Wamid>, SendError>>,
) -> Finished {
    Finished {
        is_read_mark: is_read_mark(&row),
        id: row.id,
        claim_token: row.claim_token,
        attempt: row.attempt,
        phone_number_id: row.phone_number_id,
        expires_at: row.expires_at,
        started,
        ended: Instant::now(),
        result,
        report: None,
    }
}
