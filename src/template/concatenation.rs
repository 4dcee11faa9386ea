//! `{{ a ~ b }}`, which the engine would write as Python does: `True`, `None`, `['a']`.

/// Rewrites `{{ a ~ b }}` as `{{ a }}{{ b }}`, so that each value is written in words. `None` if
/// there is nothing to rewrite. An expression with other operators beside `~` stays as it is.
pub(crate) fn separated(source: &str) -> Option<String> {
    if !source.contains('~') || source.contains("raw") {
        return None;
    }
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let (end, places) = scan(after)?;
        text.push_str("{{");
        let mut start = 0;
        for place in places {
            text.push_str(&after[start..place]);
            text.push_str("}}{{");
            start = place + 1;
        }
        text.push_str(&after[start..end]);
        text.push_str("}}");
        rest = &after[end + 2..];
    }
    text.push_str(rest);
    (text != source).then_some(text)
}

/// Finds the end of an expression and the places of `~` in it, outside of quotes and brackets; no
/// places beside other operators.
fn scan(text: &str) -> Option<(usize, Vec<usize>)> {
    const OPERATORS: [char; 9] = ['+', '*', '/', '%', '<', '>', '=', '!', '-'];
    const WORDS: [&str; 6] = ["and", "or", "not", "in", "is", "if"];

    let mut quote = None;
    let mut depth = 0_usize;
    let mut places = Vec::new();
    let mut is_mixed = false;
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(open), _) => quote = quote.filter(|_| character != open),
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, '}') if depth == 0 => {
                let inside = &text[..place];
                let words = inside.split(|character: char| !character.is_alphanumeric());
                is_mixed |= words.into_iter().any(|word| WORDS.contains(&word));
                places.retain(|_| !is_mixed);
                return text[place..].starts_with("}}").then_some((place, places));
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, '~') if depth == 0 => places.push(place),
            // A minus at the edge takes out the spaces around.
            (None, '-') if place == 0 || text[place..].starts_with("-}}") => {}
            (None, _) if depth == 0 => is_mixed |= OPERATORS.contains(&character),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::separated;

    #[test]
    fn values_are_written_one_after_another() {
        for (source, expected) in [
            ("{{ 'Hi ' ~ name }}!", Some("{{ 'Hi ' }}{{ name }}!")),
            (
                "{{- a ~ b|upper ~ 'c~}}' -}}",
                Some("{{- a }}{{ b|upper }}{{ 'c~}}' -}}"),
            ),
            ("{{ f(a ~ b) ~ c }}", Some("{{ f(a ~ b) }}{{ c }}")),
            ("{{ a ~ b == 'x' }}", None),
            ("{{ a ~ b if c }}", None),
            ("{{ a ~ 1 + 2 }}", None),
            ("{{ a }} ~ {{ b }}", None),
            ("{{ 'it\\'s ~' }}", None),
            ("{{ a ~ b", None),
        ] {
            assert_eq!(separated(source).as_deref(), expected, "{source}");
        }
    }
}
