//! The outbox worker: claims rows, paces and sends them, and settles the results.
//!
//! A row is claimed (with a `claim_token` and a lease) in one commit before its first byte is sent,
//! and settled in another; no transaction is open during a request to the gateway. A send with an
//! unknown result is never repeated here: a receipt or the operator decides about it. Next on the
//! way of a reply: [`crate::gateway`]; its receipts arrive through [`crate::web`].

pub(crate) mod backoff;
mod outcome;
mod rate_limit;
mod read_marks;
mod retry_policy;
mod sender;
mod sweep;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::message::PhoneNumberId;
use crate::shutdown::Shutdown;
use crate::store::{ClaimRequest, Claimed, Claims, ReadMark, Settlement, Store, StoreError};
use crate::telemetry::{Conditions, Metrics};
use rate_limit::{RateLimiter, Weight};
use sender::{Ends, Scheduled, Sender, Sends};

/// Poll interval of the outbox, without a notification.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Pause after a failed access to the database.
const RECOVER_FOR: Duration = Duration::from_secs(1);
/// At a soft stop, running requests are awaited this long.
const GRACE: Duration = Duration::from_secs(10);
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
    /// Upper bound of claimed rows and read marks without a response.
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
    limiter: RateLimiter,
    /// Cancelled at a soft stop: rows that wait for their slot are released.
    stop: CancellationToken,
    sending: JoinSet<Ends>,
    /// Claimed rows and read marks without a response.
    in_flight: u32,
    marks: ReadMarks,
    /// Settlements that are not yet in the database.
    unsettled: Vec<Settlement>,
    next_sweep: Instant,
}

/// Marks that the worker has taken on.
#[derive(Debug, Default)]
struct ReadMarks {
    /// Conversations whose mark is being sent or settled.
    on_their_way: HashSet<i64>,
    /// Marks that were tried, and that leave the database with the next settlement.
    tried: Vec<ReadMark>,
}

impl ReadMarks {
    /// Forgets the tried marks, which have left the database.
    fn settled(&mut self) {
        for mark in self.tried.drain(..) {
            self.on_their_way.remove(&mark.conversation_id);
        }
    }
}

/// Result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Rows were claimed or settled; more may be due at once.
    Worked,
    /// Nothing is due.
    Idle,
}

