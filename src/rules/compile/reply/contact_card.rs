//! Reads contact cards.

use super::{Fixed, ReplyReader};
use crate::diagnostics::optional::{or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Table};
use crate::message::{Address, ContactCard, Email, Phone};
use crate::template::{Scope, Template};
use crate::text::parse::read_international;

const KEYS: [&str; 18] = [
    "name",
    "first_name",
    "last_name",
    "middle_name",
    "prefix",
    "suffix",
    "company",
    "department",
    "title",
    "birthday",
    "phone",
    "phones",
    "email",
    "emails",
    "url",
    "urls",
    "address",
    "addresses",
];
const ADDRESS_KEYS: [&str; 7] = [
    "street",
    "city",
    "state",
    "zip",
    "country",
    "country_code",
    "type",
];
/// Kind of a number or address that names none.
const WORK: &str = "WORK";

impl<'d> ReplyReader<'_, '_, 'd> {
    pub(super) fn contact_card(
        &mut self,
        part: &str,
        field: &Field<'d>,
    ) -> Option<ContactCard<Template>> {
        let table = self.reader.table(field, &KEYS)?;
        let mut text = |name: &str| self.optional_template(&table, name, &format!("{part}.{name}"));
        let first_name = text("first_name");
        let last_name = text("last_name");
        let middle_name = text("middle_name");
        let (prefix, suffix) = (text("prefix"), text("suffix"));
        let (company, department, title) = (text("company"), text("department"), text("title"));
        let birthday = text("birthday");
        let name = self.required_template(&table, "name", &format!("{part}.name"));
        let phones = self.several(part, &table, ["phone", "phones"], Self::phone);
        let emails = self.several(part, &table, ["email", "emails"], Self::email);
        let urls = self.several(part, &table, ["url", "urls"], |reader, part, field| {
            reader.link_template(part, field)
        });
        let addresses = self.several(part, &table, ["address", "addresses"], Self::address);
        Some(ContactCard {
            name: name?,
            first_name: first_name.ok()?,
            last_name: last_name.ok()?,
            middle_name: middle_name.ok()?,
            prefix: prefix.ok()?,
            suffix: suffix.ok()?,
            company: company.ok()?,
            department: department.ok()?,
            title: title.ok()?,
            birthday: birthday.ok()?,
            phones: phones?,
            emails: emails?,
            urls: urls?,
            addresses: addresses?,
        })
    }

    /// Reads what may stand there once, under the first key, or in a list, under the second.
    fn several<T>(
        &mut self,
        part: &str,
        table: &Table<'d>,
        [single, list]: [&str; 2],
        mut read: impl FnMut(&mut Self, &str, &Field<'d>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut values = or_default(table.get(single), |field| {
            Some(vec![read(self, &format!("{part}.{single}"), &field)?])
        })?;
        let part = format!("{part}.{list}");
        let more = or_default(table.get(list), |field| {
            self.part(&part, &field.span, Fixed::Yes);
            let elements = self.reader.list(&field)?;
            read_each(elements.iter().enumerate(), |(index, element)| {
                read(self, &format!("{part}[{index}]"), element)
            })
        });
        values.extend(more?);
        Some(values)
    }

    /// A number, or a table with `number` and `type`.
    fn phone(&mut self, part: &str, field: &Field<'d>) -> Option<Phone<Template>> {
        let (phone, kind) = self.with_type(part, field, "number")?;
        Some(Phone {
            // The digits make a "Message" button of it; a phone with variables is only shown.
            wa_id: phone.literal(&[]).and_then(digits),
            kind: Some(kind),
            phone,
        })
    }

    /// An address, or a table with `address` and `type`.
    fn email(&mut self, part: &str, field: &Field<'d>) -> Option<Email<Template>> {
        let (email, kind) = self.with_type(part, field, "address")?;
        let kind = Some(kind);
        Some(Email { email, kind })
    }

    fn with_type(
        &mut self,
        part: &str,
        field: &Field<'d>,
        key: &'static str,
    ) -> Option<(Template, String)> {
        let is_typed = field
            .entries()
            .iter()
            .any(|entry| ["type", key].contains(&entry.name));
        if !is_typed {
            return Some((self.template(part, field)?, WORK.to_owned()));
        }
        let table = self.reader.table(field, &[key, "type"])?;
        let kind = self.optional_name(&table, "type");
        let text = self.required_template(&table, key, &format!("{part}.{key}"));
        Some((text?, kind.ok()?.unwrap_or_else(|| WORK.to_owned())))
    }

    fn address(&mut self, part: &str, field: &Field<'d>) -> Option<Address<Template>> {
        let table = self.reader.table(field, &ADDRESS_KEYS)?;
        let kind = self.optional_name(&table, "type");
        let mut text = |name: &str| self.optional_template(&table, name, &format!("{part}.{name}"));
        let (street, city, state) = (text("street"), text("city"), text("state"));
        let (zip, country, country_code) = (text("zip"), text("country"), text("country_code"));
        Some(Address {
            street: street.ok()?,
            city: city.ok()?,
            state: state.ok()?,
            zip: zip.ok()?,
            country: country.ok()?,
            country_code: country_code.ok()?,
            kind: Some(kind.ok()?.unwrap_or_else(|| WORK.to_owned())),
        })
    }
}

/// The digits of an international number as a text of its own.
fn digits(phone: &str) -> Option<Template> {
    let digits = read_international(phone).ok()?;
    Template::parse(&digits, &Scope::default()).ok()
}
