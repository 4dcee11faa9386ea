//! `[media]`: download of media files and the token for it.

use std::ops::Range;

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::reader::Reader;
use crate::config::{Gateway, Media, Preset};
use crate::diagnostics::optional::{Read, optional};

/// Maximum size in bytes of a file that a contact can send. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
const MOST_BYTES: u32 = 100 * 1024 * 1024;

impl Reader<'_> {
    pub(super) fn media(&mut self, gateway: Option<&Gateway>) -> Option<Media> {
        let download = self.flag("media.download");
        let folder = self.path("media.folder");
        let max_bytes = self.integer("media.max_bytes", 1..=MOST_BYTES);
        let token = self.optional_key("media.token").ok()?;
        let (download, place) = download?;
        let token = token.or_else(|| {
            let gateway = gateway?;
            (gateway.preset == Preset::Graph).then(|| gateway.api_key.clone())
        });
        // With an invalid gateway it is not known yet whether there is a token.
        if download && token.is_none() && gateway.is_some() {
            return self.refuse(
                "media.download",
                &place,
                "needs media.token: the key of Maton does not open Meta's file host; make a token of your own Meta app",
            );
        }
        Some(Media {
            download,
            folder: folder?,
            max_bytes: max_bytes?.into(),
            token,
        })
    }

    /// Reads a key for a header that may be left out.
    pub(super) fn optional_key(&mut self, key: &'static str) -> Read<Option<SecretString>> {
        let set = self.is_set(key).then_some(key);
        optional(set, |key| {
            let (token, place) = self.secret(key)?;
            self.for_header(key, &place, token.expose_secret())?;
            Some(token)
        })
    }

    /// Refuses characters that no HTTP header may carry.
    pub(super) fn for_header(&mut self, key: &str, place: &Range<usize>, text: &str) -> Option<()> {
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Some(());
        }
        self.refuse(key, place, "holds characters that no HTTP header may carry")
    }
}
