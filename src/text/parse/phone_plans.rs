//! Phone numbers as they are dialled within a country.

use crate::text::country;

/// How numbers are dialled within a country.
struct Plan {
    /// Digits in front that are not dialled from abroad.
    trunk: &'static str,
    /// Whether they may be left out.
    optional: bool,
    /// Digits without them.
    length: std::ops::RangeInclusive<usize>,
}

/// Countries whose numbers begin with a zero at home, with the digits behind it at least and at
/// most; from general knowledge of the national plans, not checked against them.
#[rustfmt::skip]
const ZERO: [(&str, usize, usize); 52] = [
    ("AE", 8, 9), ("AL", 8, 9), ("AM", 8, 8), ("AR", 10, 11), ("AT", 7, 13), ("AU", 9, 9), ("BA", 8, 9), ("BD", 8, 10),
    ("BE", 8, 9), ("BG", 7, 9), ("CH", 9, 9), ("DE", 7, 11), ("DZ", 8, 9), ("EG", 8, 10), ("FI", 6, 11), ("FR", 9, 9),
    ("GB", 9, 10), ("GE", 9, 9), ("GH", 9, 9), ("HR", 8, 9), ("IE", 7, 10), ("IL", 8, 9), ("IR", 10, 10), ("IQ", 8, 10),
    ("JO", 8, 9), ("JP", 9, 10), ("KE", 9, 9), ("KR", 8, 10), ("LB", 7, 8), ("LK", 9, 9), ("MA", 9, 9), ("MD", 8, 8),
    ("ME", 8, 8), ("MK", 8, 8), ("MY", 8, 10), ("NG", 8, 10), ("NL", 9, 9), ("NZ", 8, 10), ("PK", 9, 10), ("RO", 9, 9),
    ("RS", 8, 9), ("SA", 8, 9), ("SE", 7, 10), ("SI", 8, 8), ("SK", 9, 9), ("TH", 8, 9), ("TW", 8, 9), ("TZ", 9, 9),
    ("UA", 9, 9), ("UG", 9, 9), ("VN", 9, 10), ("ZA", 9, 9),
];

/// Countries where the zero is often left out, or is needed for some numbers only.
#[rustfmt::skip]
const PERHAPS_ZERO: [(&str, usize, usize); 14] = [
    ("BR", 10, 11), ("CN", 10, 11), ("CO", 10, 10), ("CU", 8, 8), ("EC", 8, 9), ("ID", 8, 12), ("IN", 10, 10),
    ("MM", 8, 10), ("PE", 8, 9), ("PH", 10, 10), ("PY", 9, 9), ("TR", 10, 10), ("UY", 8, 8), ("VE", 10, 10),
];

/// Countries where numbers are dialled the same from within.
#[rustfmt::skip]
const WHOLE: [(&str, usize, usize); 33] = [
    ("BH", 8, 8), ("BO", 8, 8), ("CI", 10, 10), ("CL", 9, 9), ("CM", 9, 9), ("CR", 8, 8), ("CY", 8, 8), ("CZ", 9, 9),
    ("DK", 8, 8), ("EE", 7, 8), ("ES", 9, 9), ("GR", 10, 10), ("GT", 8, 8), ("HK", 8, 8), ("HN", 8, 8), ("IS", 7, 7),
    ("IT", 6, 11), ("KW", 8, 8), ("LU", 6, 9), ("LV", 8, 8), ("MO", 8, 8), ("MT", 8, 8), ("MX", 10, 10), ("NI", 8, 8),
    ("NO", 8, 8), ("OM", 8, 8), ("PA", 7, 8), ("PL", 9, 9), ("PT", 9, 9), ("QA", 8, 8), ("SG", 8, 8), ("SN", 9, 9),
    ("SV", 8, 8),
];

/// Digits of the numbers that begin with a country's calling code, as in North America.
const NANP: &str = "1";

fn plan(country: &str, code: &str) -> Plan {
    let plan = |trunk, optional, length| Plan {
        trunk,
        optional,
        length,
    };
    let length_in = |table: &[(&str, usize, usize)]| {
        let range = table.iter().find(|(name, ..)| *name == country);
        range.map(|(_, least, most)| *least..=*most)
    };
    match code {
        NANP => return plan("", true, 10..=10),
        "7" => return plan("8", true, 10..=10),
        "36" => return plan("06", true, 8..=9),
        "370" => return plan("0", true, 8..=8),
        _ => {}
    }
    if let Some(length) = length_in(&ZERO) {
        plan("0", false, length)
    } else if let Some(length) = length_in(&PERHAPS_ZERO) {
        plan("0", true, length)
    } else if let Some(length) = length_in(&WHOLE) {
        plan("", true, length)
    } else {
        plan("0", true, 7..=11)
    }
}

/// Whether digits can be a number with the calling code of any country.
pub(crate) fn is_international(digits: &str) -> bool {
    if let Some(national) = digits.strip_prefix(NANP) {
        return national.len() == 10 && !national.starts_with(['0', '1']);
    }
    (7..=15).contains(&digits.len()) && country::from_phone(digits).is_some()
}

/// Removes the prefix that is dialled in a country for numbers abroad.
pub(crate) fn behind_prefix<'a>(digits: &'a str, country: Option<&str>) -> Option<&'a str> {
    let code = country.and_then(country::calling_code);
    let prefix = match (country, code) {
        (_, Some(NANP)) => "011",
        (Some("AU"), _) => "0011",
        (Some("JP"), _) => "010",
        (Some("RU" | "KZ"), _) => "810",
        _ => "00",
    };
    // Two zeros are understood everywhere.
    digits
        .strip_prefix(prefix)
        .or_else(|| digits.strip_prefix("00"))
}

/// Adds the calling code to a number dialled within a country, if it has as many digits as numbers
/// there.
pub(crate) fn whole(digits: &str, country: &str) -> Option<String> {
    let code = country::calling_code(country)?;
    let plan = plan(country, code);
    let national = match digits.strip_prefix(plan.trunk) {
        Some(rest) if !plan.trunk.is_empty() && plan.length.contains(&rest.len()) => Some(rest),
        _ => plan.optional.then_some(digits),
    };
    if let Some(national) = national.filter(|national| plan.length.contains(&national.len())) {
        return Some(format!("{code}{national}"));
    }
    // With the country's code but no plus, as WhatsApp shows it.
    let national = digits.strip_prefix(code)?;
    plan.length
        .contains(&national.len())
        .then(|| digits.to_owned())
}
