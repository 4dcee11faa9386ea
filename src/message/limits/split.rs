//! Division of long texts into several messages.

use super::length;

/// Splits a text into pieces of at most `max` characters: between paragraphs if the piece is at
/// least half full, otherwise between lines, otherwise between words; inside a word only if the
/// word is longer than a message.
#[must_use]
pub fn split(text: &str, max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while length(rest) > max {
        let most = prefix_bytes(rest, max);
        let window = &rest[..most];
        // The border may be the first character behind the window.
        let reach = rest[most..]
            .chars()
            .next()
            .map_or(most, |next| most + next.len_utf8());
        let border = ["\n\n", "\n", " "].iter().find_map(|border| {
            let at = rest[..reach].rfind(border)?;
            (length(&window[..at.min(most)]) * 2 >= max).then_some(at)
        });
        let at = border
            .or_else(|| window.rfind(char::is_whitespace).filter(|at| *at > 0))
            .unwrap_or(most);
        pieces.push(rest[..at].trim_end());
        rest = rest[at..].trim_start();
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Returns the length in bytes of the longest prefix of at most `max` characters.
fn prefix_bytes(text: &str, max: usize) -> usize {
    let mut used = 0;
    text.char_indices()
        .find(|(_, character)| {
            used += character.len_utf16();
            used > max
        })
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::split;
    use crate::message::limits::length;

    #[test]
    fn a_text_is_cut_where_it_hurts_least() {
        assert_eq!(split("short", 10), ["short"]);
        assert_eq!(split("one two three", 7), ["one two", "three"]);
        assert_eq!(split("one\ntwo three", 9), ["one\ntwo", "three"]);
        assert_eq!(split("a b\n\nc d e f", 7), ["a b", "c d e f"]);
        assert_eq!(split("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(split("👍👍👍", 4), ["👍👍", "👍"]);
        assert_eq!(split("", 4), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_piece_is_too_long(text in "[a-c é👍\n]{0,80}", max in 2_usize..20) {
            let pieces = split(&text, max);
            for piece in &pieces {
                prop_assert!(length(piece) <= max, "{piece:?}");
            }
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(bare(&pieces.concat()), bare(&text));
        }
    }
}
