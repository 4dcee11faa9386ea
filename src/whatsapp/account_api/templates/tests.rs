use serde_json::json;

use super::*;
use crate::whatsapp::account_api::Problem;

fn template(components: &Value) -> Value {
    json!({ "name": "order_ok", "language": "en_US", "category": "UTILITY", "components": components })
}

/// Builds a template of a valid body and this part.
fn with(part: &Value) -> Value {
    template(&json!([{ "type": "BODY", "text": "Hello" }, part]))
}

fn with_body(body: &Value) -> Value {
    let mut body = body.clone();
    body["type"] = json!("BODY");
    template(&json!([body]))
}

fn with_buttons(buttons: &Value) -> Value {
    with(&json!({ "type": "BUTTONS", "buttons": buttons }))
}

fn with_key(key: &str, value: Value) -> Value {
    let mut template = with_body(&json!({ "text": "Hello" }));
    template[key] = value;
    template
}

fn problems(template: &Value) -> Vec<String> {
    let problems = create("1", template).err().unwrap_or_default();
    problems.iter().map(Problem::to_string).collect()
}

fn some(length: usize) -> String {
    "x".repeat(length)
}

fn quick(label: &str) -> Value {
    json!({ "type": "QUICK_REPLY", "text": label })
}

fn url(url: &str) -> Value {
    json!({ "type": "URL", "text": "Open", "url": url, "example": ["https://x.example/1"] })
}

fn phone(number: &str) -> Value {
    json!({ "type": "PHONE_NUMBER", "text": "Call", "phone_number": number })
}

fn copy(code: &str) -> Value {
    json!({ "type": "COPY_CODE", "example": code })
}

#[track_caller]
fn the_first_is_taken_and_the_second_refused(table: impl IntoIterator<Item = (Value, Value)>) {
    for (taken, refused) in table {
        assert_eq!(problems(&taken), Vec::<String>::new(), "{taken}");
        let problems = problems(&refused);
        assert_eq!(problems.len(), 1, "{problems:?} of {refused}");
    }
}

#[test]
fn the_limits_of_keys_and_texts_hold_at_their_edges() {
    let header =
        |length| with(&json!({ "type": "HEADER", "format": "TEXT", "text": some(length) }));
    let footer = |text: &str| with(&json!({ "type": "FOOTER", "text": text }));
    let body =
        |text: &str| with_body(&json!({ "text": text, "example": { "body_text": [["Ana"]] } }));
    let plain = |length| with_body(&json!({ "text": some(length) }));
    let keys = [
        ("name", json!(some(512)), json!(some(513))),
        ("name", json!("a_1"), json!("A_1")),
        ("category", json!("marketing"), json!("SERVICE")),
        ("language", json!("de"), json!("")),
        ("message_send_ttl_seconds", json!(-1), json!("60s")),
    ];

    the_first_is_taken_and_the_second_refused(
        keys.map(|(key, taken, refused)| (with_key(key, taken), with_key(key, refused))),
    );
    the_first_is_taken_and_the_second_refused([
        (header(60), header(61)),
        (plain(1024), plain(1025)),
        (footer(&some(60)), footer(&some(61))),
        (footer("Thanks"), footer("Thanks {{1}}")),
        (body("Hi {{1}}."), body("{{1}}, hi")),
        (body("Hi {{1}}."), body("Hi {{1}}")),
        (body("Hi {{1}}."), body("Hi {{2}}.")),
        (body("Hi {{1}}."), body("Hi {{1}} and {{2}}.")),
        (body("Hi {{1}}, {{1}}."), body("Hi {{name}}.")),
    ]);
}

#[test]
fn the_limits_of_buttons_hold_at_their_edges() {
    let buttons = |count| json!(vec![quick("Yes"); count]);
    let long_url = |length: usize| json!([url(&format!("https://{}", some(length - 8)))]);
    let number = |digits: usize| json!([phone(&format!("+{}", "1".repeat(digits)))]);
    let (a, b) = (|| quick("A"), || quick("B"));
    let (x, y, call) = (|| url("https://x"), || url("https://y"), || phone("+1555"));
    let ending = |end: &str| json!([url(&format!("https://x.example/{end}"))]);
    let table = [
        (buttons(10), buttons(11)),
        (buttons(1), buttons(0)),
        (json!([quick(&some(25))]), json!([quick(&some(26))])),
        (long_url(2000), long_url(2001)),
        (ending("{{1}}"), ending("{{1}}/a")),
        (json!([x(), y()]), json!([x(), y(), x()])),
        (number(20), number(21)),
        (json!([call()]), json!([call(), call()])),
        (json!([copy(&some(15))]), json!([copy(&some(16))])),
        (json!([x(), call(), a(), b()]), json!([a(), x(), b()])),
        (json!([a(), x(), call()]), json!([x(), a(), call()])),
    ];

    the_first_is_taken_and_the_second_refused(
        table.map(|(taken, refused)| (with_buttons(&taken), with_buttons(&refused))),
    );
}

