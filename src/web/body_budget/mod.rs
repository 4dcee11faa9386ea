//! Budget of incoming bodies, bounded in memory, number and time.
//!
//! A signature can be checked only at a body's end, so its worth is unknown before. But its
//! progress is known: each body has a deadline that every byte defers a little. After it the body
//! is given up, and when memory runs short, the body closest to its deadline goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::peer::Peer;

/// Limits of the bodies of all requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    /// Bytes of all bodies, with those that are being stored.
    pub(super) bytes: usize,
    /// Number of incoming bodies.
    pub(super) coming: usize,
    /// Time for which a body may stall.
    pub(super) grace: Duration,
    /// Rate below which a body uses up its grace.
    pub(super) bytes_per_second: u64,
}

/// Part of either bound for one peer: a quarter, so that no peer can take everything.
const SHARE: usize = 4;

/// There is no room for a body, or it was the slowest when another one needed room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowded;

/// Bodies of one listener.
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
    /// Deadline, unless more bytes arrive.
    due: Instant,
    give_up: CancellationToken,
}

/// Memory of one body, released when dropped.
#[derive(Debug)]
pub(super) struct BodyReservation {
    bodies: Arc<BodyBudget>,
    key: u64,
    peer: Option<Peer>,
    bytes: usize,
    due: Instant,
    /// Cancelled when the memory is taken away.
    give_up: CancellationToken,
}

impl BodyBudget {
    pub(super) fn new(limits: BodyLimits) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self { limits, state })
    }

    /// Admits a body; `peer` is `None` for clients without a share.
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
    /// Gives up the slowest of the matching bodies; of equals the oldest.
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
    /// Reserves memory for received bytes, if necessary that of slower bodies.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Crowded> {
        let limits = self.bodies.limits;
        let (peer, now) = (self.peer, Instant::now());
        let mut state = self.bodies.state();
        let Some(coming) = state.coming.get_mut(&self.key) else {
            return Err(Crowded);
        };
        let earned = Duration::from_micros(bytes as u64 * 1_000_000 / limits.bytes_per_second);
        // Earned time is bounded by the grace: a body that was fast and then stalls is slow.
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
        // This body may have been the slowest itself.
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

    /// Marks the body as complete: from now on its memory is not taken away.
    pub(super) fn complete(&mut self) -> Result<(), Crowded> {
        let complete = self.bodies.state().coming.remove(&self.key);
        complete.map(drop).ok_or(Crowded)
    }

    /// Deadline of the body, unless more bytes arrive.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Waits until the memory is taken away.
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
