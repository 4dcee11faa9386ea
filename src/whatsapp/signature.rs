//! Authentication of webhooks: the signature over the raw bytes, and the verify token.
//!
//! No body is decoded before [`verify`] has accepted it, and there is no unsigned mode. Next on the
//! way of a message: [`super::inbound`].

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::message::{from_hex, hex};

/// Reason to reject a webhook; reveals nothing of the body, the secret or the expected signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature header is missing.
    #[error("signature header is missing")]
    Missing,
    /// The header is repeated, so that a proxy may have checked another value than this service.
    #[error("signature header is given more than once")]
    Doubled,
    /// The header is not `sha256=` and 64 lower-case hexadecimal digits.
    #[error("signature header is malformed")]
    Malformed,
    /// No configured secret produces this signature for this body.
    #[error("signature does not match the body")]
    Mismatch,
}

/// Checks the values of `X-Hub-Signature-256` against the raw body, in constant time, with each
/// secret.
///
/// The shape of the header is checked before the body, so that without secrets a well-formed header
/// gives [`SignatureError::Mismatch`]. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>.
///
/// # Errors
/// Each [`SignatureError`]; the first that applies, in the order of the variants.
pub fn verify(
    secrets: &[SecretString],
    headers: &[&[u8]],
    body: &[u8],
) -> Result<(), SignatureError> {
    let header = match headers {
        [] => return Err(SignatureError::Missing),
        [header] => *header,
        [_, _, ..] => return Err(SignatureError::Doubled),
    };
    let given = read_header(header).ok_or(SignatureError::Malformed)?;
    let matches = |secret: &SecretString| mac(secret, body).verify_slice(&given).is_ok();
    if secrets.iter().any(matches) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// Computes `appsecret_proof`, the hexadecimal HMAC of a token: it proves to Graph that the token
/// is used by the app it belongs to. See
/// <https://developers.facebook.com/docs/graph-api/guides/secure-requests>.
#[must_use]
pub fn proof(secret: &SecretString, token: &str) -> String {
    sign(secret, token.as_bytes()).replace("sha256=", "")
}

/// Computes a name for a list of secrets that reveals none of them; equal names mean equal secrets
/// in the same order.
#[must_use]
pub fn fingerprint(secrets: &[SecretString]) -> String {
    const MESSAGE: &[u8] = b"the app secrets that replyd runs with";
    let mut hash = Sha256::new();
    for secret in secrets {
        hash.update(mac(secret, MESSAGE).finalize().into_bytes());
    }
    hex(&hash.finalize()[..12])
}

/// Builds the header value that Meta sends: `sha256=` and 64 lower-case hexadecimal digits.
#[must_use]
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    format!("sha256={}", hex(&mac(secret, body).finalize().into_bytes()))
}

/// Compares a verify token in constant time. Both are hashed first, which hides their lengths too.
#[must_use]
pub fn token_matches(expected: &SecretString, given: &str) -> bool {
    let expected = Sha256::digest(expected.expose_secret().as_bytes());
    let given = Sha256::digest(given.as_bytes());
    expected.as_slice().ct_eq(given.as_slice()).into()
}

fn mac(secret: &SecretString, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}

fn read_header(header: &[u8]) -> Option<[u8; 32]> {
    let digits = header.strip_prefix(b"sha256=")?;
    let is_lower_case = !digits.iter().any(u8::is_ascii_uppercase);
    from_hex(digits).filter(|_| is_lower_case)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn the_signature_of_a_known_body_is_the_one_other_tools_compute() {
        // openssl: printf '{"text":"\\u00e4 \\/ @"}' | openssl dgst -sha256 -hmac it-is-a-secret
        let body = br#"{"text":"\u00e4 \/ @"}"#;

        let header = sign(&secret("it-is-a-secret"), body);

        assert_eq!(header, KNOWN);
        let secrets = [secret("it-is-a-secret")];
        assert_eq!(verify(&secrets, &[KNOWN.as_bytes()], body), Ok(()));
    }

    const KNOWN: &str = "sha256=8b3999cbf6799b43a670d202f2cbe73dd129aba375f66e15086208485324fa3c";

    #[test]
    fn every_configured_secret_is_accepted_and_no_other() {
        let secrets = [secret("new"), secret("old")];
        let old = sign(&secret("old"), b"body");
        let strange = sign(&secret("strange"), b"body");

        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(verify(&secrets, &[old.as_bytes()], b"body"), Ok(()));
        assert_eq!(verify(&secrets, &[strange.as_bytes()], b"body"), mismatch);
        assert_eq!(verify(&[], &[old.as_bytes()], b"body"), mismatch);
    }

    #[test]
    fn odd_headers_are_refused_by_their_shape() {
        let good = sign(&secret("key"), b"body");
        let hex = &good["sha256=".len()..];
        let odd = [
            String::new(),
            "sha256=".to_owned(),
            hex.to_owned(),
            format!("sha1={hex}"),
            format!("SHA256={hex}"),
            format!("sha256={}", hex.to_uppercase()),
            format!("sha256= {hex}"),
            format!(" sha256={hex}"),
            format!("sha256={hex} "),
            format!("sha256={hex}\n"),
            format!("sha256={hex}0"),
            format!("sha256={}", &hex[1..]),
            format!("sha256={}g", &hex[1..]),
            format!("sha256={hex},sha256={hex}"),
            format!("sha256=\"{hex}\""),
        ];

        for header in odd {
            let verified = verify(&[secret("key")], &[header.as_bytes()], b"body");
            assert_eq!(verified, Err(SignatureError::Malformed), "{header:?}");
        }
    }

    #[test]
    fn no_header_and_two_headers_are_refused_even_when_both_are_right() {
        let good = sign(&secret("key"), b"body");
        let header = good.as_bytes();

        let verify = |headers| verify(&[secret("key")], headers, b"body");
        assert_eq!(verify(&[]), Err(SignatureError::Missing));
        assert_eq!(verify(&[header, header]), Err(SignatureError::Doubled));
    }

    #[test]
    fn a_token_matches_only_itself() {
        assert!(token_matches(&secret("token"), "token"));
        for other in ["", "Token", "token ", "toke", "tokens"] {
            assert!(!token_matches(&secret("token"), other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_body_never_passes(body in proptest::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>()) {
            let header = sign(&secret("key"), &body);
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1;

            prop_assert_eq!(verify(&[secret("key")], &[header.as_bytes()], &body), Ok(()));
            let verified = verify(&[secret("key")], &[header.as_bytes()], &changed);
            prop_assert_eq!(verified, Err(SignatureError::Mismatch));
        }

        #[test]
        fn no_random_header_passes(header in proptest::collection::vec(any::<u8>(), 0..90)) {
            prop_assert!(verify(&[secret("key")], &[&header], b"body").is_err());
        }
    }
}
