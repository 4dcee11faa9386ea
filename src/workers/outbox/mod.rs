//! The outbox worker: paces and sends claimed rows, and claims what waits in the outbox.
//!
//! A row is claimed (with a `claim_token` and a lease) in one commit before its first byte is sent,
//! and settled in another; no transaction is open during a request to the gateway. Most replies are
//! claimed by the commit that stores them ([`DirectSends`]); what waits for room, for a time or behind
//! another message of its conversation is claimed here. The intake records all results. A send with
//! an unknown result is never repeated here: a receipt or the operator decides about it. Next on the
//! way of a reply: [`crate::gateway`]; its receipts arrive through [`crate::web`].

pub(crate) mod backoff;
mod direct;
mod outcome;
mod rate_limit;
mod read_marks;
mod retry_policy;
mod sender;
mod sweep;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::shutdown::Shutdown;
use crate::store::{ClaimRequest, Claims, ReadMark, Store, StoreError};
use crate::telemetry::{Conditions, Metrics};
use direct::{Capacity, HandedOver, Shared};
use rate_limit::RateLimiter;
use sender::{Ends, Scheduled, Sender, Sends};

pub use direct::{DirectSends, Reservation, SendEnd};

/// Poll interval of the outbox, without a notification.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Pause after a failed access to the database.
const RECOVER_FOR: Duration = Duration::from_secs(1);
/// At a soft stop, running requests are awaited this long.
const GRACE: Duration = Duration::from_secs(10);
/// Interval at which a soft stop asks whether reserved room was given back.
const GIVEN_BACK: Duration = Duration::from_millis(10);
/// Time reserved for settling: a send starts only if its response and its settlement fit into the
/// lease.
const SETTLING_TIME: Duration = Duration::from_secs(2);

/// Settings of the operator.
#[derive(Clone, Copy, Debug)]
pub struct DeliverySettings {
    /// Messages per second of each business number.
    pub messages_per_second: u32,
    /// Requests per second of all numbers, read marks included; 0 for no bound.
    pub requests_per_second: u32,
    /// Upper bound of claimed rows without a response.
    pub max_in_flight: u32,
    /// Length of a lease.
    pub lease: Duration,
    /// Time for which a send with an unknown result waits for a receipt before it is held.
    pub unknown_wait: Duration,
}

/// Parts of the worker.
#[derive(Debug)]
pub struct Parts {
    /// Holds the outbox.
    pub store: Store,
    /// Sends.
    pub gateway: Gateway,
    /// Gives the server time.
    pub clock: Clock,
    /// Counts sends.
    pub metrics: Arc<Metrics>,
    /// Shows messages that wait for an operator.
    pub conditions: Arc<Conditions>,
    /// Settings of the operator.
    pub settings: DeliverySettings,
}

/// The worker, the only one that sends.
#[derive(Debug)]
pub struct Delivery {
    parts: Parts,
    shared: Arc<Shared>,
    /// Rows that the intake has claimed.
    handed_over: mpsc::UnboundedReceiver<HandedOver>,
    /// Ends of sends, for the next commit of the intake.
    ends: mpsc::UnboundedSender<SendEnd>,
    /// Cancelled at a soft stop: rows that wait for their slot are released.
    stop: CancellationToken,
    sending: JoinSet<Ends>,
    next_sweep: Instant,
}

impl Delivery {
    /// Creates the worker and the intake's end of the direct way; [`Self::run`] starts the worker.
    #[must_use]
    pub fn new(parts: Parts) -> (Self, DirectSends) {
        let now = Instant::now();
        let DeliverySettings {
            messages_per_second,
            requests_per_second,
            max_in_flight,
            lease,
            ..
        } = parts.settings;
        let capacity = Capacity {
            limiter: RateLimiter::new(messages_per_second, requests_per_second, now),
            in_flight: 0,
            in_flight_max: max_in_flight,
            crowded: HashSet::new(),
            marks_on_their_way: HashSet::new(),
            is_open: true,
        };
        let needed = parts.gateway.timeout() + SETTLING_TIME;
        let shared = Shared::new(capacity, parts.store.clone(), lease, needed);
        let (hand_over, handed_over) = mpsc::unbounded_channel();
        let (ends, ended) = mpsc::unbounded_channel();
        let direct = DirectSends::new(Arc::clone(&shared), hand_over, ended);
        let delivery = Self {
            parts,
            shared,
            handed_over,
            ends,
            stop: CancellationToken::new(),
            sending: JoinSet::new(),
            next_sweep: now,
        };
        (delivery, direct)
    }

