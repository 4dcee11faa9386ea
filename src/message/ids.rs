//! Identifiers as types, so that one is never taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a text can be an id of Meta's or of the gateway's where it becomes a part of an address
/// or of a file name: there `..`, a slash or a blank would mean something else.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

/// Writes bytes as lower-case hexadecimal digits, two for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a non-empty text; `None` when it is empty, because Meta sends `""` for
            /// "unknown".
            #[must_use]
            pub fn parse(text: impl Into<String>) -> Option<Self> {
                let text = text.into();
                (!text.is_empty()).then_some(Self(text))
            }

            /// The text as Meta wrote it.
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
    };
}

/// Ids that say nothing about a person may be shown anywhere.
macro_rules! shown {
    ($name:ident) => {
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
}

/// Ids that name a person: `Debug` tells only the length, so that no log can give the person away.
macro_rules! private {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    concat!(stringify!($name), "(<{} characters>)"),
                    self.0.len()
                )
            }
        }
    };
}

text_id!(
    /// Id of a business phone number (`metadata.phone_number_id`); not the number itself.
    PhoneNumberId
);
text_id!(
    /// Id of one WhatsApp message. Opaque, but it encodes the person's number: never log it.
    Wamid
);
text_id!(
    /// A person's phone number as WhatsApp writes it: digits, no plus.
    WaId
);
text_id!(
    /// A person's business-scoped user id (`US.1349…`), there when the phone may be hidden.
    UserId
);
text_id!(
    /// The `id` of a `[[rule]]`.
    RuleId
);
text_id!(
    /// Hash of the full text of the rules that decided (hex).
    RulesVersion
);

shown!(PhoneNumberId);
shown!(RuleId);
shown!(RulesVersion);
private!(Wamid);
private!(WaId);
private!(UserId);
