//! Client of the service that carries Graph API calls: Maton, `graph.facebook.com` or the sandbox.
//!
//! One call is one request, with one [`SendError`] that tells whether anything may have been sent.
//! Nothing is repeated or paced here: [`crate::workers::outbox`] does both.

mod download;
mod error;
mod http_client;
mod response;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config;
use crate::message::{PhoneNumberId, is_id};
use crate::whatsapp::api_call::{Api, Call, Method, Payload};
use crate::whatsapp::signature;

pub use download::{DownloadError, DownloadLimits, Downloaded, Downloader, Hosts, Target};
pub(crate) use error::reason;
pub use error::{Insecure, NotSent, Rejection, SendError, Source, Unknown};
pub(crate) use http_client::{http_client, http_client_builder};
pub use response::Accepted;
use response::Answer;

/// Header that selects a connection of a Maton account.
const CONNECTION: HeaderName = HeaderName::from_static("maton-connection");

/// Query parameter with the proof of the token.
const PROOF: &str = "appsecret_proof";

/// Sends Graph API calls.
#[derive(Clone, Debug)]
pub struct Gateway {
    client: Client,
    /// Base URL and Graph version.
    base: Arc<Url>,
    /// Base URL of the gateway's own API.
    control: Arc<Url>,
    /// Marked as sensitive, so that `Debug` hides the values.
    headers: HeaderMap,
    /// `appsecret_proof` of the token; `None` if it is not to be sent. See
    /// <https://developers.facebook.com/docs/graph-api/guides/secure-requests>.
    proof: Option<SecretString>,
    timeout: Duration,
    /// Time in the last response, and its arrival: the best evidence about server time.
    reported_time: Arc<watch::Sender<Option<GatewayTime>>>,
}

/// Time in a response.
#[derive(Clone, Copy, Debug)]
pub struct GatewayTime {
    /// Header `Date`.
    pub reported: Timestamp,
    /// Arrival of the response.
    pub at: Instant,
}

