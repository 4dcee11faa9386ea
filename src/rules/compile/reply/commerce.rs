//! Reads questions, forms, products, places and reactions.

use super::{Fixed, ReplyReader};
use crate::diagnostics::codes;
use crate::diagnostics::optional::{optional, read_each};
use crate::diagnostics::toml_reader::{Field, Table};
use crate::message::{Commerce, Form, FormName, Outbound, ProductSection};
use crate::template::Template;

impl<'d> ReplyReader<'_, '_, 'd> {
    pub(crate) fn wares(
        &mut self,
        table: &Table<'d>,
        content: &Field<'d>,
    ) -> Option<Outbound<Template>> {
        match content.name {
            "ask_location" | "ask_contact" => self.question(table, content),
            "form" => {
                let (frame, form) = (self.frame(table), self.form(content));
                let token = form.as_ref().and_then(token);
                self.reader.form_tokens.push(token);
                Some(Outbound::Form {
                    frame: frame?,
                    form: form?,
                })
            }
            "product" => self.product(table, content).map(Outbound::Commerce),
            "products" => self.products(table, content).map(Outbound::Commerce),
            "catalog" => self.catalog(table, content).map(Outbound::Commerce),
            "product_carousel" => {
                let carousel = self.product_carousel(table, content);
                carousel.map(Outbound::Commerce)
            }
            "location" => self.location(content),
            "contacts" => Some(Outbound::Contacts {
                cards: self.each("contacts", content, Self::contact_card)?,
            }),
            _ => Some(Outbound::Reaction {
                emoji: self.template("reaction", content)?,
            }),
        }
    }

