//! Carries out what rules ask of the world outside: `call` and `model`.
//!
//! One action, one request, one [`ActionResult`]. The address comes from rules and from what people
//! write, so nothing is reached that the owner has not allowed by name, and nothing in the owner's
//! own network unless that is said too: see `actions/public_address.rs`. Nothing is followed,
//! repeated or unpacked. What fails is told in words that hold nothing that somebody sent: they
//! stand in the history and in the log.

mod chat_completion;
mod public_address;

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config;
use crate::gateway::{GatewayError, http_client_builder};
use crate::message::{
    Action, ActionResult, HttpCall, HttpMethod, MODEL, ModelCall, has_dot_segments,
};
use public_address::{Lookup, NotPublic, PublicOnly, is_public};

/// Deeper answers are attacks on whoever reads them.
const DEPTH_MAX: usize = 32;

/// What rules may reach.
pub struct ActionExecutor {
    /// Connects to public addresses only.
    public: Client,
    /// For hosts of one's own network, and for the model, which the owner has named.
    model_client: Client,
    hosts: Vec<Host>,
    model: Option<Model>,
    /// For what asks nobody, because it may not.
    refused: Arc<Semaphore>,
    max_bytes: usize,
}

/// The right to do one action at a host; dropped, it is free for the next.
#[derive(Debug)]
pub struct Slot(OwnedSemaphorePermit);

struct Host {
    base: Url,
    private: bool,
    authorization: Option<HeaderValue>,
    slots: Arc<Semaphore>,
}

struct Model {
    url: Url,
    settings: config::Model,
    authorization: Option<HeaderValue>,
    slots: Arc<Semaphore>,
}

impl ActionExecutor {
    /// Makes the clients; connects to nothing yet.
    ///
    /// # Errors
    /// [`GatewayError::Header`], [`GatewayError::BaseUrl`] and [`GatewayError::Client`].
    pub fn new(
        actions: &config::Actions,
        model: Option<&config::Model>,
    ) -> Result<Self, GatewayError> {
        Self::with_lookup(actions, model, public_address::system())
    }

    fn with_lookup(
        actions: &config::Actions,
        model: Option<&config::Model>,
        lookup: Lookup,
    ) -> Result<Self, GatewayError> {
        let longest = crate::message::ACTION_TIMEOUT_MAX;
        let public = http_client_builder(longest)
            .dns_resolver(Arc::new(PublicOnly(lookup)))
            // A connection kept open would outlive the check of its address.
            .pool_max_idle_per_host(0)
            .build();
        let model_client = http_client_builder(longest).build();
        let hosts = actions.hosts.iter().map(|host| {
            let authorization = host.authorization.as_ref();
            Ok(Host {
                base: host.base.clone(),
                private: host.private,
                authorization: authorization
                    .map(|secret| header(secret, "", "actions.hosts.authorization"))
                    .transpose()?,
                slots: Arc::new(Semaphore::new(actions.per_host)),
            })
        });
        let model = model.map(|model| {
            let url = format!("{}/chat/completions", model.url);
            let key = model.api_key.as_ref();
            Ok(Model {
                url: Url::parse(&url).map_err(|_| GatewayError::ModelUrl)?,
                settings: model.clone(),
                authorization: key
                    .map(|secret| header(secret, "Bearer ", "model.api_key"))
                    .transpose()?,
                slots: Arc::new(Semaphore::new(actions.per_host)),
            })
        });
        Ok(Self {
            public: public.map_err(GatewayError::Client)?,
            model_client: model_client.map_err(GatewayError::Client)?,
            hosts: hosts.collect::<Result<_, _>>()?,
            model: model.transpose()?,
            refused: Arc::new(Semaphore::new(actions.per_host)),
            max_bytes: actions.max_bytes,
        })
    }

    /// Every slot that is free at a host: see [`Action::host`].
    #[must_use]
    pub fn slots(&self, host: &str) -> Vec<Slot> {
        let model = self.model.as_ref().filter(|_| host == MODEL);
        let url = Url::parse(host).ok();
        let allowed = url.and_then(|url| self.allowed(&url).ok());
        let slots = model.map(|model| &model.slots);
        let slots = slots.or(allowed.map(|host| &host.slots));
        let slots = slots.unwrap_or(&self.refused);
        let free = std::iter::from_fn(|| Arc::clone(slots).try_acquire_owned().ok());
        free.map(Slot).collect()
    }

    /// Does it, within its time. That begins now: whoever has no slot yet has not begun.
    pub async fn perform(&self, action: &Action, slot: Slot) -> ActionResult {
        let Slot(_held) = slot;
        let (timeout, done) = match action {
            Action::Http(call) => {
                let done = tokio::time::timeout(call.timeout, self.call(call)).await;
                (call.timeout, done)
            }
            Action::Model(call) => {
                let done = tokio::time::timeout(call.timeout, self.ask(call)).await;
                (call.timeout, done)
            }
        };
        match done {
            Ok(Ok(value)) => ActionResult::Done(value),
            Ok(Err(reason)) => ActionResult::Failed(reason),
            Err(_) => ActionResult::Failed(format!("no answer within {timeout:?}")),
        }
    }

