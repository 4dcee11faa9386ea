//! Shows a message template as a phone does, with the values that a send must give.

use crate::cli::terminal::table::{coloured, pairs};
use crate::cli::terminal::{self, DIM, LITERAL, STRONG, WARN, bubble, paint};
use crate::message::{HeaderShape, counted};
use crate::whatsapp::account_api::templates::{self, Component, Template, TemplateButton};

/// Formats one template in one language.
pub(super) fn template(template: &Template) -> String {
    let mut parts = vec![title(template)];
    if !matches!(template.rejected_reason.as_str(), "" | "NONE") {
        let reason = terminal::one_line(&template.rejected_reason);
        parts.push(paint!(WARN, "rejected: {reason}"));
    }
    parts.push(String::new());
    parts.push(bubble::framed(&text(template)));
    let needed = needed(template);
    if !needed.is_empty() {
        parts.push(format!("\n{}", paint(STRONG, "A send must give")));
        parts.push(pairs(&needed));
    }
    parts.join("\n")
}

fn title(template: &Template) -> String {
    let words = [&template.language, &template.category, &template.id];
    let words = words.map(|word| terminal::one_line(word)).join(" · ");
    format!(
        "{} · {} {}",
        paint(STRONG, terminal::one_line(&template.name)),
        coloured(&template.status),
        paint!(DIM, "· {words}")
    )
}

/// Its parts in the order a phone shows them.
fn text(template: &Template) -> String {
    let in_brackets = |word: &str| paint!(DIM, "[{}]", terminal::one_line(word).to_lowercase());
    let mut lines = Vec::new();
    for part in &template.components {
        match part.kind.to_ascii_uppercase().as_str() {
            "HEADER" if part.text.is_empty() => lines.push(in_brackets(&part.format)),
            "HEADER" => lines.push(paint(STRONG, terminal::visible(&part.text))),
            "FOOTER" => lines.push(paint(DIM, terminal::visible(&part.text))),
            "BUTTONS" => lines.extend(part.buttons.iter().map(button)),
            "CAROUSEL" => lines.push(paint!(DIM, "[{}]", counted(part.cards.len(), "card"))),
            _ if part.text.is_empty() => lines.push(in_brackets(&part.kind)),
            _ => lines.push(terminal::visible(&part.text)),
        }
    }
    lines.join("\n")
}

fn button(button: &TemplateButton) -> String {
    let leads = [&button.url, &button.phone_number];
    let leads = leads.into_iter().find(|leads| !leads.is_empty());
    let leads = leads.map(|leads| paint!(DIM, " → {}", terminal::one_line(leads)));
    let label = paint!(LITERAL, "[{}]", terminal::one_line(&button.text));
    format!("{label}{}", leads.unwrap_or_default())
}

/// Values that a send must give, in order.
fn needed(template: &Template) -> Vec<(&'static str, String)> {
    let shape = templates::shape(template);
    let mut needed = Vec::new();
    let of = |kind: &str| template.part(kind).map(values).unwrap_or_default();
    match shape.header {
        Some(HeaderShape::Text(_)) => needed.push(("header", of("HEADER"))),
        Some(HeaderShape::Image) => needed.push(("header", "an image".to_owned())),
        Some(HeaderShape::Video) => needed.push(("header", "a video".to_owned())),
        Some(HeaderShape::Document) => needed.push(("header", "a document".to_owned())),
        Some(HeaderShape::Location) => needed.push(("header", "a location".to_owned())),
        None => {}
    }
    needed.push(("text", of("BODY")));
    let buttons = template.buttons().iter().enumerate();
    let values = buttons
        .filter(|(_, button)| button.needs_value())
        .map(|(index, button)| {
            let what = if button.url.is_empty() {
                "the code to copy"
            } else {
                "the end of the address"
            };
            format!("{}: {what}", index + 1)
        });
    needed.push(("button", values.collect::<Vec<_>>().join("\n")));
    if shape.cards > 0 {
        needed.push((
            "cards",
            format!("{}, each with its own values", shape.cards),
        ));
    }
    needed.retain(|(_, value)| !value.is_empty());
    needed
}

/// Each variable of a part, with the example that Meta was given.
fn values(part: &Component) -> String {
    let examples = part.examples();
    let lines: Vec<String> = templates::variables(&part.text)
        .iter()
        .enumerate()
        .map(|(index, variable)| {
            let example = examples
                .get(index)
                .map(|example| paint!(DIM, ", such as {}", terminal::one_line(example)));
            format!(
                "{}{}",
                terminal::one_line(variable),
                example.unwrap_or_default()
            )
        })
        .collect();
    lines.join("\n")
}