/// Reason why the client could not be created.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// `gateway.base_url` cannot be extended by a path.
    #[error("gateway.base_url is not a web address")]
    BaseUrl,
    /// `gateway.control_url` cannot be extended by a path.
    #[error("gateway.control_url is not a web address")]
    ControlUrl,
    /// `model.url` cannot be extended by a path.
    #[error("model.url is not a web address")]
    ModelUrl,
    /// The key or the connection has characters that are not allowed in HTTP headers.
    #[error("{0} holds characters that no HTTP header may carry")]
    Header(&'static str),
    /// The TLS library failed, for example because it found no trusted certificates.
    #[error("could not set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl Gateway {
    /// Creates the client without connecting.
    ///
    /// # Errors
    /// Each [`GatewayError`].
    pub fn new(settings: &config::Gateway) -> Result<Self, GatewayError> {
        let base = url_below(&settings.base_url, [settings.graph_version.as_str()])
            .ok_or(GatewayError::BaseUrl)?;
        let control = url_below(&settings.control_url, []).ok_or(GatewayError::ControlUrl)?;
        let bearer = format!("Bearer {}", settings.api_key.expose_secret());
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header(&bearer, "gateway.api_key")?);
        if let Some(connection) = &settings.connection {
            headers.insert(CONNECTION, header(connection, "gateway.connection")?);
        }
        let prove = |secret| signature::proof(secret, settings.api_key.expose_secret()).into();
        Ok(Self {
            proof: settings.app_secret.as_ref().map(prove),
            client: http_client(settings.timeout).map_err(GatewayError::Client)?,
            base: Arc::new(base),
            control: Arc::new(control),
            headers,
            timeout: settings.timeout,
            reported_time: Arc::new(watch::Sender::new(None)),
        })
    }

    /// Subscribes to the times in responses.
    #[must_use]
    pub fn reported_times(&self) -> watch::Receiver<Option<GatewayTime>> {
        self.reported_time.subscribe()
    }

    fn record_time(&self, response: &Response) {
        if let Some(reported) = response::date(response.headers()) {
            let at = Instant::now();
            self.reported_time
                .send_replace(Some(GatewayTime { reported, at }));
        }
    }

    /// Upper bound of a call's duration.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends a message. Accepted is not delivered: receipts report that.
    ///
    /// `body` is a [`crate::whatsapp::outbound::MessageBody`].
    ///
    /// # Errors
    /// [`SendError`]; only after [`SendError::Unknown`] the message may have been sent.
    pub async fn send_message(
        &self,
        number: &PhoneNumberId,
        body: &(impl Serialize + Sync),
    ) -> Result<Accepted, SendError> {
        let answer = self.post_message(number, body).await?;
        let object = answer.success()?;
        object
            .and_then(|object| response::accepted(&object))
            .ok_or(SendError::Unknown(Unknown::Answer { status: 200 }))
    }

    /// Marks a message and all before it as read.
    ///
    /// `body` is a [`crate::whatsapp::outbound::ReadMarkBody`].
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn mark_read(
        &self,
        number: &PhoneNumberId,
        body: &(impl Serialize + Sync),
    ) -> Result<(), SendError> {
        let answer = self.post_message(number, body).await?;
        answer.success().map(drop)
    }

    /// Performs a call and returns the JSON of the response; `null` if it is empty.
    ///
    /// # Errors
    /// [`SendError`]; after [`SendError::Unknown`] a change may have been made.
    pub async fn call(&self, call: &Call) -> Result<Value, SendError> {
        let answer = self.perform(call).await?;
        answer.success()?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| SendError::Unknown(Unknown::Answer { status: 200 }))
    }

    /// Reads the gateway's time from a response of its base address, whatever the status.
    ///
    /// # Errors
    /// [`SendError`] if the gateway cannot be reached.
    pub async fn date(&self) -> Result<Option<Timestamp>, SendError> {
        let request = self.client.get(Url::clone(&self.base));
        let response = request
            .send()
            .await
            .map_err(|e| error::from_transport(&e))?;
        Ok(response::date(response.headers()))
    }

    /// Host and port of an API, for operators.
    #[must_use]
    pub fn address(&self, api: Api) -> String {
        let base = match api {
            Api::Graph => &self.base,
            Api::Control => &self.control,
        };
        address(base)
    }

    /// Full URL of a call, as `--dry-run` shows it: without the proof of the token.
    #[must_use]
    pub fn url(&self, call: &Call) -> Url {
        self.url_with_proof(call, self.proof.as_ref().map(|_| "***"))
    }

    fn url_with_proof(&self, call: &Call, proof: Option<&str>) -> Url {
        let base = match call.api {
            Api::Graph => &self.base,
            Api::Control => &self.control,
        };
        let mut url = Url::clone(base);
        url.path_segments_mut()
            .expect("a base that had segments has them still")
            .extend(&call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        if let (Some(proof), Api::Graph) = (proof, call.api) {
            url.query_pairs_mut().append_pair(PROOF, proof);
        }
        url
    }

    /// Posts a message or a read mark. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
    async fn post_message(
        &self,
        number: &PhoneNumberId,
        body: &(impl Serialize + Sync),
    ) -> Result<Answer, SendError> {
        let call = Call::post(&[number.as_str(), "messages"], Value::Null);
        refuse_other_places(&call)?;
        self.receive(self.request(&call).json(body)).await
    }

    /// Performs a call without a file.
    async fn perform(&self, call: &Call) -> Result<Answer, SendError> {
        refuse_other_places(call)?;
        let request = match &call.payload {
            Payload::Empty => self.request(call),
            Payload::Json(body) => self.request(call).json(body),
            // `upload` sends files.
            Payload::File(_) => return Err(SendError::NotSent(NotSent::Request)),
        };
        self.receive(request).await
    }

    /// The only place that sends a request without a file to the gateway.
    async fn receive(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        let response = request
            .send()
            .await
            .map_err(|e| error::from_transport(&e))?;
        self.record_time(&response);
        response::read(response).await
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut headers = self.headers.clone();
        if call.api == Api::Control {
            headers.remove(CONNECTION);
        }
        let proof = self.proof.as_ref().map(ExposeSecret::expose_secret);
        let url = self.url_with_proof(call, proof);
        self.client.request(method, url).headers(headers)
    }
}

/// Rejects calls whose ids are not Meta's: they could lead to another URL, because `..` goes up and
/// an empty segment is left out.
fn refuse_other_places(call: &Call) -> Result<(), SendError> {
    if call.path.iter().all(|segment| is_id(segment)) {
        return Ok(());
    }
    Err(SendError::NotSent(NotSent::Id))
}

/// Host and port of a URL.
pub(crate) fn address(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

/// Appends segments to a URL; `None` if it cannot have any.
fn url_below<'a>(base: &str, segments: impl IntoIterator<Item = &'a str>) -> Option<Url> {
    let mut url = Url::parse(base).ok()?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(segments);
    Some(url)
}

fn header(text: &str, key: &'static str) -> Result<HeaderValue, GatewayError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| GatewayError::Header(key))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
pub(crate) mod test_server;

#[cfg(test)]
mod tests;
