//! The country of a phone number, by its first digits.

use std::sync::LazyLock;

/// Prefixes of phone numbers with their countries, sorted by prefix.
static PREFIXES: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    let lines = include_str!("countries.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).collect()
});

/// Length of the longest prefix in the table.
const LONGEST: usize = 7;

/// Returns the ISO 3166 code of the country of a number, which begins with its calling code.
#[must_use]
pub fn from_phone(digits: &str) -> Option<&'static str> {
    (1..=LONGEST.min(digits.len())).rev().find_map(|length| {
        let prefix = digits.get(..length)?;
        let at = PREFIXES.binary_search_by_key(&prefix, |(prefix, _)| prefix);
        at.ok().map(|at| PREFIXES[at].1)
    })
}

/// Whether the table has a country with this code.
#[must_use]
pub fn is_known(code: &str) -> bool {
    PREFIXES.iter().any(|(_, country)| *country == code)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{LONGEST, PREFIXES, from_phone, is_known};

    #[test]
    fn the_table_is_sorted_and_says_nothing_twice() {
        assert!(PREFIXES.len() > 300);
        assert!(PREFIXES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(PREFIXES.iter().all(|(digits, code)| digits.len() <= LONGEST
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && code.len() == 2));
        let countries: HashSet<_> = PREFIXES.iter().map(|(_, code)| code).collect();
        assert!(countries.len() > 230, "{}", countries.len());
    }

    #[test]
    fn neighbours_that_share_a_code_are_told_apart() {
        for (digits, country) in [
            ("15550000001", "US"),
            ("14165550100", "CA"),
            ("18095550100", "DO"),
            ("18765550100", "JM"),
            ("79161234567", "RU"),
            ("77012345678", "KZ"),
            ("447911123456", "GG"),
            ("447400123456", "GB"),
            ("4915112345678", "DE"),
            ("34600000000", "ES"),
            ("5215512345678", "MX"),
            ("919812345678", "IN"),
        ] {
            assert_eq!(from_phone(digits), Some(country), "{digits}");
        }
        assert_eq!(from_phone(""), None);
        assert_eq!(from_phone("0123"), None);
    }

    #[test]
    fn codes_are_upper_case() {
        assert!(is_known("ES") && !is_known("es") && !is_known("XX"));
    }
}
