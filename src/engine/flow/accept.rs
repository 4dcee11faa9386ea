//! Reads a message as the answer to a question.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::engine::context::TurnContext;
use crate::engine::render::variables::{Variables, language_of};
use crate::message::{Content, Inbound};
use crate::rules::{Accept, Choice, Step, button_id};
use crate::text::locale::Locale;
use crate::text::normalize::{NormalizedText, Phrase};
use crate::text::parse::Place;
use crate::text::{country, parse};

/// Reads an answer as a value for texts and expressions; the error is the reason why the message is
/// no answer.
pub(crate) fn read(
    ctx: &TurnContext<'_>,
    step: &Step,
    message: &Inbound,
    choice: Option<&str>,
    variables: &Variables<'_>,
) -> Result<Value, String> {
    let content = &message.content;
    let text = || {
        let text = content.text_or_label().map(str::trim);
        text.filter(|text| !text.is_empty())
            .ok_or("it has no words")
    };
    let language = language_of(ctx.rules, &ctx.turn.state);
    let digits = ctx.contact.identity.wa_id();
    let country = digits.and_then(|digits| country::from_phone(digits.as_str()));
    let locale = || Locale::parse(language).written_in(country);
    let value = match &step.accept {
        Accept::Choice => return chosen(step, content, choice, &locale(), variables),
        Accept::Location => return location(content),
        Accept::Media => return media(content),
        Accept::Text => Some(Value::from(text()?)),
        Accept::Number => locale().read_number(text()?).map(number),
        Accept::Email => parse::read_email(text()?).map(Value::from),
        Accept::Phone => {
            let digits = parse::read_phone(text()?, country);
            digits.map(|digits| Value::from(format!("+{digits}")))
        }
        Accept::Date => {
            let zone = ctx.rules.bot.timezone.clone();
            let today = ctx.now.to_zoned(zone).date();
            let date = locale().read_date(text()?, today);
            date.map(|date| Value::from(date.to_string()))
        }
        Accept::Time => {
            let time = locale().read_time(text()?);
            time.map(|time| Value::from(time.strftime("%H:%M").to_string()))
        }
        Accept::Regex(pattern) => matched(pattern, text()?),
        Accept::Nothing => text().map(|_| None)?,
    };
    value.ok_or_else(|| format!("no {} in it", step.accept.name()))
}

/// Makes a value of a number; whole numbers have no decimal point.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it is whole and far below the limit"
)]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}

/// Finds the choice that was tapped, or whose title or number was written.
fn chosen(
    step: &Step,
    content: &Content,
    choice: Option<&str>,
    locale: &Locale,
    variables: &Variables<'_>,
) -> Result<Value, String> {
    let title = |choice: &Choice| variables.render(&choice.title).unwrap_or_default();
    let value = |choice: &Choice| json!({ "id": choice.id, "title": title(choice) });
    let mut choices = step.choices.iter();
    let tapped = choice.or_else(|| content.button().map(button_id::owner_id));
    if let Some(id) = tapped {
        let choice = choices.find(|choice| choice.id == id);
        let unknown = || format!("`{id}` is none of the choices");
        return choice.map(value).ok_or_else(unknown);
    }
    let text = content.typed_text().ok_or("it has no words")?;
    let choice = meant(step, text, locale, title);
    let unknown = || "it is none of the choices".to_owned();
    choice.map(value).ok_or_else(unknown)
}

