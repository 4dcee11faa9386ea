//! Files that WhatsApp accepts: types, extensions, sizes, and the type by content.
//!
//! The only home of these numbers and names. [`describe`] finds before an upload what Meta would
//! find after it: a file of a wrong type, with content that contradicts its name, or too large.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

mod magic;

use sha2::{Digest as _, Sha256};

use super::hex;
use magic::{DOCX, DetectedType, PPTX, XLSX};

use crate::message::counted;

/// Number of bytes from a file's beginning that [`describe`] needs; fewer if the file is shorter.
pub const FIRST_BYTES: usize = 4096;

/// Meta does not define its MB. The larger definition is used: Meta itself refuses sizes between
/// the two.
const MIB: u64 = 1024 * 1024;
const KIB: u64 = 1024;

/// Kinds of files, as messages name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Audio.
    Audio,
    /// Any document.
    Document,
    /// Image.
    Image,
    /// Video.
    Video,
    /// Static sticker.
    Sticker,
    /// Animated sticker.
    AnimatedSticker,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Audio,
        Self::Document,
        Self::Image,
        Self::Video,
        Self::Sticker,
        Self::AnimatedSticker,
    ];

    /// Returns Meta's name: the `type` of the message that carries the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Image => "image",
            Self::Video => "video",
            Self::Sticker | Self::AnimatedSticker => "sticker",
        }
    }

    /// Returns the maximum size in bytes. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
    #[must_use]
    pub fn max_bytes(self) -> u64 {
        match self {
            Self::Audio | Self::Video => 16 * MIB,
            Self::Document => 100 * MIB,
            Self::Image => 5 * MIB,
            Self::Sticker => 100 * KIB,
            Self::AnimatedSticker => 500 * KIB,
        }
    }
}

/// MIME type that WhatsApp accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Kind of the message; for stickers see also [`FileKind::AnimatedSticker`].
    pub kind: FileKind,
    /// MIME type as Meta writes it.
    pub mime_type: &'static str,
    /// Extension without its dot; the content must match it.
    pub extension: &'static str,
}

const fn format(kind: FileKind, mime_type: &'static str, extension: &'static str) -> Format {
    Format {
        kind,
        mime_type,
        extension,
    }
}

/// Every type that Meta documents, one row per extension. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
pub const FORMATS: &[Format] = &[
    format(FileKind::Audio, "audio/aac", "aac"),
    format(FileKind::Audio, "audio/amr", "amr"),
    format(FileKind::Audio, "audio/mpeg", "mp3"),
    format(FileKind::Audio, "audio/mp4", "m4a"),
    // Only with the OPUS codec, and mono.
    format(FileKind::Audio, "audio/ogg", "ogg"),
    format(FileKind::Document, "text/plain", "txt"),
    format(FileKind::Document, "application/pdf", "pdf"),
    format(FileKind::Document, "application/msword", "doc"),
    format(FileKind::Document, DOCX, "docx"),
    format(FileKind::Document, "application/vnd.ms-excel", "xls"),
    format(FileKind::Document, XLSX, "xlsx"),
    format(FileKind::Document, "application/vnd.ms-powerpoint", "ppt"),
    format(FileKind::Document, PPTX, "pptx"),
    format(FileKind::Image, "image/jpeg", "jpg"),
    format(FileKind::Image, "image/jpeg", "jpeg"),
    format(FileKind::Image, "image/png", "png"),
    format(FileKind::Video, "video/mp4", "mp4"),
    format(FileKind::Video, "video/3gpp", "3gp"),
    format(FileKind::Sticker, "image/webp", "webp"),
];

/// Types that only contacts send, for the names of downloaded files. None of them is executable.
const INBOUND_ONLY: &[(&str, &str)] = &[
    ("application/zip", "zip"),
    ("audio/wav", "wav"),
    ("image/gif", "gif"),
    ("image/heic", "heic"),
    ("text/csv", "csv"),
    ("text/vcard", "vcf"),
    ("text/x-vcard", "vcf"),
    ("video/quicktime", "mov"),
];

/// File that WhatsApp accepts, judged by its first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFile {
    /// Kind of the message.
    pub kind: FileKind,
    /// MIME type of the upload.
    pub mime_type: String,
    /// File name without folders.
    pub filename: String,
}

