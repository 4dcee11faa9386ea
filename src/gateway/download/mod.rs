//! Downloads from Meta's file host, which is not the Graph API and accepts Meta's own token only.
//!
//! The URL comes from outside, so it is checked against the list of Meta's hosts before a
//! connection is made, no redirect is followed, and the bytes are counted and hashed on the way to
//! the disk. A file gets its name only when it is complete (see [`crate::files`]), and only its
//! owner can read it.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::error::{NotSent, SendError, from_transport};
use super::upload::time_for;
use super::{GatewayError, http_client};
use crate::files::{Access, Draft, Existing, WriteError};
use crate::message::media_file::readable;
use crate::whatsapp::media;

/// A host that sends nothing for this long will send nothing more.
const SILENCE: Duration = Duration::from_secs(30);

/// Hosts from which files may be downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Meta's hosts.
    Meta,
    /// Meta's hosts, and loopback addresses for the sandbox.
    MetaAndLoopback,
}

impl Hosts {
    /// Hosts that fit a gateway: only a sandbox on this machine has its files on this machine.
    #[must_use]
    pub fn beside(base_url: &str) -> Self {
        let url = Url::parse(base_url).ok();
        let loopback = url.as_ref().and_then(Url::host_str).is_some_and(|host| {
            let ip: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
            host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
        });
        if loopback {
            Self::MetaAndLoopback
        } else {
            Self::Meta
        }
    }
}

/// Client that downloads files.
#[derive(Clone, Debug)]
pub struct Downloader {
    client: Client,
    /// Meta's token, marked as sensitive.
    bearer: Option<HeaderValue>,
    hosts: Hosts,
    timeout: Duration,
}

/// Destination of a file.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Path in an existing folder.
    pub path: &'a Path,
    /// Treatment of an existing file.
    pub existing: Existing,
}

/// Limits of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadLimits {
    /// Upper bound of the file's bytes.
    pub max_bytes: u64,
    /// Expected hash, if it is known.
    pub sha256: Option<[u8; 32]>,
}

/// A downloaded file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Number of bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// Reason why a file was not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The URL is not one of Meta's; no connection was made.
    #[error("the file's address is not one of Meta's file hosts")]
    ForeignHost,
    /// No request was sent.
    #[error("the file host cannot be reached: {0}")]
    NotConnected(NotSent),
    /// Status 401 or 403.
    #[error("the file host does not take the token")]
    Token,
    /// Status 404 or 410.
    #[error("the file host has no such file any more")]
    Gone,
    /// Any other status than 200, such as a redirect.
    #[error("the file host answered with HTTP status {status}")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// The file exceeds the limit.
    #[error("the file has more than {}", readable(*.max_bytes))]
    TooLarge {
        /// Upper bound of the file's bytes.
        max_bytes: u64,
    },
    /// The hash differs from the announced one.
    #[error("the file's SHA-256 is not the one that was announced")]
    WrongHash,
    /// The connection ended or stalled before the whole file had arrived.
    #[error("the connection broke before the whole file had come")]
    Broken,
    /// The file could not be written.
    #[error("{error}: {}", error.reason())]
    File {
        /// Path and cause.
        error: WriteError,
    },
}

impl DownloadError {
    /// Advice for the operator.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::ForeignHost => "do not fetch it: Meta's token would go to strangers",
            Self::NotConnected(_) => "check the network",
            Self::Token => {
                "it must be a token of your own Meta app with access to the number: set media.token"
            }
            Self::Gone => {
                "an address lives for five minutes, so look the file up again; if that does not help, the token is not the number's"
            }
            Self::Status { .. } | Self::Broken => "look the file up and fetch it again",
            Self::TooLarge { .. } => "raise media.max_bytes if you want files of this size",
            Self::WrongHash => "fetch it again; it was broken on the way",
            Self::File { error } => error.reason().advice(),
        }
    }
}

impl Downloader {
    /// Creates the client without connecting. `timeout` is the time for the response; the bytes get
    /// more by their number.
    ///
    /// # Errors
    /// [`GatewayError::Header`] and [`GatewayError::Client`].
    pub fn new(
        token: Option<&SecretString>,
        hosts: Hosts,
        timeout: Duration,
    ) -> Result<Self, GatewayError> {
        let bearer = token.map(|token| {
            super::header(&format!("Bearer {}", token.expose_secret()), "media.token")
        });
        Ok(Self {
            client: http_client(timeout).map_err(GatewayError::Client)?,
            bearer: bearer.transpose()?,
            hosts,
            timeout,
        })
    }

