//! What a contact shows of itself.

use serde::{Deserialize, Serialize};

/// Profile of a contact: untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Display name.
    pub name: Option<String>,
    /// Username, if the contact has one; without the leading `@`.
    pub username: Option<String>,
}
