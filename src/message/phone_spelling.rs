//! Phone numbers that go by two spellings.
//!
//! Three countries added a digit to their mobile numbers, or dropped one, and WhatsApp knows many
//! contacts by the older spelling: one number then comes in webhooks in one way and is dialled in
//! the other.

use std::iter::once;

use super::WaId;

/// Digits of a number within Mexico and within Argentina.
const NATIONAL_DIGITS: usize = 10;
/// Digits of a Brazilian number behind its area code, before the ninth digit was added.
const BRAZIL_DIGITS: usize = 8;

impl WaId {
    /// Every spelling under which WhatsApp may know this number, this one first: Brazil's mobile
    /// numbers with and without the ninth digit, Mexico's with and without the 1, Argentina's with
    /// and without the 9.
    ///
    /// See
    /// <https://support.whapi.cloud/help-desk/faq/specifics-of-sending-messages-to-numbers-of-different-countries>
    /// and, for Brazil, <https://docs.360dialog.com/docs/useful/number-registration-issues/number-formats>;
    /// Meta only says that `from` and `wa_id` may differ.
    pub fn spellings(&self) -> impl Iterator<Item = Self> {
        let other = other(self.as_str()).and_then(Self::parse);
        once(self.clone()).chain(other)
    }

    /// Returns the shortest spelling, which is the same for every spelling of a number.
    #[must_use]
    pub fn shortest(&self) -> Self {
        let other = other(self.as_str()).filter(|other| other.len() < self.as_str().len());
        other.and_then(Self::parse).unwrap_or_else(|| self.clone())
    }
}

/// Returns the other spelling of a number, if it has one.
fn other(digits: &str) -> Option<String> {
    let country = digits.get(..2)?;
    let national = digits.get(2..)?;
    let (area, extra, local, length) = match country {
        "52" => ("", '1', national, NATIONAL_DIGITS),
        "54" => ("", '9', national, NATIONAL_DIGITS),
        "55" => {
            let area = national.get(..2).filter(|area| !area.contains('0'))?;
            (area, '9', national.get(2..)?, BRAZIL_DIGITS)
        }
        _ => return None,
    };
    let is_mobile = |local: &str| match country {
        // Landlines begin with 2 to 5 and have eight digits for ever.
        "55" => !local.starts_with(['2', '3', '4', '5']),
        // No area code begins with the digit itself or with a zero.
        _ => !local.starts_with([extra, '0']),
    };
    if local.len() == length && is_mobile(local) {
        return Some(format!("{country}{area}{extra}{local}"));
    }
    let short = local.strip_prefix(extra)?;
    (short.len() == length && is_mobile(short)).then(|| format!("{country}{area}{short}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_of_three_countries_has_two_spellings() {
        for (long, short) in [
            ("5582999448232", "558299448232"),
            ("5511987654321", "551187654321"),
            ("5511961234567", "551161234567"),
            ("5215512345678", "525512345678"),
            ("5219991234567", "529991234567"),
            ("5491123456789", "541123456789"),
            ("5493511234567", "543511234567"),
        ] {
            assert_eq!(other(long).as_deref(), Some(short), "{long}");
            assert_eq!(other(short).as_deref(), Some(long), "{short}");
        }
    }

    #[test]
    fn any_other_number_has_one() {
        for digits in [
            "551132345678",   // a landline in São Paulo
            "5511932345678",  // a mobile number that would be that landline without its 9
            "5501987654321",  // no area code
            "55119876543210", // too long
            "5511",
            "52155123456",
            "521123456789", // no area code of Mexico begins with 1
            "549912345678",
            "4915551112222",
            "15550000001",
            "",
        ] {
            assert_eq!(other(digits), None, "{digits}");
        }
    }

    proptest! {
        #[test]
        fn the_other_spelling_leads_back(digits in "(52|54|55)[0-9]{8,12}") {
            let number = WaId::parse(digits).unwrap();
            let spellings: Vec<WaId> = number.spellings().collect();
            for spelling in &spellings {
                let mut back: Vec<WaId> = spelling.spellings().collect();
                back.sort();
                let mut expected = spellings.clone();
                expected.sort();
                prop_assert_eq!(back, expected);
                prop_assert_eq!(spelling.shortest(), number.shortest());
            }
        }
    }
}
