//! Numbers with a noun, as sentences for people need them.

use std::fmt::Display;

/// Formats a whole number with an English noun, given in the singular: `1 message`, `2 replies`.
pub(crate) fn counted(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    let is_vowel = |letter: char| "aeiou".contains(letter);
    let stem = noun.strip_suffix('y');
    match stem.filter(|stem| !stem.ends_with(is_vowel)) {
        _ if number == "1" => format!("{number} {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => {
            format!("{number} {noun}es")
        }
        None => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_has_the_form_of_its_number() {
        let cases = [
            (0, "message", "0 messages"),
            (1, "message", "1 message"),
            (2, "message", "2 messages"),
            (1, "reply", "1 reply"),
            (3, "reply", "3 replies"),
            (3, "day", "3 days"),
            (1, "status", "1 status"),
            (3, "status", "3 statuses"),
            (2, "branch", "2 branches"),
            (11, "old message", "11 old messages"),
        ];
        for (number, noun, expected) in cases {
            assert_eq!(counted(number, noun), expected);
        }
    }
}
