//! Files WhatsApp takes: types, extensions, sizes, and how a file's first bytes tell what it is.
//!
//! The only home of these numbers and names. [`describe`] finds before an upload what Meta would
//! find after it: a file of a wrong type, one whose content is not what its name says, one that is
//! too large.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

mod magic;

use sha2::{Digest as _, Sha256};

use super::hex;
use magic::DetectedType;
use magic::{DOCX, PPTX, XLSX};

/// How much of a file's beginning [`describe`] wants to see; less when the file is shorter.
pub const FIRST_BYTES: usize = 4096;

/// Meta writes MB and does not say which one. We take the larger: Meta itself refuses what lies
/// between the two.
const MIB: u64 = 1024 * 1024;
const KIB: u64 = 1024;

/// The kinds of files, as messages name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A sound.
    Audio,
    /// Any document.
    Document,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A sticker that stands still.
    Sticker,
    /// A sticker that moves.
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

    /// Meta's word for it: the `type` of the message that carries it.
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

    /// The most bytes of such a file. See
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

/// A MIME type that WhatsApp takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// What a message with such a file is; for stickers see also [`FileKind::AnimatedSticker`].
    pub kind: FileKind,
    /// As Meta writes it.
    pub mime_type: &'static str,
    /// Without its dot; the content must fit.
    pub extension: &'static str,
}

const fn format(kind: FileKind, mime_type: &'static str, extension: &'static str) -> Format {
    Format {
        kind,
        mime_type,
        extension,
    }
}

/// Every type that Meta promises to take, one row for each extension. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
pub const FORMATS: &[Format] = &[
    format(FileKind::Audio, "audio/aac", "aac"),
    format(FileKind::Audio, "audio/amr", "amr"),
    format(FileKind::Audio, "audio/mpeg", "mp3"),
    format(FileKind::Audio, "audio/mp4", "m4a"),
    // With the OPUS codec alone, and mono.
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

/// Types that people send us and that we cannot send: only for the names of fetched files. Nothing
/// here is a program.
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

/// A file that WhatsApp will take, as far as its beginning tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFile {
    /// What a message with it is.
    pub kind: FileKind,
    /// What to upload it as.
    pub mime_type: String,
    /// The name it was given, without folders.
    pub filename: String,
}

/// Why WhatsApp would not take a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It has no bytes.
    #[error("`{filename}` is empty")]
    Empty {
        /// The file.
        filename: String,
    },
    /// No type is known by this extension.
    #[error("`{filename}` is of no type that WhatsApp takes{}", content_note(*.content))]
    UnknownExtension {
        /// The file.
        filename: String,
        /// What its content is, when that can be seen.
        content: Option<&'static str>,
        /// The extension such a content has, when WhatsApp takes it.
        extension: Option<&'static str>,
    },
    /// No type is known by this name.
    #[error("`{mime_type}` is no MIME type")]
    NoMimeType {
        /// As it was given.
        mime_type: String,
    },
    /// The content is not of the type that the name or the given MIME type says.
    #[error("`{filename}` should be {mime_type}, but it holds {content}")]
    Contradiction {
        /// The file.
        filename: String,
        /// What it should be.
        mime_type: String,
        /// What it is.
        content: &'static str,
        /// The extension such a content has, when WhatsApp takes it.
        extension: Option<&'static str>,
    },
    /// OGG with another codec than OPUS.
    #[error("`{filename}` is OGG without OPUS")]
    NotOpus {
        /// The file.
        filename: String,
    },
    /// More bytes than WhatsApp takes of this kind.
    #[error(
        "`{filename}` has {} and {} may have {}",
        readable(*.size), article(*.kind), readable(.kind.max_bytes())
    )]
    TooLarge {
        /// The file.
        filename: String,
        /// What it is.
        kind: FileKind,
        /// Its bytes.
        size: u64,
    },
}

