//! Local file to send: checked, then uploaded.

use std::io::SeekFrom;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::session::{Session, explain};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{self, Hint};
use crate::gateway::SendError;
use crate::message::media_file::{self, FIRST_BYTES, MediaFile, Problem};
use crate::message::{PhoneNumberId, hex};
use crate::whatsapp::api_call::{Call, FilePart};
use crate::whatsapp::media;

/// Graph's code for an id of no file or of another number's file, and for an invalid upload. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.
pub(crate) const WRONG_PARAMETER: i64 = 100;
/// Graph's code for a file that is not of its declared type.
const NOT_TAKEN: i64 = 131_053;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// File that WhatsApp accepts.
pub(crate) struct LocalFile {
    file: File,
    pub(crate) described: MediaFile,
    pub(crate) size: u64,
}

impl LocalFile {
    /// Opens a file and detects its type, before anything is sent.
    pub(crate) async fn open(path: &Path, mime_type: Option<&str>) -> anyhow::Result<Self> {
        let shown = terminal::path(path);
        let context = || format!("could not read `{shown}`");
        let mut file = File::open(path).await.with_context(context)?;
        let metadata = file.metadata().await.with_context(context)?;
        if !metadata.is_file() {
            return Err(Hint::error(
                format!("`{shown}` is not a file"),
                "name one file; several are uploaded one after the other",
            ));
        }
        let mut first_bytes = Vec::new();
        let mut beginning = (&mut file).take(FIRST_BYTES as u64);
        let read = beginning.read_to_end(&mut first_bytes).await;
        read.with_context(context)?;
        file.seek(SeekFrom::Start(0)).await.with_context(context)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let described = match mime_type {
            Some(mime_type) => {
                media_file::describe_as(mime_type, &name, &first_bytes, metadata.len())
            }
            None => media_file::describe(&name, &first_bytes, metadata.len()),
        };
        let described = described.map_err(|problem| {
            Hint::new(
                terminal::one_line(&problem.to_string()),
                match (&problem, mime_type) {
                    (Problem::Contradiction { .. }, Some(_)) => {
                        "leave --mime out, or say what the file holds".to_owned()
                    }
                    _ => problem.advice(),
                },
            )
        })?;
        Ok(Self {
            file,
            described,
            size: metadata.len(),
        })
    }

    /// Computes the SHA-256 of the content, in hexadecimal.
    pub(crate) async fn sha256(&mut self) -> anyhow::Result<String> {
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        let context = || {
            format!(
                "could not read `{}`",
                terminal::one_line(&self.described.filename)
            )
        };
        loop {
            let read = self.file.read(&mut chunk).await;
            match read.with_context(context)? {
                0 => break,
                bytes => hash.update(&chunk[..bytes]),
            }
        }
        let back = self.file.seek(SeekFrom::Start(0)).await;
        back.with_context(context)?;
        Ok(hex(&hash.finalize()))
    }

    /// Builds the call that uploads the file.
    pub(crate) fn call(&self, number: &PhoneNumberId) -> Call {
        let file = FilePart {
            mime_type: self.described.mime_type.clone(),
            filename: self.described.filename.clone(),
            size: self.size,
        };
        media::upload(number, file)
    }

    /// Uploads the file and returns its media id; with `--dry-run` prints the call and returns
    /// `None`.
    pub(crate) async fn upload(
        self,
        session: &Session,
        number: &PhoneNumberId,
    ) -> anyhow::Result<Option<String>> {
        let call = self.call(number);
        if session.options.dry_run {
            session.show(&call);
            return Ok(None);
        }
        let progress = Arc::new(Progress::new("uploading", Some(self.size)));
        let uploaded = session.gateway.upload(&call, self.file, {
            let progress = Arc::clone(&progress);
            move |bytes| progress.at(bytes)
        });
        let uploaded = uploaded.await;
        progress.done();
        uploaded.map(Some).map_err(|error| refused(&call, &error))
    }
}

/// Describes a refused upload; lists the accepted file types when the file was the reason.
fn refused(call: &Call, error: &SendError) -> anyhow::Error {
    let explained = explain(call, error);
    let is_about_file = matches!(error.code(), Some(WRONG_PARAMETER | NOT_TAKEN));
    if !is_about_file || error.is_about_address() {
        return explained;
    }
    Hint::error(
        explained.to_string(),
        format!("WhatsApp takes {}", media_file::extensions()),
    )
}
