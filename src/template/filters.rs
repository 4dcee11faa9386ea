//! Filters that write in the contact's language: dates, times, numbers, money, plurals.

use jiff::civil::{Date, DateTime, Time};
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::text::locale::{DateStyle, Locale};

/// Adds the filters to an engine.
pub(crate) fn add_to(engine: &mut Environment<'static>) {
    engine.add_filter("date", date);
    engine.add_filter("weekday", weekday);
    engine.add_filter("time", time);
    engine.add_filter("number", number);
    engine.add_filter("money", money);
    engine.add_filter("plural", plural);
}

fn locale(state: &State<'_, '_>) -> Locale {
    let language = state.lookup("language");
    let language = language.as_ref().and_then(Value::as_str);
    Locale::parse(language.unwrap_or("en"))
}

/// `{{ day | date }}`, `{{ day | date('full') }}`: short, medium, long (the default) or full.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over so"
)]
fn date(state: &State<'_, '_>, value: &Value, style: Option<String>) -> Result<String, Error> {
    let Some(date) = date_of(value) else {
        return Ok(as_is(value));
    };
    let style = match style.as_deref() {
        Some("short") => DateStyle::Short,
        Some("medium") => DateStyle::Medium,
        Some("long") | None => DateStyle::Long,
        Some("full") => DateStyle::Full,
        Some(_) => {
            let message = "a date is short, medium, long or full";
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
    };
    Ok(locale(state).date(date, style))
}

/// `{{ day | weekday }}`.
fn weekday(state: &State<'_, '_>, value: &Value) -> String {
    date_of(value).map_or_else(|| as_is(value), |date| locale(state).weekday(date))
}

/// `{{ at | time }}`: of a time, or of a date with one.
fn time(state: &State<'_, '_>, value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let with_date = text.parse::<DateTime>().ok().map(DateTime::time);
    let time = text.parse::<Time>().ok().or(with_date);
    time.map_or_else(|| as_is(value), |time| locale(state).time(time))
}

/// `{{ total | number }}`, `{{ total | number(2) }}`.
fn number(state: &State<'_, '_>, value: &Value, decimals: Option<u8>) -> String {
    number_of(value).map_or_else(
        || as_is(value),
        |number| locale(state).number(number, decimals.map(|most| most.min(9))),
    )
}

/// `{{ total | money('EUR') }}`.
fn money(state: &State<'_, '_>, value: &Value, currency: &str) -> String {
    number_of(value).map_or_else(
        || as_is(value),
        |number| locale(state).money(number, currency),
    )
}

/// `{{ cakes | plural(one='cake', other='cakes') }}`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over so"
)]
fn plural(state: &State<'_, '_>, value: &Value, forms: Kwargs) -> Result<String, Error> {
    let form = locale(state).plural(number_of(value).unwrap_or_default());
    let text: Option<String> = forms.get(form)?;
    let other: Option<String> = forms.get("other")?;
    for known in ["zero", "one", "two", "few", "many"] {
        let _: Option<String> = forms.get(known)?;
    }
    forms.assert_all_used()?;
    text.or(other).ok_or_else(|| {
        let message = "a plural needs the form `other`";
        Error::new(ErrorKind::MissingArgument, message)
    })
}

/// Writes a value that a filter cannot read: unchanged, or empty if it is undefined.
fn as_is(value: &Value) -> String {
    if value.is_undefined() || value.is_none() {
        String::new()
    } else {
        value.to_string()
    }
}

fn date_of(value: &Value) -> Option<Date> {
    let text = value.as_str()?;
    let with_time = text.parse::<DateTime>().ok().map(DateTime::date);
    text.parse::<Date>().ok().or(with_time)
}

fn number_of(value: &Value) -> Option<f64> {
    let text = value.as_str().and_then(|text| text.trim().parse().ok());
    let number = text.or_else(|| f64::try_from(value.clone()).ok());
    number.filter(|number: &f64| number.is_finite())
}
