//! The pretend WhatsApp: Graph's side and the phone's side of it, over real HTTP on loopback.
//!
//! It takes what the service sends and answers as Graph does (`graph`), sends truly signed webhooks
//! to the service's real endpoint ([`webhooks`]), and gives people and tests a phone to type on
//! (`phone`). What happened is in its [`State`]. The demo, the tests and the benchmarks use it; the
//! service does not know it exists.

mod account;
mod faults;
mod graph;
mod phone;
mod state;
pub mod webhooks;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use bytes::Bytes;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use account::{Account, WABA};
pub use faults::Fault;
pub use state::{Bubble, Option as ScreenOption, Request, Side, State, StoredFile, Verdict};

use crate::clock::Clock;
use crate::message::{PhoneNumberId, Wamid};
use crate::whatsapp::signature;

/// How long [`Sandbox::wait_for`] waits for what a test expects. Generous: it only passes when
/// something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a pretend WhatsApp needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens: loopback.
    pub listen: SocketAddr,
    /// Signs the webhooks.
    pub app_secret: SecretString,
    /// Must come as bearer token with every Graph request.
    pub api_key: SecretString,
    /// The business numbers it knows; the first one is written to when nothing else is said.
    pub numbers: Vec<PhoneNumberId>,
    /// Tells the time on messages and receipts.
    pub clock: Clock,
    /// When receipts come.
    pub receipts: Receipts,
}

/// When and how receipts of accepted messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipts {
    /// After the answer: sent, delivered, read.
    Normal,
    /// Before the answer to the send.
    Early,
    /// Each of them twice.
    Doubled,
    /// Read first, then delivered, then sent.
    Reversed,
    /// Not at all.
    Never,
}

/// A running pretend WhatsApp. Clones share it; it stops when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Sandbox {
    inner: Arc<Inner>,
    _stop: Arc<DropGuard>,
}

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Inner {
    settings: Settings,
    address: SocketAddr,
    client: reqwest::Client,
    webhook: Mutex<Option<String>>,
    state: Mutex<State>,
    /// Counts changes of `state`.
    changes: watch::Sender<u64>,
}

