//! Requests of the owner's commands to Graph and the gateway: templates, numbers, profile,
//! connections.
//!
//! Each file builds [`super::api_call::Call`]s and reads their responses. All limits are checked
//! together before a call is built. Responses are read leniently: a key that is missing, null, new
//! or of another type affects no other key.

pub mod connections;
mod lenient;
pub mod numbers;
pub mod profile;
pub mod templates;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::message::limits::length;

/// Rows per page: a page with more templates may exceed the response limit of the gateway's client.
const PAGE_ROWS: &str = "50";
/// Maximum number of pages; an account has at most 6,000 templates, which fill 120. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview>.
const PAGES_MAX: usize = 200;

/// Reason why Graph does not accept a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Part of the request, in Graph's notation: `components[1].text`.
    pub part: String,
    /// Description in lower case, without a full stop.
    pub message: String,
}

impl Problem {
    fn new(part: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            part: part.into(),
            message: message.into(),
        }
    }

    /// Returns a problem if a text is longer than `max` characters.
    fn too_long(part: &str, text: &str, max: usize) -> Option<Self> {
        let length = length(text);
        let message = format!("has {length} characters, but WhatsApp takes at most {max}");
        (length > max).then(|| Self::new(part, message))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.message)
    }
}

/// Call that passed the checks, with warnings.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Call within every known limit.
    pub call: super::api_call::Call,
    /// Limits on which Meta's own pages differ, and unknown keys.
    pub warnings: Vec<Problem>,
}

/// Iteration over the pages of a list.
///
/// Follows `cursors.after` and uses `next` only to see whether there is another page: `next` leads
/// past the gateway and may contain a token.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    seen: BTreeSet<String>,
}

/// Error of a list that does not end: a cursor repeats, or the pages exceed the maximum of an
/// account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list does not end")]
pub struct EndlessList;

impl Pages {
    /// Returns the cursor of the next page; `None` after the last one.
    ///
    /// # Errors
    /// [`EndlessList`].
    pub fn next(&mut self, response: &Value) -> Result<Option<String>, EndlessList> {
        let paging = &response["paging"];
        let after = paging["cursors"]["after"].as_str();
        let Some(after) = after.filter(|_| paging["next"].is_string()) else {
            return Ok(None);
        };
        if self.seen.len() + 1 >= PAGES_MAX || !self.seen.insert(after.to_owned()) {
            return Err(EndlessList);
        }
        Ok(Some(after.to_owned()))
    }
}

/// Returns the rows of one page, unchanged.
#[must_use]
pub fn rows(response: &Value) -> Vec<Value> {
    response["data"].as_array().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(after: &str) -> Value {
        json!({ "data": [], "paging": { "cursors": { "after": after }, "next": "https://graph.facebook.com/x" } })
    }

    #[test]
    fn a_cursor_is_followed_only_while_there_is_a_next_page() {
        let table = [
            (page("a"), Some("a")),
            (json!({ "paging": { "cursors": { "after": "a" } } }), None),
            (
                json!({ "paging": { "cursors": { "after": "a" }, "next": null } }),
                None,
            ),
            (json!({ "paging": { "next": "https://x.example" } }), None),
            (json!({ "paging": null }), None),
            (json!([]), None),
        ];
        for (answer, cursor) in table {
            let next = Pages::default().next(&answer);

            assert_eq!(next, Ok(cursor.map(str::to_owned)), "{answer}");
        }
    }

    #[test]
    fn a_list_that_comes_back_to_a_cursor_is_broken_off() {
        let mut pages = Pages::default();

        assert_eq!(pages.next(&page("a")), Ok(Some("a".to_owned())));
        assert_eq!(pages.next(&page("b")), Ok(Some("b".to_owned())));
        assert_eq!(pages.next(&page("a")), Err(EndlessList));
    }

    #[test]
    fn a_list_with_ever_new_cursors_is_broken_off() {
        let mut pages = Pages::default();

        let turned = (0..10 * PAGES_MAX)
            .take_while(|turn| pages.next(&page(&turn.to_string())).is_ok())
            .count();

        assert_eq!(turned, PAGES_MAX - 1);
    }
}