/// Finds the only choice that a text can mean: by its title, its id, one of its words, its number,
/// or a yes or no.
fn meant<'a>(
    step: &'a Step,
    text: &str,
    locale: &Locale,
    title: impl Fn(&Choice) -> String,
) -> Option<&'a Choice> {
    let normalized = NormalizedText::new(text);
    let is = |text: &str| NormalizedText::new(text) == normalized;
    let is_word = |choice: &Choice| choice.words.iter().any(|word| normalized.is(word));
    let mut choices = step.choices.iter();
    let exact = choices.find(|choice| is(&title(choice)) || is(&choice.id) || is_word(choice));
    if exact.is_some() {
        return exact;
    }
    if let Some(number) = sole_number(text) {
        return by_number(step, &number, &title);
    }
    let only = |is_meant: &dyn Fn(&Choice) -> bool| {
        sole(step.choices.iter().filter(|choice| is_meant(choice)))
    };
    let says = |choice: &Choice| {
        let title = Phrase::parse(&title(choice));
        let mut phrases = title.iter().chain(&choice.words);
        phrases.any(|phrase| locale.says(&normalized, phrase))
    };
    let abridges =
        |choice: &Choice| locale.abridges(&normalized, &NormalizedText::new(&title(choice)));
    let consent = locale.consent(&normalized);
    let consents = |choice: &Choice| {
        consent.is_some() && consent == locale.consent(&NormalizedText::new(&title(choice)))
    };
    let placed = || match locale.place(&normalized)? {
        Place::Ordinal(place) => step.choices.get(usize::from(place).checked_sub(1)?),
        Place::Number(number) => by_number(step, &number.to_string(), &title),
    };
    // "2kg, please" of 2 kg and 4 kg.
    let counted = || {
        let is_counted = |choice: &Choice| !numbers_in(&title(choice)).is_empty();
        let number = locale.read_number(text)?.to_string();
        by_number(step, &number, &title).filter(|choice| is_counted(choice))
    };
    only(&says)
        .or_else(|| only(&abridges))
        .or_else(placed)
        .or_else(counted)
        .or_else(|| only(&consents))
}

/// The only item; `None` when there are several.
fn sole<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let item = items.next();
    item.filter(|_| items.next().is_none())
}

/// Finds the choice that a number stands for. Of 2 kg, 4 kg and 6 kg, "2" is the first; the place
/// in the list counts only if no title has a number.
fn by_number<'a>(
    step: &'a Step,
    number: &str,
    title: impl Fn(&Choice) -> String,
) -> Option<&'a Choice> {
    let numbers = |choice: &Choice| numbers_in(&title(choice));
    if step.choices.iter().all(|choice| numbers(choice).is_empty()) {
        let place: usize = number.parse().ok()?;
        return step.choices.get(place.checked_sub(1)?);
    }
    let has = |choice: &&Choice| numbers(choice).iter().any(|other| other == number);
    sole(step.choices.iter().filter(has))
}

/// Finds the numbers in a text, as digits with a point before decimals.
fn numbers_in(text: &str) -> Vec<String> {
    static NUMBER: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new(r"\d+(?:[.,]\d+)*").expect("the pattern is fixed"));
    let text = parse::western(text);
    let numbers = NUMBER.find_iter(&text);
    let numbers = numbers.map(|number| number.as_str().replace(',', "."));
    numbers.collect()
}

/// Finds the number of a text that has nothing else but signs.
fn sole_number(text: &str) -> Option<String> {
    let mut numbers = numbers_in(text);
    let other = text.chars().any(char::is_alphabetic);
    (numbers.len() == 1 && !other).then(|| numbers.remove(0))
}

/// Matches a pattern: gives the matched text, or an object of the named groups and the `text`.
fn matched(pattern: &regex::Regex, text: &str) -> Option<Value> {
    let captures = pattern.captures(text)?;
    let whole = captures.get(0)?.as_str();
    let groups = pattern.capture_names().flatten();
    let groups = groups.filter_map(|name| {
        let group = captures.name(name)?;
        Some((name.to_owned(), Value::from(group.as_str())))
    });
    let mut groups: Map<String, Value> = groups.collect();
    if groups.is_empty() {
        return Some(Value::from(whole));
    }
    groups.insert("text".to_owned(), Value::from(whole));
    Some(Value::Object(groups))
}

fn location(content: &Content) -> Result<Value, String> {
    let Content::Location {
        latitude,
        longitude,
        name,
        address,
    } = content
    else {
        return Err("it is no place".to_owned());
    };
    Ok(json!({ "latitude": latitude, "longitude": longitude, "name": name, "address": address }))
}

fn media(content: &Content) -> Result<Value, String> {
    let media = content.media().ok_or("no file came with it")?;
    let kind = content.kind_name();
    Ok(
        json!({ "type": kind, "id": media.id, "mime_type": media.mime_type, "caption": media.caption }),
    )
}
