//! Making a template: every limit is checked before it is sent for review, which takes hours and
//! ends without a reason.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.

use serde_json::Value;

use super::{is_position, variables};
use crate::message::limits::length;
use crate::whatsapp::account_api::{Checked, Problem};
use crate::whatsapp::api_call::Call;

/// Characters of a name.
const NAME_MAX: usize = 512;
/// Characters of a header line.
const HEADER_MAX: usize = 60;
/// Characters of the text.
const BODY_MAX: usize = 1024;
/// Characters of a footer.
const FOOTER_MAX: usize = 60;
/// Buttons of one template.
const BUTTONS_MAX: usize = 10;
/// Characters of a label.
const LABEL_MAX: usize = 25;
/// Characters of an address.
const URL_MAX: usize = 2000;
/// Buttons that open an address.
const URL_BUTTONS_MAX: usize = 2;
/// Buttons that call.
const PHONE_BUTTONS_MAX: usize = 1;
/// Digits of the number that is called.
const PHONE_DIGITS_MAX: usize = 20;
/// Buttons that copy a code.
const COPY_BUTTONS_MAX: usize = 1;
/// Characters of a code to copy. Newer pages of Meta's say 20: we stay with the smaller one.
const CODE_MAX: usize = 15;

/// The keys we know; Meta adds others.
const KEYS: [&str; 6] = [
    "name",
    "language",
    "category",
    "parameter_format",
    "components",
    "message_send_ttl_seconds",
];

/// Makes a template from what the owner wrote, in Graph's own shape.
///
/// # Errors
/// Every [`Problem`] there is.
pub fn create(waba: &str, template: &Value) -> Result<Checked, Vec<Problem>> {
    let mut checker = Checker {
        is_named: is_word(&template["parameter_format"], "NAMED"),
        // Meta writes the texts of these itself.
        has_own_texts: !is_word(&template["category"], "AUTHENTICATION"),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    match template.as_object() {
        Some(keys) => {
            for key in keys.keys().filter(|key| !KEYS.contains(&key.as_str())) {
                checker.warn(
                    key,
                    "is a key that replyd does not know; it is sent as it is",
                );
            }
            checker.template(template);
        }
        None => checker.report("template", "is not a table of keys and values"),
    }
    if !checker.problems.is_empty() {
        return Err(checker.problems);
    }
    Ok(Checked {
        call: Call::post(&[waba, "message_templates"], template.clone()),
        warnings: checker.warnings,
    })
}

/// Meta's words come in either case in its own examples.
fn is_word(value: &Value, word: &str) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.eq_ignore_ascii_case(word))
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

struct Checker {
    is_named: bool,
    has_own_texts: bool,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Checker {
    fn report(&mut self, part: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(part, message));
    }

