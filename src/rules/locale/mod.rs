//! What depends on a language: how dates, times, numbers and money are written ([`Locale`]), and how they are
//! read when people write them ([`input`]).
//!
//! Names and forms come from Unicode's data (ICU4X). What it does not have, words like "tomorrow", is in `words`.

pub mod country;
pub mod input;
pub mod language;
mod words;

use icu_datetime::fieldsets::{E, M, MD, T, YMD, YMDE};
use icu_datetime::input::{Date as IcuDate, Time as IcuTime};
use icu_datetime::{DateTimeFormatter, NoCalendarFormatter};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale as IcuLocale;
use icu_plurals::{PluralCategory, PluralRuleType, PluralRules};
use jiff::Zoned;
use jiff::civil::{Date, Time};
use words::Words;

/// A date with some of its fields. A macro, because each set of fields is a type of its own.
macro_rules! written {
    ($locale:expr, $fields:expr, $date:expr) => {{
        let date: Date = $date;
        let month = u8::try_from(date.month()).unwrap_or(1);
        let day = u8::try_from(date.day()).unwrap_or(1);
        let formatter = DateTimeFormatter::try_new((&$locale.icu).into(), $fields);
        match (
            formatter,
            IcuDate::try_new_iso(i32::from(date.year()), month, day),
        ) {
            (Ok(formatter), Ok(date)) => plain(&formatter.format(&date).to_string()),
            _ => date.to_string(),
        }
    }};
}

/// Spaces that do not break: a phone shows them like any other, and people cannot type them.
const HARD_SPACES: [char; 2] = ['\u{a0}', '\u{202f}'];

/// A language with its region.
#[derive(Clone, Debug)]
pub struct Locale {
    icu: IcuLocale,
    words: &'static Words,
}

/// How much a date says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateStyle {
    /// `12/24/26`
    Short,
    /// `Dec 24, 2026`
    Medium,
    /// `December 24, 2026`
    Long,
    /// `Thursday, December 24, 2026`
    Full,
}

impl Locale {
    /// Takes a BCP 47 tag; English when it is none, or of a language that Unicode has no data for.
    #[must_use]
    pub fn parse(tag: &str) -> Self {
        let english = || "en".parse().expect("it is a tag");
        let icu: IcuLocale = tag.parse().unwrap_or_else(|_| english());
        let locale = Self {
            words: words::of(icu.id.language.as_str()),
            icu,
        };
        // Without data months are called M01.
        if locale.month(1).starts_with("M0") {
            return Self {
                icu: english(),
                words: words::of("en"),
            };
        }
        locale
    }

    /// A date.
    #[must_use]
    pub fn date(&self, date: Date, style: DateStyle) -> String {
        match style {
            DateStyle::Short => written!(self, YMD::short(), date),
            DateStyle::Medium => written!(self, YMD::medium(), date),
            DateStyle::Long => written!(self, YMD::long(), date),
            DateStyle::Full => written!(self, YMDE::long(), date),
        }
    }

    /// A time of day, without seconds.
    #[must_use]
    pub fn time(&self, time: Time) -> String {
        let (Ok(hour), Ok(minute)) = (u8::try_from(time.hour()), u8::try_from(time.minute()))
        else {
            return String::new();
        };
        let formatter = NoCalendarFormatter::try_new((&self.icu).into(), T::hm());
        match (formatter, IcuTime::try_new(hour, minute, 0, 0)) {
            (Ok(formatter), Ok(time)) => plain(&formatter.format(&time).to_string()),
            _ => format!("{hour:02}:{minute:02}"),
        }
    }

    /// The name of the day of a date.
    #[must_use]
    pub fn weekday(&self, date: Date) -> String {
        written!(self, E::long(), date)
    }

    /// Every way in which a month or the day of a date is called: full, short, and as it stands within a date.
    fn names(&self, date: Date) -> DateNames {
        DateNames {
            months: [
                written!(self, M::long(), date),
                written!(self, M::medium(), date),
                written!(self, MD::long(), date),
                written!(self, MD::medium(), date),
            ],
            weekdays: [
                written!(self, E::long(), date),
                written!(self, E::medium(), date),
            ],
        }
    }

    /// The name of a month, from 1, as it stands alone.
    #[must_use]
    pub fn month(&self, month: i8) -> String {
        let date = jiff::civil::date(2026, month, 1);
        written!(self, M::long(), date)
    }

