//! Times of day.

use std::sync::LazyLock;

use jiff::civil::Time;
use regex::Regex;

use super::{find_any, western};
use crate::rules::locale::Locale;
use crate::rules::normalise::Folded;

/// Hours and minutes, or hours with a word that says they are some.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        (?:^|[^\d.,:/-])
        (?:
          (?P<hour>\d{1,2}) \s?[:.h]\s? (?P<minute>[0-5]\d) (?:\s?(?P<half>[ap]\.?\s?m\b\.?))?
        | (?P<hour2>\d{1,2}) \s? (?P<half2>[ap]\.?\s?m\b\.?)
        | (?P<hour3>\d{1,2}) \s? (?:uhr|h\b|hrs?\b|o'?clock|heures?\b|ore\b|godzin|час|時|点|點)
        )
        (?:$|[^\d:/])",
    )
    .expect("the pattern is fixed")
});

/// An hour alone, perhaps behind a word for "at".
static HOUR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^\s*(?:at|a\s+las?|[àa]s|[àa]|um|alle|om|saat|o|в|pukul|jam|vers|around|about|gegen)?\s*
        (?P<hour>\d{1,2})\s*[.!]?\s*$",
    )
    .expect("the pattern is fixed")
});

impl Locale {
    /// Reads a time of day: `15:30`, `3pm`, `15h30`, `15 Uhr`, `a las 3`, noon. Without a half of the day the hour is
    /// taken as it stands.
    #[must_use]
    pub fn read_time(&self, text: &str) -> Option<Time> {
        let text = western(text);
        let mut found = TIME.captures_iter(&text);
        if let Some(first) = found.next() {
            if found.next().is_some() {
                return None;
            }
            let group = |names: &[&str]| names.iter().find_map(|name| first.name(name));
            let hour = group(&["hour", "hour2", "hour3"])?.as_str().parse().ok()?;
            let minute = match first.name("minute") {
                Some(minute) => minute.as_str().parse().ok()?,
                None => 0,
            };
            let half = group(&["half", "half2"]).map(|half| half.as_str().to_lowercase());
            return of(hour, minute, half.as_deref());
        }
        if let Some(alone) = HOUR.captures(&text) {
            return of(alone["hour"].parse().ok()?, 0, None);
        }
        let folded = Folded::of(&text);
        if find_any(&folded, self.words.midnight).is_some() {
            return of(0, 0, None);
        }
        find_any(&folded, self.words.noon).and_then(|_| of(12, 0, None))
    }
}

fn of(hour: i8, minute: i8, half: Option<&str>) -> Option<Time> {
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) if half.starts_with('a') => hour % 12,
        Some(_) => hour % 12 + 12,
    };
    Time::new(hour, minute, 0, 0).ok()
}
