//! Reads a message as the answer to a question.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::engine::context::TurnContext;
use crate::engine::render::variables::{Variables, language_of};
use crate::message::{Content, Inbound};
use crate::rules::{Accept, Choice, Step, button_id};
use crate::text::locale::Locale;
use crate::text::normalize::NormalizedText;
use crate::text::{country, parse};

/// The answer as a value that texts and expressions can use, or why the message is none.
pub(crate) fn read(
    ctx: &TurnContext<'_>,
    step: &Step,
    message: &Inbound,
    choice: Option<&str>,
    variables: &Variables<'_>,
) -> Result<Value, String> {
    let content = &message.content;
    if matches!(step.accept, Accept::Choice) {
        return chosen(step, content, choice, variables);
    }
    if let Accept::Location = step.accept {
        return location(content);
    }
    if let Accept::Media = step.accept {
        return media(content);
    }
    let said = content
        .text_or_label()
        .map(str::trim)
        .filter(|said| !said.is_empty());
    let said = said.ok_or("it has no words")?;
    let language = language_of(ctx.rules, &ctx.turn.state);
    let digits = ctx.contact.identity.wa_id();
    let own = digits.and_then(|digits| country::from_phone(digits.as_str()));
    let locale = || Locale::parse(language).written_in(own);
    let found = match &step.accept {
        Accept::Text => Some(Value::from(said)),
        Accept::Number => locale().read_number(said).map(number),
        Accept::Email => parse::read_email(said).map(Value::from),
        Accept::Phone => {
            parse::read_phone(said, own).map(|digits| Value::from(format!("+{digits}")))
        }
        Accept::Date => {
            let zone = ctx.rules.bot.timezone.clone();
            let today = ctx.now.to_zoned(zone).date();
            let date = locale().read_date(said, today);
            date.map(|date| Value::from(date.to_string()))
        }
        Accept::Time => {
            let time = locale().read_time(said);
            time.map(|time| Value::from(time.strftime("%H:%M").to_string()))
        }
        Accept::Regex(pattern) => matched(pattern, said),
        Accept::Choice | Accept::Location | Accept::Media | Accept::Nothing => None,
    };
    found.ok_or_else(|| format!("no {} in it", step.accept.name()))
}

/// Whole numbers without a point.
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

/// A tap on one of the choices, or its title or number in writing.
fn chosen(
    step: &Step,
    content: &Content,
    choice: Option<&str>,
    variables: &Variables<'_>,
) -> Result<Value, String> {
    let title = |choice: &Choice| variables.render(&choice.title).unwrap_or_default();
    let value = |choice: &Choice| json!({ "id": choice.id, "title": title(choice) });
    let tapped = choice.or_else(|| content.button().map(button_id::owner_id));
    if let Some(id) = tapped {
        let found = step.choices.iter().find(|choice| choice.id == id);
        return found
            .map(value)
            .ok_or_else(|| format!("`{id}` is none of the choices"));
    }
    let said = content.typed_text().ok_or("it has no words")?;
    let folded = NormalizedText::new(said);
    let is = |text: &str| NormalizedText::new(text) == folded;
    let titled = step
        .choices
        .iter()
        .find(|choice| is(&title(choice)) || is(&choice.id));
    if let Some(choice) = titled {
        return Ok(value(choice));
    }
    if let Some(number) = alone(said) {
        let found = by_number(step, &number, title);
        let none = || "it is none of the choices".to_owned();
        return found.map(value).ok_or_else(none);
    }
    // A sentence that names exactly one of them is clear enough.
    let named = |choice: &&Choice| {
        let phrase = crate::text::normalize::Phrase::parse(&title(choice));
        phrase.is_some_and(|phrase| folded.has(&phrase))
    };
    let mut named = step.choices.iter().filter(named);
    match (named.next(), named.next()) {
        (Some(choice), None) => Ok(value(choice)),
        _ => Err("it is none of the choices".to_owned()),
    }
}

/// The choice that a number stands for. Of 2 kg, 4 kg and 6 kg a "2" is the first; the place counts
/// only where no title has a number.
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
    let has = |choice: &&Choice| numbers(choice).iter().any(|one| one == number);
    let mut with = step.choices.iter().filter(has);
    let one = with.next();
    one.filter(|_| with.next().is_none())
}

/// The numbers in a text, as digits with a point before decimals.
fn numbers_in(text: &str) -> Vec<String> {
    static NUMBER: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new(r"\d+(?:[.,]\d+)*").expect("the pattern is fixed"));
    let text = parse::western(text);
    let found = NUMBER.find_iter(&text);
    found
        .map(|number| number.as_str().replace(',', "."))
        .collect()
}

/// The number that is all of a text but for signs around it.
fn alone(text: &str) -> Option<String> {
    let mut numbers = numbers_in(text);
    let other = text.chars().any(char::is_alphabetic);
    (numbers.len() == 1 && !other).then(|| numbers.remove(0))
}

/// What a pattern found; with named groups, an object of them beside the whole text.
fn matched(pattern: &regex::Regex, said: &str) -> Option<Value> {
    let found = pattern.captures(said)?;
    let whole = found.get(0)?.as_str();
    let groups = pattern.capture_names().flatten();
    let groups = groups.filter_map(|name| {
        let group = found.name(name)?;
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
