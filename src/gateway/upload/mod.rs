//! Uploads: files of any size, streamed from disk through the gateway.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::error::{NotSent, SendError, Unknown, from_transport};
use super::{Gateway, refuse_other_places, response};
use crate::whatsapp::api_call::{Call, Payload};
use crate::whatsapp::media;

/// Slowest connection that is waited for: 100 MB take half an hour.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 * 1024;
/// Bytes of a file read at once.
const CHUNK_BYTES: usize = 64 * 1024;

impl Gateway {
    /// Uploads a file and returns its media id.
    ///
    /// `call` comes from [`media::upload`]; `progress` receives the number of bytes read so far.
    ///
    /// # Errors
    /// [`SendError`]; after [`SendError::Unknown`] the file may have been uploaded, which is
    /// harmless.
    pub async fn upload(
        &self,
        call: &Call,
        file: File,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<String, SendError> {
        let Payload::File(part) = &call.payload else {
            return Err(SendError::NotSent(NotSent::Request));
        };
        refuse_other_places(call)?;
        let bytes = Body::wrap_stream(chunks(file, part.size, progress));
        let streamed = Part::stream_with_length(bytes, part.size)
            .file_name(part.filename.clone())
            .mime_str(&part.mime_type)
            .map_err(|_| SendError::NotSent(NotSent::Request))?;
        let form = Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", part.mime_type.clone())
            .part("file", streamed);
        let request = self
            .request(call)
            .timeout(self.timeout + time_for(part.size))
            .multipart(form);
        let response = request.send().await.map_err(|e| from_transport(&e))?;
        let answer = response::read(response).await?;
        answer.success()?;
        serde_json::from_slice(&answer.body)
            .ok()
            .and_then(|answer| media::uploaded(&answer))
            .ok_or(SendError::Unknown(Unknown::Answer { status: 200 }))
    }
}

/// Time that a number of bytes takes on the slowest connection.
pub(super) fn time_for(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND)
}

/// Streams the first `size` bytes of a file. A file that has become shorter breaks the request;
/// bytes added since are left out.
fn chunks(
    file: File,
    size: u64,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
    let progress = Arc::new(progress);
    try_unfold((file.take(size), 0), move |(mut file, before)| {
        let progress = Arc::clone(&progress);
        async move {
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            let read = file.read_buf(&mut chunk).await?;
            if read == 0 {
                return Ok(None);
            }
            let so_far = before + read as u64;
            progress(so_far);
            Ok(Some((chunk.freeze(), (file, so_far))))
        }
    })
}

#[cfg(test)]
mod tests;
