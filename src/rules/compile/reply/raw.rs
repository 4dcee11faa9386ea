//! Reads `raw`: a message of Graph's own words.

use super::{Fixed, Offer, ReplyReader};
use crate::diagnostics::codes;
use crate::diagnostics::optional::read_each;
use crate::diagnostics::toml_reader::Field;
use crate::message::{Json, Outbound, Raw};
use crate::rules::compile::action;
use crate::template::Template;

/// Keys of a request that replyd writes.
const WRITTEN: [&str; 6] = [
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "context",
    "biz_opaque_callback_data",
];
/// Keys of the objects that a tap gives back with their `id`.
const TAPPED: [&str; 3] = ["reply", "quick_reply", "rows"];

impl<'d> ReplyReader<'_, '_, 'd> {
    pub(super) fn raw(&mut self, content: &Field<'d>) -> Option<Outbound<Template>> {
        if !content.is_table() {
            return self
                .reader
                .wrong_type(content, "a table with `type` and what it names");
        }
        self.part("raw", &content.span, Fixed::Yes);
        let entries = content.entries();
        for entry in entries.iter().filter(|entry| WRITTEN.contains(&entry.name)) {
            let message = format!("`raw` cannot have `{}`: replyd writes it", entry.name);
            let help = "leave it out; `quote = true` beside `raw` quotes the message";
            self.reader
                .error(codes::MIXED_REPLY, &entry.key, message, help);
        }
        let Some(kind) = entries.iter().find(|entry| entry.name == "type") else {
            let help = "write it like `raw = { type = \"text\", text = { body = \"…\" } }`";
            let message = "the key `type` is missing";
            return self
                .reader
                .refuse(codes::MISSING_KEY, &content.span, message, help);
        };
        self.part("raw.type", &kind.span, Fixed::Yes);
        let kind = self.reader.string(kind).map(|kind| kind.value.to_owned());
        let others = entries.iter().filter(|entry| entry.name != "type");
        let keys = read_each(others, |entry| {
            self.raw_offers(entry);
            let value = action::body(self.reader, entry, self.known)?;
            Some((entry.name.to_owned(), value))
        });
        Some(Outbound::Raw(Raw {
            kind: kind?,
            keys: Json::Object(keys?.into_iter().collect()),
        }))
    }

    /// Notes the buttons, rows and forms, so that rules may answer them.
    fn raw_offers(&mut self, field: &Field<'d>) {
        for element in field.elements().unwrap_or_default() {
            self.raw_offers(&element);
        }
        for entry in field.entries() {
            if entry.name == "id"
                && TAPPED.contains(&field.name)
                && entry.is_string()
                && let Some(id) = self.reader.string(&entry)
            {
                self.offered.push(Offer {
                    id,
                    go: None,
                    words: Vec::new(),
                });
            }
            if entry.name == "flow_token" {
                let token = entry
                    .is_string()
                    .then(|| self.reader.string(&entry))
                    .flatten();
                let token = token.filter(|token| !token.value.contains("{{"));
                let token = token.map(|token| token.value.to_owned());
                self.reader.form_tokens.push(token);
            }
            self.raw_offers(&entry);
        }
    }
}
