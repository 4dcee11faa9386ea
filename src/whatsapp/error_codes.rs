//! Documented error codes of Graph: class, meaning, and advice for the owner.
//!
//! The rows are in `error_codes.txt`. Logic uses code and subcode only, never the HTTP status or the
//! text: Meta answers "slow down" with 400. [`crate::workers::outbox`] maps each class to a retry.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::message::{ErrorClass, Failure, GraphError};

/// Upper bound of Meta's explanation in a reason, in characters.
const LONGEST_DETAILS: usize = 500;

/// Error code, or range of codes with the same meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code, or the lowest of a range.
    pub code: i64,
    /// The highest code of a range; equal to `code` for a single code.
    pub last: i64,
    /// Subcode of a code that has several meanings; `None` for all others.
    pub subcode: Option<i64>,
    /// Consequence of the error.
    pub class: ErrorClass,
    /// Description of the error, for the owner.
    pub meaning: &'static str,
    /// Remedy, for the owner.
    pub advice: &'static str,
}

/// Looks up an error, by code and subcode, or else by the code alone; `None` for codes that Meta
/// has not documented.
#[must_use]
pub fn lookup(error: &GraphError) -> Option<&'static Code> {
    let of_code = || {
        let rows = CODES.iter();
        rows.filter(|row| (row.code..=row.last).contains(&error.code))
    };
    let exact = of_code().find(|row| row.subcode.is_some() && row.subcode == error.subcode);
    exact.or_else(|| of_code().find(|row| row.subcode.is_none()))
}

/// Whether Meta has documented a code.
#[must_use]
pub fn is_documented(code: i64) -> bool {
    CODES
        .iter()
        .any(|row| (row.code..=row.last).contains(&code))
}

/// Documented code as a label, so that labels stay bounded; `none` without a code.
#[must_use]
pub fn label(code: Option<i64>) -> String {
    match code {
        None => "none".to_owned(),
        Some(code) if is_documented(code) => code.to_string(),
        Some(_) => "other".to_owned(),
    }
}

/// Formats code and meaning of an error: nothing of the message, so that it can be logged.
#[must_use]
pub fn summary(error: &GraphError) -> String {
    let mut text = format!("error {}", error.code);
    match (lookup(error), error.subcode) {
        (None, _) => text.push_str(": not documented"),
        (Some(row), Some(subcode)) if row.subcode.is_some() => {
            write!(text, " (subcode {subcode}): {}", row.meaning)
                .expect("a String takes everything");
        }
        (Some(row), _) => {
            write!(text, ": {}", row.meaning).expect("a String takes everything");
        }
    }
    text
}

/// Meta's own explanation of an error, for the operator: belongs in the database, not in logs.
#[must_use]
pub fn details(error: &GraphError) -> Option<String> {
    let details = error.details.as_ref().or(error.title.as_ref())?;
    Some(details.chars().take(LONGEST_DETAILS).collect())
}

/// Remedy for an error as the end of a sentence; empty where nothing is to be done.
#[must_use]
pub fn remedy(advice: &str) -> String {
    match advice.strip_prefix("nothing") {
        Some("") => String::new(),
        Some(rest) if rest.starts_with(": ") => format!(";{}", &rest[1..]),
        Some(_) | None => format!("; what to do: {advice}"),
    }
}

/// Puts the failure that a receipt reports into words.
#[must_use]
pub fn failure(errors: &[GraphError]) -> Failure {
    let documented = errors.iter().find(|error| lookup(error).is_some());
    let Some(error) = documented.or(errors.first()) else {
        return Failure {
            code: None,
            class: ErrorClass::GiveUp,
            reason: "WhatsApp did not deliver it and gives no reason".to_owned(),
        };
    };
    let mut reason = summary(error);
    if let Some(details) = details(error) {
        write!(reason, " ({details})").expect("a String takes everything");
    }
    let row = lookup(error);
    // What was accepted and then failed is not tried again, whatever the class says of a request.
    let advice = row.map_or(UNDOCUMENTED_ADVICE, |row| row.advice);
    let is_final = row.is_none_or(|row| !row.class.may_pass());
    if is_final || !advice.starts_with("nothing") {
        reason.push_str(&remedy(advice));
    }
    Failure {
        code: Some(error.code),
        class: row.map_or(ErrorClass::GiveUp, |row| row.class),
        reason,
    }
}

