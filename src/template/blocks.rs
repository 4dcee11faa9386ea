//! The parts of a text between `{{ }}` and `{% %}`, and names, comparisons and openings in them, with
//! their places.

use std::ops::Range;

/// A comparison of a variable with a text: `size.id == 'l'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison<'s> {
    /// The variable.
    pub name: &'s str,
    /// The text.
    pub literal: &'s str,
    /// Bytes of the text without its quotes.
    pub range: Range<usize>,
}

/// Copies a text with blanks in place of its blocks; every byte keeps its place.
#[must_use]
pub fn outside_blocks(source: &str) -> String {
    let mut outside = source.to_owned();
    for block in blocks(source) {
        let blanks = " ".repeat(block.len());
        outside.replace_range(block, &blanks);
    }
    outside
}

/// The blocks of a text, delimiters included. One without an end goes to the end of the text.
pub(crate) fn blocks(source: &str) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(open) = source[at..].find('{').map(|open| at + open) {
        let close = match source.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        let end = source[open + 2..].find(close);
        let end = end.map_or(source.len(), |end| open + 2 + end + 2);
        blocks.push(open..end);
        at = end;
    }
    blocks
}

/// Finds where a variable is used: in a block, outside quotes, as a whole name.
#[must_use]
pub fn find_variable(source: &str, name: &str) -> Option<Range<usize>> {
    let in_blocks = blocks(source).into_iter();
    let mut uses = in_blocks.flat_map(|block| names(source, block));
    let below = |written: &str| {
        written
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    uses.find(|range| &source[range.clone()] == name || below(&source[range.clone()]))
        .map(|range| range.start..range.start + name.len())
}

/// Lists the variables in the blocks of a text, with their dots; words of the syntax too.
#[must_use]
pub fn variables(source: &str) -> Vec<Range<usize>> {
    let blocks = blocks(source).into_iter();
    blocks.flat_map(|block| names(source, block)).collect()
}

/// Names with their dots in a block, outside quotes.
fn names(source: &str, block: Range<usize>) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    let mut quote = None;
    let mut start = None;
    for (at, character) in source[block.clone()].char_indices() {
        let at = block.start + at;
        let is_part = character.is_alphanumeric() || "_.".contains(character);
        if quote.is_none() && is_part {
            start.get_or_insert(at);
            continue;
        }
        names.extend(start.take().map(|start| start..at));
        match quote {
            Some(open) if open == character => quote = None,
            None if "\"'".contains(character) => quote = Some(character),
            _ => {}
        }
    }
    names
}

/// Lists comparisons of variables with texts in the blocks of a text.
#[must_use]
pub fn comparisons(source: &str) -> Vec<Comparison<'_>> {
    let mut comparisons = Vec::new();
    for block in blocks(source) {
        for range in names(source, block.clone()) {
            let rest = &source[range.end..block.end];
            let behind = rest.trim_start();
            let Some(behind) = ["==", "!="]
                .iter()
                .find_map(|sign| behind.strip_prefix(sign))
            else {
                continue;
            };
            let behind = behind.trim_start();
            let Some(quote) = behind.chars().next().filter(|quote| "\"'".contains(*quote)) else {
                continue;
            };
            let start = block.end - behind.len() + 1;
            if let Some(length) = source[start..block.end].find(quote) {
                comparisons.push(Comparison {
                    name: &source[range],
                    literal: &source[start..start + length],
                    range: start..start + length,
                });
            }
        }
    }
    comparisons
}

/// Finds the first `{% if %}`, `{% for %}` or `{% filter %}` without an end, with its word.
pub(crate) fn unfinished(source: &str) -> Option<(Range<usize>, &str)> {
    let mut open: Vec<(Range<usize>, &str)> = Vec::new();
    for block in blocks(source) {
        let inside = source[block.clone()].strip_prefix("{%");
        let inside = inside.map(|inside| inside.trim_start_matches(['-', '+', ' ']));
        let Some(word) = inside.and_then(|inside| inside.split_whitespace().next()) else {
            continue;
        };
        match word {
            "if" | "for" | "filter" => open.push((block, word)),
            "endif" | "endfor" | "endfilter" => {
                open.pop();
            }
            _ => {}
        }
    }
    open.into_iter().next_back()
}

#[cfg(test)]
mod tests {
    use super::{comparisons, find_variable, outside_blocks, unfinished};

    #[test]
    fn a_variable_is_found_only_where_it_is_used() {
        let source = "name {{ contact.name }} {{ 'name' }} {{ name.first | upper }}";

        let range = find_variable(source, "name").unwrap();

        assert_eq!(&source[range.clone()], "name");
        assert!(source[..range.start].ends_with("{{ 'name' }} {{ "));
        assert_eq!(find_variable(source, "first"), None);
    }

    #[test]
    fn blocks_become_blanks_and_the_rest_stays() {
        assert_eq!(outside_blocks("é {{ a }} {b} {% if"), "é         {b}      ");
    }

    #[test]
    fn comparisons_with_texts_are_listed() {
        let found = comparisons("{% if a.id == 'x' and b != \"y\" or c == 3 %}{% endif %}");

        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|found| (found.name, found.literal))
            .collect();
        assert_eq!(found, [("a.id", "x"), ("b", "y")]);
    }

    #[test]
    fn the_innermost_part_without_an_end_is_found() {
        let source = "{% if a %}{% for b in c %}{% endfor %}";
        assert_eq!(unfinished(source), Some((0..10, "if")));
        assert_eq!(unfinished("{% if a %}{% endif %}"), None);
    }
}
