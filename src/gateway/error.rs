//! Errors of calls: certainly not sent, possibly sent, or rejected with a reason.
//!
//! `Display` and `Debug` show codes and statuses only, never text of the gateway.

use std::error::Error;
use std::time::Duration;
use std::{fmt, io};

use tower::timeout::error::Elapsed;

use super::message_client::UnknownName;
use crate::message::{ErrorClass, GraphError};
use crate::whatsapp::error_codes;

/// Reason why a call did not end in "accepted".
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No byte of the request was sent.
    #[error("gateway cannot be reached: {0}")]
    NotSent(NotSent),
    /// The request may have arrived, but there is no readable response. It must not be repeated
    /// blindly.
    #[error("outcome is unknown: {0}")]
    Unknown(Unknown),
    /// The request was rejected.
    #[error(transparent)]
    Rejected(Box<Rejection>),
}

/// Reason why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The host name has no address.
    #[error("its name was not resolved")]
    Name,
    /// No connection within three seconds.
    #[error("connecting took too long")]
    TooSlow,
    /// No secure connection could be established.
    #[error("no secure connection: {0}")]
    Tls(Insecure),
    /// No process listens at the address.
    #[error("connection refused")]
    Refused,
    /// A segment of the path is not an id: it would lead to another URL.
    #[error("an id in its address holds characters that no id has")]
    Id,
    /// The host is unreachable, or the connection ended before it was established.
    #[error("no way to it")]
    NoWay,
    /// The request could not be built.
    #[error("the request is not valid")]
    Request,
}

/// Reason why a connection is not secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Insecure {
    /// The certificate's issuer is not trusted.
    #[error("the certificate is not trusted")]
    Untrusted,
    /// The certificate belongs to another host.
    #[error("the certificate is for another host name")]
    OtherName,
    /// The certificate has expired, or is not valid yet.
    #[error("the certificate is out of date")]
    OutOfDate,
    /// The server does not support TLS 1.2 or 1.3.
    #[error("what answers does not speak TLS 1.2 or 1.3")]
    Other,
}

/// Reason why the result is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No response in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended before the whole response had arrived.
    #[error("the connection broke")]
    Broken,
    /// The response is not Graph's: a proxy's 502, or 200 with unreadable content.
    #[error("an answer of HTTP status {status} that we cannot read")]
    Answer {
        /// HTTP status.
        status: u16,
    },
}

/// Sender of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Meta, with a Graph error.
    Meta,
    /// The gateway or a proxy.
    Gateway,
}

/// A rejection.
pub struct Rejection {
    /// HTTP status; for operators, and for rejections without a Graph error.
    pub status: u16,
    /// Graph's error, if there is one.
    pub error: Option<GraphError>,
    /// Whether Meta reports that the same request may succeed later.
    pub is_transient: bool,
    /// Wait that the gateway asks for.
    pub retry_after: Option<Duration>,
}

impl Rejection {
    /// Sender of a rejection.
    #[must_use]
    pub fn source(&self) -> Source {
        match self.error {
            Some(_) => Source::Meta,
            None => Source::Gateway,
        }
    }

