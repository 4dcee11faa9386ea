//! Creation of a template. Every limit is checked before the review, which takes hours and gives no
//! reasons.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.

use serde_json::Value;

use super::{is_position, variables};
use crate::whatsapp::account_api::{Checked, Problem};
use crate::whatsapp::api_call::Call;

/// Maximum number of characters of a name.
const NAME_MAX: usize = 512;
/// Maximum number of characters of a header line.
const HEADER_MAX: usize = 60;
/// Maximum number of characters of the text.
const BODY_MAX: usize = 1024;
/// Maximum number of characters of a footer.
const FOOTER_MAX: usize = 60;
/// Maximum number of buttons.
const BUTTONS_MAX: usize = 10;
/// Maximum number of characters of a label.
const LABEL_MAX: usize = 25;
/// Maximum number of characters of an address.
const URL_MAX: usize = 2000;
/// Maximum number of buttons that open an address.
const URL_BUTTONS_MAX: usize = 2;
/// Maximum number of buttons that call a number.
const PHONE_BUTTONS_MAX: usize = 1;
/// Maximum number of digits of a called number.
const PHONE_DIGITS_MAX: usize = 20;
/// Maximum number of buttons that copy a code.
const COPY_BUTTONS_MAX: usize = 1;
/// Maximum number of characters of a code to copy: the smaller of Meta's values (newer pages say
/// 20).
const CODE_MAX: usize = 15;

/// Known keys; Meta adds others.
const KEYS: [&str; 6] = [
    "name",
    "language",
    "category",
    "parameter_format",
    "components",
    "message_send_ttl_seconds",
];

/// Builds the request that creates a template, written by the owner in Graph's own shape.
///
/// # Errors
/// Every [`Problem`] of the template.
pub fn create(waba: &str, template: &Value) -> Result<Checked, Vec<Problem>> {
    let mut checker = Checker {
        is_named: is_word(&template["parameter_format"], "NAMED"),
        // Meta supplies the texts of these.
        has_own_texts: !is_word(&template["category"], "AUTHENTICATION"),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    match template.as_object() {
        Some(keys) => {
            for key in keys.keys().filter(|key| !KEYS.contains(&key.as_str())) {
                let message = "is a key that replyd does not know; it is sent as it is";
                checker.warn(key, message);
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

/// Compares with one of Meta's words, which its own examples write in either case.
fn is_word(value: &Value, word: &str) -> bool {
    let text = value.as_str();
    text.is_some_and(|text| text.eq_ignore_ascii_case(word))
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
        let categories = ["UTILITY", "MARKETING", "AUTHENTICATION"];
        self.one_of("category", &template["category"], &categories);
        let format = &template["parameter_format"];
        if !format.is_null() {
            self.one_of("parameter_format", format, &["POSITIONAL", "NAMED"]);
        }
        let seconds = &template["message_send_ttl_seconds"];
        let is_lifetime = |seconds: i64| seconds == -1 || seconds > 0;
        if !seconds.is_null() && !seconds.as_i64().is_some_and(is_lifetime) {
            let message = "must be a whole number of seconds, or -1";
            self.report("message_send_ttl_seconds", message);
        }
        let components = elements(&template["components"]);
        let is_body = |part: &&Value| is_word(&part["type"], "BODY");
        match components.iter().filter(is_body).count() {
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
            _ => {
                let message = format!("is {kind}, which replyd does not check");
                self.warn(format!("{part}.type"), message);
            }
        }
    }

    fn header(&mut self, part: &str, header: &Value) {
        let formats = ["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"];
        self.one_of(&format!("{part}.format"), &header["format"], &formats);
        if is_word(&header["format"], "TEXT") {
            let text = self.text(&format!("{part}.text"), &header["text"], HEADER_MAX);
            let variables = self.variables(part, "header", text, &header["example"]);
            if variables.len() > 1 {
                self.report(format!("{part}.text"), "has more than one variable");
            }
            return;
        }
        let mut files = formats[1..4].iter();
        let is_file = files.any(|word| is_word(&header["format"], word));
        if is_file && elements(&header["example"]["header_handle"]).is_empty() {
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

    /// Returns a required text; reports a missing one and returns an empty text.
    fn text<'a>(&mut self, part: &str, text: &'a Value, max: usize) -> &'a str {
        let text = text.as_str().unwrap_or_default();
        if text.trim().is_empty() {
            self.report(part, "is missing or empty");
        }
        self.at_most(part, text, max);
        text
    }

    fn at_most(&mut self, part: &str, text: &str, max: usize) {
        self.problems.extend(Problem::too_long(part, text, max));
    }

    /// Checks that variables are numbered consecutively or named, and that each has an example;
    /// returns the variables.
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
        let ending = if self.is_named { "_named_params" } else { "" };
        let key = format!("{kind}_text{ending}");
        let given = &example[&key];
        let nested = given.get(0).filter(|first| first.is_array());
        let given = elements(nested.unwrap_or(given));
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
            let names = placeholders.join(", ");
            let message = format!("must give one value for each variable: {names}");
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
            ("", BUTTONS_MAX),
            (" of the type URL", URL_BUTTONS_MAX),
            (" of the type PHONE_NUMBER", PHONE_BUTTONS_MAX),
            (" of the type COPY_CODE", COPY_BUTTONS_MAX),
        ];
        for (name, max) in limits {
            let kind = name.trim_start_matches(" of the type ");
            let has_kind = |button: &&Value| kind.is_empty() || is_word(&button["type"], kind);
            let count = buttons.iter().filter(has_kind).count();
            if count > max {
                let message =
                    format!("has {count} buttons{name}, but WhatsApp takes at most {max}");
                self.report(&part, message);
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
        const LABELLED: &str = "QUICK_REPLY URL PHONE_NUMBER FLOW CATALOG MPM SPM";
        let kind = button["type"].as_str().unwrap_or_default();
        let kind = kind.to_ascii_uppercase();
        if LABELLED.split(' ').any(|labelled| labelled == kind) {
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
                let code = example.get(0).unwrap_or(example);
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
            let message = "is missing: show a complete address";
            self.report(format!("{part}.example"), message);
        }
    }
}