/// Reason why WhatsApp does not accept a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is empty.
    #[error("`{filename}` is empty")]
    Empty {
        /// File name.
        filename: String,
    },
    /// No accepted type has this extension.
    #[error("`{filename}` is of no type that WhatsApp takes{}", content_note(*.content))]
    UnknownExtension {
        /// File name.
        filename: String,
        /// Description of the content, if detected.
        content: Option<&'static str>,
        /// Extension for this content, if WhatsApp accepts it.
        extension: Option<&'static str>,
    },
    /// The given text is not a MIME type.
    #[error("`{mime_type}` is no MIME type")]
    NoMimeType {
        /// The given text.
        mime_type: String,
    },
    /// The content contradicts the file name or the given MIME type.
    #[error("`{filename}` should be {mime_type}, but it holds {content}")]
    Contradiction {
        /// File name.
        filename: String,
        /// Expected MIME type.
        mime_type: String,
        /// Description of the content.
        content: &'static str,
        /// Extension for this content, if WhatsApp accepts it.
        extension: Option<&'static str>,
    },
    /// The file is OGG with another codec than OPUS.
    #[error("`{filename}` is OGG without OPUS")]
    NotOpus {
        /// File name.
        filename: String,
    },
    /// The file is larger than WhatsApp accepts for its kind.
    #[error(
        "`{filename}` has {} and {} may have {}",
        readable(*.size), article(*.kind), readable(.kind.max_bytes())
    )]
    TooLarge {
        /// File name.
        filename: String,
        /// Kind of the file.
        kind: FileKind,
        /// Size in bytes.
        size: u64,
    },
}

impl Problem {
    /// Returns the remedy.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Empty { .. } => "check that the file was written to its end".to_owned(),
            Self::UnknownExtension {
                extension: Some(extension),
                ..
            }
            | Self::Contradiction {
                extension: Some(extension),
                ..
            } => format!("name it *.{extension}: that is what it holds"),
            Self::UnknownExtension { .. } | Self::Contradiction { .. } => {
                format!("WhatsApp takes {}", extensions())
            }
            Self::NoMimeType { .. } => "a MIME type looks like application/pdf".to_owned(),
            Self::NotOpus { .. } => {
                "convert it, for example with: ffmpeg -i FILE -ac 1 -c:a libopus OUT.ogg".to_owned()
            }
            Self::TooLarge { .. } => "make it smaller, or send a link to it".to_owned(),
        }
    }
}

/// Determines how a file is uploaded: by its content if it can be detected, otherwise by its
/// extension.
///
/// `first_bytes` are the first [`FIRST_BYTES`] of the file.
///
/// # Errors
/// Each [`Problem`]; Meta refuses such a file with 131053, often only after the message was sent.
pub fn describe(filename: &str, first_bytes: &[u8], size: u64) -> Result<MediaFile, Problem> {
    let filename = base_name(filename);
    refuse_empty(&filename, size)?;
    let detected = magic::detect(first_bytes);
    let extension = extension_of(&filename);
    let mut formats = FORMATS.iter();
    let format = formats.find(|format| Some(format.extension) == extension.as_deref());
    let Some(format) = format else {
        return Err(Problem::UnknownExtension {
            content: detected.map(|detected| detected.description),
            extension: detected.and_then(extension_for),
            filename,
        });
    };
    check_content(filename, format, detected, size)
}

/// Determines how a file of a given MIME type is uploaded; the extension is ignored.
///
/// A type that is not in [`FORMATS`] counts as a document: Meta often accepts it and guarantees
/// nothing.
///
/// # Errors
/// As [`describe`], and [`Problem::NoMimeType`].
pub fn describe_as(
    mime_type: &str,
    filename: &str,
    first_bytes: &[u8],
    size: u64,
) -> Result<MediaFile, Problem> {
    let filename = base_name(filename);
    refuse_empty(&filename, size)?;
    let bare_mime_type = bare_mime_type(mime_type);
    if let Some(format) = FORMATS
        .iter()
        .find(|format| format.mime_type == bare_mime_type)
    {
        return check_content(filename, format, magic::detect(first_bytes), size);
    }
    let token = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte);
        !part.is_empty() && part.bytes().all(plain)
    };
    let parts = bare_mime_type.split_once('/');
    if !parts.is_some_and(|(main_type, subtype)| token(main_type) && token(subtype)) {
        return Err(Problem::NoMimeType {
            mime_type: mime_type.to_owned(),
        });
    }
    check_size(filename, FileKind::Document, bare_mime_type, size)
}

