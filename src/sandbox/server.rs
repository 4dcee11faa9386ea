//! The running sandbox: its listener, and the handle by which the demo, tests and benchmarks use
//! it.
//!
//! Handlers stand in `graph` and `phone`; this file only routes to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::account::Account;
use super::context::{Context, Settings};
use super::faults::Fault;
use super::graph::{connections, media, messages, numbers, object, profile, templates};
use super::phone;
use super::state::{State, StoredFile};
use crate::message::Wamid;

/// Time limit of [`Sandbox::wait_for`]. Generous: it only passes when something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Running sandbox. Clones share it; it stops when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Sandbox {
    context: Arc<Context>,
    _stop: Arc<DropGuard>,
}

#[expect(
    clippy::panic,
    reason = "a test that waits in vain fails at its own line"
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
        let context = Arc::new(Context::new(settings, address));
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let router = router(Arc::clone(&context));
        tokio::spawn(async move {
            // Dropped at once on stop: no client needs the last responses.
            let serve = axum::serve(listener, router);
            tokio::select! { _ = serve => {}, () = stopped => {} }
        });
        Ok(Self {
            context,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// Address of the listener, for both sides.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.context.address
    }

    /// URL for `gateway.base_url`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.context.address)
    }

    /// Sends webhooks to this URL from now on.
    pub fn connect(&self, url: impl Into<String>) {
        self.context.connect(url.into());
    }

    /// Lets the next send fail in this way.
    pub fn script(&self, fault: Fault) {
        self.context.change(|state| state.faults.push_back(fault));
    }

    /// Makes WhatsApp write a number in another way than it is dialled; both in digits.
    pub fn write_number(&self, dialled: &str, wa_id: &str) {
        let (dialled, wa_id) = (dialled.to_owned(), wa_id.to_owned());
        self.context
            .change(|state| state.written.insert(dialled, wa_id));
    }

    /// Drops every scripted fault that has not happened yet.
    pub fn clear_faults(&self) {
        self.context.change(|state| state.faults.clear());
    }

    /// Requires the proof of the app secret in each Graph call from now on, as Meta does for apps
    /// with "Require app secret".
    pub fn require_app_secret(&self) {
        self.context
            .change(|state| state.requires_app_secret = true);
    }

    /// Resumes requests that a [`Fault::Stall`] holds.
    pub fn release(&self) {
        self.context.change(|state| state.released += 1);
    }

    /// Changes the account before a test.
    pub fn prepare(&self, change: impl FnOnce(&mut Account)) {
        self.context.change(|state| change(&mut state.account));
    }

    /// Reads the state.
    pub fn look<T>(&self, at: impl FnOnce(&State) -> T) -> T {
        at(&self.context.state())
    }

    /// Waits until `ready` returns a value, and returns it. `condition` names it in the panic.
    ///
    /// # Panics
    /// When `ready` returns nothing within 30 s; the message shows the state.
    #[track_caller]
    pub fn wait_for<T>(
        &self,
        condition: &str,
        mut ready: impl FnMut(&State) -> Option<T>,
    ) -> impl Future<Output = T> {
        let place = std::panic::Location::caller();
        async move {
            let mut changes = self.context.changes.subscribe();
            let value = tokio::time::timeout(PATIENCE, async {
                loop {
                    changes.borrow_and_update();
                    if let Some(value) = self.look(&mut ready) {
                        break value;
                    }
                    changes
                        .changed()
                        .await
                        .expect("the context holds the sender");
                }
            });
            value.await.unwrap_or_else(|_| {
                let state = self.look(|state| format!("{state:#?}"));
                panic!("{place}: waited in vain for {condition}; {state}")
            })
        }
    }

    /// Stores a file as if a contact had sent it to the first number, and returns its media id.
    pub fn store_file(&self, bytes: impl Into<Bytes>, mime_type: &str) -> String {
        self.context.store(StoredFile {
            phone_number_id: self.context.settings.numbers[0].as_str().to_owned(),
            mime_type: mime_type.to_owned(),
            filename: None,
            bytes: bytes.into(),
        })
    }

    /// Signs a body and posts it once; returns the HTTP status, 0 when there was no response.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> u16 {
        self.context.post(body.into()).await
    }

    /// Writes a text as a contact; returns its id once the service has acknowledged it.
    ///
    /// # Panics
    /// When the service has not acknowledged it after all retries.
    pub async fn say(&self, from: &str, text: &str) -> Wamid {
        let content = serde_json::json!({ "type": "text", "text": { "body": text } });
        self.write(from, content, text).await
    }

    /// Taps a button or row as a contact, by id, in the newest message that offers it.
    ///
    /// # Panics
    /// When no message on the screen offers it, or the service does not acknowledge the tap.
    pub async fn tap(&self, from: &str, id: &str) -> Wamid {
        let option = self.look(|state| state.option(from, id).cloned());
        let option = option.unwrap_or_else(|| panic!("nothing offers `{id}`"));
        self.write(from, option.tapped(), &format!("[{}]", option.title))
            .await
    }

    /// Sends any content as a contact: `content` is the type-dependent part of Meta's message.
    ///
    /// # Panics
    /// When the service has not acknowledged it after all retries.
    pub async fn write(&self, from: &str, content: serde_json::Value, shown: &str) -> Wamid {
        let number = self.context.settings.numbers[0].clone();
        let writer = phone::Writer {
            from,
            name: None,
            number: &number,
        };
        let written = self.context.write(&writer, content, shown).await;
        written.unwrap_or_else(|status| panic!("the service answered {status}"))
    }
}

fn router(context: Arc<Context>) -> Router {
    let media_form = DefaultBodyLimit::max(media::MAX_FORM_BYTES);
    let edges = [
        ("messages", post(messages::messages)),
        ("media", post(media::upload).layer(media_form)),
        (
            "message_templates",
            get(templates::list)
                .post(templates::create)
                .delete(templates::delete),
        ),
        ("phone_numbers", get(numbers::list)),
        ("subscribed_apps", get(numbers::subscribed_apps)),
        (
            "whatsapp_business_profile",
            get(profile::get).post(profile::update),
        ),
    ];
    let object = get(object::get).post(object::post).delete(object::delete);
    let connections = get(connections::list).post(connections::create);
    let connection = get(connections::get).delete(connections::delete);
    let router = edges
        .into_iter()
        .fold(Router::new(), |router, (edge, methods)| {
            router.route(&format!("/{{version}}/{{number}}/{edge}"), methods)
        });
    router
        .route("/sandbox/say", post(phone::say))
        .route("/sandbox/screen/{phone}", get(phone::screen))
        .route("/sandbox/file/{id}", get(media::bytes))
        .route("/{version}/{number}", object)
        .route("/connections", connections)
        .route("/connections/{id}", connection)
        .with_state(context)
}
