//! Downloads contacts' media one after the other: claims a row, looks the file up, downloads it,
//! settles.
//!
//! Separate from [`super::outbox::Delivery`], because a video of 16 MB must not delay a reply.
//! Downloading twice is harmless, so no result here is unknown.

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
use crate::message::ErrorClass;
use crate::message::{is_id, media_file};
use crate::shutdown::Shutdown;
use crate::store::{Download, DownloadEnd, Store, StoreError};
use crate::whatsapp::media;

/// Poll interval of the outbox.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Length of a lease: longer than the largest file takes on a slow connection.
const LEASE: Duration = Duration::from_mins(15);
/// Waits between attempts: from ten seconds to an hour, over the week for which Meta keeps a file.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Number of attempts after which a download is given up.
const MOST_TRIES: u32 = 50;

/// The worker.
#[derive(Debug)]
pub struct MediaDownloader {
    /// Holds the rows.
    pub store: Store,
    /// Looks files up.
    pub gateway: Gateway,
    /// Downloads files.
    pub downloader: Downloader,
    /// Gives the server time.
    pub clock: Clock,
    /// Media folder.
    pub folder: PathBuf,
    /// Upper bound of a file's bytes.
    pub max_bytes: u64,
}

/// Reason why a file was not downloaded.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    LookUp(#[from] SendError),
    #[error("WhatsApp gave no address for the file")]
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
    /// Whether another attempt could not succeed.
    fn is_final(&self) -> bool {
        match self {
            Self::LookUp(SendError::Rejected(rejection)) => rejection.class() == ErrorClass::GiveUp,
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
    /// Works until the shutdown; an interrupted download is repeated after the next start.
    pub async fn run(self, shutdown: Shutdown) {
        shutdown.run(self.work()).await;
    }

    async fn work(&self) {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => sleep(POLL_EVERY).await,
                Err(error) => {
                    // A fault of the database is logged once, when it begins.
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

    /// Downloads one file; returns whether there was one.
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

    /// Downloads a file; returns the path below the media folder and the size.
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
        // One folder per month, so that none grows without bound.
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
            // An existing file is the same one, downloaded before a crash.
            existing: Existing::Replaced,
        };
        let fetched = self
            .downloader
            .download(&url, into, &limits, |_| {})
            .await?;
        Ok((format!("{month}/{name}"), fetched.bytes))
    }
}