impl Problem {
    /// What to do about it.
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

/// Decides what a file is uploaded as: by its content where that can be seen, by its extension
/// elsewhere.
///
/// `first_bytes` are the first [`FIRST_BYTES`] of the file.
///
/// # Errors
/// Each [`Problem`]; Meta would refuse such a file with 131053, often only after the message was
/// sent.
pub fn describe(filename: &str, first_bytes: &[u8], size: u64) -> Result<MediaFile, Problem> {
    let filename = base_name(filename);
    refuse_empty(&filename, size)?;
    let seen = magic::see(first_bytes);
    let extension = extension_of(&filename);
    let Some(format) = FORMATS
        .iter()
        .find(|format| Some(format.extension) == extension.as_deref())
    else {
        return Err(Problem::UnknownExtension {
            content: seen.map(|seen| seen.description),
            extension: seen.and_then(extension_for),
            filename,
        });
    };
    fit(filename, format, seen, size)
}

/// As [`describe`], but the type is told and not looked up by the extension.
///
/// A type that is not in [`FORMATS`] is taken as a document: Meta often takes it and promises
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
    let bare = bare(mime_type);
    if let Some(format) = FORMATS.iter().find(|format| format.mime_type == bare) {
        return fit(filename, format, magic::see(first_bytes), size);
    }
    let token = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte);
        !part.is_empty() && part.bytes().all(plain)
    };
    if !bare
        .split_once('/')
        .is_some_and(|(main_type, description)| token(main_type) && token(description))
    {
        return Err(Problem::NoMimeType {
            mime_type: mime_type.to_owned(),
        });
    }
    within(
        MediaFile {
            kind: FileKind::Document,
            mime_type: bare,
            filename,
        },
        size,
    )
}

/// The name a fetched file gets: ours alone, since a name that a stranger chose may lead anywhere.
///
/// No two ids get one name, also where the file system takes `a` and `A` for one or ends a name
/// after 255 bytes; and no name is one of a device, as `nul.txt` is on Windows.
#[must_use]
pub fn file_name(media_id: &str, mime_type: &str) -> String {
    const LONGEST_ID: usize = 64;
    // Meta's ids are numbers.
    let is_number = media_id.bytes().all(|byte| byte.is_ascii_digit());
    let id = if is_number && (1..=LONGEST_ID).contains(&media_id.len()) {
        media_id.to_owned()
    } else {
        format!("id-{}", hex(&Sha256::digest(media_id.as_bytes())))
    };
    let bare = bare(mime_type);
    let known = FORMATS.iter().find(|format| format.mime_type == bare);
    let extension = known.map(|format| format.extension).or_else(|| {
        let other = INBOUND_ONLY
            .iter()
            .find(|(mime_type, _)| *mime_type == bare);
        other.map(|(_, extension)| *extension)
    });
    format!("{id}.{}", extension.unwrap_or("bin"))
}

/// A number of bytes as people write it.
#[must_use]
pub fn readable(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..KIB => format!("{bytes} bytes"),
        KIB..MIB => tenths(bytes, KIB, "KB"),
        _ => tenths(bytes, MIB, "MB"),
    }
}

/// Rounded up, so that what is above a limit never reads as the limit.
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

/// Holds content and size against the type a file should be of.
fn fit(
    filename: String,
    format: &Format,
    seen: Option<DetectedType>,
    size: u64,
) -> Result<MediaFile, Problem> {
    // Nothing that can be told by its first bytes: text alone is like that.
    let seen = seen.unwrap_or(DetectedType::UNKNOWN);
    if seen == DetectedType::OGG && format.mime_type == "audio/ogg" {
        return Err(Problem::NotOpus { filename });
    }
    if !seen.fits.contains(&format.mime_type) {
        return Err(Problem::Contradiction {
            filename,
            mime_type: format.mime_type.to_owned(),
            content: seen.description,
            extension: extension_for(seen),
        });
    }
    let kind = match format.kind {
        FileKind::Sticker if seen == DetectedType::ANIMATED_WEBP => FileKind::AnimatedSticker,
        kind => kind,
    };
    within(
        MediaFile {
            kind,
            mime_type: format.mime_type.to_owned(),
            filename,
        },
        size,
    )
}

fn within(file: MediaFile, size: u64) -> Result<MediaFile, Problem> {
    if size <= file.kind.max_bytes() {
        return Ok(file);
    }
    Err(Problem::TooLarge {
        filename: file.filename,
        kind: file.kind,
        size,
    })
}

/// The extension of a content that can be only one type.
fn extension_for(seen: DetectedType) -> Option<&'static str> {
    let [only] = seen.fits else { return None };
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

/// `audio/ogg` of `Audio/OGG; codecs=opus`.
fn bare(mime_type: &str) -> String {
    let bare = mime_type.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

/// Every extension that is taken, for advice.
#[must_use]
pub fn extensions() -> String {
    let names: Vec<String> = FORMATS
        .iter()
        .map(|format| format!(".{}", format.extension))
        .collect();
    names.join(" ")
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
