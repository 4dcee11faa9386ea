//! Meaning of single replies, shown as the message that they become in one language.

use serde_json::{Value, json};

use crate::diagnostics::Diagnostic;
use crate::diagnostics::sources::SourceMap;
use crate::message::{Outbound, TemplateFile};
use crate::rules::CompileInput;
use crate::rules::compile::compile;

/// Compiles a rule with this reply; gives the message that an Indonesian contact gets, and the
/// codes of the warnings.
fn compiled(
    reply: &str,
    templates: Option<&TemplateFile>,
) -> Result<(Outbound, Vec<&'static str>), Vec<Diagnostic>> {
    let text = format!("version = 1\n[[rule]]\nid = \"a\"\n{reply}\n");
    let input = CompileInput {
        templates,
        today: None,
        hosts: None,
    };
    let mut compiled = compile(&SourceMap::new("rules.toml", &text), input)?;
    let reply = compiled.rules.rules.remove(0).answer.variants.remove(0);
    let message = reply[0].content.try_map(|text| {
        let text = text.literal(&["id"]).unwrap_or(text.source(&["id"]));
        Ok::<_, ()>(text.to_owned())
    });
    let codes = compiled.warnings.iter().map(|warning| warning.code);
    Ok((message.unwrap(), codes.collect()))
}

#[track_caller]
fn message(reply: &str) -> Value {
    match compiled(reply, None) {
        Ok((message, _)) => serde_json::to_value(message).unwrap(),
        Err(diagnostics) => panic!("{reply}: {diagnostics:?}"),
    }
}

/// The value of a key, wherever it stands.
fn find(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let inside = || object.values().find_map(|value| find(value, name));
            object.get(name).cloned().or_else(inside)
        }
        Value::Array(list) => list.iter().find_map(|value| find(value, name)),
        _ => None,
    }
}

#[test]
fn an_id_alone_is_an_upload_wherever_a_file_may_stand() {
    let card =
        "{ image = { id = \"123\" }, link = { title = \"A\", url = \"https://a.example\" } }";
    let buttons = "text = \"T\", buttons = [{ id = \"a\", title = \"A\" }]";
    let template = "name = \"t\", language = \"en\"";
    let mut replies: Vec<String> = ["image", "video", "document", "audio", "sticker"]
        .map(|kind| format!("reply = {{ {kind} = {{ id = \"123\" }} }}"))
        .into();
    for kind in ["image", "video", "document"] {
        let header = format!("header = {{ {kind} = {{ id = \"123\" }} }}");
        replies.push(format!("reply = {{ {header}, {buttons} }}"));
        replies.push(format!("reply.template = {{ {template}, {header} }}"));
    }
    replies.push(format!(
        "reply = {{ text = \"T\", carousel = [{card}, {card}] }}"
    ));
    replies.push(format!(
        "reply.template = {{ {template}, cards = [{{ video = {{ id = \"123\" }} }}] }}"
    ));
    for reply in replies {
        let message = message(&reply);

        let source = find(&message, "source").or_else(|| find(&message, "media"));
        let id = source.map_or_else(|| find(&message, "id"), |source| find(&source, "id"));
        assert_eq!(id, Some(json!("123")), "{reply}: {message}");
    }
}

#[test]
fn the_same_key_is_a_language_where_a_text_stands_or_beside_another_language() {
    for (reply, key, expected) in [
        ("reply = { id = \"Halo\" }", "body", "Halo"),
        ("reply.text = { id = \"Halo\" }", "body", "Halo"),
        (
            "reply.image = { en = \"https://a.example/en\", id = \"https://a.example/id\" }",
            "link",
            "https://a.example/id",
        ),
        (
            "reply.image = { link = { id = \"https://a.example/id\" } }",
            "link",
            "https://a.example/id",
        ),
        (
            "reply = { text = \"T\", header = { id = \"Halo\" }, buttons = [{ id = \"a\", title = \"A\" }] }",
            "header",
            "Halo",
        ),
        (
            "reply = { text = \"T\", footer = { id = \"Halo\" }, buttons = [{ id = \"a\", title = \"A\" }] }",
            "footer",
            "Halo",
        ),
        (
            "reply = { text = \"T\", buttons = [{ id = \"a\", title = { id = \"Halo\" } }] }",
            "title",
            "Halo",
        ),
        (
            "reply = { image = { id = \"1\", caption = { id = \"Halo\" } } }",
            "caption",
            "Halo",
        ),
    ] {
        let message = message(reply);

        let shown = find(&message, key).map(|value| match value {
            Value::Object(mut header) => header.remove("text").unwrap(),
            text => text,
        });
        assert_eq!(shown, Some(json!(expected)), "{reply}: {message}");
    }
}

