//! Limits of files: links, ids, captions and file names.

use super::ViolationKind::{Link, Misplaced};
use super::{CAPTION_MAX, Checker, FILENAME_MAX, LINK_MAX};
use crate::message::{MediaKind, MediaSource, OutboundMedia as Media};

/// Maximum number of characters of an upload's id, which has about 16 digits; rejects obvious
/// mistakes.
const MEDIA_ID_MAX: usize = 64;

impl Checker {
    /// Checks a file in the header of a message with buttons or of a template.
    pub(super) fn header_media(&mut self, media: &Media) {
        self.source("header", &media.source);
        if matches!(media.kind, MediaKind::Audio | MediaKind::Sticker) {
            let message = format!("a header cannot be {}", with_article(media.kind));
            self.report(Misplaced, "header", message);
        }
    }

    /// Checks a message that is a file.
    pub(super) fn media(&mut self, media: &Media) {
        self.source("link", &media.source);
        if let Some(caption) = &media.caption {
            if matches!(media.kind, MediaKind::Audio | MediaKind::Sticker) {
                let message = format!("{} cannot have a text below it", with_article(media.kind));
                let help =
                    "send two messages: `reply = [ { audio = \"https://…\" }, \"the text\" ]`";
                self.report_with_help(Misplaced, "caption", message, Some(help));
            } else {
                self.text("caption", "caption", caption, CAPTION_MAX);
            }
        }
        if let Some(filename) = &media.filename {
            if media.kind == MediaKind::Document {
                self.text("filename", "file name", filename, FILENAME_MAX);
            } else {
                self.report(Misplaced, "filename", "only a document has a file name");
            }
        }
        if media.voice && media.kind != MediaKind::Audio {
            self.report(Misplaced, "voice", "only a sound can be a voice message");
        }
    }

    fn source(&mut self, part: &str, source: &MediaSource) {
        match source {
            MediaSource::Link(link) => self.link(part, link),
            MediaSource::Id(id) => {
                self.text(part, "media id", id, MEDIA_ID_MAX);
                if id.contains(char::is_whitespace) || id.contains('/') {
                    let message = "this is not a media id";
                    let help = "`replyd media upload FILE` prints one";
                    self.report_with_help(Link, part, message, Some(help));
                }
            }
        }
    }

    /// Checks a link that Meta fetches.
    fn link(&mut self, part: &str, link: &str) {
        let help = "WhatsApp fetches files only from https servers, without a password";
        self.address(part, link, &["https://"], help);
    }

    /// Checks a link that the contact's browser opens.
    pub(super) fn web_address(&mut self, part: &str, link: &str) {
        let help = "write the whole address, like `https://shop.example/cakes`";
        self.address(part, link, &["https://", "http://"], help);
    }

    fn address(&mut self, part: &str, link: &str, schemes: &[&str], help: &str) {
        self.text(part, "link", link, LINK_MAX);
        let rest = schemes.iter().find_map(|scheme| link.strip_prefix(scheme));
        let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or("");
        if !link.trim().is_empty() && (host.is_empty() || link.contains(char::is_whitespace)) {
            let message = format!("the link is not a complete `{}` address", schemes[0]);
            self.report_with_help(Link, part, message, Some(help));
        }
    }
}

fn with_article(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "an image",
        MediaKind::Video => "a video",
        MediaKind::Audio => "a sound",
        MediaKind::Document => "a document",
        MediaKind::Sticker => "a sticker",
    }
}
