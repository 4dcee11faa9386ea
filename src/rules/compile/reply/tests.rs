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
