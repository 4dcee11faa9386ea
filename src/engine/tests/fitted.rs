//! Replies whose values would break them: blank parts, odd spaces, links, JSON of other services.

use serde_json::{Value, json};

use super::{Talk, engine};
use crate::diagnostics::sources::SourceMap;
use crate::engine::{Engine, Turn};
use crate::message::{ActionResult, Identity, TemplateFile, UserId};
use crate::rules::{self, CompileInput};

/// Compiles rules beside fetched templates.
fn engine_with(text: &str, templates: &TemplateFile) -> Engine {
    let input = CompileInput {
        templates: Some(templates),
        today: None,
        hosts: None,
    };
    let compiled = rules::compile(&SourceMap::new("rules.toml", text), input);
    Engine::new(compiled.expect("the file is good").rules)
}

/// The first reply, as it is stored.
#[track_caller]
fn reply(turn: &Turn) -> Value {
    let reply = turn.replies.first();
    let reply = reply.unwrap_or_else(|| panic!("no reply: {:?}", turn.explanation));
    serde_json::to_value(&reply.content).unwrap()
}

fn answer(rule: &str, text: &str) -> Value {
    let engine = engine(&format!("rule = [{{ id = \"a\", set.x = \"\", {rule} }}]"));
    reply(&Talk::new(&engine).text(text))
}

#[test]
fn a_part_that_comes_out_blank_is_left_out() {
    let buttons = "buttons = [{ id = \"a\", title = \"A\" }]";
    let link = "link = { title = \"A\", url = \"https://a.example\" }";
    let blank = "\" {{ contact.fields.x }}\\u200b\\u00a0 \"";
    let row = format!("{{ id = \"a\", title = \"A\", description = {blank} }}");
    for (rule, part) in [
        (
            format!("{{ text = \"T\", footer = {blank}, {buttons} }}"),
            "/buttons/footer",
        ),
        (
            format!("{{ text = \"T\", header = {blank}, {link} }}"),
            "/link/header",
        ),
        (
            format!("{{ text = \"T\", header = {{ image = {blank} }}, {link} }}"),
            "/link/header",
        ),
        (
            format!(
                "{{ text = \"T\", header = {blank}, list = {{ button = \"B\", sections = [{{ rows = [{row}] }}] }} }}"
            ),
            "/list/header",
        ),
        (
            format!(
                "{{ text = \"T\", list = {{ button = \"B\", sections = [{{ rows = [{row}] }}] }} }}"
            ),
            "/list/sections/0/rows/0/description",
        ),
        (
            format!("{{ image = \"https://a.example/b\", text = {blank} }}"),
            "/media/caption",
        ),
        (
            format!("{{ document = {{ link = \"https://a.example/b\", filename = {blank} }} }}"),
            "/media/filename",
        ),
        (
            format!("{{ location = {{ latitude = 1, longitude = 1, name = {blank} }} }}"),
            "/location/name",
        ),
        (
            format!("{{ text = {blank}, product = {{ catalog = \"1\", id = \"2\" }} }}"),
            "/commerce/product/body",
        ),
    ] {
        let reply = answer(&format!("reply = {rule}"), "hi");

        assert_eq!(reply.pointer(part), Some(&Value::Null), "{rule}: {reply}");
    }
}

#[test]
fn the_words_of_a_contact_fit_into_a_template() {
    let text = "two\r\nlines,\ta tab      and spaces ";
    let template = "reply.template = { name = \"t\", language = \"en\", header = \"{{ message.text }}\", \
        body = { wish = \"{{ message.text }}\" }, buttons = [{ url = \"?w={{ message.text }}\" }] }";

    let reply = answer(template, text);

    let fitted = "two lines, a tab and spaces";
    assert_eq!(reply["template"]["header"]["text"], fitted);
    assert_eq!(reply["template"]["body"][0]["text"], fitted);
    let end = &reply["template"]["buttons"][0]["url"][1];
    assert!(
        end.as_str()
            .is_some_and(|end| end.starts_with("?w=two%0D%0Alines%2C%09a")),
        "{end}"
    );
}

#[test]
fn the_words_of_a_contact_fit_into_links() {
    let link = answer(
        "reply = { text = \"T\", link = { title = \"A\", url = \"https://a.example/?q={{ message.text }}\" } }",
        "cake & bread #1",
    );
    let image = answer(
        "reply.image = \"https://a.example/{{ message.text }}.jpg\"",
        "plum cake",
    );

    assert_eq!(
        link["link"]["link"]["url"],
        "https://a.example/?q=cake%20%26%20bread%20%231"
    );
    assert_eq!(image["media"]["link"], "https://a.example/plum%20cake.jpg");
}

#[test]
fn null_in_a_result_is_a_missing_value() {
    let engine = engine(
        "[[rule]]\nid = \"a\"\ncall = { get = \"https://a.example\", save = \"x\" }\nset.note = \"{{ x.note }}\"\n\
         reply = \"{{ x.note | default('none') }} {{ x.ready }} {{ x.in.stock | default('?') }} {{ x.sizes }}\
         {% if x.note is defined %}!{% endif %}\"",
    );
    let mut talk = Talk::new(&engine);
    talk.text("hi");

    let result =
        json!({ "note": null, "ready": false, "in": { "stock": null }, "sizes": ["S", "M"] });
    let turn = talk.end_action(&ActionResult::Done(result));

    assert_eq!(reply(&turn)["text"]["body"], "none false ? S, M");
    assert!(turn.state.fields.is_empty());
}

#[test]
fn a_one_time_code_is_refused_for_a_contact_who_hides_the_phone() {
    let templates = json!({ "synced_at": "2026-11-23T10:00:00Z", "templates": [{
        "name": "code", "language": "en", "status": "APPROVED", "category": "AUTHENTICATION",
        "header": null, "body": ["1"], "named": false, "cards": 0,
        "buttons": [{ "kind": "otp", "text": "Copy", "needs_value": true }],
    }] });
    let rules = "version = 1\n[[rule]]\nid = \"a\"\non_error = \"May we have your number?\"\n\
        reply.template = { name = \"code\", language = \"en\", body = [\"47\"], buttons = [{ code = \"47\" }] }";
    let engine = engine_with(rules, &serde_json::from_value(templates).unwrap());
    let mut talk = Talk::new(&engine);

    assert!(reply(&talk.text("hi"))["template"]["authentication"] == true);
    let hidden = UserId::parse("DE.1").unwrap();
    talk.conversation.contact.identity = Identity::User(hidden);

    assert_eq!(
        reply(&talk.text("hi"))["text"]["body"],
        "May we have your number?"
    );
}
