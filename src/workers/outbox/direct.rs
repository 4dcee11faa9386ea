//! The direct way of a reply: the intake reserves room, claims the reply in the transaction that
//! stores its message, and hands it over after the commit. Results go back to the intake, which
//! records them in its next commit.
//!
//! A number takes the direct way only while no message of it waits in the outbox for room: a later
//! reply must not overtake it.

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

use super::rate_limit::{Feedback, RateLimiter, Weight};
use super::sender::Scheduled;
use crate::message::PhoneNumberId;
use crate::store::{Claimed, DirectClaims, ReadMark, SendResult, SendRoom, Settlement, Store};

/// Room for sends, and how much of it is taken.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) limiter: RateLimiter,
    /// Rows that are claimed, or about to be, and have no result yet.
    pub(super) in_flight: u32,
    /// Upper bound of `in_flight`.
    pub(super) in_flight_max: u32,
    /// Numbers whose messages wait in the outbox for room.
    pub(super) crowded: HashSet<PhoneNumberId>,
    /// Conversations whose read mark is being sent or settled.
    pub(super) marks_on_their_way: HashSet<i64>,
    /// False after a soft stop: nothing is claimed any more.
    pub(super) is_open: bool,
}

impl Capacity {
    /// Number of rows that each of the numbers with queued rows may send now, and of rows in all: half
    /// of those that are free, because the intake claims meanwhile. They count as in flight until
    /// [`Shared::schedule`] gives back what was not claimed.
    pub(super) fn room(
        &mut self,
        numbers: &[PhoneNumberId],
        now: Instant,
    ) -> (HashMap<PhoneNumberId, u32>, u32) {
        self.crowded.retain(|number| numbers.contains(number));
        let limit = self.free(now).div_ceil(2);
        let mut room = HashMap::new();
        for number in numbers.iter().filter(|_| limit > 0) {
            let rows = self.limiter.number_room(number, now);
            if rows > 0 {
                room.insert(number.clone(), rows);
            }
        }
        let limit = if room.is_empty() { 0 } else { limit };
        self.in_flight += limit;
        (room, limit)
    }

    /// Number of sends that the limits of all numbers together allow now.
    pub(super) fn free(&self, now: Instant) -> u32 {
        let free = self.in_flight_max.saturating_sub(self.in_flight);
        free.min(self.limiter.gateway_room(now))
    }

    /// Takes on the read marks for which there is room, with the time of their sends; the others
    /// stay in the database.
    pub(super) fn take_marks(
        &mut self,
        marks: Vec<ReadMark>,
        now: Instant,
    ) -> Vec<(ReadMark, Instant)> {
        let mut taken = Vec::with_capacity(marks.len());
        for mark in marks {
            let has_room = self.is_open
                && self.in_flight < self.in_flight_max
                && self.limiter.gateway_room(now) > 0
                && self.limiter.number_room(&mark.phone_number_id, now) > 0;
            if has_room && self.marks_on_their_way.insert(mark.conversation_id) {
                self.in_flight += 1;
                let number = &mark.phone_number_id;
                let slot = self.limiter.take(number, Weight::ReadMark, now);
                taken.push((mark, slot));
            }
        }
        taken
    }
}

/// State that the worker and the intake share.
#[derive(Debug)]
pub(super) struct Shared {
    capacity: Mutex<Capacity>,
    /// Whether queued rows or read marks may be in the database.
    has_queue: AtomicBool,
    store: Store,
    lease: Duration,
    /// Time that a send and its settlement need at most.
    needed: Duration,
}

impl Shared {
    pub(super) fn new(
        capacity: Capacity,
        store: Store,
        lease: Duration,
        needed: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            capacity: Mutex::new(capacity),
            // Rows of an earlier run.
            has_queue: AtomicBool::new(true),
            store,
            lease,
            needed,
        })
    }

    pub(super) fn capacity(&self) -> MutexGuard<'_, Capacity> {
        self.capacity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Latest start of a send that was claimed at `now`.
    pub(super) fn latest_start(&self, now: Instant) -> Instant {
        now + self.lease.saturating_sub(self.needed)
    }

    /// Takes slots for rows that were claimed from the outbox, of which the claim could take `room`
    /// rows per number and `limit` in all. Numbers of which it took fewer have nothing left to wait
    /// for room.
    pub(super) fn schedule(
        &self,
        rows: Vec<Claimed>,
        mut room: HashMap<PhoneNumberId, u32>,
        limit: u32,
        now: Instant,
    ) -> Vec<Scheduled> {
        let mut capacity = self.capacity();
        let count = u32::try_from(rows.len()).expect("a claim is bounded by a u32");
        capacity.in_flight -= limit - count;
        let latest = self.latest_start(now);
        let schedule = |row: Claimed| {
            if let Some(room) = room.get_mut(&row.phone_number_id) {
                *room -= 1;
            }
            let slot = capacity
                .limiter
                .take(&row.phone_number_id, Weight::Message, now);
            Scheduled { row, slot, latest }
        };
        let scheduled = rows.into_iter().map(schedule).collect();
        if count < limit {
            let has_left = |number: &PhoneNumberId| room.get(number).is_some_and(|left| *left > 0);
            capacity.crowded.retain(|number| !has_left(number));
        }
        scheduled
    }

    /// Gives reserved room back: nothing was sent. A circuit breaker that let it through as its trial
    /// lets another one through.
    fn give_back(&self, slots: &[Slot]) {
        let now = Instant::now();
        let mut capacity = self.capacity();
        for slot in slots {
            capacity.in_flight -= 1;
            let (limiter, not_started) = (&mut capacity.limiter, Feedback::NotStarted);
            limiter.learn(&slot.number, now, not_started, now);
        }
    }

    pub(super) fn set_queue(&self, has_rows: bool) {
        self.has_queue.store(has_rows, Ordering::SeqCst);
    }
}

