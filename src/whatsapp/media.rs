//! Calls to upload, look up and delete files, and the check of the addresses that files are fetched
//! from.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::api_call::{Call, FilePart, Payload};
use crate::message::{PhoneNumberId, from_hex, is_id};

/// Days for which an uploaded file can be sent; a file from a contact can be fetched for 7 days.
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
pub const UPLOAD_DAYS: u32 = 30;

/// Exact names of hosts that serve Meta's files.
const HOSTS: [&str; 1] = ["lookaside.fbsbx.com"];
/// Domains below which every host serves Meta's files.
const HOSTS_BELOW: [&str; 2] = [".fbcdn.net", ".whatsapp.net"];

/// Meta's metadata of a file; each part may be missing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Media {
    /// Media id.
    pub id: Option<String>,
    /// Address from which the file can be fetched for five minutes, with Meta's token.
    pub url: Option<String>,
    /// MIME type as Meta sends it, with a possible `; codecs=` suffix.
    pub mime_type: Option<String>,
    /// Hash of the content.
    pub sha256: Option<[u8; 32]>,
    /// Size in bytes.
    pub file_size: Option<u64>,
}

impl fmt::Debug for Media {
    /// Omits the address, which contains a signature.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("id", &self.id)
            .field("mime_type", &self.mime_type)
            .field("file_size", &self.file_size)
            .finish_non_exhaustive()
    }
}

/// Builds the upload of a file for one business number; other numbers cannot send it.
#[must_use]
pub fn upload(number: &PhoneNumberId, file: FilePart) -> Call {
    Call {
        payload: Payload::File(file),
        ..Call::post(&[number.as_str(), "media"], Value::Null)
    }
}

/// Builds the look-up of a file's metadata and of a fresh address.
#[must_use]
pub fn look_up(media_id: &str, number: Option<&PhoneNumberId>) -> Call {
    Call::get(&[media_id]).with_some("phone_number_id", number.map(PhoneNumberId::as_str))
}

/// Builds the deletion of a file.
#[must_use]
pub fn delete(media_id: &str, number: Option<&PhoneNumberId>) -> Call {
    Call::delete(&[media_id]).with_some("phone_number_id", number.map(PhoneNumberId::as_str))
}

/// Reads the media id from the response to an [`upload`].
#[must_use]
pub fn uploaded(response: &Value) -> Option<String> {
    text(&response["id"]).filter(|id| is_id(id))
}