impl Delivery {
    /// Creates the worker; [`Self::run`] starts it.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let now = Instant::now();
        let DeliverySettings {
            messages_per_second,
            requests_per_second,
            ..
        } = parts.settings;
        Self {
            parts,
            limiter: RateLimiter::new(messages_per_second, requests_per_second, now),
            stop: CancellationToken::new(),
            sending: JoinSet::new(),
            in_flight: 0,
            marks: ReadMarks::default(),
            unsettled: Vec::new(),
            next_sweep: now,
        }
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
        while !stop.is_cancelled() {
            // Armed before the step, so that a row added meanwhile is not missed.
            let woken = wake.notified();
            let until = match self.step().await {
                Ok(Step::Worked) => continue,
                Ok(Step::Idle) => self.wake_at().await,
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
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                () = sleep_until(until) => {}
                Some(joined) = self.sending.join_next(), if !self.sending.is_empty() => self.collect(joined),
            }
        }
        self.finish().await;
    }

    /// Settles finished sends, sweeps the outbox, and claims and starts as many rows as there is
    /// room for.
    async fn step(&mut self) -> Result<Step, StoreError> {
        while let Some(joined) = self.sending.try_join_next() {
            self.collect(joined);
        }
        let settled = self.settle().await?;
        self.sweep().await?;
        let claimed = self.claim().await?;
        Ok(if settled + claimed > 0 {
            Step::Worked
        } else {
            Step::Idle
        })
    }

    /// Settles the sends that ended since the last step, in one commit.
    async fn settle(&mut self) -> Result<usize, StoreError> {
        let settlements = self.unsettled.clone();
        let tried = &self.marks.tried;
        let count = settlements.len() + tried.len();
        if count == 0 {
            return Ok(0);
        }
        // On an error the settlements stay and are tried again: a row settled twice no longer has
        // the claim token.
        let Parts { store, clock, .. } = &self.parts;
        let settled = store.settle_outbox(settlements, tried, clock.now());
        let settled = settled.await?;
        tracing::debug!(rows = count, ?settled, "outbox rows settled");
        self.unsettled.clear();
        self.marks.settled();
        Ok(count)
    }

    async fn claim(&mut self) -> Result<usize, StoreError> {
        if !self.parts.store.may_send() {
            return Ok(0);
        }
        let now = Instant::now();
        let most = self.parts.settings.max_in_flight;
        let free = most.saturating_sub(self.in_flight);
        let limit = free.min(self.limiter.gateway_room(now));
        if limit == 0 {
            return Ok(0);
        }
        let mut room = HashMap::new();
        for number in self.parts.store.outbox_numbers().await? {
            let rows = self.limiter.number_room(&number, now);
            if rows > 0 {
                room.insert(number, rows);
            }
        }
        let request = ClaimRequest {
            now: self.parts.clock.now(),
            lease: self.parts.settings.lease,
            room,
            limit,
        };
        let claims = if request.room.is_empty() {
            Claims::default()
        } else {
            self.parts.store.claim_outbox(request).await?
        };
        for (id, reason) in &claims.unusable {
            tracing::error!(outbox.id = id, reason, "message cannot be sent");
        }
        let rows = claims.rows;
        let left = limit.saturating_sub(count(rows.len()));
        let marks = self.take_marks(&rows, left, now).await;
        let started = rows.len() + marks.len();
        self.start(rows, marks, now);
        Ok(started + claims.unusable.len())
    }

    /// Starts one task per conversation.
    fn start(&mut self, rows: Vec<Claimed>, marks: Vec<ReadMark>, now: Instant) {
        let needed = self.parts.gateway.timeout() + SETTLING_TIME;
        let latest = now + self.parts.settings.lease.saturating_sub(needed);
        self.in_flight += count(rows.len() + marks.len());
        for (mark, rows) in by_conversation(rows, marks) {
            let mut take = |number: &PhoneNumberId, weight| self.limiter.take(number, weight, now);
            let mark = mark.map(|mark| {
                let slot = take(&mark.phone_number_id, Weight::ReadMark);
                (mark, slot)
            });
            let rows = rows.into_iter().map(|row| {
                let slot = take(&row.phone_number_id, Weight::Message);
                Scheduled { row, slot, latest }
            });
            let sends = Sends {
                mark,
                rows: rows.collect(),
            };
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
        self.in_flight -= count(rows.len() + usize::from(mark.is_some()));
        if let Some(mark) = mark {
            self.end_mark(mark);
        }
        for row in rows {
            let settlement = self.judge(row);
            self.unsettled.push(settlement);
        }
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
        let room = self.limiter.next_room(now);
        [due, room].into_iter().flatten().fold(poll, Instant::min)
    }

    /// Soft stop: nothing is claimed, rows that wait for their slot are released, and running
    /// requests are awaited and settled.
    async fn finish(&mut self) {
        let deadline = Instant::now() + GRACE;
        loop {
            while let Some(joined) = self.sending.try_join_next() {
                self.collect(joined);
            }
            if let Err(error) = self.settle().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "outbox could not be settled"
                );
            }
            match timeout_at(deadline, self.sending.join_next()).await {
                Ok(Some(joined)) => self.collect(joined),
                Ok(None) => break,
                Err(_) => {
                    let rows = self.in_flight;
                    tracing::warn!(
                        rows,
                        "sends were left without an answer: their outcome is unknown"
                    );
                    break;
                }
            }
        }
    }
}

/// Groups sends by conversation, in the order claimed; the read marks of other conversations follow.
fn by_conversation(
    rows: Vec<Claimed>,
    marks: Vec<ReadMark>,
) -> Vec<(Option<ReadMark>, Vec<Claimed>)> {
    let mut groups: Vec<(Option<ReadMark>, Vec<Claimed>)> = Vec::new();
    let mut places = HashMap::new();
    for row in rows {
        let place = *places.entry(row.conversation_id).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((None, vec![row])),
        }
    }
    for mark in marks {
        match places.get(&mark.conversation_id) {
            Some(place) => groups[*place].0 = Some(mark),
            None => groups.push((Some(mark), Vec::new())),
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