    /// A point in time as people say it: today or tomorrow, within a week by the day's name, else by the date.
    #[must_use]
    pub fn when(&self, at: &Zoned, now: &Zoned) -> String {
        let (date, today) = (at.date(), now.date());
        let days = (date - today).get_days();
        let day = match days {
            0 => self.words.today[0].to_owned(),
            1 => self.words.tomorrow[0].to_owned(),
            2..=6 => self.weekday(date),
            _ => written!(self, MD::long(), date),
        };
        let time = self.time(at.time());
        match self.words.at {
            "" => format!("{day} {time}"),
            at => format!("{day} {at} {time}"),
        }
    }

    /// A number; with this many decimals, or as many as it has.
    #[must_use]
    pub fn number(&self, value: f64, decimals: Option<u8>) -> String {
        let written = match decimals {
            Some(decimals) => format!("{value:.0$}", usize::from(decimals)),
            None => value.to_string(),
        };
        let Ok(decimal) = written.parse::<Decimal>() else {
            return written;
        };
        match DecimalFormatter::try_new(
            (&self.icu).into(),
            icu_decimal::options::DecimalFormatterOptions::default(),
        ) {
            Ok(formatter) => plain(&formatter.format(&decimal).to_string()),
            Err(_) => written,
        }
    }

    /// An amount of money with the sign of its currency, at the side where the language puts it.
    #[must_use]
    pub fn money(&self, value: f64, currency: &str) -> String {
        const SIGNS: [(&str, &str); 12] = [
            ("USD", "$"),
            ("EUR", "€"),
            ("GBP", "£"),
            ("JPY", "¥"),
            ("CNY", "¥"),
            ("INR", "₹"),
            ("BRL", "R$"),
            ("TRY", "₺"),
            ("RUB", "₽"),
            ("PLN", "zł"),
            ("KRW", "₩"),
            ("ILS", "₪"),
        ];
        // These have no smaller unit in use.
        let whole = ["JPY", "KRW", "CLP", "VND", "PYG", "ISK"].contains(&currency);
        let number = self.number(value.abs(), Some(if whole { 0 } else { 2 }));
        let sign = SIGNS.iter().find(|(code, _)| *code == currency);
        let minus = if value < 0.0 { "-" } else { "" };
        match (sign, self.words.money_first) {
            (Some((_, sign)), true) if *sign == "zł" || *sign == "R$" => {
                format!("{minus}{sign} {number}")
            }
            (Some((_, sign)), true) => format!("{minus}{sign}{number}"),
            (Some((_, sign)), false) => format!("{minus}{number} {sign}"),
            (None, true) => format!("{minus}{currency} {number}"),
            (None, false) => format!("{minus}{number} {currency}"),
        }
    }

    /// The form that words take beside a number: `zero`, `one`, `two`, `few`, `many` or `other`.
    #[must_use]
    pub fn plural(&self, count: f64) -> &'static str {
        let decimal = count.to_string().parse::<Decimal>();
        let rules = PluralRules::try_new((&self.icu).into(), PluralRuleType::Cardinal.into());
        let (Ok(decimal), Ok(rules)) = (decimal, rules) else {
            return "other";
        };
        match rules.category_for(&decimal) {
            PluralCategory::Zero => "zero",
            PluralCategory::One => "one",
            PluralCategory::Two => "two",
            PluralCategory::Few => "few",
            PluralCategory::Many => "many",
            PluralCategory::Other => "other",
        }
    }

    /// Whether `3/4` is the fourth of March here.
    #[must_use]
    pub fn month_comes_first(&self) -> bool {
        let region = self.icu.id.region;
        let english = self.icu.id.language.as_str() == "en";
        english && region.is_none_or(|region| region.as_str() == "US")
    }

    /// Whether a comma parts thousands, as in `1,000`.
    fn comma_groups(&self) -> bool {
        self.number(1000.5, Some(1)).ends_with(".5")
    }
}

/// What a date is called.
struct DateNames {
    /// With the number of the day in some of them.
    months: [String; 4],
    weekdays: [String; 2],
}

/// With ordinary spaces, and without marks of direction.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, '\u{200e}' | '\u{200f}'))
        .map(|character| {
            if HARD_SPACES.contains(&character) {
                ' '
            } else {
                character
            }
        })
        .collect()
}