/// Reads the response to a [`look_up`]; missing and malformed parts are `None`.
#[must_use]
pub fn read(response: &Value) -> Media {
    Media {
        id: text(&response["id"]),
        url: text(&response["url"]),
        mime_type: text(&response["mime_type"]),
        sha256: response["sha256"].as_str().and_then(sha256),
        // Meta sends a number or a string.
        file_size: text(&response["file_size"]).and_then(|size| size.parse().ok()),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Parses a SHA-256: hexadecimal in look-ups, base64 of either alphabet in webhooks. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/image>.
#[must_use]
pub fn sha256(text: &str) -> Option<[u8; 32]> {
    if text.len() == 64 {
        return from_hex(text.as_bytes());
    }
    let text = text.trim_end_matches('=');
    let text = text.replace('-', "+").replace('_', "/");
    STANDARD_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Whether a file may be fetched from an address: `https`, one of Meta's hosts, and nothing
/// ambiguous.
///
/// The address is untrusted and receives the access token, so that everything that two programs
/// could parse differently is refused: user names, ports, backslashes, percent signs in the host,
/// spaces and control characters anywhere.
#[must_use]
pub fn may_fetch(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return false;
    };
    if !url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    let host = host.to_ascii_lowercase();
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(plain)
    };
    host.split('.').all(label)
        && (HOSTS.contains(&host.as_str()) || HOSTS_BELOW.iter().any(|below| host.ends_with(below)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HASH: [u8; 32] = [
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ];
    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const BASE64: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn only_files_on_metas_hosts_may_be_fetched() {
        for good in [
            "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2&hash=x",
            "https://lookaside.fbsbx.com",
            "https://LookAside.FbSbx.com/a",
            "https://lookaside.fbsbx.com:443/a",
            "https://scontent-lhr.xx.fbcdn.net/v/t1?a=b#c",
            "https://mmg.whatsapp.net/a%20b",
            "https://lookaside.fbsbx.com?x=@evil.example",
        ] {
            assert!(may_fetch(good), "{good}");
        }
        for bad in [
            "",
            "lookaside.fbsbx.com",
            "http://lookaside.fbsbx.com/a",
            "HTTPS://lookaside.fbsbx.com/a",
            "ftp://lookaside.fbsbx.com/a",
            "https://",
            "https:///lookaside.fbsbx.com",
            "https://evil.example/lookaside.fbsbx.com",
            "https://lookaside.fbsbx.com.evil.example/",
            "https://evil-lookaside.fbsbx.com/",
            "https://sub.lookaside.fbsbx.com/",
            "https://fbsbx.com/",
            "https://fbcdn.net/",
            "https://.fbcdn.net/",
            "https://a..fbcdn.net/",
            "https://evilfbcdn.net/",
            "https://a.fbcdn.net./",
            "https://whatsapp.net.evil.example/",
            "https://me@lookaside.fbsbx.com/",
            "https://lookaside.fbsbx.com@evil.example/",
            "https://lookaside.fbsbx.com:pass@evil.example/",
            "https://lookaside.fbsbx.com:8443/",
            "https://lookaside.fbsbx.com:/",
            "https://evil.example\\.fbcdn.net/",
            "https://lookaside.fbsbx.com\\@evil.example/",
            "https://evil.example%2f.fbcdn.net/",
            "https://evil.example#.fbcdn.net/",
            "https://evil.example?.fbcdn.net/",
            "https://lookaside.fbsbx.com/a b",
            "https://look\taside.fbsbx.com/",
            "https://lookaside.fbsbx.com/\r\nx: y",
            " https://lookaside.fbsbx.com/",
            "https://lookaside.fbsbx.com/ä",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(!may_fetch(bad), "{bad}");
        }
    }

    #[test]
    fn a_hash_is_read_in_every_encoding_that_meta_uses() {
        let url_safe = BASE64.replace('+', "-").replace('/', "_");

        for text in [
            HEX,
            &HEX.to_uppercase(),
            BASE64,
            BASE64.trim_end_matches('='),
            &url_safe,
        ] {
            assert_eq!(sha256(text), Some(HASH), "{text}");
        }
        for text in [
            "",
            &HEX[2..],
            &HEX.replace('e', "g"),
            &BASE64[4..],
            &BASE64.replace("U=", "V="),
            "<hash>",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA",
        ] {
            assert_eq!(sha256(text), None, "{text}");
        }
    }

    #[test]
    fn a_look_up_is_read_as_far_as_it_can_be() {
        let whole = json!({
            "messaging_product": "whatsapp", "url": "https://lookaside.fbsbx.com/x", "mime_type": "image/jpeg",
            "sha256": HEX, "file_size": "30312", "id": "900200",
        });

        let media = read(&whole);

        let mut expected = Media {
            id: Some("900200".to_owned()),
            url: Some("https://lookaside.fbsbx.com/x".to_owned()),
            mime_type: Some("image/jpeg".to_owned()),
            sha256: Some(HASH),
            file_size: Some(30_312),
        };
        assert_eq!(media, expected);
        let debug = format!("{media:?}");
        assert!(!debug.contains("lookaside"), "no address in logs");
        let odd = json!({ "id": 900_200, "file_size": 30_312, "sha256": 5, "url": null, "mime_type": "" });
        (expected.url, expected.mime_type, expected.sha256) = (None, None, None);
        assert_eq!(read(&odd), expected);
        assert_eq!(read(&json!([])), Media::default());
        assert_eq!(read(&json!({ "file_size": -1 })).file_size, None);
    }

    #[test]
    fn calls_name_the_number_as_meta_wants_it() {
        let number = PhoneNumberId::parse("1065").unwrap();
        let file = FilePart {
            mime_type: "image/png".to_owned(),
            filename: "a.png".to_owned(),
            size: 9,
        };

        let call = upload(&number, file.clone());
        let lookup = look_up("900200", Some(&number));
        let deleted = delete("900200", None);

        assert_eq!(
            (call.method.name(), call.path.join("/")),
            ("POST", "1065/media".to_owned())
        );
        assert_eq!(call.payload, Payload::File(file));
        assert_eq!(
            (lookup.method.name(), lookup.path.join("/")),
            ("GET", "900200".to_owned())
        );
        assert_eq!(lookup.query, [("phone_number_id", "1065".to_owned())]);
        assert_eq!((deleted.method.name(), deleted.query.len()), ("DELETE", 0));
    }

    #[test]
    fn ids_that_would_lead_elsewhere_are_none() {
        assert!(is_id("900200") && is_id("a-B_9"));
        for text in ["", "..", "a/b", "a?b", "a b", "ä"] {
            assert!(!is_id(text), "{text}");
        }
        assert_eq!(uploaded(&json!({ "id": "../x" })), None);
        assert_eq!(uploaded(&json!({ "id": 5 })), Some("5".to_owned()));
    }
}
