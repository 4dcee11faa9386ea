//! Dates.

use jiff::civil::Date;

use super::answer::Answer;
use crate::text::locale::Locale;

impl Locale {
    /// Reads a date. A date without a year is the next on or after `today`; "yesterday" is the day
    /// before, so that a check can refuse it.
    ///
    /// `None` unless every word is explained, and all explanations give the same day.
    #[must_use]
    pub fn read_date(&self, text: &str, today: Date) -> Option<Date> {
        let readings = Answer::new(self, text, today)?.readings();
        let mut dates = readings.iter().filter_map(|reading| reading.date(today));
        let date = dates.next()?;
        dates.all(|other| other == date).then_some(date)
    }
}