    async fn call(&self, call: &HttpCall) -> Result<Value, String> {
        // What parses it would follow the way up, out of the part of the address that the owner
        // wrote.
        if has_dot_segments(&call.url) {
            return Err("its address leaves its place: a part of it is `.` or `..`".to_owned());
        }
        let url = Url::parse(&call.url).map_err(|_| "its address is none".to_owned())?;
        let host = self.allowed(&url)?;
        let method = match call.method {
            HttpMethod::Get => reqwest::Method::GET,
            HttpMethod::Post => reqwest::Method::POST,
            HttpMethod::Put => reqwest::Method::PUT,
            HttpMethod::Patch => reqwest::Method::PATCH,
            HttpMethod::Delete => reqwest::Method::DELETE,
        };
        let client = if host.private {
            &self.model_client
        } else {
            &self.public
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| broken_header())?;
            let value = HeaderValue::from_str(value).map_err(|_| broken_header())?;
            headers.insert(name, value);
        }
        // Last: the owner's key goes before one that a rule has written.
        if let Some(value) = &host.authorization {
            headers.insert(AUTHORIZATION, value.clone());
        }
        let mut request = client.request(method, url).headers(headers);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        self.fetch(request).await
    }

    async fn ask(&self, call: &ModelCall) -> Result<Value, String> {
        let Some(model) = &self.model else {
            return Err("no language model is set: see [model] in replyd.toml".to_owned());
        };
        let request = self.model_client.post(model.url.clone());
        let request = authorized(request, model.authorization.as_ref());
        let answer = self.fetch(request.json(&chat_completion::request(&model.settings, call)));
        chat_completion::answer(&answer.await?, call)
    }

    /// The host of an address, when it may be called.
    fn allowed(&self, url: &Url) -> Result<&Host, String> {
        // Not `Url::origin`: a blob has that of another address.
        let place = |url: &Url| {
            let host = url.host_str().map(str::to_owned);
            (url.scheme().to_owned(), host, url.port_or_known_default())
        };
        let same = |base: &Url| place(base) == place(url);
        let plain = url.username().is_empty() && url.password().is_none();
        let host = self.hosts.iter().find(|host| plain && same(&host.base));
        let Some(host) = host else {
            let name = url.host_str().unwrap_or_default();
            return Err(format!(
                "`{name}` may not be called: add it to actions.hosts in replyd.toml"
            ));
        };
        // A name is looked up, and checked, when it is connected to; an address is not looked up at
        // all.
        let address = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let address: Option<IpAddr> = address.parse().ok();
        if host.private || address.is_none_or(is_public) {
            Ok(host)
        } else {
            Err(NotPublic.to_string())
        }
    }

    async fn fetch(&self, request: RequestBuilder) -> Result<Value, String> {
        let response = request
            .send()
            .await
            .map_err(|error| transport_failure(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("the answer had status {}", status.as_u16()));
        }
        let body = self.body(response).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        // Some services begin with a byte order mark, which JSON does not know.
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        let answer = serde_json::from_slice(text);
        let answer = answer.map_err(|_| "the answer was no JSON".to_owned())?;
        if depth(&answer) > DEPTH_MAX {
            return Err(format!("the answer was nested more than {DEPTH_MAX} times"));
        }
        Ok(answer)
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| transport_failure(&error))?
        {
            if body.len() + chunk.len() > self.max_bytes {
                let most = self.max_bytes;
                return Err(format!("the answer was longer than {most} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl std::fmt::Debug for ActionExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside")
            .field("hosts", &self.hosts.len())
            .field("model", &self.model.is_some())
            .finish_non_exhaustive()
    }
}

fn authorized(request: RequestBuilder, authorization: Option<&HeaderValue>) -> RequestBuilder {
    match authorization {
        Some(value) => request.header(AUTHORIZATION, value.clone()),
        None => request,
    }
}

fn header(
    secret: &SecretString,
    prefix: &str,
    key: &'static str,
) -> Result<HeaderValue, GatewayError> {
    let value = HeaderValue::from_str(&format!("{prefix}{}", secret.expose_secret()));
    let mut value = value.map_err(|_| GatewayError::Header(key))?;
    value.set_sensitive(true);
    Ok(value)
}

fn broken_header() -> String {
    "a header came out with characters that no header may carry".to_owned()
}

/// What went wrong, without the address: it may hold what somebody wrote.
fn transport_failure(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        if source.is::<NotPublic>() {
            return NotPublic.to_string();
        }
        cause = source.source();
    }
    let reason = if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "the connection broke"
    };
    reason.to_owned()
}

/// How often values stand in each other; the parser itself stops at 128.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(items) => 1 + items.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