    /// Downloads a file, which gets its name when it is complete. `progress` receives the number of
    /// bytes so far.
    ///
    /// # Errors
    /// Each [`DownloadError`]; then no file remains.
    pub async fn download(
        &self,
        url: &str,
        into: Target<'_>,
        limits: &DownloadLimits,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<Downloaded, DownloadError> {
        let url = self.permitted(url).ok_or(DownloadError::ForeignHost)?;
        let response = self.ask(url, limits.max_bytes).await?;
        let in_file = |error| DownloadError::File { error };
        let draft = Draft::begin(into.path, into.existing, Access::Private).map_err(in_file)?;
        let on_disk = |error| in_file(draft.failed(error));
        let mut file = File::from_std(draft.file().try_clone().map_err(on_disk)?);
        let downloaded = receive(response, &mut file, limits, progress)
            .await
            .map_err(|error| match error {
                ReceiveError::Disk(error) => on_disk(error),
                ReceiveError::Other(error) => error,
            })?;
        if limits
            .sha256
            .is_some_and(|sha256| sha256 != downloaded.sha256)
        {
            return Err(DownloadError::WrongHash);
        }
        file.sync_all().await.map_err(on_disk)?;
        drop(file);
        draft.publish().map_err(in_file)?;
        Ok(downloaded)
    }

    /// Parses a URL; `None` if it is not allowed.
    fn permitted(&self, url: &str) -> Option<Url> {
        let parsed = Url::parse(url).ok()?;
        // The checked URL and the used one must be the same, so the parser's result is checked too.
        if media::may_fetch(url) && media::may_fetch(parsed.as_str()) {
            return Some(parsed);
        }
        let host = parsed.host_str()?.trim_matches(['[', ']']);
        let loopback = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let plain = parsed.scheme() == "http" && parsed.username().is_empty();
        (self.hosts == Hosts::MetaAndLoopback && loopback && plain).then_some(parsed)
    }

    async fn ask(&self, url: Url, max_bytes: u64) -> Result<Response, DownloadError> {
        let mut request = self
            .client
            .get(url)
            .timeout(self.timeout + time_for(max_bytes));
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer.clone());
        }
        let response = request.send().await.map_err(|e| match from_transport(&e) {
            SendError::NotSent(why) => DownloadError::NotConnected(why),
            SendError::Unknown(_) | SendError::Rejected(_) => DownloadError::Broken,
        })?;
        match response.status().as_u16() {
            200 => Ok(response),
            401 | 403 => Err(DownloadError::Token),
            404 | 410 => Err(DownloadError::Gone),
            status => Err(DownloadError::Status { status }),
        }
    }
}

/// Failure between the first byte and the last.
enum ReceiveError {
    Disk(io::Error),
    Other(DownloadError),
}

/// Writes the response to a file, counting and hashing the bytes.
async fn receive(
    mut response: Response,
    file: &mut File,
    limits: &DownloadLimits,
    progress: impl Fn(u64) + Send + Sync,
) -> Result<Downloaded, ReceiveError> {
    let max_bytes = limits.max_bytes;
    let too_large = || ReceiveError::Other(DownloadError::TooLarge { max_bytes });
    // An announced length saves the transfer; the bytes are counted all the same.
    if response
        .content_length()
        .is_some_and(|length| length > max_bytes)
    {
        return Err(too_large());
    }
    let mut hash = Sha256::new();
    let mut bytes = 0;
    loop {
        let chunk = match tokio::time::timeout(SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            Ok(Err(_)) | Err(_) => return Err(ReceiveError::Other(DownloadError::Broken)),
        };
        bytes += chunk.len() as u64;
        if bytes > max_bytes {
            return Err(too_large());
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(ReceiveError::Disk)?;
        progress(bytes);
    }
    file.flush().await.map_err(ReceiveError::Disk)?;
    Ok(Downloaded {
        bytes,
        sha256: hash.finalize().into(),
    })
}

#[cfg(test)]
mod tests;