    fn question(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<Outbound<Template>> {
        let body = self.body(table);
        if !self.reader.boolean(content)? {
            let message = format!("`{}` is `true` or not there", content.name);
            return self
                .reader
                .refuse(codes::VALUE, &content.span, message, "leave the line out");
        }
        let body = body?;
        Some(if content.name == "ask_location" {
            Outbound::AskLocation { body }
        } else {
            Outbound::AskContact { body }
        })
    }

    fn form(&mut self, content: &Field<'d>) -> Option<Form<Template>> {
        const KEYS: [&str; 7] = ["id", "name", "button", "screen", "data", "token", "draft"];
        let table = self.reader.table(content, &KEYS)?;
        self.part("form", &table.span, Fixed::Yes);
        let form = match (table.get("id"), table.get("name")) {
            (Some(_), None) => self.required_name(&table, "id").map(FormName::FlowId),
            (None, Some(_)) => self.required_name(&table, "name").map(FormName::FlowName),
            (Some(id), Some(name)) => {
                self.mixed(&id, &name);
                None
            }
            (None, None) => {
                self.reader.required(&table, "id");
                None
            }
        };
        let button = self.required_template(&table, "button", "form.button");
        let token = self.optional_template(&table, "token", "form.token");
        let screen = self.optional_name(&table, "screen");
        let data = optional(table.get("data"), |field| {
            self.form_data("form.data", &field)
        });
        let draft = optional(table.get("draft"), |field| self.reader.boolean(&field));
        Some(Form {
            form: form?,
            button: button?,
            token: token.ok()?,
            screen: screen.ok()?,
            data: data.ok()?.unwrap_or_default(),
            draft: draft.ok()?.unwrap_or(false),
        })
    }

    pub(super) fn form_data(
        &mut self,
        part: &str,
        field: &Field<'d>,
    ) -> Option<Vec<(String, Template)>> {
        if !field.is_table() {
            return self.reader.wrong_type(field, "a table of texts");
        }
        self.part(part, &field.span, Fixed::Yes);
        read_each(field.entries(), |entry| {
            let value = self.template(&format!("{part}.{}", entry.name), &entry)?;
            Some((entry.name.to_owned(), value))
        })
    }

    fn product(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<Commerce<Template>> {
        let body = self.optional_template(table, "text", "text");
        let footer = self.optional_template(table, "footer", "footer");
        let product = self.reader.table(content, &["catalog", "id"])?;
        let catalog_id = self.required_name(&product, "catalog");
        let product_id = self.required_template(&product, "id", "product.id");
        Some(Commerce::Product {
            body: body.ok()?,
            footer: footer.ok()?,
            catalog_id: catalog_id?,
            product_id: product_id?,
        })
    }

    fn products(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<Commerce<Template>> {
        let header = self.required_template(table, "header", "header");
        let body = self.body(table);
        let footer = self.optional_template(table, "footer", "footer");
        let products = self.reader.table(content, &["catalog", "sections"])?;
        let catalog_id = self.required_name(&products, "catalog");
        let sections = self.reader.required(&products, "sections")?;
        let sections = self.each("products.sections", &sections, Self::product_section);
        Some(Commerce::Products {
            header: header?,
            body: body?,
            footer: footer.ok()?,
            catalog_id: catalog_id?,
            sections: sections?,
        })
    }

    fn product_carousel(
        &mut self,
        table: &Table<'d>,
        content: &Field<'d>,
    ) -> Option<Commerce<Template>> {
        let body = self.body(table);
        let carousel = self.reader.table(content, &["catalog", "ids"])?;
        let catalog_id = self.required_name(&carousel, "catalog");
        let ids = self.reader.required(&carousel, "ids")?;
        let products = self.each("product_carousel.ids", &ids, Self::template);
        Some(Commerce::ProductCarousel {
            body: body?,
            catalog_id: catalog_id?,
            products: products?,
        })
    }

    pub(super) fn product_section(
        &mut self,
        part: &str,
        field: &Field<'d>,
    ) -> Option<ProductSection<Template>> {
        let table = self.reader.table(field, &["title", "ids"])?;
        self.part(part, &table.span, Fixed::Yes);
        let title = self.optional_template(&table, "title", &format!("{part}.title"));
        let ids = self.reader.required(&table, "ids")?;
        let ids = self.reader.list(&ids)?;
        let products = read_each(ids.iter().enumerate(), |(index, id)| {
            self.template(&format!("{part}.ids[{index}]"), id)
        });
        Some(ProductSection {
            title: title.ok()?,
            products: products?,
        })
    }

    /// `true`, or a table that names the product to show.
    fn catalog(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<Commerce<Template>> {
        let body = self.body(table);
        let footer = self.optional_template(table, "footer", "footer");
        let thumbnail = if content.is_table() {
            let catalog = self.reader.table(content, &["thumbnail"])?;
            self.optional_template(&catalog, "thumbnail", "catalog.thumbnail")
                .ok()?
        } else if content.is_boolean() {
            None
        } else {
            let expected = "`true`, or a table with `thumbnail`";
            return self.reader.wrong_type(content, expected);
        };
        Some(Commerce::Catalog {
            body: body?,
            footer: footer.ok()?,
            thumbnail,
        })
    }

    fn location(&mut self, content: &Field<'d>) -> Option<Outbound<Template>> {
        const KEYS: [&str; 4] = ["latitude", "longitude", "name", "address"];
        let table = self.reader.table(content, &KEYS)?;
        let mut degrees = |name: &str| {
            let field = self.reader.required(&table, name)?;
            self.part(&format!("location.{name}"), &field.span, Fixed::Yes);
            self.reader.decimal(&field)
        };
        let latitude = degrees("latitude");
        let longitude = degrees("longitude");
        let name = self.optional_template(&table, "name", "location.name");
        let address = self.optional_template(&table, "address", "location.address");
        Some(Outbound::Location {
            latitude: latitude?,
            longitude: longitude?,
            name: name.ok()?,
            address: address.ok()?,
        })
    }
}

/// Returns the token that comes back with a form, unless it has variables.
fn token(form: &Form<Template>) -> Option<String> {
    match (&form.token, &form.form) {
        (Some(token), _) => super::constant(token),
        (None, FormName::FlowId(name) | FormName::FlowName(name)) => Some(name.clone()),
    }
}
