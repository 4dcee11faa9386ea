//! Calls of the Graph API and of the gateway's own API, as values.
//!
//! A [`Call`] is what `--dry-run` prints and what [`crate::gateway`] performs, so that the two
//! cannot differ. [`super::outbound`] builds the calls that send messages.

use jiff::Timestamp;
use serde_json::Value;

/// Dates on which Meta stops serving each version of the Graph API, where Meta has set one. See
/// <https://developers.facebook.com/docs/graph-api/changelog/versions>.
const VERSION_ENDS: [(&str, &str); 6] = [
    ("v20.0", "2026-09-24T00:00:00Z"),
    ("v21.0", "2027-01-21T00:00:00Z"),
    ("v22.0", "2027-05-20T00:00:00Z"),
    ("v23.0", "2027-10-08T00:00:00Z"),
    ("v24.0", "2028-02-18T00:00:00Z"),
    ("v25.0", "2028-07-29T00:00:00Z"),
];

/// Returns the time at which a version of the Graph API ends, if Meta has announced it.
#[must_use]
pub fn version_ends(version: &str) -> Option<Timestamp> {
    let (_, ends) = VERSION_ENDS.iter().find(|(known, _)| *known == version)?;
    ends.parse().ok()
}

/// One HTTP request, without host and credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// API that serves the call.
    pub api: Api,
    /// Path segments behind the base address, unescaped.
    pub path: Vec<String>,
    /// Query parameters, unescaped, in order.
    pub query: Vec<(&'static str, String)>,
    /// Body.
    pub payload: Payload,
}

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or changes.
    Post,
    /// Removes.
    Delete,
}

/// API that serves a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Meta's API, below `gateway.base_url` and the Graph version.
    Graph,
    /// The gateway's own API, below `gateway.control_url`.
    Control,
}

/// Body of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// No body.
    Empty,
    /// A JSON document.
    Json(Value),
    /// A multipart form with one file, whose bytes are streamed. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
    File(FilePart),
}

/// The file of a multipart form, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePart {
    /// MIME type, also sent as the field `type`.
    pub mime_type: String,
    /// File name of the upload.
    pub filename: String,
    /// Size in bytes.
    pub size: u64,
}

impl Method {
    /// Name in HTTP.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl Call {
    fn new(method: Method, path: &[&str]) -> Self {
        Self {
            method,
            api: Api::Graph,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            payload: Payload::Empty,
        }
    }

    /// Builds a `GET` call.
    #[must_use]
    pub fn get(path: &[&str]) -> Self {
        Self::new(Method::Get, path)
    }

    /// Builds a `POST` call with a JSON body.
    #[must_use]
    pub fn post(path: &[&str], body: Value) -> Self {
        Self {
            payload: Payload::Json(body),
            ..Self::new(Method::Post, path)
        }
    }

    /// Builds a `DELETE` call.
    #[must_use]
    pub fn delete(path: &[&str]) -> Self {
        Self::new(Method::Delete, path)
    }

    /// Directs the call to the gateway's own API instead of Meta's.
    #[must_use]
    pub fn control(self) -> Self {
        Self {
            api: Api::Control,
            ..self
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a query parameter if it has a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}
