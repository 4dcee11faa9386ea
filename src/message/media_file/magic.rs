//! Detection of a file's type by its first bytes.

pub(super) const DOCX: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(super) const PPTX: &str =
    "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// Detected type of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DetectedType {
    /// Description for the owner, with its article.
    pub(super) description: &'static str,
    /// MIME types as which WhatsApp accepts the content; empty if it does not.
    pub(super) fits: &'static [&'static str],
}

const fn detected(description: &'static str, fits: &'static [&'static str]) -> DetectedType {
    DetectedType { description, fits }
}

impl DetectedType {
    pub(super) const UNKNOWN: Self = detected("bytes of an unknown type", &[]);
    pub(super) const ANIMATED_WEBP: Self = detected("an animated WEBP image", &["image/webp"]);
    pub(super) const OGG: Self = detected("OGG audio without OPUS", &[]);
    const WEBP: Self = detected("a WEBP image", &["image/webp"]);
    const OPUS: Self = detected("OGG audio with OPUS", &["audio/ogg"]);
    const TEXT: Self = detected("plain text", &["text/plain"]);
    const MP3: Self = detected("MP3 audio", &["audio/mpeg"]);
    const AAC: Self = detected("AAC audio", &["audio/aac"]);
    const OFFICE: Self = detected("a ZIP archive or an Office document", &[DOCX, XLSX, PPTX]);
    const OLD_OFFICE: Self = detected(
        "an old Office document",
        &[
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
        ],
    );
    const M4A: Self = detected("M4A audio", &["audio/mp4"]);
    /// Many programs write audio under the general brand too, so that the file name decides.
    const MP4: Self = detected("MP4 video or audio", &["video/mp4", "audio/mp4"]);
    const THREE_GP: Self = detected("3GP video", &["video/3gpp"]);
    const QUICKTIME: Self = detected("QuickTime video", &[]);
    const HEIC: Self = detected("a HEIC image", &[]);
    const AVIF: Self = detected("an AVIF image", &[]);
}

/// Magic bytes at the beginning of a file; types that WhatsApp does not accept are listed for exact
/// error messages.
const BEGINNINGS: &[(&[u8], DetectedType)] = &[
    (b"\xff\xd8\xff", detected("a JPEG image", &["image/jpeg"])),
    (
        b"\x89PNG\r\n\x1a\n",
        detected("a PNG image", &["image/png"]),
    ),
    (b"%PDF-", detected("a PDF document", &["application/pdf"])),
    (b"#!AMR\n", detected("AMR audio", &["audio/amr"])),
    (b"#!AMR-WB\n", detected("wideband AMR audio", &[])),
    (b"ID3\x02", DetectedType::MP3),
    (b"ID3\x03", DetectedType::MP3),
    (b"ID3\x04", DetectedType::MP3),
    (b"PK\x03\x04", DetectedType::OFFICE),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        DetectedType::OLD_OFFICE,
    ),
    (b"GIF87a", detected("a GIF image", &[])),
    (b"GIF89a", detected("a GIF image", &[])),
    (b"II*\0", detected("a TIFF image", &[])),
    (b"MM\0*", detected("a TIFF image", &[])),
    (b"fLaC", detected("FLAC audio", &[])),
    (b"\x1a\x45\xdf\xa3", detected("WEBM or Matroska video", &[])),
    (b"Rar!\x1a\x07", detected("a RAR archive", &[])),
    (b"7z\xbc\xaf\x27\x1c", detected("a 7-Zip archive", &[])),
    (b"\x1f\x8b", detected("a GZIP archive", &[])),
    (b"PK\x05\x06", detected("an empty ZIP archive", &[])),
    (b"\x7fELF", detected("a program", &[])),
];

