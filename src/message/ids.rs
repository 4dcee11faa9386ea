//! Identifiers as types, so that they cannot be confused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::message::counted;

/// Whether a text can stand as an id of Meta or the gateway in an address or a file name, where
/// `..`, a slash or a blank would have another meaning.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

/// Writes bytes as lower-case hexadecimal digits, two per byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Parses 64 hexadecimal digits of either case.
pub(crate) fn from_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
    let pairs = digits.chunks_exact(2).filter(|_| digits.len() == 64);
    let bytes = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
    bytes.collect::<Option<Vec<_>>>()?.try_into().ok()
}

macro_rules! text_id {
    ($visibility:ident, $(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Parses a non-empty text; `None` when it is empty, because Meta sends `""` for
            /// "unknown".
            #[must_use]
            pub fn parse(text: impl Into<String>) -> Option<Self> {
                let text = text.into();
                (!text.is_empty()).then_some(Self(text))
            }

            /// Returns the text as Meta wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

                impl AsRef<str> for $name {
                    fn as_ref(&self) -> &str {
                        &self.0
                    }
                }

                text_id!($visibility $name);
            };
            // Ids that reveal nothing about a contact.
            (shown $name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        };
        // Ids that identify a contact: `Debug` shows the length only, to keep them out of logs.
        (private $name:ident) => {
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let length = counted(self.0.len(), "character");
                    write!(f, concat!(stringify!($name), "(<{}>)"), length)
                }
            }
        };
    }

text_id!(shown,
    /// Id of a business phone number (`metadata.phone_number_id`); not the number itself.
    PhoneNumberId
);
text_id!(private,
    /// Id of one WhatsApp message. Opaque, but it encodes the contact's number: never log it.
    Wamid
);
text_id!(private,
    /// Phone number of a contact as WhatsApp writes it: digits, no plus.
    WaId
);
text_id!(private,
    /// Business-scoped user id of a contact (`US.1349…`), present when the phone may be hidden.
    UserId
);
text_id!(shown,
    /// The `id` of a `[[rule]]`.
    RuleId
);
text_id!(shown,
    /// Hash (hexadecimal) of the full text of the rules that made a decision.
    RulesVersion
);

impl UserId {
    /// Whether a text is written like a user id: a country's two letters, a dot and more letters,
    /// digits or dots. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let is_country = |country: &str| {
            country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())
        };
        let is_rest = |rest: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !rest.is_empty() && rest.bytes().all(plain)
        };
        let parts = text.split_once('.');
        parts.is_some_and(|(country, rest)| is_country(country) && is_rest(rest))
    }
}
