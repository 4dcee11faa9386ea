//! The client of whatever carries Graph API calls: Maton, `graph.facebook.com` or the sandbox.
//!
//! One call, one request, one [`SendError`] that says whether anything may have left us. It never tries again
//! and keeps no pace: [`crate::delivery`] does both.

mod answer;
mod client;
mod error;
#[cfg(test)]
pub(crate) mod fake;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::config;
use crate::message::{PhoneNumberId, Wamid};

pub(crate) use client::http_client;
pub use error::{NotSent, Rejection, SendError, Source, Unknown};

/// Chooses one of several connections of a Maton account.
const CONNECTION: HeaderName = HeaderName::from_static("maton-connection");

/// Sends Graph API calls.
#[derive(Clone, Debug)]
pub struct Gateway {
    client: Client,
    /// Base URL and Graph version.
    base: Arc<Url>,
    /// Marked sensitive, so that no `Debug` shows them.
    headers: HeaderMap,
    timeout: Duration,
}

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// `gateway.base_url` cannot be extended by a path.
    #[error("gateway.base_url is not a web address")]
    BaseUrl,
    /// The key or the connection holds characters that no HTTP header may carry.
    #[error("{0} holds characters that no HTTP header may carry")]
    Header(&'static str),
    /// The TLS library found no certificates to trust, or the like.
    #[error("could not set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl Gateway {
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// Each [`GatewayError`].
    pub fn new(settings: &config::Gateway) -> Result<Self, GatewayError> {
        let mut base = Url::parse(&settings.base_url).map_err(|_| GatewayError::BaseUrl)?;
        base.path_segments_mut()
            .map_err(|()| GatewayError::BaseUrl)?
            .pop_if_empty()
            .push(&settings.graph_version);
        let bearer = format!("Bearer {}", settings.api_key.expose_secret());
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header(&bearer, "gateway.api_key")?);
        if let Some(connection) = &settings.connection {
            headers.insert(CONNECTION, header(connection, "gateway.connection")?);
        }
        Ok(Self {
            client: http_client(settings.timeout).map_err(GatewayError::Client)?,
            base: Arc::new(base),
            headers,
            timeout: settings.timeout,
        })
    }

    /// How long a call takes at the longest.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends a message and gives the id WhatsApp knows it by. Accepted is not delivered: receipts tell that.
    ///
    /// `body` is from [`crate::whatsapp::send::message_body`].
    ///
    /// # Errors
    /// [`SendError`]; only [`SendError::Unknown`] may have been sent.
    pub async fn send_message(
        &self,
        number: &PhoneNumberId,
        body: &Value,
    ) -> Result<Wamid, SendError> {
        let answer = self.post_messages(number, body).await?;
        answer::wamid(&answer).ok_or(SendError::Unknown(Unknown::Answer { status: 200 }))
    }

    /// Marks a message, and all before it, read.
    ///
    /// `body` is from [`crate::whatsapp::send::read_mark_body`].
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn mark_read(&self, number: &PhoneNumberId, body: &Value) -> Result<(), SendError> {
        self.post_messages(number, body).await.map(drop)
    }

    /// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
    async fn post_messages(
        &self,
        number: &PhoneNumberId,
        body: &Value,
    ) -> Result<Vec<u8>, SendError> {
        let mut url = Url::clone(&self.base);
        url.path_segments_mut()
            .expect("a base that had segments has them still")
            .extend([number.as_str(), "messages"]);
        let request = self
            .client
            .post(url)
            .headers(self.headers.clone())
            .json(body);
        let response = request.send().await.map_err(|e| error::of_transport(&e))?;
        answer::read(response).await
    }
}

fn header(text: &str, key: &'static str) -> Result<HeaderValue, GatewayError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| GatewayError::Header(key))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