/// Builds the name of a downloaded file from its id; a name chosen by a contact could contain any
/// path.
///
/// Different ids have different names, even on file systems that ignore case or truncate names
/// after 255 bytes, and no name is a device name such as `nul.txt` on Windows.
#[must_use]
pub fn file_name(media_id: &str, mime_type: &str) -> String {
    const LONGEST_ID: usize = 64;
    // Ids of Meta are numbers.
    let is_number = media_id.bytes().all(|byte| byte.is_ascii_digit());
    let id = if is_number && (1..=LONGEST_ID).contains(&media_id.len()) {
        media_id.to_owned()
    } else {
        format!("id-{}", hex(&Sha256::digest(media_id.as_bytes())))
    };
    let bare_mime_type = bare_mime_type(mime_type);
    let formats = FORMATS
        .iter()
        .map(|format| (format.mime_type, format.extension));
    let mut known = formats.chain(INBOUND_ONLY.iter().copied());
    let known = known.find(|(mime_type, _)| *mime_type == bare_mime_type);
    format!("{id}.{}", known.map_or("bin", |(_, extension)| extension))
}

/// Formats a number of bytes for display.
#[must_use]
pub fn readable(bytes: u64) -> String {
    match bytes {
        0..KIB => counted(bytes, "byte"),
        KIB..MIB => tenths(bytes, KIB, "KB"),
        _ => tenths(bytes, MIB, "MB"),
    }
}

/// Rounds up, so that a size above a limit is never displayed as the limit.
fn tenths(bytes: u64, unit: u64, name: &str) -> String {
    let tenths = (u128::from(bytes) * 10).div_ceil(u128::from(unit));
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        rest => format!("{}.{rest} {name}", tenths / 10),
    }
}

fn refuse_empty(filename: &str, size: u64) -> Result<(), Problem> {
    if size > 0 {
        return Ok(());
    }
    Err(Problem::Empty {
        filename: filename.to_owned(),
    })
}

/// Checks content and size against the expected format.
fn check_content(
    filename: String,
    format: &Format,
    detected: Option<DetectedType>,
    size: u64,
) -> Result<MediaFile, Problem> {
    // Every format but text can be detected by its first bytes.
    let detected = detected.unwrap_or(DetectedType::UNKNOWN);
    if detected == DetectedType::OGG && format.mime_type == "audio/ogg" {
        return Err(Problem::NotOpus { filename });
    }
    if !detected.fits.contains(&format.mime_type) {
        return Err(Problem::Contradiction {
            filename,
            mime_type: format.mime_type.to_owned(),
            content: detected.description,
            extension: extension_for(detected),
        });
    }
    let kind = match format.kind {
        FileKind::Sticker if detected == DetectedType::ANIMATED_WEBP => FileKind::AnimatedSticker,
        kind => kind,
    };
    check_size(filename, kind, format.mime_type.to_owned(), size)
}

fn check_size(
    filename: String,
    kind: FileKind,
    mime_type: String,
    size: u64,
) -> Result<MediaFile, Problem> {
    if size > kind.max_bytes() {
        return Err(Problem::TooLarge {
            filename,
            kind,
            size,
        });
    }
    Ok(MediaFile {
        kind,
        mime_type,
        filename,
    })
}

/// Returns the extension of a content that fits exactly one type.
fn extension_for(detected: DetectedType) -> Option<&'static str> {
    let [only] = detected.fits else { return None };
    let format = FORMATS.iter().find(|format| format.mime_type == *only);
    format.map(|format| format.extension)
}

fn base_name(filename: &str) -> String {
    let name = filename.rsplit(['/', '\\']).next().unwrap_or(filename);
    name.to_owned()
}

fn extension_of(filename: &str) -> Option<String> {
    let (_, extension) = filename.rsplit_once('.')?;
    Some(extension.to_ascii_lowercase())
}

/// Normalizes a MIME type: `audio/ogg` from `Audio/OGG; codecs=opus`.
fn bare_mime_type(mime_type: &str) -> String {
    let bare_mime_type = mime_type.split(';').next().unwrap_or_default();
    bare_mime_type.trim().to_ascii_lowercase()
}

/// Lists every accepted extension, for advice.
#[must_use]
pub fn extensions() -> String {
    let names = FORMATS
        .iter()
        .map(|format| format!(".{}", format.extension));
    names.collect::<Vec<_>>().join(" ")
}

fn content_note(content: Option<&'static str>) -> String {
    content
        .map(|content| format!("; it holds {content}"))
        .unwrap_or_default()
}

fn article(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Audio => "an audio file",
        FileKind::Document => "a document",
        FileKind::Image => "an image",
        FileKind::Video => "a video",
        FileKind::Sticker => "a sticker",
        FileKind::AnimatedSticker => "an animated sticker",
    }
}

#[cfg(test)]
mod tests;
