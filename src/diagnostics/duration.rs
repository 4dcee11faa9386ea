//! Lengths of time as rules and configuration files write them: `"30s"`, `"15m"`, `"12h"`, `"2d"`.
//!
//! Next: [`super::toml_reader`], which reports one that is wrong.

use std::time::Duration;

/// Longest time that a file may name: ten years. Keeps sums with times of day within what a
/// calendar holds.
const DURATION_MAX: Duration = Duration::from_hours(3650 * 24);

pub(crate) fn parse(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let seconds: u64 = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    let duration = Duration::from_secs(number.checked_mul(seconds)?);
    (Duration::from_secs(1)..=DURATION_MAX)
        .contains(&duration)
        .then_some(duration)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn lengths_of_time_are_a_number_and_a_unit() {
        assert_eq!(parse("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse("15m"), Some(Duration::from_mins(15)));
        assert_eq!(parse("12h"), Some(Duration::from_hours(12)));
        assert_eq!(parse("2d"), Some(Duration::from_hours(48)));
        assert_eq!(parse("3650d"), Some(super::DURATION_MAX));
        for wrong in [
            "", "s", "5", "5 m", "5M", "1h30m", "-1h", "+1h", "0s", "3651d", "１h",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse("99999999999999999999d"), None);
    }
}
