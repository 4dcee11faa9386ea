//! Formats of amounts of money.
//!
//! ICU4X does not yet provide the position of the sign; the tables here give what is usual in each
//! language.

use std::sync::LazyLock;

use super::Locale;

/// Languages that write the currency sign before the number.
const FIRST: [&str; 19] = [
    "af", "bn", "en", "fil", "gu", "hi", "id", "ja", "ko", "mr", "ms", "nl", "pt", "sw", "ta",
    "te", "th", "tr", "zh",
];

/// Regional exceptions from `FIRST`: sign before the number.
const FIRST_IN: [&str; 5] = ["de-AT", "de-CH", "de-LI", "it-CH", "en-ZA"];
/// Regional exceptions from `FIRST`: sign behind the number.
const LAST_IN: [&str; 15] = [
    "es-ES", "pt-PT", "pt-AO", "pt-MZ", "en-DE", "en-FI", "en-SE", "en-DK", "en-SI", "en-150",
    "pt-CV", "pt-GW", "pt-ST", "pt-TL", "es-GQ",
];

/// Languages, some with a region, with a space between a leading sign and the number.
const SPACED: [&str; 12] = [
    "nl", "pt", "id", "de-AT", "de-CH", "de-LI", "it-CH", "es-AR", "es-CO", "es-PE", "es-UY",
    "es-PY",
];

/// Currency as a row of `currencies.txt`.
struct Currency {
    code: &'static str,
    /// Sign outside of `places`.
    sign: &'static str,
    national_sign: &'static str,
    /// Languages or regions (in capitals) where it is the national currency.
    places: Vec<&'static str>,
}

static CURRENCIES: LazyLock<Vec<Currency>> = LazyLock::new(|| {
    let lines = include_str!("currencies.txt").lines();
    let rows = lines.filter(|line| !line.starts_with('#'));
    let parsed = rows.filter_map(|row| {
        let mut columns = row.split(' ');
        Some(Currency {
            code: columns.next()?,
            sign: columns.next()?,
            national_sign: columns.next()?,
            places: columns.collect(),
        })
    });
    parsed.collect()
});

/// Returns the number of decimals of a currency (ISO 4217); `None` for a code that is none.
#[must_use]
pub fn decimals(currency: &str) -> Option<u8> {
    let lines = include_str!("currency_codes.txt").lines();
    let rows = lines.filter(|line| !line.starts_with('#'));
    let rows = rows.filter_map(|row| row.split_once(' '));
    let mut rows = rows.filter(|(_, codes)| codes.split(' ').any(|code| code == currency));
    rows.next()?.0.parse().ok()
}

impl Locale {
    /// Formats an amount with its currency sign, on the side that is usual in the language and
    /// region.
    #[must_use]
    pub fn money(&self, value: f64, currency: &str) -> String {
        let decimals = decimals(currency).unwrap_or(2);
        let number = self.number(value.abs(), Some(decimals));
        let minus = if value < 0.0 { "-" } else { "" };
        let sign = self.currency_sign(currency);
        if !self.money_first() {
            return format!("{minus}{number} {sign}");
        }
        // A sign that ends in a letter needs a space.
        let spaced = self.is_one_of(&SPACED) || sign.ends_with(char::is_alphabetic);
        let space = if spaced { " " } else { "" };
        format!("{minus}{sign}{space}{number}")
    }

    fn currency_sign<'a>(&self, currency: &'a str) -> &'a str {
        let is_national =
            |currency: &Currency| currency.places.iter().any(|place| self.is_at(place));
        // Where `$` is the national currency, US dollars need another sign.
        let mut dollars = CURRENCIES.iter().filter(|other| other.national_sign == "$");
        let dollar_is_taken = dollars.any(is_national);
        match CURRENCIES.iter().find(|known| known.code == currency) {
            Some(known) if known.code == "USD" && dollar_is_taken => "US$",
            Some(known) if is_national(known) => known.national_sign,
            Some(known) => known.sign,
            None => currency,
        }
    }

    fn money_first(&self) -> bool {
        if self.is_one_of(&FIRST_IN) {
            return true;
        }
        if self.is_one_of(&LAST_IN) {
            return false;
        }
        // Spanish differs between Europe and America.
        let american = self.icu.id.language.as_str() == "es" && self.icu.id.region.is_some();
        american || FIRST.contains(&self.icu.id.language.as_str())
    }

    /// Whether the locale matches a tag: a language, or a language and region with a hyphen.
    fn is_one_of(&self, tags: &[&str]) -> bool {
        let language = self.icu.id.language.as_str();
        tags.iter().any(|tag| match tag.split_once('-') {
            Some((prefix, region)) => prefix == language && self.is_at(region),
            None => *tag == language,
        })
    }

    /// Whether the locale has this region (in capitals) or this language.
    fn is_at(&self, place: &str) -> bool {
        let region = self.icu.id.region;
        region.is_some_and(|region| region.as_str() == place)
            || self.icu.id.language.as_str() == place
    }
}
