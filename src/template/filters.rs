//! Filters: the engine's own, which see every value in words, and those that write in the contact's
//! language: dates, times, numbers, money, plurals.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};
use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, filters};

use super::typed::WEEKDAYS;
use super::words::words;
use crate::message::limits;

use crate::text::locale::{DateStyle, Locale, decimals};

/// Adds the filters to an engine.
pub(crate) fn add_to(engine: &mut Environment<'static>) {
    macro_rules! of_values {
        ($($name:ident)*) => { $(engine.add_filter(stringify!($name), filters::$name);)* };
    }
    // The engine's filters for texts would write `True`, `None` and lists as Python does.
    macro_rules! of_texts {
        ($($name:ident)*) => {$(
            engine.add_filter(concat!("engine_", stringify!($name)), filters::$name);
            engine.add_filter(
                stringify!($name),
                |state: &mut State<'_, '_>, value: &Value, more: Rest<Value>| {
                    let name = concat!("engine_", stringify!($name));
                    with_engine(state, name, Value::from(words(value)), &more)
                },
            );
        )*};
    }
    of_values!(length int float round first last);
    of_texts!(upper lower title capitalize trim replace);
    engine.add_filter("engine_default", filters::default);
    engine.add_filter("default", default);
    engine.add_filter("engine_join", filters::join);
    engine.add_filter("join", join);
    engine.add_filter("truncate", truncate);
    engine.add_filter("address", address);
    engine.add_filter("date", date);
    engine.add_filter("weekday", weekday);
    engine.add_filter("weekday_name", weekday_name);
    // Only expressions are rewritten to these: `today + 1`, `answer - today`.
    engine.add_filter("plus_days", plus_days);
    engine.add_filter("days_since", days_since);
    engine.add_filter("time", time);
    engine.add_filter("number", number);
    engine.add_filter("money", money);
    engine.add_filter("plural", plural);
}

/// Error whose words are fixed, so that they may be shown wherever the failure is.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(&'static str);

pub(crate) fn refusal(sentence: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, sentence).with_source(Refusal(sentence))
}

/// Applies a filter of the engine to a value.
fn with_engine(
    state: &mut State<'_, '_>,
    name: &str,
    value: Value,
    more: &[Value],
) -> Result<Value, Error> {
    let values: Vec<Value> = std::iter::once(value).chain(more.iter().cloned()).collect();
    state.apply_filter(name, &values)
}

/// `{{ name | default('friend') }}`: also for `null`, which is no value.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over so"
)]
fn default(state: &mut State<'_, '_>, value: &Value, more: Rest<Value>) -> Result<Value, Error> {
    let value = if value.is_none() {
        Value::UNDEFINED
    } else {
        value.clone()
    };
    with_engine(state, "engine_default", value, &more)
}

/// `{{ sizes | join(' or ') }}`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over so"
)]
fn join(
    state: &mut State<'_, '_>,
    value: &Value,
    more: Rest<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    let by_attribute = more.len() > 1 || named.has("attribute");
    let value = if is_list && !by_attribute {
        let elements = value.try_iter()?.map(|element| words(&element));
        let elements = elements.filter(|element| !element.is_empty());
        elements.map(Value::from).collect()
    } else {
        value.clone()
    };
    let more: Vec<Value> = more.iter().cloned().chain([Value::from(named)]).collect();
    with_engine(state, "engine_join", value, &more)
}

/// `{{ message.text | truncate(20) }}`: at most so many characters, as WhatsApp counts them.
fn truncate(value: &Value, max: usize) -> String {
    let text = words(value);
    if limits::length(&text) <= max {
        return text;
    }
    let mut length = 1; // of the sign at the end
    let short: String = text
        .chars()
        .take_while(|character| {
            length += character.len_utf16();
            length <= max
        })
        .collect();
    format!("{}…", short.trim_end())
}

/// Marks a value that is a whole address, at the beginning of a link: it stays as it is.
fn address(value: &Value) -> Value {
    let text = words(value);
    let scheme = text.get(..8).unwrap_or(&text).to_ascii_lowercase();
    if scheme.starts_with("https://") || scheme.starts_with("http://") {
        Value::from_safe_string(text)
    } else {
        Value::from(text)
    }
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
        Some(_) => return Err(refusal("a date is short, medium, long or full")),
    };
    Ok(locale(state).date(date, style))
}

/// `{{ day | weekday }}`.
fn weekday(state: &State<'_, '_>, value: &Value) -> String {
    date_of(value).map_or_else(|| as_is(value), |date| locale(state).weekday(date))
}

/// `if = "day | weekday_name == 'saturday'"`: the same in every language.
fn weekday_name(value: &Value) -> Value {
    let date = date_of(value);
    date.map_or(Value::UNDEFINED, |date| {
        let index = date.weekday().to_monday_zero_offset();
        usize::try_from(index)
            .ok()
            .and_then(|index| WEEKDAYS.get(index))
            .map_or(Value::UNDEFINED, |name| Value::from(*name))
    })
}

/// The date some days later.
fn plus_days(value: &Value, days: i64) -> Value {
    let date = date_of(value).and_then(|date| date.checked_add(days.days()).ok());
    date.map_or(Value::UNDEFINED, |date| Value::from(date.to_string()))
}

/// The number of days from one date to another.
fn days_since(value: &Value, since: &Value) -> Value {
    let dates = date_of(value).zip(date_of(since));
    let days = dates.map(|(date, since)| (date - since).get_days());
    days.map_or(Value::UNDEFINED, Value::from)
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
fn money(state: &State<'_, '_>, value: &Value, currency: &str) -> Result<String, Error> {
    if decimals(currency).is_none() {
        return Err(refusal(
            "there is no such currency: write its code, like EUR",
        ));
    }
    let amount = number_of(value).map(|number| locale(state).money(number, currency));
    Ok(amount.unwrap_or_else(|| as_is(value)))
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
    text.or(other)
        .ok_or_else(|| refusal("a plural needs the form `other`"))
}

/// Writes a value that a filter cannot read: unchanged, or empty if it is undefined.
fn as_is(value: &Value) -> String {
    words(value)
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