#[test]
fn the_values_of_a_template_and_of_a_form_may_be_called_like_languages() {
    let template = message(
        "reply.template = { name = \"t\", language = \"en\", body = { id = \"4711\", no = \"7\" } }",
    );
    let form = message(
        "reply = { text = \"T\", form = { id = \"1\", button = \"B\", screen = \"S\", data = { id = \"4711\" } } }",
    );

    let names = find(&template, "body").unwrap();
    assert_eq!(names[0], json!({ "name": "id", "text": "4711" }));
    assert_eq!(names[1], json!({ "name": "no", "text": "7" }));
    assert_eq!(find(&form, "data"), Some(json!([["id", "4711"]])));
}

#[test]
fn an_unknown_key_beside_the_id_of_an_upload_is_no_language() {
    let diagnostics = compiled("reply.image = { id = \"123\", url = \"x\" }", None).unwrap_err();

    assert_eq!(diagnostics[0].message, "unknown key `url`");
}

/// Templates as they were fetched: one with named variables, one with a one-time code.
fn fetched(kind: &str) -> TemplateFile {
    let shape = |name: &str, category: &str| {
        json!({
            "name": name, "language": "en", "status": "APPROVED", "category": category,
            "header": null, "body": ["1"], "named": false, "buttons": [], "cards": 0,
        })
    };
    let mut named = shape("named", "UTILITY");
    named["header"] = json!({ "text": ["id"] });
    named["body"] = json!(["size"]);
    named["named"] = json!(true);
    let mut code = shape("code", "AUTHENTICATION");
    code["buttons"] = json!([{ "kind": kind, "text": "Copy", "needs_value": true }]);
    let file = json!({ "synced_at": "2026-11-23T10:00:00Z", "templates": [named, code] });
    serde_json::from_value(file).unwrap()
}

#[test]
fn the_variable_of_a_header_carries_its_name() {
    let file = fetched("otp");
    let named = |header: &str| {
        let template = "name = \"named\", language = \"en\", body = { size = \"L\" }";
        compiled(
            &format!("reply.template = {{ {template}, header = {header} }}"),
            Some(&file),
        )
    };
    for header in ["{ id = \"4711\" }", "\"4711\"", "{ en = \"4711\" }"] {
        let (message, _) = named(header).unwrap_or_else(|errors| panic!("{header}: {errors:?}"));
        let message = serde_json::to_value(message).unwrap();

        assert_eq!(message["template"]["header_name"], "id", "{header}");
        assert_eq!(message["template"]["header"]["text"], "4711", "{header}");
    }
    let errors = named("{ order = \"4711\" }").unwrap_err();
    assert_eq!(
        errors[0].message,
        "the header of the template takes `id`, and gets `order`"
    );
}

#[test]
fn a_one_time_code_goes_out_whatever_kind_its_button_is_listed_as() {
    for kind in ["otp", "url", "copy_code", "one_tap"] {
        let file = fetched(kind);
        for key in ["code", "url"] {
            let template = format!(
                "name = \"code\", language = \"en\", body = [\"47\"], buttons = [{{ {key} = \"47\" }}]"
            );
            let read = compiled(&format!("reply.template = {{ {template} }}"), Some(&file));
            let (message, _) = read.unwrap_or_else(|errors| panic!("{kind}, {key}: {errors:?}"));
            let message = serde_json::to_value(message).unwrap();

            assert_eq!(
                message["template"]["buttons"],
                json!([{ "url": [0, "47"] }])
            );
            assert_eq!(message["template"]["authentication"], true);
        }
    }
}