/// Detects the type of a content; `None` if unknown.
pub(super) fn detect(bytes: &[u8]) -> Option<DetectedType> {
    riff(bytes)
        .or_else(|| ogg(bytes))
        .or_else(|| boxes(bytes))
        .or_else(|| {
            let matched = BEGINNINGS.iter().find(|(mark, _)| bytes.starts_with(mark));
            matched.map(|(_, detected)| *detected)
        })
        .or_else(|| frames(bytes))
        .or_else(|| is_text(bytes).then_some(DetectedType::TEXT))
}

/// Detects RIFF files. See <https://developers.google.com/speed/webp/docs/riff_container>.
fn riff(bytes: &[u8]) -> Option<DetectedType> {
    const ANIMATION: u8 = 0b0000_0010;
    if !bytes.starts_with(b"RIFF") {
        return None;
    }
    match bytes.get(8..12)? {
        b"WEBP" => {
            let extended = bytes.get(12..16) == Some(b"VP8X");
            let flags = bytes.get(20).copied().unwrap_or_default();
            Some(if extended && flags & ANIMATION != 0 {
                DetectedType::ANIMATED_WEBP
            } else {
                DetectedType::WEBP
            })
        }
        b"WAVE" => Some(detected("WAV audio", &[])),
        b"AVI " => Some(detected("AVI video", &[])),
        _ => None,
    }
}

/// Detects OGG files; the first page names its codec behind the table of its segments. See
/// <https://www.rfc-editor.org/rfc/rfc3533#section-6> and
/// <https://www.rfc-editor.org/rfc/rfc7845#section-5.1>.
fn ogg(bytes: &[u8]) -> Option<DetectedType> {
    const HEADER: usize = 27;
    if !bytes.starts_with(b"OggS") {
        return None;
    }
    let segments = usize::from(bytes.get(HEADER - 1).copied().unwrap_or_default());
    let packet = bytes.get(HEADER + segments..).unwrap_or_default();
    Some(if packet.starts_with(b"OpusHead") {
        DetectedType::OPUS
    } else {
        DetectedType::OGG
    })
}

/// Detects files made of boxes, of which the first names the brand. See
/// <https://mp4ra.org/registered-types/brands>.
fn boxes(bytes: &[u8]) -> Option<DetectedType> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    Some(match bytes.get(8..12)? {
        b"M4A " | b"M4B " | b"M4P " => DetectedType::M4A,
        [b'3', b'g', b'p', _] => DetectedType::THREE_GP,
        [b'3', b'g', b'2', _] => detected("3GPP2 video", &[]),
        b"qt  " => DetectedType::QUICKTIME,
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => DetectedType::HEIC,
        b"avif" | b"avis" => DetectedType::AVIF,
        _ => DetectedType::MP4,
    })
}

/// Detects bare frames: twelve set bits, then the layer, which is 0 in AAC only.
fn frames(bytes: &[u8]) -> Option<DetectedType> {
    let [0xff, second, third, ..] = *bytes else {
        return None;
    };
    // ADTS: see <https://wiki.multimedia.cx/index.php/ADTS>.
    if second & 0b1111_0110 == 0b1111_0000 {
        return Some(DetectedType::AAC);
    }
    // MPEG audio, layer III, with a bit rate and a sampling rate: see
    // <http://www.mp3-tech.org/programmer/frame_header.html>.
    let (layer_three, rates) = (second & 0b1110_0110 == 0b1110_0010, third);
    let rates_exist = rates & 0b1111_0000 != 0b1111_0000 && rates & 0b0000_1100 != 0b0000_1100;
    (layer_three && rates_exist).then_some(DetectedType::MP3)
}

/// Whether a content is text: UTF-8, possibly cut within a character, or UTF-16 with a byte order
/// mark, without control characters other than white space.
fn is_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return true;
    }
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        // Old code pages differ from UTF-8 above ASCII only.
        Err(_) => return !bytes.iter().any(|byte| is_binary(char::from(*byte))),
    };
    !whole.chars().any(is_binary)
}

fn is_binary(character: char) -> bool {
    character.is_ascii_control() && !matches!(character, '\t' | '\n' | '\r' | '\x0c')
}
