//! Slots of connections. When they run short, the connection that has been idle for longest is
//! closed for the new one; a connection with a request in progress never is.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::peer::Peer;

/// Slots of one listener.
#[derive(Debug)]
pub(super) struct ConnectionSlots {
    /// Upper bound of connections.
    most: usize,
    /// Upper bound of connections of one peer.
    most_per_peer: usize,
    state: Mutex<State>,
    /// Notified when a connection has been closed.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    /// Open connections, with those that are being closed for others.
    open: usize,
    taken_by: HashMap<Peer, usize>,
    /// Connections without a request in progress, those idle for longest first.
    idle: BTreeMap<u64, Idle>,
    next: u64,
}

#[derive(Debug)]
struct Idle {
    peer: Option<Peer>,
    close: CancellationToken,
}

/// Result of a request for a slot.
#[derive(Debug)]
pub(super) enum Admission {
    /// The connection has a free slot.
    Free(Arc<ConnectionSlot>),
    /// The connection has the slot of one that is being closed.
    Instead(Arc<ConnectionSlot>),
    /// Every slot has a request in progress.
    Full,
}

/// Slot of one connection, idle at first; free again when dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    peer: Option<Peer>,
    /// Cancelled when another connection gets the slot.
    close: CancellationToken,
    request: Mutex<Request>,
    /// Number of beginnings and ends of requests: odd while one is in progress.
    turns: AtomicUsize,
}

/// Progress of a connection's requests.
#[derive(Clone, Copy, Debug)]
enum Request {
    /// There is none; holds the key in [`State::idle`].
    None(u64),
    /// The header is complete.
    Begun,
    /// The response is being sent.
    Answered,
}

impl ConnectionSlots {
    pub(super) fn new(most: usize, most_per_peer: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_per_peer,
            state: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Gives a new connection a slot; `peer` is `None` for clients without a share.
    pub(super) fn admit(self: &Arc<Self>, peer: Option<Peer>) -> Admission {
        let mut state = self.state();
        let mut closed = false;
        if let Some(peer) = peer
            && state.taken_by.get(&peer).copied().unwrap_or(0) >= self.most_per_peer
        {
            if !state.close_longest_idle(|idle| idle.peer == Some(peer)) {
                return Admission::Full;
            }
            closed = true;
        }
        if state.taken >= self.most {
            if !state.close_longest_idle(|_| true) {
                return Admission::Full;
            }
            closed = true;
        }
        state.taken += 1;
        state.open += 1;
        if let Some(peer) = peer {
            *state.taken_by.entry(peer).or_default() += 1;
        }
        let close = CancellationToken::new();
        let request = Mutex::new(Request::None(state.add_idle(peer, &close)));
        drop(state);
        let slot = Arc::new(ConnectionSlot {
            slots: Arc::clone(self),
            peer,
            close,
            request,
            turns: AtomicUsize::new(0),
        });
        if closed {
            Admission::Instead(slot)
        } else {
            Admission::Free(slot)
        }
    }

    /// Closes the connection that has been idle for longest, to free its file descriptor.
    pub(super) fn close_one(&self) -> bool {
        self.state().close_longest_idle(|_| true)
    }

    /// Waits until a connection has been closed.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Waits until most connections closed for others are gone, so that they do not add up.
    pub(super) async fn settled(&self) {
        while self.state().open > self.most + self.most / 16 {
            self.freed().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add_idle(&mut self, peer: Option<Peer>, close: &CancellationToken) -> u64 {
        let key = self.next;
        self.next += 1;
        let close = close.clone();
        self.idle.insert(key, Idle { peer, close });
        key
    }

    /// Closes the longest idle of the matching connections; returns whether there was one. Its slot
    /// is free at once: only a task remains that has to notice.
    fn close_longest_idle(&mut self, fits: impl Fn(&Idle) -> bool) -> bool {
        let mut idle = self.idle.iter();
        let Some(key) = idle.find(|(_, idle)| fits(idle)).map(|(key, _)| *key) else {
            return false;
        };
        if let Some(idle) = self.idle.remove(&key) {
            self.give_back(idle.peer);
            idle.close.cancel();
        }
        true
    }

    fn give_back(&mut self, peer: Option<Peer>) {
        self.taken -= 1;
        if let Some(peer) = peer
            && let Some(taken) = self.taken_by.get_mut(&peer)
        {
            *taken -= 1;
            if *taken == 0 {
                self.taken_by.remove(&peer);
            }
        }
    }
}

impl ConnectionSlot {
    /// Marks the header as complete: from now on the connection is not closed for another one.
    pub(super) fn begin(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        let before = std::mem::replace(&mut *self.request(), Request::Begun);
        if let Request::None(key) = before {
            self.slots.state().idle.remove(&key);
        }
    }

    /// Marks the response as known.
    pub(super) fn answered(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        *self.request() = Request::Answered;
    }

    /// Marks the response as sent to the system.
    pub(super) fn flushed(&self) {
        let mut request = self.request();
        if let Request::Answered = *request
            && !self.close.is_cancelled()
        {
            *request = Request::None(self.slots.state().add_idle(self.peer, &self.close));
        }
    }

    /// Whether a header is complete and its response not yet sent.
    pub(super) fn has_request(&self) -> bool {
        !matches!(*self.request(), Request::None(_))
    }

    /// Number of beginnings and ends of requests: odd while one is in progress.
    pub(super) fn turns(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }

    /// Peer of the connection; `None` for a trusted proxy.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// Waits until another connection gets the slot.
    pub(super) fn closed(&self) -> WaitForCancellationFuture<'_> {
        self.close.cancelled()
    }

    fn request(&self) -> MutexGuard<'_, Request> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        // A connection closed for another one has given its slot back already.
        if !self.close.is_cancelled() {
            state.give_back(self.peer);
        }
        if let Request::None(key) = *self.request() {
            state.idle.remove(&key);
        }
        state.open -= 1;
        drop(state);
        self.slots.freed.notify_one();
    }
}
