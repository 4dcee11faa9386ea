use std::collections::BTreeSet;

use super::*;

/// Builds a RIFF file with a chunk of WEBP.
fn webp(chunk: [u8; 4], flags: u8) -> Vec<u8> {
    let header = b"RIFF\x24\0\0\0WEBP";
    [header, &chunk[..], b"\x0a\0\0\0", &[flags], &[0; 15]].concat()
}

/// Builds a first page of OGG with one packet.
fn ogg(packet: &[u8]) -> Vec<u8> {
    let length = u8::try_from(packet.len()).unwrap();
    [b"OggS\0\x02", &[0; 20][..], &[1, length], packet].concat()
}

fn boxes(brand: [u8; 4]) -> Vec<u8> {
    [b"\0\0\0\x18ftyp", &brand[..], b"\0\0\x02\0isommp42"].concat()
}

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
const ZIP: &[u8] = b"PK\x03\x04\x14\0\x06\0";
const CFB: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0";
const OPUS: &[u8] = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0";
const MP3_FRAME: &[u8] = b"\xff\xfb\x90\x64\0\0";
const ADTS: &[u8] = b"\xff\xf1\x50\x80\x02\x1f\xfc";

#[test]
fn every_type_that_whatsapp_takes_is_detected_by_name_and_content() {
    use FileKind::{AnimatedSticker, Audio, Document, Image, Sticker, Video};
    let bytes = |bytes: &[u8]| bytes.to_vec();
    let cases = [
        (Audio, "a.aac", bytes(ADTS), "audio/aac"),
        (Audio, "a.amr", bytes(b"#!AMR\n\x3c"), "audio/amr"),
        (Audio, "a.mp3", bytes(b"ID3\x04\0\0"), "audio/mpeg"),
        (Audio, "a.mp3", bytes(MP3_FRAME), "audio/mpeg"),
        (Audio, "a.m4a", boxes(*b"M4A "), "audio/mp4"),
        (Audio, "a.m4a", boxes(*b"mp42"), "audio/mp4"),
        (Audio, "a.ogg", ogg(OPUS), "audio/ogg"),
        (Image, "a.jpg", bytes(JPEG), "image/jpeg"),
        (Image, "A.B.JPEG", bytes(JPEG), "image/jpeg"),
        (Image, "a.png", bytes(PNG), "image/png"),
        (Video, "a.mp4", boxes(*b"isom"), "video/mp4"),
        (Video, "a.3gp", boxes(*b"3gp4"), "video/3gpp"),
        (Sticker, "a.webp", webp(*b"VP8 ", 2), "image/webp"),
        (Sticker, "a.webp", webp(*b"VP8X", 0x10), "image/webp"),
        (
            AnimatedSticker,
            "a.webp",
            webp(*b"VP8X", 0x12),
            "image/webp",
        ),
        (Document, "a.txt", "grüße\n".into(), "text/plain"),
        (
            Document,
            "old code page.txt",
            bytes(b"gr\xfc\xdfe"),
            "text/plain",
        ),
        (Document, "utf-16.txt", bytes(b"\xff\xfea\0"), "text/plain"),
        (Document, "cut.txt", bytes(b"gr\xc3"), "text/plain"),
        (Document, "a.pdf", bytes(b"%PDF-1.7\n"), "application/pdf"),
        (Document, "a.doc", bytes(CFB), "application/msword"),
        (Document, "a.docx", bytes(ZIP), DOCX),
        (Document, "a.xls", bytes(CFB), "application/vnd.ms-excel"),
        (Document, "a.xlsx", bytes(ZIP), XLSX),
        (
            Document,
            "a.ppt",
            bytes(CFB),
            "application/vnd.ms-powerpoint",
        ),
        (Document, "a.pptx", bytes(ZIP), PPTX),
    ];

    for (kind, name, bytes, mime_type) in &cases {
        let file = describe(name, bytes, 1000);
        let file = file.unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!((&file.kind, &*file.mime_type), (kind, *mime_type), "{name}");
        assert_eq!(file.filename, *name);
    }

    let tested: BTreeSet<&str> = cases.iter().map(|(.., mime_type)| *mime_type).collect();
    let every: BTreeSet<&str> = FORMATS.iter().map(|format| format.mime_type).collect();
    assert_eq!(tested, every, "every type has a case");
}

#[test]
fn problems_say_what_is_wrong_and_what_to_do() {
    let cases: Vec<(&str, Vec<u8>, u64)> = vec![
        ("empty.png", Vec::new(), 0),
        ("photo.png", JPEG.to_vec(), 9),
        ("photo.jpg", boxes(*b"heic"), 9),
        ("letter.docx", b"%PDF-1.4".to_vec(), 9),
        ("letter.pdf", b"Dear Ana".to_vec(), 9),
        ("letter.txt", b"a\0b".to_vec(), 9),
        ("sound.ogg", ogg(b"\x01vorbis"), 9),
        ("sound.mp3", ADTS.to_vec(), 9),
        ("film.mp4", boxes(*b"qt  "), 9),
        ("film.m4a", boxes(*b"3gp5"), 9),
        ("dance.gif", b"GIF89a".to_vec(), 9),
        ("voice.opus", ogg(OPUS), 9),
        ("README", b"Read me".to_vec(), 9),
        ("program.exe", b"MZ\x90\0".to_vec(), 9),
        ("photo.jpg", JPEG.to_vec(), 5 * MIB + 1),
        ("still.webp", webp(*b"VP8L", 0), 100 * KIB + 1),
        ("moving.webp", webp(*b"VP8X", 2), 500 * KIB + 1),
    ];

    let reported: Vec<String> = cases
        .iter()
        .map(|(name, bytes, size)| {
            let problem = describe(name, bytes, *size).unwrap_err();
            format!("{problem}\n  {}", problem.advice())
        })
        .collect();

    insta::assert_snapshot!(reported.join("\n"));
}