#[test]
fn a_card_has_several_of_what_an_address_book_has() {
    let card = message(
        "reply.contacts = [{ name = \"Bo Li\", birthday = \"1990-12-31\", phone = \"+1 555 000 0001\", \
         phones = [{ number = \"+1 555 000 0002\", type = \"CELL\" }, \"+1 555 000 0003\"], \
         emails = [{ address = \"a@a.example\", type = \"HOME\" }], urls = [\"https://a.example\", \"https://b.example\"], \
         address = { street = \"1 St\", country_code = \"US\" } }]",
    );

    let phones = find(&card, "phones").unwrap();
    let kinds: Vec<&Value> = phones
        .as_array()
        .unwrap()
        .iter()
        .map(|phone| &phone["kind"])
        .collect();
    assert_eq!(kinds, ["WORK", "CELL", "WORK"]);
    assert_eq!(phones[1]["wa_id"], "15550000002");
    assert_eq!(
        find(&card, "emails").unwrap()[0],
        json!({ "email": "a@a.example", "kind": "HOME" })
    );
    assert_eq!(find(&card, "urls").unwrap()[1], "https://b.example");
    assert_eq!(find(&card, "street").unwrap(), "1 St");
    for wrong in [
        "birthday = \"31.12.1990\"",
        "phones = [{ type = \"CELL\" }]",
        "address = \"1 St\"",
    ] {
        let reply = format!("reply.contacts = [{{ name = \"Bo\", {wrong} }}]");
        assert!(compiled(&reply, None).is_err(), "{wrong}");
    }
}

#[test]
fn a_raw_message_keeps_every_value_and_offers_its_buttons() {
    let reply = "[rule.reply.raw]\ntype = \"interactive\"\n[rule.reply.raw.interactive]\ntype = \"button\"\n\
        body = { en = \"no language here\", text = \"Hi\" }\nnumber = 1.5\nyes = true\n\
        action.buttons = [{ type = \"reply\", reply = { id = \"x\", title = \"X\" } }]";
    let (message, warnings) = compiled(reply, None).unwrap_or_else(|errors| panic!("{errors:?}"));
    let stored = serde_json::to_value(&message).unwrap();

    let content = &stored["raw"]["keys"]["interactive"];
    assert_eq!(
        content["body"],
        json!({ "en": "no language here", "text": "Hi" })
    );
    assert_eq!(
        (&content["number"], &content["yes"]),
        (&json!(1.5), &json!(true))
    );
    assert_eq!(warnings, [crate::diagnostics::codes::NEVER_ANSWERED]);
    assert_eq!(message.transcript_text(), "[button] Hi");
    for (raw, message) in [
        (
            "{ type = \"text\", to = \"1\", text = {} }",
            "`raw` cannot have `to`: replyd writes it",
        ),
        ("{ text = { body = \"Hi\" } }", "the key `type` is missing"),
        (
            "{ type = \"text\", txt = {} }",
            "the message has no object `text`, which its type names",
        ),
    ] {
        let errors = compiled(&format!("reply.raw = {raw}"), None).unwrap_err();
        assert_eq!(errors[0].message, message, "{raw}");
    }
}

#[test]
fn keys_of_purchases_may_be_called_like_languages() {
    let order = message(
        "[rule.reply]\ntext = \"Pay\"\n[rule.reply.order_details]\nreference_id = \"a\"\n\
         type = \"digital-goods\"\ncurrency = \"INR\"\ntotal_amount = { value = 1, offset = 100 }\n\
         payment_settings = [{ notes = { id = \"1\", no = \"2\", it = \"3\" } }, { to = \"4\" }]",
    );
    assert_eq!(
        find(&order, "payment_settings").unwrap(),
        json!([{ "notes": { "id": "1", "no": "2", "it": "3" } }, { "to": "4" }])
    );

    let address = message(
        "reply = { text = \"Where?\", address_message = { country = \"IN\", values = { no = \"8\", is = \"x\" }, \
         saved_addresses = [{ id = \"my\", value = { am = \"y\" } }], \
         validation_errors = { in_pin_code = { en = \"Not found\", es = \"No existe\" } } } }",
    );
    assert_eq!(
        find(&address, "values").unwrap(),
        json!({ "no": "8", "is": "x" })
    );
    assert_eq!(
        find(&address, "saved_addresses").unwrap(),
        json!([{ "id": "my", "value": { "am": "y" } }])
    );
    assert_eq!(find(&address, "in_pin_code").unwrap(), "Not found");
}
