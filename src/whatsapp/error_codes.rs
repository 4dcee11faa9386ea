//! Documented error codes of Graph: class, meaning, and advice for the owner.
//!
//! The rows are in `error_codes.txt`. Logic uses the code only, never the HTTP status or the text:
//! Meta answers "slow down" with 400. [`crate::workers::outbox`] maps each class to a retry.

use std::sync::LazyLock;

/// Consequence of an error for the message, the number or the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Temporary fault: try again in seconds, later in minutes.
    Retry,
    /// As `Retry`, but with longer waits: the message itself may be the cause.
    RetryWide,
    /// Too many calls of the app or account: continue in minutes.
    RetrySlow,
    /// The business number must send more slowly, or pause.
    SlowNumber,
    /// Too many messages to one contact; other contacts are not affected.
    SlowPair,
    /// The contact's last message is more than 24 hours old: only templates may be sent.
    WindowClosed,
    /// Meta will never accept this message.
    GiveUp,
    /// Nothing can be sent until the owner repairs the account or the configuration; messages wait.
    Account,
}

impl Class {
    /// Every class with its name in logs and in `error_codes.txt`.
    pub const ALL: [(&'static str, Self); 8] = [
        ("retry", Self::Retry),
        ("retry_wide", Self::RetryWide),
        ("retry_slow", Self::RetrySlow),
        ("slow_number", Self::SlowNumber),
        ("slow_pair", Self::SlowPair),
        ("window_closed", Self::WindowClosed),
        ("give_up", Self::GiveUp),
        ("account", Self::Account),
    ];

    /// Name in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// Error code, or range of codes with the same meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code, or the lowest of a range.
    pub code: i64,
    /// The highest code of a range; equal to `code` for a single code.
    pub last: i64,
    /// Consequence of the error.
    pub class: Class,
    /// Description of the error, for the owner.
    pub meaning: &'static str,
    /// Remedy, for the owner.
    pub advice: &'static str,
}

/// Looks up a code; `None` for codes that Meta has not documented.
#[must_use]
pub fn lookup(code: i64) -> Option<&'static Code> {
    CODES
        .iter()
        .find(|entry| (entry.code..=entry.last).contains(&code))
}

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
    let (code, last) = codes.split_once("..").unwrap_or((codes, codes));
    let class = columns.next()?;
    Some(Code {
        code: code.parse().ok()?,
        last: last.parse().ok()?,
        class: Class::ALL.iter().find(|(name, _)| *name == class)?.1,
        meaning: columns.next()?,
        advice: columns.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_no_two_rows_overlap() {
        for pair in CODES.windows(2) {
            assert!(pair[0].last < pair[1].code, "{pair:?}");
        }
        assert!(CODES.iter().all(|entry| entry.code <= entry.last));
    }

    #[test]
    fn every_documented_code_has_its_class() {
        let table: [(Class, &[i64]); Class::ALL.len()] = [
            (Class::Retry, &[2, 131_016, 133_004]),
            (Class::RetryWide, &[1, 131_000, 131_052]),
            (Class::RetrySlow, &[4, 17, 32, 613, 80_007, 132_069]),
            (Class::SlowNumber, &[130_429, 131_057, 2_494_100]),
            (Class::SlowPair, &[131_056]),
            (Class::WindowClosed, &[131_047]),
            (
                Class::GiveUp,
                &[
                    100, 130_403, 130_472, 130_497, 131_008, 131_009, 131_021, 131_026, 131_049,
                    131_050, 131_051, 131_053, 131_055, 131_060, 131_062, 131_063, 132_000,
                    132_001, 132_005, 132_007, 132_012, 132_015, 132_016, 132_018, 132_068,
                    134_011, 134_100, 134_102, 135_000, 137_000, 147_001, 147_005, 2_388_019,
                    2_388_299,
                ],
            ),
            (
                Class::Account,
                &[
                    0, 3, 10, 33, 190, 200, 250, 299, 368, 131_005, 131_031, 131_037, 131_042,
                    131_045, 131_048, 131_064, 133_000, 133_005, 133_006, 133_008, 133_009,
                    133_010, 133_015, 133_016,
                ],
            ),
        ];

        for (name, class) in Class::ALL {
            assert_eq!(
                class.name(),
                name,
                "`ALL` is in another order than the enum"
            );
        }
        for (class, codes) in table {
            for code in codes {
                assert_eq!(
                    lookup(*code).map(|entry| entry.class),
                    Some(class),
                    "{code}"
                );
            }
        }
    }

    #[test]
    fn undocumented_codes_are_not_guessed() {
        for code in [-1, 5, 199, 300, 131_047_000, i64::MAX] {
            assert_eq!(lookup(code), None, "{code}");
        }
    }

    #[test]
    fn every_code_says_what_happened_and_what_to_do() {
        for entry in CODES.iter() {
            for text in [entry.meaning, entry.advice] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}", entry.code);
            }
        }
    }
}