/// Remedy for a code that Meta has not documented.
pub const UNDOCUMENTED_ADVICE: &str = "look the code up in Meta's list of error codes";

/// Rows of `error_codes.txt`, in ascending order.
static CODES: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let lines = include_str!("error_codes.txt").lines();
    let rows = lines.filter(|line| !line.starts_with('#'));
    rows.map(|row| parse(row).expect("the built-in rows have four columns"))
        .collect()
});

fn parse(row: &'static str) -> Option<Code> {
    let mut columns = row.split(" | ");
    let codes = columns.next()?;
    let (codes, subcode) = match codes.split_once('/') {
        Some((code, subcode)) => (code, Some(subcode.parse().ok()?)),
        None => (codes, None),
    };
    let (code, last) = codes.split_once("..").unwrap_or((codes, codes));
    Some(Code {
        code: code.parse().ok()?,
        last: last.parse().ok()?,
        subcode,
        class: ErrorClass::parse(columns.next()?)?,
        meaning: columns.next()?,
        advice: columns.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i64, subcode: Option<i64>) -> GraphError {
        GraphError {
            code,
            subcode,
            title: None,
            details: None,
        }
    }

    #[test]
    fn codes_ascend_and_no_two_rows_overlap() {
        for pair in CODES.windows(2) {
            let [before, row] = pair else { unreachable!() };
            let same_code = before.code == row.code && before.subcode < row.subcode;
            assert!(before.last < row.code || same_code, "{pair:?}");
        }
        assert!(CODES.iter().all(|row| row.code <= row.last));
    }

    /// `tests/cases/error_codes.txt` holds Meta's tables in our own words.
    #[test]
    fn every_row_of_the_tables_has_its_class() {
        let table = include_str!("../../tests/cases/error_codes.txt");
        let rows = table.lines().filter(|line| !line.starts_with('#'));
        let mut wrong = Vec::new();
        for row in rows {
            let columns: Vec<&str> = row.split(" | ").collect();
            let [codes, classes, _] = columns[..] else {
                panic!("three columns: {row}");
            };
            for code in codes.split(' ') {
                let (code, subcode) = code.split_once('/').unwrap_or((code, ""));
                let error = error(code.parse().unwrap(), subcode.parse().ok());
                let class = lookup(&error).map_or("none", |row| row.class.name());
                if !classes.split(' ').any(|allowed| allowed == class) {
                    wrong.push(format!("{code}/{subcode} is {class}, not {classes}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_subcode_without_a_row_means_what_its_code_means() {
        let plain = lookup(&error(100, None)).unwrap();
        let unknown = lookup(&error(100, Some(2_494_010))).unwrap();
        let object = lookup(&error(100, Some(33))).unwrap();

        assert_eq!(plain, unknown);
        assert_eq!(
            (plain.class, object.class),
            (ErrorClass::GiveUp, ErrorClass::Account)
        );
        assert_eq!(
            summary(&error(131_047, Some(33))),
            summary(&error(131_047, None))
        );
        assert!(summary(&error(100, Some(33))).starts_with("error 100 (subcode 33): "));
    }

    #[test]
    fn undocumented_codes_are_not_guessed() {
        for code in [-1, 5, 199, 300, 131_047_000, i64::MAX] {
            assert_eq!(lookup(&error(code, None)), None, "{code}");
            assert_eq!(label(Some(code)), "other");
        }
    }

    #[test]
    fn every_code_says_what_happened_and_what_to_do() {
        for row in CODES.iter() {
            for text in [row.meaning, row.advice] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}", row.code);
            }
        }
    }

    #[test]
    fn a_failure_names_the_documented_one_of_several_errors_and_the_remedy() {
        let explained = GraphError {
            details: Some("The file is too large.".to_owned()),
            ..error(131_053, None)
        };

        let several = failure(&[error(999_999, None), explained]);
        let without_remedy = failure(&[error(130_472, None)]);
        let strange = failure(&[error(999_999, None)]);

        assert_eq!(
            several.reason,
            "error 131053: Meta could not take the file: its type, size or link (The file is too \
             large.); what to do: check the type and size of the file, and that a link opens \
             without login"
        );
        assert_eq!(several.code, Some(131_053));
        assert!(
            !without_remedy.reason.contains("nothing"),
            "{without_remedy:?}"
        );
        assert!(
            strange.reason.contains("list of error codes"),
            "{strange:?}"
        );
        assert_eq!(failure(&[]).code, None);
    }
}
