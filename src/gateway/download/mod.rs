//! Fetching files from Meta's file host, which is not the Graph API and takes Meta's own token
//! alone.
//!
//! The address comes from outside, so it is held against the list of Meta's hosts before anything
//! is connected to, no redirect is followed, and the bytes are counted and hashed on the way to the
//! disk. A file appears under its name only when it is whole, see [`crate::files`]; it is for its
//! owner's eyes alone.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

use std::fmt;
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

/// A host that gives nothing for so long will give nothing more.
const SILENCE: Duration = Duration::from_secs(30);

/// Which hosts a file may be fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Meta's.
    Meta,
    /// Meta's, and addresses of this machine: for a pretend WhatsApp.
    MetaAndLoopback,
}

impl Hosts {
    /// The hosts that fit a gateway: only one on this machine is a pretend one, whose files are on
    /// this machine too.
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

/// Fetches files.
#[derive(Clone)]
pub struct Downloader {
    client: Client,
    /// Meta's token, marked sensitive.
    bearer: Option<HeaderValue>,
    hosts: Hosts,
    timeout: Duration,
}

impl fmt::Debug for Downloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Downloader")
            .field("hosts", &self.hosts)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Where a file goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its name, in a folder that is there.
    pub path: &'a Path,
    /// What becomes of a file of this name.
    pub existing: Existing,
}

/// What a file must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadLimits {
    /// The most bytes that are taken.
    pub max_bytes: u64,
    /// What the bytes must hash to, when that is known.
    pub sha256: Option<[u8; 32]>,
}

/// A file that is on the disk now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// How many there are.
    pub bytes: u64,
    /// What they hash to.
    pub sha256: [u8; 32],
}

/// Why a file is not on the disk.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The address is not one of Meta's; nothing was connected to.
    #[error("the file's address is not one of Meta's file hosts")]
    ForeignHost,
    /// No request left us.
    #[error("the file host cannot be reached: {0}")]
    NotConnected(NotSent),
    /// It answered 401 or 403.
    #[error("the file host does not take the token")]
    Token,
    /// It answered 404 or 410.
    #[error("the file host has no such file any more")]
    Gone,
    /// It answered with something else than the file, a redirect for example.
    #[error("the file host answered with HTTP status {status}")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// There are more bytes than are taken.
    #[error("the file has more than {}", readable(*.max_bytes))]
    TooLarge {
        /// The most that are taken.
        max_bytes: u64,
    },
    /// The bytes are not those that were announced.
    #[error("the file's SHA-256 is not the one that was announced")]
    WrongHash,
    /// The connection ended, or fell silent, before the whole file had come.
    #[error("the connection broke before the whole file had come")]
    Broken,
    /// It could not be written.
    #[error("{error}: {}", error.reason())]
    File {
        /// Where it was to be, and what stood in the way.
        error: WriteError,
    },
}

impl DownloadError {
    /// What to do about it.
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
    /// Makes the client; connects to nothing yet. `timeout` is for the answer, the bytes get more
    /// by their number.
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

    /// Fetches a file, which appears under its name when it is whole. `progress` is told how many
    /// bytes have come so far.
    ///
    /// # Errors
    /// Each [`DownloadError`]; then nothing is left behind.
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

    /// The address as it will be connected to, when that is allowed.
    fn permitted(&self, url: &str) -> Option<Url> {
        let parsed = Url::parse(url).ok()?;
        // What was checked and what is connected to must be one: so the check is on what the parser
        // made of it, too.
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

/// What can happen between the first byte and the last.
enum ReceiveError {
    Disk(io::Error),
    Other(DownloadError),
}

/// Writes what comes, counting and hashing it.
async fn receive(
    mut response: Response,
    file: &mut File,
    limits: &DownloadLimits,
    progress: impl Fn(u64) + Send + Sync,
) -> Result<Downloaded, ReceiveError> {
    let max_bytes = limits.max_bytes;
    let too_large = || ReceiveError::Other(DownloadError::TooLarge { max_bytes });
    // Told beforehand it saves the transfer; what comes is counted all the same.
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