    fn warn(&mut self, part: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Problem::new(part, message));
    }

    fn template(&mut self, template: &Value) {
        self.name(&template["name"]);
        if template["language"].as_str().is_none_or(str::is_empty) {
            self.report("language", "is missing; it is written like `en_US`");
        }
        self.one_of(
            "category",
            &template["category"],
            &["UTILITY", "MARKETING", "AUTHENTICATION"],
        );
        if !template["parameter_format"].is_null() {
            self.one_of(
                "parameter_format",
                &template["parameter_format"],
                &["POSITIONAL", "NAMED"],
            );
        }
        let seconds = &template["message_send_ttl_seconds"];
        if !seconds.is_null()
            && seconds
                .as_i64()
                .is_none_or(|seconds| seconds < -1 || seconds == 0)
        {
            self.report(
                "message_send_ttl_seconds",
                "must be a whole number of seconds, or -1",
            );
        }
        let components = elements(&template["components"]);
        let bodies = components
            .iter()
            .filter(|part| is_word(&part["type"], "BODY"));
        match bodies.count() {
            1 => {}
            0 => self.report("components", "have no part of the type BODY"),
            _ => self.report("components", "have more than one part of the type BODY"),
        }
        for (index, component) in components.iter().enumerate() {
            self.component(&format!("components[{index}]"), component);
        }
    }

    fn name(&mut self, name: &Value) {
        let Some(name) = name.as_str().filter(|name| !name.is_empty()) else {
            return self.report("name", "is missing");
        };
        let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
        if let Some(odd) = name.chars().find(|character| !plain(character)) {
            let message = format!("holds {odd:?}, but may hold only a-z, 0-9 and _");
            self.report("name", message);
        }
        self.at_most("name", name, NAME_MAX);
    }

    fn one_of(&mut self, part: &str, value: &Value, words: &[&str]) {
        if !words.iter().any(|word| is_word(value, word)) {
            self.report(part, format!("must be one of {}", words.join(", ")));
        }
    }

    fn component(&mut self, part: &str, component: &Value) {
        let kind = component["type"].as_str().unwrap_or_default();
        match kind.to_ascii_uppercase().as_str() {
            "HEADER" => self.header(part, component),
            "BODY" => self.body(part, component),
            "FOOTER" => self.footer(part, component),
            "BUTTONS" => self.buttons(part, elements(&component["buttons"])),
            "" => self.report(format!("{part}.type"), "is missing"),
            _ => self.warn(
                format!("{part}.type"),
                format!("is {kind}, which replyd does not check"),
            ),
        }
    }

    fn header(&mut self, part: &str, header: &Value) {
        let formats = ["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"];
        self.one_of(&format!("{part}.format"), &header["format"], &formats);
        if is_word(&header["format"], "TEXT") {
            let text = self.text(&format!("{part}.text"), &header["text"], HEADER_MAX);
            if self
                .variables(part, "header", text, &header["example"])
                .len()
                > 1
            {
                self.report(format!("{part}.text"), "has more than one variable");
            }
        } else if formats[1..4]
            .iter()
            .any(|word| is_word(&header["format"], word))
            && elements(&header["example"]["header_handle"]).is_empty()
        {
            let message =
                "is missing: Meta wants to see a file, by the handle of an upload to your app";
            self.report(format!("{part}.example.header_handle"), message);
        }
    }

    fn body(&mut self, part: &str, body: &Value) {
        if !self.has_own_texts && body["text"].is_null() {
            return;
        }
        let place = format!("{part}.text");
        let text = self.text(&place, &body["text"], BODY_MAX);
        if text.trim_start().starts_with("{{") {
            self.report(&place, "begins with a variable");
        }
        if text.trim_end().ends_with("}}") {
            self.report(&place, "ends with a variable");
        }
        self.variables(part, "body", text, &body["example"]);
    }

    fn footer(&mut self, part: &str, footer: &Value) {
        if !self.has_own_texts && footer["text"].is_null() {
            return;
        }
        let part = format!("{part}.text");
        let text = self.text(&part, &footer["text"], FOOTER_MAX);
        if !variables(text).is_empty() {
            self.report(part, "has a variable, which a footer cannot have");
        }
    }

    /// A text that must be there; empty when it is not.
    fn text<'a>(&mut self, part: &str, text: &'a Value, max: usize) -> &'a str {
        let text = text.as_str().unwrap_or_default();
        if text.trim().is_empty() {
            self.report(part, "is missing or empty");
        }
        self.at_most(part, text, max);
        text
    }

    fn at_most(&mut self, part: &str, text: &str, max: usize) {
        let length = length(text);
        if length > max {
            let message = format!("has {length} characters, but WhatsApp takes at most {max}");
            self.report(part, message);
        }
    }

    /// Checks that variables are numbered or named in a row, and that each has its example.
    fn variables(&mut self, part: &str, kind: &str, text: &str, example: &Value) -> Vec<String> {
        let placeholders = variables(text);
        let place = format!("{part}.text");
        if self.is_named {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let odd = |name: &&String| !name.bytes().all(plain) || is_position(name);
            for name in placeholders.iter().filter(odd) {
                let message = format!(
                    "names a variable {name:?}, but names hold only a-z, 0-9 and _, and a letter"
                );
                self.report(&place, message);
            }
        } else {
            let numbered = placeholders.iter().enumerate();
            if numbered
                .clone()
                .any(|(index, name)| *name != (index + 1).to_string())
            {
                let message = "must number its variables {{1}}, {{2}} and so on; \
                    names need parameter_format = \"NAMED\"";
                self.report(&place, message);
            }
        }
        let key = if self.is_named {
            "text_named_params"
        } else {
            "text"
        };
        let key = format!("{kind}_{key}");
        let given = &example[&key];
        let given = elements(if given[0].is_array() {
            &given[0]
        } else {
            given
        });
        let has_example = |name: &String| {
            let mut given = given.iter();
            given.any(|given| given["param_name"] == name.as_str() && !given["example"].is_null())
        };
        let complete = if self.is_named {
            placeholders.iter().all(has_example)
        } else {
            given.len() == placeholders.len()
        };
        if !complete {
            let message = format!(
                "must give one value for each variable: {}",
                placeholders.join(", ")
            );
            self.report(format!("{part}.example.{key}"), message);
        }
        placeholders
    }

    fn buttons(&mut self, part: &str, buttons: &[Value]) {
        let part = format!("{part}.buttons");
        if buttons.is_empty() {
            self.report(&part, "is empty");
        }
        let limits = [
            ("", "buttons", BUTTONS_MAX),
            ("URL", "buttons of the type URL", URL_BUTTONS_MAX),
            (
                "PHONE_NUMBER",
                "buttons of the type PHONE_NUMBER",
                PHONE_BUTTONS_MAX,
            ),
            (
                "COPY_CODE",
                "buttons of the type COPY_CODE",
                COPY_BUTTONS_MAX,
            ),
        ];
        for (kind, name, max) in limits {
            let has_kind = |button: &&Value| kind.is_empty() || is_word(&button["type"], kind);
            let count = buttons.iter().filter(has_kind).count();
            if count > max {
                self.report(
                    &part,
                    format!("has {count} {name}, but WhatsApp takes at most {max}"),
                );
            }
        }
        let is_quick = |button: &Value| is_word(&button["type"], "QUICK_REPLY");
        let rows = buttons.chunk_by(|previous, next| is_quick(previous) == is_quick(next));
        if rows.count() > 2 {
            let message =
                "must have its buttons of the type QUICK_REPLY next to each other, first or last";
            self.report(&part, message);
        }
        for (index, button) in buttons.iter().enumerate() {
            self.button(&format!("{part}[{index}]"), button);
        }
    }

    fn button(&mut self, part: &str, button: &Value) {
        let kind = button["type"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let labelled = [
            "QUICK_REPLY",
            "URL",
            "PHONE_NUMBER",
            "FLOW",
            "CATALOG",
            "MPM",
            "SPM",
        ];
        if labelled.contains(&kind.as_str()) {
            self.text(&format!("{part}.text"), &button["text"], LABEL_MAX);
        } else if let Some(label) = button["text"].as_str() {
            self.at_most(&format!("{part}.text"), label, LABEL_MAX);
        }
        match kind.as_str() {
            "URL" => self.url_button(part, button),
            "PHONE_NUMBER" => {
                let number = button["phone_number"].as_str().unwrap_or_default();
                let digits = number.bytes().filter(u8::is_ascii_digit).count();
                if !(1..=PHONE_DIGITS_MAX).contains(&digits) {
                    let message = format!("must have 1 to {PHONE_DIGITS_MAX} digits");
                    self.report(format!("{part}.phone_number"), message);
                }
            }
            "COPY_CODE" => {
                let example = &button["example"];
                let code = if example.is_array() {
                    &example[0]
                } else {
                    example
                };
                self.text(&format!("{part}.example"), code, CODE_MAX);
            }
            "" => self.report(format!("{part}.type"), "is missing"),
            _ => {}
        }
    }

    fn url_button(&mut self, part: &str, button: &Value) {
        let place = format!("{part}.url");
        let url = self.text(&place, &button["url"], URL_MAX);
        if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
            self.report(&place, "must begin with https:// or http://");
        }
        let placeholders = variables(url);
        if placeholders.is_empty() {
            return;
        }
        if placeholders.len() > 1 || !url.ends_with("}}") {
            self.report(&place, "may have one variable only, at its end");
        }
        let example = &button["example"];
        if elements(example).is_empty() && example.as_str().is_none_or(str::is_empty) {
            self.report(
                format!("{part}.example"),
                "is missing: show a complete address",
            );
        }
    }
}