#[test]
fn variables_need_examples_in_the_shape_of_their_format() {
    let named = |example: &Value| {
        let mut template =
            with_body(&json!({ "text": "Hi {{name}}, {{day}} it is.", "example": example }));
        template["parameter_format"] = json!("named");
        template
    };
    let example = |name: &str| json!({ "param_name": name, "example": "x" });
    let good = named(&json!({ "body_text_named_params": [example("day"), example("name")] }));
    assert_eq!(problems(&good), Vec::<String>::new());
    let table = [
        named(&json!({ "body_text_named_params": [example("name")] })),
        named(&json!({ "body_text": [["Ana", "Monday"]] })),
        with_body(&json!({ "text": "Hi {{1}}." })),
        with_body(&json!({ "text": "Hi {{1}}.", "example": { "body_text": [[]] } })),
        with_body(&json!({ "text": "Hi {{1}}.", "example": { "body_text": [["a", "b"]] } })),
        with(&json!({ "type": "HEADER", "format": "TEXT", "text": "Order {{1}}" })),
        with(&json!({ "type": "HEADER", "format": "IMAGE" })),
        with_buttons(&json!([{ "type": "URL", "text": "Open", "url": "https://x.example/{{1}}" }])),
    ];
    for template in table {
        let problems = problems(&template);

        assert_eq!(problems.len(), 1, "{problems:?} of {template}");
        assert!(problems[0].contains(".example"), "{problems:?}");
    }
}

