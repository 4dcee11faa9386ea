//! Runs the actions of rules at external services: `call` and `model`.
//!
//! One action is one request with one [`ActionResult`]. The URL comes from rules and contacts'
//! texts, so only hosts that the operator has allowed are called, and hosts of private networks
//! only if they are marked as such: see `actions/public_address.rs`. Nothing is followed, repeated
//! or decompressed. Errors contain no text of contacts or services, because they appear in the
//! history and the log.

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

/// Upper bound of the nesting of a response; a deeper one is an attack on its readers.
const DEPTH_MAX: usize = 32;

/// Executor of actions.
#[derive(Debug)]
pub struct ActionExecutor {
    /// Client that connects to public addresses only.
    public: Client,
    /// Client for private hosts and for the model, which the operator has named.
    unchecked_client: Client,
    hosts: Vec<Host>,
    model: Option<Model>,
    /// Slots for actions that will be rejected (host not allowed), so that they are claimed and
    /// settled like any other.
    refused: Arc<Semaphore>,
    max_bytes: usize,
}

/// Permission to run one action at a host; free again when dropped.
#[derive(Debug)]
pub struct Slot(OwnedSemaphorePermit);

#[derive(Debug)]
struct Host {
    base: Url,
    private: bool,
    authorization: Option<HeaderValue>,
    slots: Arc<Semaphore>,
}

#[derive(Debug)]
struct Model {
    url: Url,
    settings: config::Model,
    authorization: Option<HeaderValue>,
    slots: Arc<Semaphore>,
}

impl ActionExecutor {
    /// Creates the clients without connecting.
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
            // An idle connection would outlive the check of its address.
            .pool_max_idle_per_host(0)
            .build();
        let unchecked_client = http_client_builder(longest).build();
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
            unchecked_client: unchecked_client.map_err(GatewayError::Client)?,
            hosts: hosts.collect::<Result<_, _>>()?,
            model: model.transpose()?,
            refused: Arc::new(Semaphore::new(actions.per_host)),
            max_bytes: actions.max_bytes,
        })
    }

    /// Takes every free slot of a host: see [`Action::host`].
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

    /// Runs an action within its timeout, which begins now.
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
        // The URL parser would follow `..` out of the path that the operator wrote.
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
            &self.unchecked_client
        } else {
            &self.public
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| broken_header())?;
            let value = HeaderValue::from_str(value).map_err(|_| broken_header())?;
            headers.insert(name, value);
        }
        // Last, so that the operator's key replaces one written by a rule.
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
        let request = self.unchecked_client.post(model.url.clone());
        let request = authorized(request, model.authorization.as_ref());
        let answer = self.fetch(request.json(&chat_completion::request(&model.settings, call)));
        chat_completion::answer(&answer.await?, call)
    }

    /// Finds the allowed host of a URL.
    fn allowed(&self, url: &Url) -> Result<&Host, String> {
        // Not `Url::origin`, because a `blob:` URL has the origin of another URL.
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
        // A host name is resolved and checked when a connection is made; an IP address is not
        // resolved.
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
        // Some services start with a byte order mark, which JSON does not allow.
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

/// Describes a transport error without the URL, which may contain contacts' texts.
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

/// Depth of nesting; the parser itself stops at 128.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(items) => 1 + items.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
