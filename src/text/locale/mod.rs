//! Language-dependent formats of dates, times, numbers and money ([`Locale`]); `parse` reads them.
//!
//! Names and forms come from Unicode's data (ICU4X); words that it lacks, such as "tomorrow", are
//! in `lexicon`.

mod money;

pub use money::decimals;

use super::lexicon::Words;
use icu_datetime::fieldsets::{E, M, MD, T, YMD, YMDE};
use icu_datetime::input::{Date as IcuDate, Time as IcuTime};
use icu_datetime::{DateTimeFormatter, NoCalendarFormatter};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale as IcuLocale;
use icu_plurals::{PluralCategory, PluralRuleType, PluralRules};
use jiff::Zoned;
use jiff::civil::{Date, Time};

/// Formats dates with a set of fields. A macro, because each set of fields is a type of its own.
macro_rules! each_written {
    ($locale:expr, $fields:expr, $dates:expr) => {{
        let formatter = DateTimeFormatter::try_new((&$locale.icu).into(), $fields).ok();
        let written = move |date: Date| {
            let month = u8::try_from(date.month()).unwrap_or(1);
            let day = u8::try_from(date.day()).unwrap_or(1);
            let icu = IcuDate::try_new_iso(i32::from(date.year()), month, day);
            match (&formatter, icu) {
                (Some(formatter), Ok(icu)) => plain(&formatter.format(&icu).to_string()),
                _ => date.to_string(),
            }
        };
        $dates.into_iter().map(written)
    }};
}

/// Formats one date with a set of fields.
macro_rules! written {
    ($locale:expr, $fields:expr, $date:expr) => {{
        let date: Date = $date;
        each_written!($locale, $fields, [date]).collect::<String>()
    }};
}

/// No-break spaces: they look like ordinary ones, and contacts cannot type them.
const HARD_SPACES: [char; 2] = ['\u{a0}', '\u{202f}'];

/// Language with an optional region.
#[derive(Clone, Debug)]
pub struct Locale {
    pub(crate) icu: IcuLocale,
    pub(crate) words: &'static Words,
    field_order: FieldOrder,
}

/// Order of day and month in numeric dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOrder {
    /// `4/3` is the fourth of March.
    DayFirst,
    /// `4/3` is the third of April.
    MonthFirst,
    /// Both orders are in use: `4/3` is ambiguous.
    Either,
}

impl FieldOrder {
    /// Returns the order of a language in a country. English without a country is that of the
    /// United States.
    fn new(language: &str, country: Option<&str>) -> Self {
        match (language, country) {
            ("en", None | Some("US" | "PR" | "GU" | "VI" | "AS" | "MP" | "PH")) => Self::MonthFirst,
            ("en", Some("CA")) | ("zh", Some("HK" | "MO" | "SG" | "MY")) => Self::Either,
            // Where the year is first, the month is before the day.
            ("zh" | "ja" | "ko" | "hu" | "lt" | "mn" | "eu" | "fa" | "ne" | "si" | "fil", _) => {
                Self::MonthFirst
            }
            _ => Self::DayFirst,
        }
    }
}

/// Length of a formatted date.
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
    /// Parses a BCP 47 tag; English for an invalid tag or a language without data in Unicode.
    #[must_use]
    pub fn parse(tag: &str) -> Self {
        let english = || "en".parse().expect("it is a tag");
        let icu: IcuLocale = tag.parse().unwrap_or_else(|_| english());
        let region = icu.id.region;
        let region = region
            .as_ref()
            .map(icu_locale_core::subtags::Region::as_str);
        let locale = Self {
            words: super::lexicon::for_language(icu.id.language.as_str()),
            field_order: FieldOrder::new(icu.id.language.as_str(), region),
            icu,
        };
        // ICU4X names months M01 in languages without data.
        if locale.month(1).starts_with("M0") {
            return Self {
                icu: english(),
                words: super::lexicon::for_language("en"),
                field_order: FieldOrder::MonthFirst,
            };
        }
        locale
    }

    /// Adopts the order of dates in a country (ISO 3166), unless the tag names a region.
    #[must_use]
    pub fn written_in(mut self, country: Option<&str>) -> Self {
        if self.icu.id.region.is_none() && country.is_some() {
            self.field_order = FieldOrder::new(self.icu.id.language.as_str(), country);
        }
        self
    }

    /// Formats a date.
    #[must_use]
    pub fn date(&self, date: Date, style: DateStyle) -> String {
        match style {
            DateStyle::Short => written!(self, YMD::short(), date),
            DateStyle::Medium => written!(self, YMD::medium(), date),
            DateStyle::Long => written!(self, YMD::long(), date),
            DateStyle::Full => written!(self, YMDE::long(), date),
        }
    }

    /// Formats a time of day, without seconds.
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

    /// Returns the weekday of a date.
    #[must_use]
    pub fn weekday(&self, date: Date) -> String {
        written!(self, E::long(), date)
    }

    /// Returns the names of the months of some dates: full, short, and both as within a date, some
    /// of which include the number of the day.
    pub(crate) fn month_names(&self, dates: &[Date]) -> Vec<[String; 4]> {
        let dates = || dates.iter().copied();
        let long = each_written!(self, M::long(), dates());
        let medium = each_written!(self, M::medium(), dates());
        let within = each_written!(self, MD::long(), dates());
        let short = each_written!(self, MD::medium(), dates());
        let names = long.zip(medium).zip(within.zip(short));
        names.map(|((a, b), (c, d))| [a, b, c, d]).collect()
    }

    /// Returns the weekdays of some dates, full and short.
    pub(crate) fn day_names(&self, dates: &[Date]) -> Vec<[String; 2]> {
        let long = each_written!(self, E::long(), dates.iter().copied());
        let short = each_written!(self, E::medium(), dates.iter().copied());
        long.zip(short).map(|(long, short)| [long, short]).collect()
    }

    /// Returns the name of a month (from 1), as it stands alone.
    #[must_use]
    pub fn month(&self, month: i8) -> String {
        let date = jiff::civil::date(2026, month, 1);
        written!(self, M::long(), date)
    }

    /// Formats a point in time: today or tomorrow, by the weekday within a week, otherwise by the
    /// date.
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

    /// Formats a number with the given number of decimals, or with all of them.
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

    /// Returns the plural category of a number: `zero`, `one`, `two`, `few`, `many` or `other`.
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

    /// Returns the language (ISO 639).
    pub(crate) fn language(&self) -> &str {
        self.icu.id.language.as_str()
    }

    pub(crate) fn field_order(&self) -> FieldOrder {
        self.field_order
    }

    /// Returns the order beside full stops: in English too, these are of languages that put the day
    /// first.
    pub(crate) fn order_with_stops(&self) -> FieldOrder {
        match self.language() {
            "en" => FieldOrder::DayFirst,
            _ => self.field_order,
        }
    }

    /// Whether a comma separates thousands, as in `1,000`.
    pub(crate) fn comma_groups(&self) -> bool {
        self.number(1000.5, Some(1)).ends_with(".5")
    }
}

/// Replaces no-break spaces by ordinary ones and removes direction marks.
fn plain(text: &str) -> String {
    text.replace(HARD_SPACES, " ")
        .replace(['\u{200e}', '\u{200f}'], "")
}
