//! Values with types in expressions: times, dates and numbers are compared as what they are.
//!
//! Values are texts (`09:00`, `2026-12-24`), which compare as they should if both sides are written
//! alike. So literals beside a time or a date are checked and written alike when the expression is
//! read (`answer >= '9:00'`), and days are added by a filter (`answer > today + 1`).

use std::ops::Range;

use jiff::civil::Date;

use super::error::TemplateError;
use super::scope::{Scope, ValueType};
use crate::text::locale::Locale;

const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];
/// Names of the weekdays, as the filter `weekday_name` writes them.
pub(crate) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    kind: Kind,
    range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A variable, with the filters behind it that have no arguments: `day | weekday`.
    Name {
        name: String,
        filter: Option<String>,
    },
    /// A literal text.
    Text(String),
    /// A literal number.
    Number(String),
    /// A comparison, a sign, a bracket, a comma.
    Sign(String),
}

/// Rewrites an expression so that typed values are compared as what they are.
///
/// # Errors
/// Every literal that is no value of the type that it is compared with.
pub(crate) fn rewritten(written: &str, scope: &Scope<'_>) -> Result<String, Vec<TemplateError>> {
    let parts = parts(written);
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut errors = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let Kind::Sign(sign) = &part.kind else {
            continue;
        };
        let before = index.checked_sub(1).and_then(|at| parts.get(at));
        let (Some(left), Some(right)) = (before, parts.get(index + 1)) else {
            continue;
        };
        let is_alone = |at: Option<usize>| !at.is_some_and(|at| is_operator(parts.get(at)));
        if COMPARISONS.contains(&sign.as_str()) {
            if !is_alone(index.checked_sub(2)) || !is_alone(Some(index + 2)) {
                continue;
            }
            let pairs = [(left, right), (right, left)];
            for (value, literal) in pairs {
                match compared(value, literal, scope) {
                    Ok(edit) => edits.extend(edit),
                    Err(error) => errors.push(error),
                }
            }
        } else if matches!(sign.as_str(), "+" | "-")
            && value_type(left, scope) == Some(ValueType::Date)
        {
            let (start, end) = (left.range.start, right.range.end);
            let name = &written[left.range.clone()];
            match (&right.kind, value_type(right, scope)) {
                (Kind::Number(days), _)
                    if days.contains('.') || is_operator(parts.get(index + 2)) =>
                {
                    errors.push(TemplateError {
                        range: start..end,
                        message: "one whole number of days may be added to a date".to_owned(),
                        help: Some("write it like `today + 7`".to_owned()),
                    });
                }
                (Kind::Number(days), _) => {
                    let days = if sign == "-" {
                        format!("-{days}")
                    } else {
                        days.clone()
                    };
                    edits.push((start..end, format!("({name} | plus_days({days}))")));
                }
                (_, Some(ValueType::Date)) if sign == "-" => {
                    let other = &written[right.range.clone()];
                    edits.push((start..end, format!("({name} | days_since({other}))")));
                }
                _ => {}
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut text = written.to_owned();
    edits.sort_by_key(|(range, _)| range.start);
    edits.dedup_by(|later, earlier| later.0.start < earlier.0.end);
    for (range, replacement) in edits.into_iter().rev() {
        text.replace_range(range, &replacement);
    }
    Ok(text)
}

/// Whether a sign makes a value of the one beside it: `today + 1`.
fn is_operator(part: Option<&Part>) -> bool {
    part.is_some_and(|part| match &part.kind {
        Kind::Sign(sign) => "+-*/%|~(".contains(sign.as_str()),
        _ => false,
    })
}

/// Checks a literal that a value is compared with, and writes it like the value.
fn compared(
    value: &Part,
    literal: &Part,
    scope: &Scope<'_>,
) -> Result<Option<(Range<usize>, String)>, TemplateError> {
    let Kind::Name { name, filter } = &value.kind else {
        return Ok(None);
    };
    let wrong = |message: String, help: &str| {
        Err(TemplateError {
            range: literal.range.clone(),
            message,
            help: Some(help.to_owned()),
        })
    };
    match (&literal.kind, filter.as_deref()) {
        (Kind::Text(text), Some("weekday_name")) => {
            let lower = text.to_lowercase();
            if WEEKDAYS.contains(&lower.as_str()) {
                return Ok(Some((literal.range.clone(), format!("'{lower}'"))));
            }
            wrong(
                format!("`{text}` is no weekday here"),
                &format!("weekdays are {}", WEEKDAYS.join(", ")),
            )
        }
        (Kind::Text(_), Some("weekday")) => wrong(
            "`weekday` writes the day in the language of the contact".to_owned(),
            &format!("compare `{name} | weekday_name`, which is the same in all languages"),
        ),
        (Kind::Text(text), None) => match value_type(value, scope) {
            Some(ValueType::Time) => match Locale::parse("en").read_time(text) {
                Some(time) => {
                    let time = time.strftime("%H:%M");
                    Ok(Some((literal.range.clone(), format!("'{time}'"))))
                }
                None => wrong(
                    format!("`{name}` is a time of day, and `{text}` is none"),
                    "write it like '09:00' or '17:30'",
                ),
            },
            Some(ValueType::Date) => match text.parse::<Date>() {
                Ok(date) => Ok(Some((literal.range.clone(), format!("'{date}'")))),
                Err(_) => wrong(
                    format!("`{name}` is a date, and `{text}` is none"),
                    "write it like '2026-12-24', or compare with `today`, `today + 7`",
                ),
            },
            Some(ValueType::Number) => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    Ok(Some((literal.range.clone(), text.trim().to_owned())))
                }
                Err(_) | Ok(_) => wrong(
                    format!("`{name}` is a number, and `{text}` is none"),
                    "write the number without quotes",
                ),
            },
            None => Ok(None),
        },
        (Kind::Number(number), None) => match value_type(value, scope) {
            Some(ValueType::Time) => wrong(
                format!("`{name}` is a time of day, and {number} is a number"),
                "write it like '09:00' or '17:30'",
            ),
            Some(ValueType::Date) => wrong(
                format!("`{name}` is a date, and {number} is a number"),
                "write it like '2026-12-24', or compare with `today`, `today + 7`",
            ),
            Some(ValueType::Number) | None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn value_type(part: &Part, scope: &Scope<'_>) -> Option<ValueType> {
    let Kind::Name { name, filter: None } = &part.kind else {
        return None;
    };
    if name == "today" {
        return Some(ValueType::Date);
    }
    let mut types = scope.types.iter();
    types
        .find(|(known, _)| known == name)
        .map(|(_, kind)| *kind)
}

/// Splits an expression. What stands in brackets or has arguments is not looked into as one value.
fn parts(written: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut at = 0;
    while let Some(first) = written[at..].chars().next() {
        let start = at;
        let rest = &written[start..];
        let is_word = |character: char| character.is_alphanumeric() || "_.".contains(character);
        let kind = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if matches!(first, '"' | '\'') {
            let length = text_length(rest, first);
            at += length;
            let inside = &rest[first.len_utf8()..length - 1];
            Kind::Text(inside.to_owned())
        } else if first.is_ascii_digit() {
            let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'));
            at += length.unwrap_or(rest.len());
            Kind::Number(written[start..at].to_owned())
        } else if is_word(first) {
            at += rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            Kind::Name {
                name: written[start..at].to_owned(),
                filter: None,
            }
        } else {
            let long = COMPARISONS.iter().find(|sign| rest.starts_with(**sign));
            at += long.map_or(first.len_utf8(), |sign| sign.len());
            Kind::Sign(written[start..at].to_owned())
        };
        push(
            &mut parts,
            Part {
                kind,
                range: start..at,
            },
        );
    }
    parts
}

/// Adds a part; a filter without arguments becomes a part of its value.
fn push(parts: &mut Vec<Part>, part: Part) {
    let is_bar =
        |part: Option<&Part>| part.is_some_and(|part| part.kind == Kind::Sign("|".to_owned()));
    if let Kind::Name { name, .. } = &part.kind
        && is_bar(parts.last())
    {
        parts.pop();
        if let Some(Part {
            kind: Kind::Name { filter, .. },
            range,
        }) = parts.last_mut()
        {
            *filter = Some(name.clone());
            range.end = part.range.end;
            return;
        }
    }
    parts.push(part);
}

/// Length of a literal text with its quotes.
fn text_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if character == quote && !is_escaped {
            return at + character.len_utf8();
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::rewritten;
    use crate::template::{Scope, ValueType};

    fn typed(written: &str) -> Result<String, Vec<(String, String)>> {
        let types = [
            ("answer".to_owned(), ValueType::Time),
            ("day".to_owned(), ValueType::Date),
            ("count".to_owned(), ValueType::Number),
        ];
        let scope = Scope {
            types: &types,
            ..Scope::default()
        };
        rewritten(written, &scope).map_err(|errors| {
            let errors = errors.into_iter();
            let shown = errors.map(|error| (written[error.range].to_owned(), error.message));
            shown.collect()
        })
    }

    #[test]
    fn literals_are_written_like_the_values_beside_them() {
        for (written, expected) in [
            (
                "answer >= '9:00' and answer <= \"5pm\"",
                "answer >= '09:00' and answer <= '17:00'",
            ),
            ("'9' < answer", "'09:00' < answer"),
            ("day > today + 1", "day > (today | plus_days(1))"),
            ("day - 7 >= today", "(day | plus_days(-7)) >= today"),
            ("day - today > 2", "(day | days_since(today)) > 2"),
            (
                "day | weekday_name == 'Sunday'",
                "day | weekday_name == 'sunday'",
            ),
            ("count > '5'", "count > 5"),
            (
                "name == '9:00' and count + 1 > 3",
                "name == '9:00' and count + 1 > 3",
            ),
            (
                "day == '2026-12-24' or name == 'x > day'",
                "day == '2026-12-24' or name == 'x > day'",
            ),
        ] {
            assert_eq!(typed(written).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn literals_of_another_type_are_errors_at_their_place() {
        for (written, place) in [
            ("answer > 'morning'", "'morning'"),
            ("answer >= 9", "9"),
            ("day == '24/12'", "'24/12'"),
            ("day > 5", "5"),
            ("count > 'two'", "'two'"),
            ("day | weekday_name == 'Samstag'", "'Samstag'"),
            ("day | weekday == 'Saturday'", "'Saturday'"),
        ] {
            let errors = typed(written).unwrap_err();
            assert_eq!(errors.len(), 1, "{written}");
            assert_eq!(errors[0].0, place, "{written}");
        }
    }
}