/// What a commit of the intake gives to the worker.
#[derive(Debug)]
pub(super) struct HandedOver {
    pub(super) rows: Vec<Scheduled>,
    /// To be sent if there is room.
    pub(super) marks: Vec<ReadMark>,
}

/// End of a send, for the next commit of the intake.
#[derive(Debug)]
pub enum SendEnd {
    /// Of a message.
    Message(Settlement),
    /// Of a read mark that was tried.
    Mark(ReadMark),
}

/// The intake's end of the direct way.
#[derive(Debug)]
pub struct DirectSends {
    shared: Arc<Shared>,
    hand_over: mpsc::UnboundedSender<HandedOver>,
    /// Ends of all sends, direct or not. The channel closes with the worker.
    pub ends: mpsc::UnboundedReceiver<SendEnd>,
}

impl DirectSends {
    pub(super) fn new(
        shared: Arc<Shared>,
        hand_over: mpsc::UnboundedSender<HandedOver>,
        ends: mpsc::UnboundedReceiver<SendEnd>,
    ) -> Self {
        Self {
            shared,
            hand_over,
            ends,
        }
    }

    /// Begins to reserve room for the replies of one transaction.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        Reservation {
            shared: Arc::clone(&self.shared),
            hand_over: self.hand_over.clone(),
            now: Instant::now(),
            slots: Mutex::default(),
        }
    }

    /// Records that a commit has put rows into the outbox that are not claimed.
    pub fn queued(&self) {
        self.shared.set_queue(true);
    }

    /// Records that tried read marks have left the database.
    pub fn marks_settled(&self, marks: &[ReadMark]) {
        let mut capacity = self.shared.capacity();
        for mark in marks {
            capacity.marks_on_their_way.remove(&mark.conversation_id);
        }
    }

    /// Whether rows may wait in the outbox.
    #[must_use]
    pub fn has_queue(&self) -> bool {
        self.shared.has_queue.load(Ordering::SeqCst)
    }
}

/// Room that is reserved for one transaction. It is given back when this is dropped.
#[derive(Debug)]
pub struct Reservation {
    shared: Arc<Shared>,
    hand_over: mpsc::UnboundedSender<HandedOver>,
    now: Instant,
    /// In the order of the claims.
    slots: Mutex<Vec<Slot>>,
}

#[derive(Debug)]
struct Slot {
    number: PhoneNumberId,
    claim_token: String,
    /// Earliest start.
    at: Instant,
}

impl Reservation {
    /// Returns how the transaction claims.
    #[must_use]
    pub fn claims(&self) -> DirectClaims<'_> {
        DirectClaims {
            room: self,
            lease: self.shared.lease,
        }
    }

    /// Hands committed claims and read marks over to the worker, which sends them. Without the worker
    /// nothing is sent any more: then the claims come back, released.
    #[must_use]
    pub fn hand_over(&mut self, claimed: Vec<Claimed>, marks: Vec<ReadMark>) -> Vec<Settlement> {
        let slots = self.take_slots();
        assert_eq!(slots.len(), claimed.len(), "every slot has its claim");
        if claimed.is_empty() && marks.is_empty() {
            return Vec::new();
        }
        let latest = self.shared.latest_start(self.now);
        let scheduled = claimed.into_iter().zip(slots).map(|(row, slot)| Scheduled {
            row,
            slot: slot.at,
            latest,
        });
        let rows = scheduled.collect();
        match self.hand_over.send(HandedOver { rows, marks }) {
            Ok(()) => Vec::new(),
            Err(mpsc::error::SendError(handed)) => {
                let rows = handed.rows.into_iter().map(|scheduled| scheduled.row);
                rows.map(|row| released(row.claim_token, row.phone_number_id))
                    .collect()
            }
        }
    }

    /// Gives claims back of which it is unknown whether they were committed: they were not sent.
    #[must_use]
    pub fn release(&mut self) -> Vec<Settlement> {
        let slots = self.take_slots();
        self.shared.give_back(&slots);
        let release = |slot: Slot| released(slot.claim_token, slot.number);
        slots.into_iter().map(release).collect()
    }

    fn take_slots(&mut self) -> Vec<Slot> {
        take(self.slots.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

fn released(claim_token: String, number: PhoneNumberId) -> Settlement {
    Settlement {
        id: 0,
        claim_token,
        phone_number_id: number,
        outcome: SendResult::Released,
        report: None,
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let slots = self.take_slots();
        self.shared.give_back(&slots);
    }
}

impl SendRoom for Reservation {
    fn reserve(&self, number: &PhoneNumberId) -> Option<String> {
        let mut capacity = self.shared.capacity();
        if !capacity.is_open || !self.shared.store.may_send() || capacity.crowded.contains(number) {
            return None;
        }
        let room = capacity.free(self.now);
        if room.min(capacity.limiter.number_room(number, self.now)) == 0 {
            capacity.crowded.insert(number.clone());
            return None;
        }
        capacity.in_flight += 1;
        let claim_token = Uuid::new_v4().simple().to_string();
        let slot = Slot {
            number: number.clone(),
            claim_token: claim_token.clone(),
            at: capacity.limiter.take(number, Weight::Message, self.now),
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.push(slot);
        Some(claim_token)
    }
}