    /// Works until the shutdown: softly (running requests are finished and settled) or hard
    /// (returns at once; the next start finds the interrupted rows `sending` and takes them as
    /// unknown).
    ///
    /// # Panics
    /// When a send panics, because its row would stay claimed.
    pub async fn run(mut self, wake: Arc<Notify>, shutdown: Shutdown) {
        self.stop = shutdown.soft.child_token();
        shutdown.run_until_hard(self.work(&wake)).await;
        // Dropping the set aborts the remaining requests.
    }

    async fn work(&mut self, wake: &Notify) {
        let stop = self.stop.clone();
        let mut look_at = Instant::now();
        while !stop.is_cancelled() {
            if look_at <= Instant::now() {
                look_at = self.look().await;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = wake.notified() => look_at = Instant::now(),
                Some(handed) = self.handed_over.recv() => self.start_handed(handed),
                Some(joined) = self.sending.join_next(), if !self.sending.is_empty() => self.collect(joined),
                () = sleep_until(look_at) => {}
            }
        }
        self.finish().await;
    }

    /// Sweeps the outbox, and claims and starts as many queued rows as there is room for. Returns
    /// the time of the next look.
    async fn look(&mut self) -> Instant {
        let looked = async {
            self.sweep().await?;
            self.claim().await
        };
        match looked.await {
            // More may be due at once.
            Ok(claimed) if claimed > 0 => Instant::now(),
            Ok(_) => self.wake_at().await,
            Err(error) => {
                // A fault of the database is logged once, when it begins.
                if error.fault().is_none() {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "outbox is out of reach"
                    );
                }
                Instant::now() + RECOVER_FOR
            }
        }
    }

    /// Claims queued rows and returns their number.
    async fn claim(&mut self) -> Result<usize, StoreError> {
        if !self.parts.store.may_send() {
            return Ok(0);
        }
        // Before the look: what is queued meanwhile says so afterwards.
        self.shared.set_queue(false);
        let numbers = self.parts.store.outbox_numbers().await?;
        self.shared.set_queue(!numbers.is_empty());
        let now = Instant::now();
        let (room, limit) = self.shared.capacity().room(&numbers, now);
        let request = ClaimRequest {
            now: self.parts.clock.now(),
            lease: self.parts.settings.lease,
            room: room.clone(),
            limit,
        };
        let claims = if room.is_empty() {
            Ok(Claims::default())
        } else {
            self.parts.store.claim_outbox(request).await
        };
        let claims = claims.inspect_err(|_| self.shared.capacity().in_flight -= limit)?;
        for (id, reason) in &claims.unusable {
            tracing::error!(outbox.id = id, reason, "message cannot be sent");
        }
        let rows = self.shared.schedule(claims.rows, room, limit, now);
        let left = self.shared.capacity().free(now);
        let due = self.due_marks(&rows, left, now).await;
        let offered = due.len();
        let marks = self.shared.capacity().take_marks(due, now);
        if marks.len() < offered {
            self.shared.set_queue(true);
        }
        let started = rows.len() + marks.len();
        self.start(rows, marks);
        Ok(started + claims.unusable.len())
    }

    fn start_handed(&mut self, handed: HandedOver) {
        let HandedOver { rows, marks } = handed;
        let offered = marks.len();
        let marks = if self.parts.store.may_send() {
            self.shared.capacity().take_marks(marks, Instant::now())
        } else {
            Vec::new()
        };
        if marks.len() < offered {
            self.shared.set_queue(true);
        }
        self.start(rows, marks);
    }

    /// Starts one task per conversation.
    fn start(&mut self, rows: Vec<Scheduled>, marks: Vec<(ReadMark, Instant)>) {
        for sends in by_conversation(rows, marks) {
            let sender = Sender {
                gateway: self.parts.gateway.clone(),
                clock: self.parts.clock.clone(),
                stop: self.stop.clone(),
            };
            self.sending.spawn(sender.send_in_order(sends));
        }
    }

    fn collect(&mut self, joined: Result<Ends, JoinError>) {
        let Ends { mark, rows } = match joined {
            Ok(ends) => ends,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        self.shared.capacity().in_flight -= count(rows.len() + usize::from(mark.is_some()));
        if let Some(mark) = mark {
            self.end_mark(mark);
        }
        for row in rows {
            let settlement = self.judge(row);
            self.end(SendEnd::Message(settlement));
        }
    }

    /// Gives an end to the intake. Without the intake nothing is written any more: the next start
    /// finds the claim.
    fn end(&self, end: SendEnd) {
        let _ = self.ends.send(end);
    }

    /// Time of the next step without an event: a row becomes due, a rate limit or a pause ends, or
    /// the poll interval is over.
    async fn wake_at(&self) -> Instant {
        let now = Instant::now();
        let clock_now = self.parts.clock.now();
        let due = match self.parts.store.next_due(clock_now).await {
            // Rows that are due already do not wait for a time.
            Ok(Some(due)) if due > clock_now => {
                Duration::try_from(due.duration_since(clock_now)).ok()
            }
            Ok(_) => None,
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "next due time is unknown"
                );
                None
            }
        };
        let poll = now + POLL_EVERY;
        let due = due.and_then(|wait| now.checked_add(wait));
        let room = self.shared.capacity().limiter.next_room(now);
        [due, room].into_iter().flatten().fold(poll, Instant::min)
    }

    /// Soft stop: nothing is claimed, rows that wait for their slot are released, and running
    /// requests are awaited. The intake settles them before it ends.
    async fn finish(&mut self) {
        self.shared.capacity().is_open = false;
        let deadline = sleep_until(Instant::now() + GRACE);
        tokio::pin!(deadline);
        // Room that is reserved is handed over, or given back, when the commit ends.
        while self.shared.capacity().in_flight > 0 {
            tokio::select! {
                biased;
                () = &mut deadline => {
                    let rows = self.shared.capacity().in_flight;
                    tracing::warn!(
                        rows,
                        "sends were left without an answer: their outcome is unknown"
                    );
                    break;
                }
                Some(handed) = self.handed_over.recv() => self.start_handed(handed),
                Some(joined) = self.sending.join_next(), if !self.sending.is_empty() => self.collect(joined),
                // A reservation may be given back without a word.
                () = sleep(GIVEN_BACK) => {}
            }
        }
    }
}

/// Groups sends by conversation, in the order claimed; the read marks of other conversations follow.
fn by_conversation(rows: Vec<Scheduled>, marks: Vec<(ReadMark, Instant)>) -> Vec<Sends> {
    let mut groups: Vec<Sends> = Vec::new();
    let mut places = HashMap::new();
    for row in rows {
        let conversation = row.row.conversation_id;
        let place = *places.entry(conversation).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(sends) => sends.rows.push(row),
            None => groups.push(Sends {
                mark: None,
                rows: vec![row],
            }),
        }
    }
    for mark in marks {
        match places.get(&mark.0.conversation_id) {
            Some(place) => groups[*place].mark = Some(mark),
            None => groups.push(Sends {
                mark: Some(mark),
                rows: Vec::new(),
            }),
        }
    }
    groups
}

/// Number of sends, which the limit of a claim bounds.
fn count(sends: usize) -> u32 {
    u32::try_from(sends).expect("a claim is bounded by a u32")
}

#[cfg(test)]
mod tests;
