//! Outbound messages as text in a transcript.

use serde_json::Value;

use super::{
    Address, Button, Card, CardAction, Checkout, CheckoutStep, Commerce, ContactCard, Frame,
    Header, Media, MediaSource, Outbound, Row, TemplateMessage,
};

impl Outbound {
    /// Renders the message as text, with buttons in brackets on a line of their own.
    #[must_use]
    pub fn transcript_text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        match self {
            Self::Text { body, .. } => lines.push(body.clone()),
            Self::Buttons { frame, buttons } => {
                frame.lines(&mut lines);
                lines.push(labels(buttons));
            }
            Self::List {
                header,
                body,
                footer,
                button,
                sections,
            } => {
                lines.extend(header.as_ref().map(|text| format!("*{text}*")));
                lines.push(body.clone());
                lines.extend(footer.clone());
                lines.push(format!("[{button}]"));
                for section in sections {
                    lines.extend(section.title.as_ref().map(|title| format!("  {title}")));
                    lines.extend(section.rows.iter().map(Row::line));
                }
            }
            Self::Link { frame, link } => {
                frame.lines(&mut lines);
                lines.push(format!("[{}] {}", link.title, link.url));
            }
            Self::AskLocation { body } => {
                lines.extend([body.clone(), "[Send location]".to_owned()]);
            }
            Self::AskContact { body } => {
                lines.extend([body.clone(), "[Share contact info]".to_owned()]);
            }
            Self::Form { frame, form } => {
                frame.lines(&mut lines);
                lines.push(format!("[{}]", form.button));
            }
            Self::Commerce(commerce) => commerce.lines(&mut lines),
            Self::Checkout(checkout) => checkout.lines(&mut lines),
            Self::Carousel { body, cards } => {
                lines.push(body.clone());
                lines.extend(cards.iter().map(Card::line));
            }
            Self::Media(media) => lines.push(media.line()),
            Self::Location {
                latitude,
                longitude,
                name,
                address,
            } => {
                let point = format!("{latitude}, {longitude}");
                let parts = [name.as_deref(), address.as_deref(), Some(&point)];
                lines.push(labelled("location", parts.into_iter().flatten()));
            }
            Self::Contacts { cards } => lines.extend(cards.iter().map(ContactCard::line)),
            Self::Reaction { emoji } if emoji.is_empty() => {
                lines.push("[reaction removed]".to_owned());
            }
            Self::Reaction { emoji } => lines.push(format!("[reaction] {emoji}")),
            Self::Template(template) => lines.push(template.line()),
            Self::Raw(raw) => lines.push(labelled(raw.name(), raw.body())),
        }
        lines.join("\n")
    }
}

impl Frame {
    fn lines(&self, lines: &mut Vec<String>) {
        lines.extend(self.header.as_ref().map(Header::line));
        lines.push(self.body.clone());
        lines.extend(self.footer.clone());
    }
}

impl Commerce {
    fn lines(&self, lines: &mut Vec<String>) {
        match self {
            Self::Product {
                body,
                footer,
                product_id,
                ..
            } => {
                lines.extend(body.clone());
                lines.extend(footer.clone());
                lines.push(format!("[product] {product_id}"));
            }
            Self::Products {
                header,
                body,
                footer,
                sections,
                ..
            } => {
                lines.extend([format!("*{header}*"), body.clone()]);
                lines.extend(footer.clone());
                lines.push("[View items]".to_owned());
                for section in sections {
                    lines.extend(section.title.as_ref().map(|title| format!("  {title}")));
                    let products = section.products.iter();
                    lines.extend(products.map(|product| format!("  - {product}")));
                }
            }
            Self::ProductCarousel { body, products, .. } => {
                lines.push(body.clone());
                lines.extend(
                    products
                        .iter()
                        .map(|product| format!("  [product] {product}")),
                );
            }
            Self::Catalog { body, footer, .. } => {
                lines.push(body.clone());
                lines.extend(footer.clone());
                lines.push("[View catalog]".to_owned());
            }
        }
    }
}

