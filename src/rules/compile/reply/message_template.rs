//! Reads message templates and compares them with those fetched from Meta.

use super::media::HEADERS;
use super::{Fixed, ReplyReader};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::optional::{optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Table, quoted};
use crate::diagnostics::{codes, suggest};
use crate::message::{
    Header, HeaderShape, Localized, Outbound, ProductList, TemplateButton, TemplateCard,
    TemplateMessage, TemplateParameter, TemplateShape,
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
        const KEYS: [&str; 7] = [
            "name",
            "language",
            "header",
            "body",
            "limited_time_offer",
            "buttons",
            "cards",
        ];
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
        let offer = optional(table.get("limited_time_offer"), |field| self.offer(&field));
        let mut template = TemplateMessage {
            name: name?,
            language: language?,
            header: header.ok()?,
            header_name,
            offer_expiration_ms: offer.ok()?,
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
            let (text, localized) = self.value(&format!("{part}[{index}]"), value)?;
            Some(TemplateParameter {
                name: named.then(|| value.name.to_owned()),
                text,
                localized,
            })
        })
    }

    /// A text, or a table with `currency` or `date_time`.
    fn value(
        &mut self,
        part: &str,
        field: &Field<'d>,
    ) -> Option<(Template, Option<Localized<Template>>)> {
        if !field.is_table() || text::is_in_languages(field, &[]) {
            return Some((self.template(part, field)?, None));
        }
        let table = self.reader.table(field, &["currency", "date_time"])?;
        match (table.get("currency"), table.get("date_time")) {
            (Some(currency), None) => {
                const KEYS: [&str; 3] = ["fallback_value", "code", "amount_1000"];
                let table = self.reader.table(&currency, &KEYS)?;
                let text = self.required_template(&table, "fallback_value", part);
                let code = self.required_template(&table, "code", &format!("{part}.code"));
                let amount = self.reader.required(&table, "amount_1000");
                let amount =
                    amount.and_then(|field| self.number(&format!("{part}.amount_1000"), &field));
                let (code, amount_1000) = (code?, amount?);
                Some((text?, Some(Localized::Currency { code, amount_1000 })))
            }
            (None, Some(time)) => {
                let table = self.reader.table(&time, &["fallback_value"])?;
                let text = self.required_template(&table, "fallback_value", part)?;
                Some((text, Some(Localized::DateTime)))
            }
            (Some(first), Some(second)) => {
                self.mixed(&first, &second);
                None
            }
            (None, None) if table.has_unknown() => None,
            (None, None) => self
                .reader
                .wrong_type(field, "a text, or a table with `currency` or `date_time`"),
        }
    }

    /// A whole number, or a text with variables that gives one.
    fn number(&mut self, part: &str, field: &Field<'d>) -> Option<Template> {
        match field.plain() {
            Some(number) if number.is_i64() => {
                self.part(part, &field.span, Fixed::Yes);
                Template::parse(&number.to_string(), &self.known.scope()).ok()
            }
            Some(_) => self.reader.wrong_type(field, "a whole number"),
            None => self.template(part, field),
        }
    }

    /// Reads the end of a limited-time offer.
    fn offer(&mut self, field: &Field<'d>) -> Option<Template> {
        let table = self.reader.table(field, &["expiration_time_ms"])?;
        let end = self.reader.required(&table, "expiration_time_ms")?;
        self.number("template.limited_time_offer", &end)
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
        const KEYS: [&str; 6] = ["payload", "url", "code", "form", "catalog", "products"];
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
        let part = format!("{part}[{index}]");
        Some(vec![match value.name {
            "payload" => TemplateButton::Payload(index, self.template(&part, value)?),
            "url" => TemplateButton::Url(index, self.read(&part, value, Reading::LinkEnd)?),
            "code" => TemplateButton::Code(index, self.template(&part, value)?),
            "form" => self.template_form(&part, index, value)?,
            "catalog" => {
                let table = self.reader.table(value, &["thumbnail"])?;
                let product = self.required_template(&table, "thumbnail", &part);
                TemplateButton::Catalog(index, product?)
            }
            _ => TemplateButton::Products(index, self.product_list(&part, value)?),
        }])
    }

    /// A token, or a table with `token` and the `data` of the first screen.
    fn template_form(
        &mut self,
        part: &str,
        index: usize,
        field: &Field<'d>,
    ) -> Option<TemplateButton<Template>> {
        if !field.is_table() || text::is_in_languages(field, &[]) {
            let token = self.form_token(part, field)?;
            return Some(TemplateButton::Form(index, token, Vec::new()));
        }
        let table = self.reader.table(field, &["token", "data"])?;
        let token = self.reader.required(&table, "token");
        let token = token.and_then(|field| self.form_token(part, &field));
        let data = or_default(table.get("data"), |field| {
            self.form_data(&format!("{part}.data"), &field)
        });
        Some(TemplateButton::Form(index, token?, data?))
    }

    /// Reads the token of a form, which rules tell forms apart by.
    fn form_token(&mut self, part: &str, field: &Field<'d>) -> Option<Template> {
        let token = self.template(part, field);
        let constant = token.as_ref().and_then(super::constant);
        self.reader.form_tokens.push(constant);
        token
    }

    fn product_list(&mut self, part: &str, field: &Field<'d>) -> Option<ProductList<Template>> {
        let table = self.reader.table(field, &["thumbnail", "sections"])?;
        let thumbnail = self.required_template(&table, "thumbnail", part);
        let sections = self.reader.required(&table, "sections")?;
        let sections = self.each(
            &format!("{part}.sections"),
            &sections,
            Self::product_section,
        );
        Some(ProductList {
            thumbnail: thumbnail?,
            sections: sections?,
        })
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
        if shape.state().is_stopped() {
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
