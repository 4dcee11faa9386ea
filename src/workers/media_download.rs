//! Fetches the files that people sent, one after the other: claims a row, looks the file up,
//! downloads it, settles.
//!
//! A worker of its own beside [`super::outbox::Delivery`]: a film of 16 MB must not hold up an
//! answer. Fetching twice is harmless, so nothing here is ever unknown.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::sleep;

use super::outbox::backoff;
use crate::clock::Clock;
use crate::files;
use crate::files::{Existing, WriteError};
use crate::gateway::{DownloadError, DownloadLimits, Downloader, Gateway, SendError, Target};
use crate::message::{is_id, media_file};
use crate::shutdown::Shutdown;
use crate::store::{Download, DownloadEnd, Store, StoreError};
use crate::whatsapp::error_codes::Class;
use crate::whatsapp::media;

/// The outbox is looked at this often.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// After this a claimed file is anybody's again: longer than the largest file takes on a slow line.
const LEASE: Duration = Duration::from_mins(15);
/// Waits between tries: from ten seconds to an hour, over the week that Meta keeps a file.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// A file that is broken each time is given up.
const MOST_TRIES: u32 = 50;

/// The worker.
#[derive(Debug)]
pub struct MediaDownloader {
    /// Where the rows are.
    pub store: Store,
    /// Looks files up.
    pub gateway: Gateway,
    /// Fetches them.
    pub downloader: Downloader,
    /// Tells the time.
    pub clock: Clock,
    /// Where they go.
    pub folder: PathBuf,
    /// The largest that is taken.
    pub max_bytes: u64,
}

/// Why a file is not here.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    LookUp(#[from] SendError),
    #[error("WhatsApp told no address for the file")]
    NoAddress,
    #[error("{0}")]
    Download(#[from] DownloadError),
    #[error("{error}: {}", error.reason())]
    Folder {
        #[from]
        error: WriteError,
    },
    #[error("the file's id is not one of Meta's")]
    NoId,
}

impl Failure {
    /// Whether another try could end otherwise.
    fn is_final(&self) -> bool {
        match self {
            Self::LookUp(SendError::Rejected(rejection)) => rejection.class() == Class::GiveUp,
            Self::Download(error) => matches!(
                error,
                DownloadError::TooLarge { .. } | DownloadError::ForeignHost
            ),
            Self::NoId => true,
            Self::LookUp(_) | Self::NoAddress | Self::Folder { .. } => false,
        }
    }
}

impl MediaDownloader {
    /// Works until told to stop; a file under way is then given up and fetched again after the next
    /// start.
    pub async fn run(self, shutdown: Shutdown) {
        shutdown.run(self.work()).await;
    }

    async fn work(&self) {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => sleep(POLL_EVERY).await,
                Err(error) => {
                    // A fault of the database itself is told once, when it begins.
                    if error.fault().is_none() {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "files waiting to be fetched are out of reach"
                        );
                    }
                    sleep(POLL_EVERY).await;
                }
            }
        }
    }

    /// Fetches one file; says whether there was one.
    async fn step(&self) -> Result<bool, StoreError> {
        if !self.store.may_send() {
            return Ok(false);
        }
        let claimed = self.store.claim_download(self.clock.now(), LEASE).await?;
        let Some(download) = claimed else {
            return Ok(false);
        };
        let end = match self.fetch(&download).await {
            Ok((path, bytes)) => {
                tracing::debug!(message_id = download.message_id, bytes, "file fetched");
                DownloadEnd::Fetched { path, bytes }
            }
            Err(failure) => self.failed(&download, &failure),
        };
        let now = self.clock.now();
        self.store.settle_download(&download, &end, now).await?;
        Ok(true)
    }

    fn failed(&self, download: &Download, failure: &Failure) -> DownloadEnd {
        let reason = failure.to_string();
        let (message_id, attempt) = (download.message_id, download.attempt);
        if failure.is_final() || attempt >= MOST_TRIES {
            tracing::warn!(message_id, attempt, reason, "file cannot be fetched");
            return DownloadEnd::Dead { reason };
        }
        let wait = backoff::doubled(FIRST_WAIT, LONGEST_WAIT, attempt);
        tracing::warn!(message_id, attempt, reason, "file is fetched again later");
        let at = self.clock.now().saturating_add(wait);
        DownloadEnd::Retry {
            at: at.unwrap_or(Timestamp::MAX),
            reason,
        }
    }

    /// Gives the path below the folder, and the size.
    async fn fetch(&self, download: &Download) -> Result<(String, u64), Failure> {
        if !is_id(&download.media_id) {
            return Err(Failure::NoId);
        }
        let call = media::look_up(&download.media_id, Some(&download.phone_number_id));
        let metadata = media::read(&self.gateway.call(&call).await?);
        let url = metadata.url.ok_or(Failure::NoAddress)?;
        let mime_type = download
            .mime_type
            .as_deref()
            .or(metadata.mime_type.as_deref());
        let name = media_file::file_name(&download.media_id, mime_type.unwrap_or_default());
        // A folder a month, so that none grows without bound.
        let month = download.received_at.to_zoned(TimeZone::UTC);
        let month = month.strftime("%Y-%m").to_string();
        let folder = self.folder.join(&month);
        files::make_folder(&folder)?;
        let announced = download.sha256.as_deref().and_then(media::sha256);
        let limits = DownloadLimits {
            max_bytes: self.max_bytes,
            sha256: announced.or(metadata.sha256),
        };
        let into = Target {
            path: &folder.join(&name),
            // One of this name is the same file, fetched before a crash.
            existing: Existing::Replaced,
        };
        let fetched = self
            .downloader
            .download(&url, into, &limits, |_| {})
            .await?;
        Ok((format!("{month}/{name}"), fetched.bytes))
    }
}