impl Checkout {
    fn lines(&self, lines: &mut Vec<String>) {
        self.frame.lines(lines);
        let parameters = self.wire_parameters();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (reference, order) = (text(&parameters["reference_id"]), &parameters["order"]);
        match self.step {
            CheckoutStep::AddressMessage => lines.push("[Provide address]".to_owned()),
            CheckoutStep::OrderDetails => {
                let items = order["items"].as_array().into_iter().flatten();
                lines.extend(items.map(|item| {
                    let (name, quantity) = (text(&item["name"]), &item["quantity"]);
                    format!("  - {quantity} × {name} · {}", amount(&item["amount"]))
                }));
                let currency = text(&parameters["currency"]);
                let total = format!("{currency} {}", amount(&parameters["total_amount"]));
                lines.push(labelled("Review and pay", [&*reference, &*total]));
            }
            CheckoutStep::OrderStatus => {
                let (state, payment) = (text(&order["status"]), &parameters["payment"]);
                let description = text(&order["description"]);
                let paid = text(&payment["status"]);
                let paid = if paid.is_empty() {
                    paid
                } else {
                    format!("payment {paid}")
                };
                let parts = [&*reference, &*state, &*paid, &*description];
                lines.push(labelled("order", parts));
            }
        }
    }
}

/// Writes an amount of Meta's, `{ value = 1250, offset = 100 }`, as a decimal number.
fn amount(amount: &Value) -> String {
    let part = |key: &str| amount[key].as_f64();
    match (part("value"), part("offset")) {
        (Some(value), Some(offset)) if offset > 1.0 => format!("{:.2}", value / offset),
        (Some(value), Some(_)) => value.to_string(),
        _ => String::new(),
    }
}

impl Header {
    fn line(&self) -> String {
        match self {
            Self::Text(text) => format!("*{text}*"),
            Self::Media(media) => media.line(),
            Self::Place { name, address, .. } => format!("[location] {name} · {address}"),
        }
    }
}

impl Media {
    fn line(&self) -> String {
        let source = match &self.source {
            MediaSource::Link(link) => link,
            MediaSource::Id(id) => id,
        };
        let name = self.filename.as_ref().unwrap_or(source);
        let kind = self.kind.name();
        let label = if self.voice { "voice" } else { kind };
        format!("[{label}] {name}{}", second(self.caption.as_deref()))
    }
}

impl Row {
    fn line(&self) -> String {
        format!("  - {}{}", self.title, second(self.description.as_deref()))
    }
}

impl Card {
    fn line(&self) -> String {
        let text = second(self.body.as_deref());
        let actions = match &self.action {
            CardAction::Link(link) => format!("[{}] {}", link.title, link.url),
            CardAction::Buttons(buttons) => labels(buttons),
        };
        format!("  {}{text} {actions}", self.media.line())
    }
}

impl ContactCard {
    /// Renders the card as one line.
    pub(crate) fn line(&self) -> String {
        let phones = self.phones.iter().map(|phone| phone.phone.as_str());
        let emails = self.emails.iter().map(|email| email.email.as_str());
        let names = [Some(&*self.name), self.company.as_deref()];
        let addresses = self.addresses.iter().flat_map(Address::parts);
        let more = self.birthday.as_deref().into_iter().chain(addresses);
        let parts = names
            .into_iter()
            .flatten()
            .chain(phones)
            .chain(emails)
            .chain(more);
        labelled("contact", parts).trim_end().to_owned()
    }
}

impl Address {
    /// The parts that an envelope has.
    fn parts(&self) -> impl Iterator<Item = &str> {
        let parts = [
            &self.street,
            &self.zip,
            &self.city,
            &self.state,
            &self.country,
        ];
        parts.into_iter().flatten().map(String::as_str)
    }
}

impl TemplateMessage {
    /// Renders the parameters: only Meta has the whole text.
    fn line(&self) -> String {
        let body = self.body.iter().map(|parameter| match &parameter.name {
            Some(name) => format!("{name}: {}", parameter.text),
            None => parameter.text.clone(),
        });
        let parts: Vec<String> = self.header.iter().map(Header::line).chain(body).collect();
        let (name, language, parts) = (&self.name, &self.language, parts.join(" · "));
        let line = format!("[template] {name} ({language}) {parts}");
        line.trim_end().to_owned()
    }
}

/// Joins labels of buttons on one line.
fn labels(buttons: &[Button]) -> String {
    let labels = buttons.iter().map(|button| format!("[{}]", button.title));
    labels.collect::<Vec<_>>().join(" ")
}

/// Joins the parts of a line behind a label in brackets; empty parts are left out.
pub(crate) fn labelled<'a>(label: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let space = if parts.is_empty() { "" } else { " " };
    format!("[{label}]{space}{}", parts.join(" · "))
}

/// Separates the optional second part of a line.
fn second(text: Option<&str>) -> String {
    text.map(|text| format!(" · {text}")).unwrap_or_default()
}
