//! Reads message templates and compares them with those fetched from Meta.

use super::media::HEADERS;
use super::{Fixed, ReplyReader};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::optional::{optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Table, quoted};
use crate::diagnostics::{codes, suggest};
use crate::message::{
    Header, HeaderShape, Outbound, TemplateButton, TemplateCard, TemplateMessage,
    TemplateParameter, TemplateShape,
};
use crate::rules::compile::text::{self, Reading};
use crate::template::Template;

const PLACE_KEYS: [&str; 4] = ["latitude", "longitude", "name", "address"];

/// The value of a header that is written with the name of its variable: `{ customer = "Ana" }`. A
/// name that is a language too is one only where the template is known to have it.
fn named_value<'d>(field: &Field<'d>, is_variable: impl Fn(&str) -> bool) -> Option<Field<'d>> {
    let mut entries = field.entries();
    let entry = entries.pop().filter(|_| entries.is_empty())?;
    let is_file = HEADERS.contains(&entry.name) || entry.name == "location";
    let is_language = text::is_in_languages(field, &HEADERS);
    (is_variable(entry.name) || !is_file && !is_language).then_some(entry)
}

impl<'d> ReplyReader<'_, '_, 'd> {
    pub(crate) fn message_template(&mut self, content: &Field<'d>) -> Option<Outbound<Template>> {
        const KEYS: [&str; 6] = ["name", "language", "header", "body", "buttons", "cards"];
        let table = self.reader.table(content, &KEYS)?;
        for name in ["name", "language"] {
            if let Some(field) = table.get(name) {
                self.part(&format!("template.{name}"), &field.span, Fixed::Yes);
            }
        }
        let name = self.required_name(&table, "name");
        let language = self.required_name(&table, "language");
        let mut header_name = None;
        let header = optional(table.get("header"), |field| {
            let is_variable = |key: &str| self.is_header_variable((&name, &language), key);
            let value = named_value(&field, is_variable);
            header_name = value.as_ref().map(|value| value.name.to_owned());
            match value {
                Some(value) => self.template("template.header", &value).map(Header::Text),
                None => self.template_header(&field),
            }
        });
        let body = or_default(table.get("body"), |field| {
            self.parameters("template.body", &field)
        });
        let buttons = or_default(table.get("buttons"), |field| {
            self.template_buttons("template.buttons", &field)
        });
        let cards = or_default(table.get("cards"), |field| {
            self.each("template.cards", &field, Self::template_card)
        });
        let mut template = TemplateMessage {
            name: name?,
            language: language?,
            header: header.ok()?,
            header_name,
            authentication: false,
            body: body?,
            buttons: buttons?,
            cards: cards?,
        };
        self.compare(&table, &mut template);
        Some(Outbound::Template(template))
    }

    /// Whether the fetched template has a variable of this name in its header.
    fn is_header_variable(
        &self,
        (name, language): (&Option<String>, &Option<String>),
        variable: &str,
    ) -> bool {
        let mut shapes = self
            .known
            .templates
            .into_iter()
            .flat_map(|file| &file.templates);
        let is_meant = |shape: &&TemplateShape| {
            Some(&shape.name) == name.as_ref() && Some(&shape.language) == language.as_ref()
        };
        shapes.find(is_meant).is_some_and(|shape| {
            matches!(&shape.header, Some(HeaderShape::Text(names)) if shape.named && names.iter().any(|name| name == variable))
        })
    }

    /// A text, a file, or a place.
    fn template_header(&mut self, field: &Field<'d>) -> Option<Header<Template>> {
        let place = field
            .entries()
            .into_iter()
            .find(|key| key.name == "location");
        let Some(place) = place else {
            if field.is_string() || text::is_in_languages(field, &HEADERS) {
                return self.template("template.header", field).map(Header::Text);
            }
            return self.header(field);
        };
        let table = self.reader.table(&place, &PLACE_KEYS)?;
        let mut text = |name: &str| self.required_template(&table, name, "template.header");
        let (latitude, longitude) = (text("latitude"), text("longitude"));
        let (name, address) = (text("name"), text("address"));
        Some(Header::Place {
            latitude: latitude?,
            longitude: longitude?,
            name: name?,
            address: address?,
        })
    }

    /// Values in order, or by name.
    fn parameters(
        &mut self,
        part: &str,
        field: &Field<'d>,
    ) -> Option<Vec<TemplateParameter<Template>>> {
        self.part(part, &field.span, Fixed::Yes);
        let named = field.is_table();
        let values = if named {
            field.entries()
        } else {
            self.reader.list(field)?
        };
        read_each(values.iter().enumerate(), |(index, value)| {
            Some(TemplateParameter {
                name: named.then(|| value.name.to_owned()),
                text: self.template(&format!("{part}[{index}]"), value)?,
            })
        })
    }

