//! Reads the steps of a purchase: `address_message`, `order_details` and `order_status`.

use super::ReplyReader;
use super::limits::{Fixed, Part};
use crate::diagnostics::optional::read_each;
use crate::diagnostics::toml_reader::{Field, Table};
use crate::message::{Checkout, CheckoutStep, Json};
use crate::rules::compile::text;
use crate::template::Template;

/// Keys of the parameters of each step, as Meta names them.
fn keys(step: CheckoutStep) -> &'static [&'static str] {
    match step {
        CheckoutStep::AddressMessage => {
            &["country", "values", "saved_addresses", "validation_errors"]
        }
        CheckoutStep::OrderDetails => &[
            "reference_id",
            "type",
            "payment_type",
            "payment_settings",
            "payment_configuration",
            "beneficiaries",
            "currency",
            "total_amount",
            "order",
        ],
        CheckoutStep::OrderStatus => &["reference_id", "order", "payment"],
    }
}

/// Whether contacts see the text of a place: the name of an item, a description, an error.
fn is_seen(part: &str) -> bool {
    let mut keys = part.rsplit('.');
    let key = keys.next().unwrap_or_default();
    ["name", "description"].contains(&key) || keys.next() == Some("validation_errors")
}

impl<'d> ReplyReader<'_, '_, 'd> {
    pub(super) fn checkout(
        &mut self,
        step: CheckoutStep,
        table: &Table<'d>,
        content: &Field<'d>,
    ) -> Option<Checkout<Template>> {
        let frame = self.frame(table);
        let known = self.reader.table(content, keys(step))?;
        let parameters = self.json(step.name(), content);
        if known.has_unknown() {
            return None;
        }
        self.mark_sums(step, content);
        Some(Checkout {
            step,
            frame: frame?,
            parameters: parameters?,
        })
    }

    /// Reads a JSON document whose texts are templates, in several languages only where contacts see
    /// them: elsewhere a table is an object, even one with the keys `id` and `no`.
    fn json(&mut self, part: &str, field: &Field<'d>) -> Option<Json<Template>> {
        self.part(part, &field.span, Fixed::Yes);
        if let Some(value) = field.plain() {
            return Some(Json::Plain(value));
        }
        if let Some(elements) = field.elements() {
            let elements = read_each(elements.iter().enumerate(), |(index, element)| {
                self.json(&format!("{part}[{index}]"), element)
            });
            return elements.map(Json::List);
        }
        let is_translated = is_seen(part) && text::is_in_languages(field, &[]);
        if field.is_table() && !is_translated {
            let entries = read_each(field.entries(), |entry| {
                let value = self.json(&format!("{part}.{}", entry.name), &entry)?;
                Some((entry.name.to_owned(), value))
            });
            return Some(Json::Object(entries?.into_iter().collect()));
        }
        self.template(part, field).map(Json::Text)
    }

    /// Notes whether the amounts of an order are known before a message comes, so that their sum can
    /// be checked.
    fn mark_sums(&mut self, step: CheckoutStep, content: &Field<'d>) {
        if step != CheckoutStep::OrderDetails {
            return;
        }
        let amounts = self.parts.iter().filter(|(name, _)| {
            let key = name.rsplit('.').next().unwrap_or_default();
            step.takes_number("", key)
        });
        let is_variable = amounts
            .map(|(_, part)| part.fixed)
            .any(|fixed| fixed == Fixed::No);
        let fixed = if is_variable { Fixed::No } else { Fixed::Yes };
        let total = content.entries();
        let total = total.iter().find(|entry| entry.name == "total_amount");
        let span = total.map_or(&content.span, |entry| &entry.span).clone();
        let name = "order_details.total_amount".to_owned();
        self.parts.insert(name, Part { span, fixed });
    }
}