#[test]
fn each_kind_is_taken_up_to_its_limit_and_no_further() {
    let cases: [(&str, Vec<u8>, u64); 6] = [
        ("a.mp3", MP3_FRAME.to_vec(), 16 * MIB),
        ("a.pdf", b"%PDF-1.7".to_vec(), 100 * MIB),
        ("a.png", PNG.to_vec(), 5 * MIB),
        ("a.mp4", boxes(*b"mp42"), 16 * MIB),
        ("a.webp", webp(*b"VP8 ", 0), 100 * KIB),
        ("b.webp", webp(*b"VP8X", 2), 500 * KIB),
    ];

    for (name, bytes, most) in cases {
        assert!(describe(name, &bytes, most).is_ok(), "{name}");
        let problem = describe(name, &bytes, most + 1).unwrap_err();
        assert!(matches!(problem, Problem::TooLarge { size, .. } if size == most + 1));
    }
}

#[test]
fn a_given_type_is_checked_against_the_content_and_not_against_the_name() {
    let csv = describe_as("Text/Plain; charset=utf-8", "a.csv", b"a;b", 3).unwrap();
    let unknown = describe_as("application/zip", "a.zip", ZIP, 9).unwrap();
    let png = describe_as("image/png", "a", JPEG, 9).unwrap_err();
    let large = describe_as("application/zip", "a.zip", ZIP, 100 * MIB + 1).unwrap_err();

    assert_eq!(csv.mime_type, "text/plain");
    assert_eq!(unknown.kind, FileKind::Document);
    assert_eq!(unknown.mime_type, "application/zip");
    assert!(matches!(png, Problem::Contradiction { .. }));
    assert!(matches!(large, Problem::TooLarge { .. }));
    for wrong in ["", "png", "image/", "image/png\r\nx: y", "a/b/c", "ä/b"] {
        let problem = describe_as(wrong, "a", JPEG, 9).unwrap_err();
        assert!(matches!(problem, Problem::NoMimeType { .. }), "{wrong:?}");
    }
}

#[test]
fn folders_never_get_into_a_name() {
    let file = describe("../shop\\photo.jpg", JPEG, 9).unwrap();

    assert_eq!(file.filename, "photo.jpg");
}

#[test]
fn a_fetched_file_is_named_by_us() {
    for (id, mime_type, name) in [
        ("900100", "image/jpeg", "900100.jpg"),
        ("900101", "audio/ogg; codecs=opus", "900101.ogg"),
        ("900102", "TEXT/VCARD", "900102.vcf"),
        ("900103", "text/html", "900103.bin"),
        ("900104", "", "900104.bin"),
    ] {
        assert_eq!(file_name(id, mime_type), name);
    }
}

#[test]
fn no_two_ids_get_one_name_and_none_leads_elsewhere() {
    let (long, longer) = ("9".repeat(64), "9".repeat(65));
    let numbers = ["900100", "0900100", &long, &longer];
    let texts = ["a-b", "a_b", "a b", "A-b", "a-B", "", ".", "..", "-rf"];
    let devices = ["con", "NUL", "com1"];
    let paths = ["../../etc/passwd", "/etc/passwd", "C:\\x", "x.", "x "];
    let controls = ["x\u{202e}y", "x\0y"];
    let ids = [&numbers[..], &texts, &devices, &paths, &controls].concat();

    let names = ids.iter().map(|id| file_name(id, "text/plain"));
    let names: Vec<String> = names.collect();

    let different: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(different.len(), ids.len(), "{names:?}");
    for name in &names {
        let stem = name.strip_suffix(".txt").unwrap();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(stem.bytes().all(plain), "{name}");
        assert!(name.len() <= 255, "{name}");
        assert!(name.as_bytes()[0].is_ascii_alphanumeric(), "{name}");
        let is_device = ["con", "prn", "aux", "nul", "com1", "lpt1"].contains(&stem);
        assert!(!is_device, "{name}");
    }
}

#[test]
fn sizes_are_rounded_up_so_that_none_above_a_limit_looks_like_it() {
    for (bytes, text) in [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (30_312, "29.7 KB"),
        (5 * MIB, "5 MB"),
        (5 * MIB + 1, "5.1 MB"),
        (u64::MAX, "17592186044416 MB"),
    ] {
        assert_eq!(readable(bytes), text);
    }
}

#[test]
fn any_beginning_of_any_file_is_looked_at_without_harm() {
    let (webp, ogg, boxes) = (webp(*b"VP8X", 2), ogg(OPUS), boxes(*b"isom"));

    for bytes in [&webp, &ogg, &boxes, JPEG, ADTS] {
        for end in 0..=bytes.len() {
            let _ = describe("a.jpg", &bytes[..end], 9);
        }
    }
}
