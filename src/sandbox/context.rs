//! Settings and state that every handler of the sandbox shares, and the only way to change the
//! state: each change wakes everything that waits for one.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;
use tokio::sync::watch;

use super::state::{State, StoredFile};
use super::webhooks;
use crate::clock::Clock;
use crate::message::PhoneNumberId;
use crate::whatsapp::signature;

/// Settings of a sandbox.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the listener, on loopback.
    pub listen: SocketAddr,
    /// Secret that signs the webhooks.
    pub app_secret: SecretString,
    /// Bearer token required of every Graph request.
    pub api_key: SecretString,
    /// Known business numbers; contacts write to the first one unless another is named.
    pub numbers: Vec<PhoneNumberId>,
    /// Source of the times on messages and receipts.
    pub clock: Clock,
    /// Delivery of receipts.
    pub receipts: Receipts,
}

/// Time and order in which the receipts of an accepted message are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipts {
    /// After the response: sent, delivered, read.
    Normal,
    /// Before the response to the send.
    Early,
    /// Each of them twice.
    Doubled,
    /// Read first, then delivered, then sent.
    Reversed,
    /// Not at all.
    Never,
}

/// State shared by all handlers.
#[derive(Debug)]
pub(crate) struct Context {
    pub(super) settings: Settings,
    pub(super) address: SocketAddr,
    client: reqwest::Client,
    webhook: Mutex<Option<String>>,
    state: Mutex<State>,
    /// Counts changes of `state`.
    pub(super) changes: watch::Sender<u64>,
}

impl Context {
    pub(super) fn new(settings: Settings, address: SocketAddr) -> Self {
        Self {
            settings,
            address,
            client: webhooks::client(),
            webhook: Mutex::new(None),
            state: Mutex::new(State::default()),
            changes: watch::channel(0).0,
        }
    }

    /// Locks the state for reading.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes the state and wakes everything that waits for a change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changes.send_modify(|count| *count += 1);
        changed
    }

    /// Stores a file and returns its media id.
    pub(super) fn store(&self, file: StoredFile) -> String {
        self.change(|state| state.add_file(file))
    }

    /// Sets the URL that webhooks are posted to.
    pub(super) fn connect(&self, url: String) {
        *lock(&self.webhook) = Some(url);
    }

    /// Signs a body and posts it once; returns the HTTP status, 0 when there was no response.
    pub(super) async fn post(&self, body: Vec<u8>) -> u16 {
        let Some(url) = lock(&self.webhook).clone() else {
            return 0;
        };
        let signed = signature::sign(&self.settings.app_secret, &body);
        webhooks::post(&self.client, &url, &signed, body).await
    }
}

/// Ignores poisoning, so that a test that panicked while holding the lock does not hide its reason.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
