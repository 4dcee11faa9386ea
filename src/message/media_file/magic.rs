//! What a file is, by its first bytes.

pub(super) const DOCX: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(super) const PPTX: &str =
    "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DetectedType {
    /// For people, with its article.
    pub(super) description: &'static str,
    /// The types WhatsApp takes it as; none when it does not take it.
    pub(super) fits: &'static [&'static str],
}

const fn seen(description: &'static str, fits: &'static [&'static str]) -> DetectedType {
    DetectedType { description, fits }
}

impl DetectedType {
    pub(super) const UNKNOWN: Self = seen("bytes of an unknown type", &[]);
    pub(super) const ANIMATED_WEBP: Self = seen("an animated WEBP image", &["image/webp"]);
    pub(super) const OGG: Self = seen("OGG audio without OPUS", &[]);
    const WEBP: Self = seen("a WEBP image", &["image/webp"]);
    const OPUS: Self = seen("OGG audio with OPUS", &["audio/ogg"]);
    const TEXT: Self = seen("plain text", &["text/plain"]);
    const MP3: Self = seen("MP3 audio", &["audio/mpeg"]);
    const AAC: Self = seen("AAC audio", &["audio/aac"]);
    const OFFICE: Self = seen("a ZIP archive or an Office document", &[DOCX, XLSX, PPTX]);
    const OLD_OFFICE: Self = seen(
        "an old Office document",
        &[
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
        ],
    );
    const M4A: Self = seen("M4A audio", &["audio/mp4"]);
    /// Many programs write sound alone under the general brand too, so the name decides.
    const MP4: Self = seen("MP4 video or audio", &["video/mp4", "audio/mp4"]);
    const THREE_GP: Self = seen("3GP video", &["video/3gpp"]);
    const QUICKTIME: Self = seen("QuickTime video", &[]);
    const HEIC: Self = seen("a HEIC image", &[]);
    const AVIF: Self = seen("an AVIF image", &[]);
}

/// Signatures at the very beginning; those that WhatsApp does not take are here for a good error
/// message.
const BEGINNINGS: &[(&[u8], DetectedType)] = &[
    (b"\xff\xd8\xff", seen("a JPEG image", &["image/jpeg"])),
    (b"\x89PNG\r\n\x1a\n", seen("a PNG image", &["image/png"])),
    (b"%PDF-", seen("a PDF document", &["application/pdf"])),
    (b"#!AMR\n", seen("AMR audio", &["audio/amr"])),
    (b"#!AMR-WB\n", seen("wideband AMR audio", &[])),
    (b"ID3\x02", DetectedType::MP3),
    (b"ID3\x03", DetectedType::MP3),
    (b"ID3\x04", DetectedType::MP3),
    (b"PK\x03\x04", DetectedType::OFFICE),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        DetectedType::OLD_OFFICE,
    ),
    (b"GIF87a", seen("a GIF image", &[])),
    (b"GIF89a", seen("a GIF image", &[])),
    (b"II*\0", seen("a TIFF image", &[])),
    (b"MM\0*", seen("a TIFF image", &[])),
    (b"fLaC", seen("FLAC audio", &[])),
    (b"\x1a\x45\xdf\xa3", seen("WEBM or Matroska video", &[])),
    (b"Rar!\x1a\x07", seen("a RAR archive", &[])),
    (b"7z\xbc\xaf\x27\x1c", seen("a 7-Zip archive", &[])),
    (b"\x1f\x8b", seen("a GZIP archive", &[])),
    (b"PK\x05\x06", seen("an empty ZIP archive", &[])),
    (b"\x7fELF", seen("a program", &[])),
];

/// What the bytes are; `None` when nothing can be told.
pub(super) fn see(bytes: &[u8]) -> Option<DetectedType> {
    riff(bytes)
        .or_else(|| ogg(bytes))
        .or_else(|| boxes(bytes))
        .or_else(|| {
            let matched = BEGINNINGS.iter().find(|(mark, _)| bytes.starts_with(mark));
            matched.map(|(_, seen)| *seen)
        })
        .or_else(|| frames(bytes))
        .or_else(|| is_text(bytes).then_some(DetectedType::TEXT))
}

/// See <https://developers.google.com/speed/webp/docs/riff_container>.
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
        b"WAVE" => Some(seen("WAV audio", &[])),
        b"AVI " => Some(seen("AVI video", &[])),
        _ => None,
    }
}

/// A page of OGG names its codec at its beginning, behind the table of its segments. See
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

/// Files made of boxes: the first one names the brand.
/// See <https://mp4ra.org/registered-types/brands>.
fn boxes(bytes: &[u8]) -> Option<DetectedType> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    Some(match bytes.get(8..12)? {
        b"M4A " | b"M4B " | b"M4P " => DetectedType::M4A,
        [b'3', b'g', b'p', _] => DetectedType::THREE_GP,
        [b'3', b'g', b'2', _] => seen("3GPP2 video", &[]),
        b"qt  " => DetectedType::QUICKTIME,
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => DetectedType::HEIC,
        b"avif" | b"avis" => DetectedType::AVIF,
        _ => DetectedType::MP4,
    })
}

/// Bare frames: twelve set bits, then the layer, which is 0 in AAC alone.
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

/// UTF-8, perhaps cut within a character, or UTF-16 with its mark; no control characters but those
/// of lines.
fn is_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return true;
    }
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        // Old code pages have letters above ASCII; below it they are the same.
        Err(_) => return !bytes.iter().any(|byte| is_binary(char::from(*byte))),
    };
    !whole.chars().any(is_binary)
}

fn is_binary(character: char) -> bool {
    character.is_ascii_control() && !matches!(character, '\t' | '\n' | '\r' | '\x0c')
}