#[expect(
    clippy::panic,
    reason = "a test that waits in vain fails where it stands"
)]
impl Sandbox {
    /// Binds the listener and serves until the last clone is dropped. Webhooks go nowhere before
    /// [`Self::connect`].
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(settings: Settings) -> std::io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            settings,
            address,
            client: webhooks::client(),
            webhook: Mutex::new(None),
            state: Mutex::new(State::default()),
            changes: watch::channel(0).0,
        });
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let router = router(Arc::clone(&inner));
        tokio::spawn(async move {
            // Dropped at once on stop: nobody waits for a pretend server's last answers.
            let serve = axum::serve(listener, router);
            tokio::select! { _ = serve => {}, () = stopped => {} }
        });
        Ok(Self {
            inner,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// Where it listens, for both of its sides.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// What goes into `gateway.base_url`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.inner.address)
    }

    /// Sends webhooks to this URL from now on.
    pub fn connect(&self, url: impl Into<String>) {
        *lock(&self.inner.webhook) = Some(url.into());
    }

    /// The next matching request fails in this way.
    pub fn script(&self, fault: Fault) {
        self.inner.change(|state| state.faults.push_back(fault));
    }

    /// Forgets every fault that was scripted and has not happened.
    pub fn clear_faults(&self) {
        self.inner.change(|state| state.faults.clear());
    }

    /// Lets requests go on that a [`Fault::Stall`] holds.
    pub fn release(&self) {
        self.inner.change(|state| state.released += 1);
    }

    /// Makes the account as a test wants it.
    pub fn prepare(&self, change: impl FnOnce(&mut Account)) {
        self.inner.change(|state| change(&mut state.account));
    }

    /// A look at what happened so far.
    pub fn look<T>(&self, at: impl FnOnce(&State) -> T) -> T {
        at(&lock(&self.inner.state))
    }

    /// Waits until `ready` gives something of the state, and gives that.
    ///
    /// # Panics
    /// When it does not within half a minute; the message shows the state.
    #[track_caller]
    pub fn wait_for<T>(
        &self,
        what: &str,
        mut ready: impl FnMut(&State) -> Option<T>,
    ) -> impl Future<Output = T> {
        let place = std::panic::Location::caller();
        async move {
            let mut changes = self.inner.changes.subscribe();
            let found = tokio::time::timeout(PATIENCE, async {
                loop {
                    changes.borrow_and_update();
                    if let Some(found) = self.look(&mut ready) {
                        break found;
                    }
                    changes
                        .changed()
                        .await
                        .expect("the sender lives in `inner`");
                }
            });
            found.await.unwrap_or_else(|_| {
                let state = self.look(|state| format!("{state:#?}"));
                panic!("{place}: waited in vain for {what}; {state}")
            })
        }
    }

    /// Keeps a file as if a person had sent it to the first number, and gives its media id: for the
    /// message that carries it.
    pub fn store_file(&self, bytes: impl Into<Bytes>, mime_type: &str) -> String {
        self.inner.store(StoredFile {
            phone_number_id: self.inner.settings.numbers[0].as_str().to_owned(),
            mime_type: mime_type.to_owned(),
            filename: None,
            bytes: bytes.into(),
        })
    }

    /// Signs a body and posts it once; gives the HTTP status, 0 when there was no answer.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> u16 {
        self.inner.post(body.into()).await
    }

    /// A person writes a text; gives the message's id once the service has acknowledged it.
    ///
    /// # Panics
    /// When the service does not take it after all tries.
    pub async fn say(&self, from: &str, text: &str) -> Wamid {
        let content = serde_json::json!({ "type": "text", "text": { "body": text } });
        self.write(from, content, text).await
    }

    /// A person taps a button or row of the newest message that offers it, by id.
    ///
    /// # Panics
    /// When nothing on the screen offers it, or the service does not take the tap.
    pub async fn tap(&self, from: &str, id: &str) -> Wamid {
        let option = self.look(|state| state.option(from, id).cloned());
        let option = option.unwrap_or_else(|| panic!("nothing offers `{id}`"));
        self.write(from, option.tapped(), &format!("[{}]", option.title))
            .await
    }

    /// A person sends anything: the part of Meta's message that depends on its type.
    ///
    /// # Panics
    /// When the service does not take it after all tries.
    pub async fn write(&self, from: &str, content: serde_json::Value, shown: &str) -> Wamid {
        let number = self.inner.settings.numbers[0].clone();
        self.inner
            .write(
                &phone::Writer {
                    from,
                    name: None,
                    number: &number,
                },
                content,
                shown,
            )
            .await
            .unwrap_or_else(|status| panic!("the service answered {status}"))
    }
}

impl Inner {
    /// Changes the state and wakes everyone who waits for it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut lock(&self.state));
        self.changes.send_modify(|count| *count += 1);
        changed
    }

    async fn post(&self, body: Vec<u8>) -> u16 {
        let Some(url) = lock(&self.webhook).clone() else {
            return 0;
        };
        let signed = signature::sign(&self.settings.app_secret, &body);
        webhooks::post(&self.client, &url, &signed, body).await
    }
}

fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/sandbox/say", post(phone::say))
        .route("/sandbox/screen/{phone}", get(phone::screen))
        .route("/sandbox/file/{id}", get(graph::media::bytes))
        .route(
            "/{version}/{number}/messages",
            post(graph::messages::messages),
        )
        .route(
            "/{version}/{number}/media",
            post(graph::media::upload).layer(DefaultBodyLimit::max(graph::media::MAX_FORM_BYTES)),
        )
        .route(
            "/{version}/{number}/message_templates",
            get(graph::templates::list)
                .post(graph::templates::create)
                .delete(graph::templates::delete),
        )
        .route(
            "/{version}/{number}/phone_numbers",
            get(graph::numbers::list),
        )
        .route(
            "/{version}/{number}/subscribed_apps",
            get(graph::numbers::subscribed_apps),
        )
        .route(
            "/{version}/{number}/whatsapp_business_profile",
            get(graph::profile::get).post(graph::profile::update),
        )
        .route(
            "/{version}/{number}",
            get(graph::object::get)
                .post(graph::object::post)
                .delete(graph::object::delete),
        )
        .route(
            "/connections",
            get(graph::connections::list).post(graph::connections::create),
        )
        .route(
            "/connections/{id}",
            get(graph::connections::get).delete(graph::connections::delete),
        )
        .with_state(inner)
}

/// A test that panicked while it held the lock must not hide why.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
