//! Sends the read mark and the messages of one conversation in sequence; conversations run in
//! parallel.
//!
//! It uses nothing but the gateway: the results go to [`super::Delivery`].

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::gateway::{Accepted, Gateway, SendError};
use crate::message::{PhoneNumberId, RecipientReport, Wamid};
use crate::store::{Claimed, ReadMark};
use crate::whatsapp::outbound::{MessageBody, ReadMarkBody, Typing};

/// Parts that a group of sends needs beside its rows.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) gateway: Gateway,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
}

/// Sends of one conversation.
pub(crate) struct Sends {
    /// Goes first, with the time of its send.
    pub(crate) mark: Option<(ReadMark, Instant)>,
    pub(crate) rows: Vec<Scheduled>,
}

/// Ends of the sends of one conversation.
pub(crate) struct Ends {
    pub(crate) mark: Option<FinishedMark>,
    pub(crate) rows: Vec<Finished>,
}

/// A claimed row with the time of its send.
#[derive(Debug)]
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
    /// Start of the request, or time of the release.
    pub(crate) started: Instant,
    /// Arrival of the response.
    pub(crate) ended: Instant,
    /// `None` if the send was not started.
    pub(crate) result: Option<Result<Wamid, SendError>>,
    /// What WhatsApp says of the recipient.
    pub(crate) report: Option<RecipientReport>,
}

/// A read mark that was sent or left.
pub(crate) struct FinishedMark {
    pub(crate) mark: ReadMark,
    /// Start of the request, or time at which it was left.
    pub(crate) started: Instant,
    /// Arrival of the response.
    pub(crate) ended: Instant,
    /// `None` if the send was not started.
    pub(crate) result: Option<Result<(), SendError>>,
}

impl Sender {
    /// Sends the read mark and then the rows; after a message that was not accepted the rest is
    /// released.
    pub(crate) async fn send_in_order(self, sends: Sends) -> Ends {
        let Sends { mark, rows } = sends;
        // The typing indicator is shown only if a reply follows at once.
        let typing = if rows.is_empty() {
            Typing::No
        } else {
            Typing::Shown
        };
        let mark = match mark {
            Some((mark, slot)) => Some(self.send_mark(mark, slot, typing).await),
            None => None,
        };
        let mut finished = Vec::with_capacity(rows.len());
        let mut is_stuck = false;
        for scheduled in rows {
            let row = if is_stuck {
                finish(scheduled.row, Instant::now(), None, None)
            } else {
                self.send_row(scheduled).await
            };
            is_stuck |= !matches!(row.result, Some(Ok(_)));
            finished.push(row);
        }
        Ends {
            mark,
            rows: finished,
        }
    }

    /// Waits for a slot; returns whether what expires then may still be sent.
    async fn wait_for_slot(&self, slot: Instant, expires_at: Timestamp) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return false,
            () = sleep_until(slot) => {}
        }
        self.clock.now() < expires_at
    }

    async fn send_mark(&self, mark: ReadMark, slot: Instant, typing: Typing) -> FinishedMark {
        let may_start = self.wait_for_slot(slot, mark.expires_at).await;
        let started = Instant::now();
        let result = if may_start {
            let body = ReadMarkBody::new(&mark.wamid, typing);
            Some(self.gateway.mark_read(&mark.phone_number_id, &body).await)
        } else {
            None
        };
        FinishedMark {
            mark,
            started,
            ended: Instant::now(),
            result,
        }
    }

    async fn send_row(&self, scheduled: Scheduled) -> Finished {
        let Scheduled { row, slot, latest } = scheduled;
        let may_start = self.wait_for_slot(slot, row.expires_at).await && Instant::now() < latest;
        let started = Instant::now();
        if !may_start {
            return finish(row, started, None, None);
        }
        let body = MessageBody {
            to: &row.recipient,
            content: &row.content,
            about: row.about.as_ref(),
            claim_token: Some(&row.claim_token),
        };
        match self.gateway.send_message(&row.phone_number_id, &body).await {
            Ok(Accepted { wamid, recipient }) => {
                let report = RecipientReport::new(&row.recipient, recipient);
                finish(row, started, Some(Ok(wamid)), report)
            }
            Err(error) => finish(row, started, Some(Err(error)), None),
        }
    }
}

fn finish(
    row: Claimed,
    started: Instant,
    result: Option<Result<Wamid, SendError>>,
    report: Option<RecipientReport>,
) -> Finished {
    Finished {
        id: row.id,
        claim_token: row.claim_token,
        attempt: row.attempt,
        phone_number_id: row.phone_number_id,
        expires_at: row.expires_at,
        started,
        ended: Instant::now(),
        result,
        report,
    }
}