    /// One table for each button that takes a value; `{}` passes over one that takes none.
    fn template_buttons(
        &mut self,
        part: &str,
        field: &Field<'d>,
    ) -> Option<Vec<TemplateButton<Template>>> {
        self.part(part, &field.span, Fixed::Yes);
        let buttons = self.reader.list(field)?;
        let buttons = read_each(buttons.iter().enumerate(), |(index, field)| {
            self.template_button(part, index, field)
        });
        Some(buttons?.into_iter().flatten().collect())
    }

    /// Reads the value of one button; none for `{}`.
    fn template_button(
        &mut self,
        part: &str,
        index: usize,
        field: &Field<'d>,
    ) -> Option<Vec<TemplateButton<Template>>> {
        const KEYS: [&str; 4] = ["payload", "url", "code", "form"];
        let table = self.reader.table(field, &KEYS)?;
        let values: Vec<Field<'d>> = KEYS.iter().filter_map(|key| table.get(key)).collect();
        let value = match values.as_slice() {
            [] if table.has_unknown() => return None,
            [] => return Some(Vec::new()),
            [value] => value,
            [first, second, ..] => {
                self.mixed(first, second);
                return None;
            }
        };
        if value.name == "payload"
            && let Some(id) = self.reader.string(value)
        {
            self.offered.push(super::Offer {
                id,
                go: None,
                words: Vec::new(),
            });
        }
        let reading = match value.name {
            "url" => Reading::LinkEnd,
            _ => Reading::Text,
        };
        let text = self.read(&format!("{part}[{index}]"), value, reading)?;
        Some(vec![match value.name {
            "payload" => TemplateButton::Payload(index, text),
            "url" => TemplateButton::Url(index, text),
            "code" => TemplateButton::Code(index, text),
            _ => TemplateButton::Form(index, text),
        }])
    }

    fn template_card(&mut self, part: &str, field: &Field<'d>) -> Option<TemplateCard<Template>> {
        let table = self
            .reader
            .table(field, &["image", "video", "body", "buttons"])?;
        let media = self.one_file(&table, &["image", "video"], "a card");
        let body = or_default(table.get("body"), |field| {
            self.parameters(&format!("{part}.body"), &field)
        });
        let buttons = or_default(table.get("buttons"), |field| {
            self.template_buttons(&format!("{part}.buttons"), &field)
        });
        Some(TemplateCard {
            media: media?,
            body: body?,
            buttons: buttons?,
        })
    }

    /// Compares a template with the fetched one, and completes it.
    fn compare(&mut self, table: &Table<'d>, template: &mut TemplateMessage<Template>) {
        let span = |key: &str| {
            table
                .get(key)
                .map_or_else(|| table.span.clone(), |field| field.span)
        };
        let Some(file) = self.known.templates else {
            let message = format!("the template `{}` could not be checked", template.name);
            self.reader.report(
                Diagnostic::warning(codes::DOUBTFUL_TEMPLATE, span("name"), message)
                    .help("fetch the account's templates once: `replyd templates sync`".to_owned()),
            );
            return;
        };
        let of_name = || {
            file.templates
                .iter()
                .filter(|shape| shape.name == template.name)
        };
        let Some(shape) = of_name().find(|shape| shape.language == template.language) else {
            let languages: Vec<&str> = of_name().map(|shape| shape.language.as_str()).collect();
            let (key, message, help) = if languages.is_empty() {
                let names = file.templates.iter().map(|shape| shape.name.as_str());
                let help = suggest::did_you_mean(&template.name, names);
                (
                    "name",
                    format!("there is no template `{}`", template.name),
                    help,
                )
            } else {
                let message = format!("`{}` has no `{}`", template.name, template.language);
                let help = format!("it has {}", quoted(&languages));
                ("language", message, Some(help))
            };
            let again = "fetch them again with `replyd templates sync`".to_owned();
            self.reader.report(
                Diagnostic::error(codes::MESSAGE_TEMPLATE, span(key), message)
                    .label(format!("not among those of {}", file.synced_at))
                    .help(help.unwrap_or(again)),
            );
            return;
        };
        if shape.status != "APPROVED" {
            let message = format!("the template `{}` is {}", shape.name, shape.status);
            self.reader.report(
                Diagnostic::warning(codes::DOUBTFUL_TEMPLATE, span("name"), message)
                    .label("Meta sends only approved ones"),
            );
        }
        shape.complete(template);
        for (key, message) in shape.differences(template) {
            let error = Diagnostic::error(codes::MESSAGE_TEMPLATE, span(key), message);
            self.reader.report(error);
        }
    }
}