#[test]
fn all_problems_are_reported_at_once_with_their_parts() {
    let template = json!({
        "name": "Order Ok", "category": "X", "parameter_format": "BOTH", "components": [
            { "type": "HEADER", "format": "GIF" },
            { "type": "FOOTER", "text": "" },
            { "type": "BUTTONS", "buttons": [{ "type": "URL", "text": some(26), "url": "x.example" }, {}] },
            {},
        ],
    });

    insta::assert_snapshot!(problems(&template).join("\n"), @"
    name: holds 'O', but may hold only a-z, 0-9 and _
    language: is missing; it is written like `en_US`
    category: must be one of UTILITY, MARKETING, AUTHENTICATION
    parameter_format: must be one of POSITIONAL, NAMED
    components: have no part of the type BODY
    components[0].format: must be one of TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION
    components[1].text: is missing or empty
    components[2].buttons[0].text: has 26 characters, but WhatsApp takes at most 25
    components[2].buttons[0].url: must begin with https:// or http://
    components[2].buttons[1].type: is missing
    components[3].type: is missing
    ");
}

#[test]
fn values_of_other_types_are_no_templates() {
    for odd in [json!(null), json!([]), json!("text")] {
        let expected = ["template: is not a table of keys and values"];
        assert_eq!(problems(&odd), expected);
    }
    assert!(!problems(&json!({ "components": "x" })).is_empty());
    assert!(!problems(&json!({ "components": [null, 5] })).is_empty());
}

#[test]
fn keys_that_meta_may_have_added_are_sent_with_a_warning() {
    let mut template = with(&json!({ "type": "LIMITED_TIME_OFFER", "limited_time_offer": {} }));
    template["allow_category_change"] = json!(true);

    let checked = create("102290129340398", &template).unwrap();

    let path = ["102290129340398", "message_templates"];
    assert_eq!(checked.call, Call::post(&path, template));
    let parts = [0, 1].map(|index| checked.warnings[index].part.as_str());
    assert_eq!(parts, ["allow_category_change", "components[1].type"]);
    assert_eq!(checked.warnings.len(), 2);
}

#[test]
fn an_authentication_template_has_no_texts_of_its_own() {
    let template = json!({
        "name": "login", "language": "en_US", "category": "AUTHENTICATION", "components": [
            { "type": "BODY", "add_security_recommendation": true },
            { "type": "FOOTER", "code_expiration_minutes": 10 },
            { "type": "BUTTONS", "buttons": [{ "type": "OTP", "otp_type": "COPY_CODE" }] },
        ],
    });

    assert_eq!(problems(&template), Vec::<String>::new());
}

#[test]
fn a_template_is_read_whatever_is_missing_or_odd() {
    let table = [
        json!(null),
        json!({}),
        json!({ "components": null, "quality_score": null, "name": null, "id": null }),
        json!({ "components": { "type": "BODY" }, "quality_score": [], "name": {}, "new": 1 }),
        json!({ "components": [null, "x"] }),
    ];
    for answer in table {
        assert_eq!(Template::read(&answer), Template::default(), "{answer}");
    }
    let read = Template::read(
        &json!({ "id": 700_100_200, "quality_score": { "score": "GREEN", "date": 1 },
        "components": [{ "type": "BUTTONS", "buttons": [{ "type": "URL", "url": null }, null] }] }),
    );
    assert_eq!((&*read.id, &*read.quality), ("700100200", "GREEN"));
    assert_eq!(read.buttons().len(), 1);
}

#[test]
fn variables_are_found_once_and_in_the_order_they_are_sent() {
    let table: [(&str, &[&str]); 8] = [
        ("Hi {{1}}, {{2}}", &["1", "2"]),
        ("{{2}} and {{1}} and {{2}}", &["1", "2"]),
        ("{{10}} {{9}}", &["9", "10"]),
        ("{{name}}, {{ day }}, {{name}}", &["name", "day"]),
        ("{{}} {{ }} {{open", &[]),
        ("{1} }} {{a}}", &["a"]),
        ("", &[]),
        ("ä{{1}}👍", &["1"]),
    ];
    for (text, expected) in table {
        assert_eq!(variables(text), expected, "{text}");
    }
}

#[test]
fn the_shape_of_a_template_says_what_a_send_must_give() {
    let row = json!({
        "name": "order_ok", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "NAMED", "components": [
            { "type": "header", "format": "TEXT", "text": "Order {{number}}" },
            { "type": "BODY", "text": "Hi {{name}}, it comes {{day}}." },
            { "type": "BUTTONS", "buttons": [
                { "type": "QUICK_REPLY", "text": "Stop" },
                { "type": "URL", "text": "Track", "url": "https://x.example/{{1}}" },
                { "type": "URL", "text": "Home", "url": "https://x.example" },
                { "type": "COPY_CODE", "text": "Copy" },
                { "type": "OTP", "text": "Copy" },
            ] },
            { "type": "CAROUSEL", "cards": [{ "components": [] }, {}] },
        ],
    });

    let shape = shape(&Template::read(&row));

    let header = HeaderShape::Text(vec!["number".to_owned()]);
    assert_eq!(shape.header, Some(header));
    assert_eq!(shape.body, ["name", "day"]);
    assert!(shape.named);
    assert_eq!(shape.cards, 2);
    let buttons = shape.buttons.iter();
    let values: Vec<bool> = buttons.map(|button| button.needs_value).collect();
    assert_eq!(values, [false, true, false, true, true]);
    assert_eq!(shape.buttons[0].kind, "quick_reply");
}

#[test]
fn examples_are_found_in_every_shape_meta_writes_them_in() {
    let part = |value: Value| serde_json::from_value::<Component>(value).unwrap();
    let table = [
        json!({ "type": "BODY", "text": "{{1}} {{2}}", "example": { "body_text": [["a", 2]] } }),
        json!({ "type": "HEADER", "text": "{{1}}", "example": { "header_text": ["a", "2"] } }),
        json!({ "type": "BODY", "text": "{{x}} {{y}}", "example": { "body_text_named_params": [
            { "param_name": "y", "example": "2" }, { "param_name": "x", "example": "a" }] } }),
    ];
    for value in table {
        assert_eq!(part(value.clone()).examples(), ["a", "2"], "{value}");
    }
    let odd = json!({ "type": "BODY", "text": "{{1}}", "example": 5 });
    assert_eq!(part(odd).examples(), Vec::<String>::new());
}
