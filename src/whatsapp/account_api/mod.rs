//! What the owner's commands ask of Graph and of the gateway: templates, numbers, profile,
//! connections.
//!
//! Each file gives [`super::api_call::Call`]s and reads what comes back. Limits are checked before
//! there is a call, all of them at once; answers are read leniently: a key that is missing, null,
//! new or of another type costs nothing but itself.

pub mod connections;
mod lenient;
pub mod numbers;
pub mod profile;
pub mod templates;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// Rows asked for at once: more templates than this can be larger than an answer the gateway's
/// client takes.
const PAGE_ROWS: &str = "50";
/// Pages at the most: an account has 6,000 templates at the most, which is 120 of them. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview>.
const PAGES_MAX: usize = 200;

/// One way in which a request is not what Graph takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which part, in Graph's words: `components[1].text`.
    pub part: String,
    /// What is wrong, lower case, no full stop.
    pub message: String,
}

impl Problem {
    fn new(part: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            part: part.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.message)
    }
}

/// A call, and what may still be wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Keeps every limit we are sure of.
    pub call: super::api_call::Call,
    /// Where Meta's own pages differ, or a key is not known to us.
    pub warnings: Vec<Problem>,
}

/// Goes through the pages of a list.
///
/// It goes by `cursors.after` and looks at `next` only to see whether there is more: `next` leads
/// past the gateway, and may hold a token.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    seen: BTreeSet<String>,
}

/// The list does not end: it comes back to a cursor, or has more pages than any account can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list does not end")]
pub struct EndlessList;

impl Pages {
    /// The cursor of the page behind this one; `None` behind the last.
    ///
    /// # Errors
    /// [`EndlessList`].
    pub fn next(&mut self, answer: &Value) -> Result<Option<String>, EndlessList> {
        let paging = &answer["paging"];
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

/// The rows of one page, as they came.
#[must_use]
pub fn rows(answer: &Value) -> Vec<Value> {
    answer["data"].as_array().cloned().unwrap_or_default()
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