    /// Class of the error: by Graph's code, and by HTTP status only without a known code.
    ///
    /// See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        if let Some(error) = &self.error {
            if let Some(row) = error_codes::lookup(error) {
                return row.class;
            }
            return match self.status {
                _ if self.is_transient => ErrorClass::Retry,
                401 => ErrorClass::Account,
                408 | 425 | 429 | 500.. => ErrorClass::Retry,
                _ => ErrorClass::GiveUp,
            };
        }
        match self.status {
            408 | 425 | 429 => ErrorClass::Retry,
            413 => ErrorClass::GiveUp,
            // Key, connection or URL are wrong, so no message would succeed.
            _ => ErrorClass::Account,
        }
    }

    /// Advice for the operator.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match (&self.error, self.status) {
            (Some(error), _) => error_codes::lookup(error)
                .map_or(error_codes::UNDOCUMENTED_ADVICE, |row| row.advice),
            (None, 400) => "the gateway found no connection: `replyd connections list` shows them",
            (None, 401 | 403) => "check gateway.api_key: the gateway does not take it",
            (None, 404) => "check gateway.base_url and gateway.graph_version: nothing is there",
            (None, 413) => "the file is larger than the gateway lets through",
            (None, 429) => "too many requests for the gateway: wait some seconds",
            (None, _) => "look at the gateway's own status page",
        }
    }

    /// Reason with Meta's explanation, for the operator: belongs in the database, not in logs.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.error.as_ref().and_then(error_codes::details) {
            Some(details) => format!("{self} ({details})"),
            None => self.to_string(),
        }
    }

    /// Reason and remedy, for the operator: belongs in the database, not in logs.
    #[must_use]
    pub fn reason_and_remedy(&self) -> String {
        self.reason() + &error_codes::remedy(self.advice())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = &self.error else {
            return write!(f, "gateway refused with HTTP status {}", self.status);
        };
        match error_codes::lookup(error) {
            Some(_) => f.write_str(&error_codes::summary(error)),
            None => write!(
                f,
                "error {}, HTTP status {}: not documented",
                error.code, self.status
            ),
        }
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("status", &self.status)
            .field("code", &self.error.as_ref().map(|error| error.code))
            .field("is_transient", &self.is_transient)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl Error for Rejection {}

impl SendError {
    /// Advice for the operator.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotSent(NotSent::Id) => {
                "check the ids of numbers, files and accounts in the configuration and the command"
            }
            Self::NotSent(NotSent::Request) => "report this: the request could not be written",
            Self::NotSent(NotSent::Name) => {
                "look at the name in gateway.base_url, and at this machine's DNS"
            }
            Self::NotSent(NotSent::Tls(Insecure::Untrusted)) => {
                "install the package ca-certificates; behind a proxy that opens TLS, trust its authority too"
            }
            Self::NotSent(NotSent::Tls(Insecure::OutOfDate)) => {
                "look at this machine's clock first, then at the certificate there"
            }
            Self::NotSent(NotSent::Tls(_)) => {
                "something else answers there: check gateway.base_url"
            }
            Self::NotSent(_) => "check the network, the firewall and gateway.base_url",
            Self::Unknown(Unknown::Answer { status: 500.. }) => {
                "the gateway is in trouble, or its login at Meta has expired: try again, then look at its connection"
            }
            Self::Unknown(Unknown::Answer { .. }) => {
                "what answered is not Meta's API: check gateway.base_url"
            }
            Self::Unknown(_) => {
                "try again; something that was to be changed may be changed already"
            }
            Self::Rejected(rejection) => rejection.advice(),
        }
    }

    /// Graph's error, if Meta gave one.
    #[must_use]
    pub fn graph_error(&self) -> Option<&GraphError> {
        match self {
            Self::Rejected(rejection) => rejection.error.as_ref(),
            Self::NotSent(_) | Self::Unknown(_) => None,
        }
    }

    /// Whether Meta does not know the object in the address, or not for this connection: code 100
    /// with subcode 33.
    #[must_use]
    pub fn is_about_address(&self) -> bool {
        let error = self.graph_error();
        error.is_some_and(|error| error.code == 100 && error.subcode == Some(33))
    }

    /// Class of the error, if the request was rejected.
    #[must_use]
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Rejected(rejection) => Some(rejection.class()),
            Self::NotSent(_) | Self::Unknown(_) => None,
        }
    }

    /// Graph's error code, if Meta gave one.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        self.graph_error().map(|error| error.code)
    }
}

/// Classifies an error of reqwest: nothing sent, or possibly sent.
pub(super) fn from_transport(error: &reqwest::Error) -> SendError {
    if error.is_builder() {
        return SendError::NotSent(NotSent::Request);
    }
    if error.is_connect() {
        return SendError::NotSent(if error.is_dns() {
            NotSent::Name
        } else if error.is_timeout() {
            NotSent::TooSlow
        } else {
            not_connected(error)
        });
    }
    SendError::Unknown(if error.is_timeout() {
        Unknown::TimedOut
    } else {
        Unknown::Broken
    })
}

/// Classifies an error of the client for messages as [`from_transport`] does.
pub(super) fn from_message_client(error: &hyper_util::client::legacy::Error) -> SendError {
    if error.is_connect() {
        return SendError::NotSent(if find::<UnknownName>(error).is_some() {
            NotSent::Name
        } else if find::<Elapsed>(error).is_some() {
            NotSent::TooSlow
        } else {
            not_connected(error)
        });
    }
    from_connection(error)
}

/// Classifies an error of an open connection: the request may have arrived.
pub(super) fn from_connection(error: &(dyn Error + 'static)) -> SendError {
    let is_late = io_kind(error) == Some(io::ErrorKind::TimedOut);
    SendError::Unknown(if is_late {
        Unknown::TimedOut
    } else {
        Unknown::Broken
    })
}

/// Reason why a connection with a known address was not established.
fn not_connected(error: &(dyn Error + 'static)) -> NotSent {
    if let Some(tls) = find::<rustls::Error>(error) {
        return NotSent::Tls(insecure(tls));
    }
    match io_kind(error) {
        Some(io::ErrorKind::ConnectionRefused) | None => NotSent::Refused,
        Some(io::ErrorKind::TimedOut) => NotSent::TooSlow,
        Some(_) => NotSent::NoWay,
    }
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    find::<io::Error>(error).map(io::Error::kind)
}

fn insecure(error: &rustls::Error) -> Insecure {
    use rustls::CertificateError as Certificate;
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                Insecure::OtherName
            }
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. } => Insecure::OutOfDate,
            _ => Insecure::Untrusted,
        },
        _ => Insecure::Other,
    }
}

/// Finds the first cause of a type.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut cause = error.source();
    while let Some(error) = cause {
        // An IO error does not list the wrapped error among its sources, which says more than the
        // IO error.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if let Some(cause) = error.downcast_ref::<E>().filter(|_| wrapped.is_none()) {
            return Some(cause);
        }
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// Describes the failure of a request without its URL.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    match from_transport(error) {
        SendError::NotSent(reason) => reason.to_string(),
        SendError::Unknown(reason) => reason.to_string(),
        SendError::Rejected(rejection) => rejection.to_string(),
    }
}
