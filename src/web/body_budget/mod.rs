//! Bodies that are coming in, bounded in memory and in number, and each of them in time.
//!
//! A signature can be checked only at a body's end, so nobody knows before it whether a body is
//! worth its memory. What can be known is whether it moves: each has to be over by a moment that
//! every byte puts off a little. Past it the body is given up; and when room runs short, the one
//! that is closest to it goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::peer::Peer;

/// Room for the bodies of all requests, and how fast they must come.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    /// Bytes of all bodies at the same time, those included that are being stored.
    pub(super) bytes: usize,
    /// Bodies that are coming in at the same time.
    pub(super) coming: usize,
    /// How long a body may stand still.
    pub(super) grace: Duration,
    /// A body that comes more slowly uses up its grace.
    pub(super) bytes_per_second: u64,
}

/// What one peer may take of either bound: a quarter, so that no single one can take everything.
const SHARE: usize = 4;

/// There is no room for a body, or it was the slowest when another one needed the room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowded;

/// All bodies of one listener.
#[derive(Debug)]
pub(super) struct BodyBudget {
    limits: BodyLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    bytes_of: HashMap<Peer, usize>,
    coming: BTreeMap<u64, Coming>,
    next: u64,
}

#[derive(Debug)]
struct Coming {
    peer: Option<Peer>,
    bytes: usize,
    /// When it is given up, unless more of it comes.
    due: Instant,
    give_up: CancellationToken,
}

/// The room that one body takes, given back when it is dropped.
#[derive(Debug)]
pub(super) struct BodyReservation {
    bodies: Arc<BodyBudget>,
    key: u64,
    peer: Option<Peer>,
    bytes: usize,
    due: Instant,
    /// Cancelled when the room was taken away.
    give_up: CancellationToken,
}

impl BodyBudget {
    pub(super) fn new(limits: BodyLimits) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self { limits, state })
    }

    /// Lets a body begin; `peer` is none for those that have no share of their own.
    pub(super) fn begin(self: &Arc<Self>, peer: Option<Peer>) -> Result<BodyReservation, Crowded> {
        let mut state = self.state();
        if peer.is_some() {
            let count = state
                .coming
                .values()
                .filter(|body| body.peer == peer)
                .count();
            if count >= self.limits.coming.div_ceil(SHARE) {
                state.give_up_slowest(|body| body.peer == peer)?;
            }
        }
        if state.coming.len() >= self.limits.coming {
            state.give_up_slowest(|_| true)?;
        }
        let key = state.next;
        state.next += 1;
        let give_up = CancellationToken::new();
        let due = Instant::now() + self.limits.grace;
        let coming = Coming {
            peer,
            bytes: 0,
            due,
            give_up: give_up.clone(),
        };
        state.coming.insert(key, coming);
        drop(state);
        Ok(BodyReservation {
            bodies: Arc::clone(self),
            key,
            peer,
            bytes: 0,
            due,
            give_up,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the room of the slowest of those that fit; of equals the oldest.
    fn give_up_slowest(&mut self, fits: impl Fn(&Coming) -> bool) -> Result<(), Crowded> {
        let those = self.coming.iter().filter(|(_, body)| fits(body));
        let slowest = those.min_by_key(|(_, body)| body.due).map(|(key, _)| *key);
        let body = slowest
            .and_then(|key| self.coming.remove(&key))
            .ok_or(Crowded)?;
        self.give_back(body.peer, body.bytes);
        body.give_up.cancel();
        Ok(())
    }

    fn bytes_of(&self, peer: Peer) -> usize {
        self.bytes_of.get(&peer).copied().unwrap_or(0)
    }

    fn give_back(&mut self, peer: Option<Peer>, bytes: usize) {
        self.bytes -= bytes;
        if let Some(peer) = peer
            && let Some(held) = self.bytes_of.get_mut(&peer)
        {
            *held -= bytes;
            if *held == 0 {
                self.bytes_of.remove(&peer);
            }
        }
    }
}

impl BodyReservation {
    /// Makes room for bytes that have come, at the cost of slower bodies if need be.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Crowded> {
        let limits = self.bodies.limits;
        let (peer, now) = (self.peer, Instant::now());
        let mut state = self.bodies.state();
        let Some(coming) = state.coming.get_mut(&self.key) else {
            return Err(Crowded);
        };
        let earned = Duration::from_micros(bytes as u64 * 1_000_000 / limits.bytes_per_second);
        // A head start is worth no more than the grace: a body that came fast and then stands still
        // is slow.
        coming.due = (coming.due + earned).min(now + limits.grace);
        self.due = coming.due;
        if let Some(peer) = peer {
            let share = limits.bytes / SHARE;
            while state.bytes_of(peer) + bytes > share {
                state.give_up_slowest(|body| body.peer == Some(peer) && body.bytes > 0)?;
            }
        }
        while state.bytes + bytes > limits.bytes {
            state.give_up_slowest(|body| body.bytes > 0)?;
        }
        // It may have been the slowest itself.
        let Some(coming) = state.coming.get_mut(&self.key) else {
            return Err(Crowded);
        };
        coming.bytes += bytes;
        state.bytes += bytes;
        if let Some(peer) = peer {
            *state.bytes_of.entry(peer).or_default() += bytes;
        }
        drop(state);
        self.bytes += bytes;
        Ok(())
    }

    /// The body is complete: from now on its room is not taken away.
    pub(super) fn complete(&mut self) -> Result<(), Crowded> {
        let complete = self.bodies.state().coming.remove(&self.key);
        complete.map(drop).ok_or(Crowded)
    }

    /// When the body is too slow, unless more of it comes.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Waits until the room is taken away.
    pub(super) fn taken_away(&self) -> WaitForCancellationFuture<'_> {
        self.give_up.cancelled()
    }
}

impl Drop for BodyReservation {
    fn drop(&mut self) {
        let mut state = self.bodies.state();
        state.coming.remove(&self.key);
        if !self.give_up.is_cancelled() {
            state.give_back(self.peer, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
