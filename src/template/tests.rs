//! Texts filled in and refused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::{LazyGroup, RenderError, Scope, Template, TemplateError};

fn ana() -> Value {
    json!({ "name": "Ana Lima", "first_name": "Ana", "phone": "+15550000001" })
}

fn parse(source: &str) -> Result<Template, Vec<TemplateError>> {
    Template::parse(source, &Scope::default())
}

fn fill(template: &Template, contact: &Value, text: &str) -> Result<String, RenderError> {
    let values = json!({
        "bot": { "name": "Luna" },
        "contact": contact,
        "message": { "text": text },
        "match": { "number": "42" },
    });
    template.render(&["en"], &values)
}

fn render(source: &str, contact: &Value, text: &str) -> String {
    let scope = Scope {
        captures: &["number".to_owned()],
        ..Scope::default()
    };
    let template = Template::parse(source, &scope).expect("a good template");
    fill(&template, contact, text).expect("it renders")
}

#[test]
fn a_lazy_group_is_computed_once_for_a_text_that_asks_for_it_and_for_no_other() {
    #[derive(Serialize)]
    struct Hours {
        open: bool,
    }
    #[derive(Serialize)]
    struct Values {
        name: &'static str,
        hours: LazyGroup,
    }

    for (source, shown, asks) in [
        ("{{ name }}", "Ana", 0),
        ("{{ hours.open }}", "true", 1),
        ("{{ hours.open }} {{ hours.open }}", "true true", 1),
        ("{% if hours.open %}yes{% endif %}", "yes", 1),
        ("{% if hours %}yes{% endif %}", "yes", 1),
        ("{% set it = hours %}{{ it.open }}", "true", 1),
        ("{% for key in hours %}{{ key }}{% endfor %}", "open", 1),
        (
            "{% for _ in [1, 2] %}{{ hours.open }}{% endfor %}",
            "truetrue",
            1,
        ),
        ("{{ hours.next_close | default('never') }}", "never", 1),
    ] {
        let computed = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&computed);
        let hours = LazyGroup::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Hours { open: true }
        });
        let values = Values { name: "Ana", hours };
        let roots = ["name".to_owned()];
        let scope = Scope {
            roots: &roots,
            ..Scope::default()
        };
        let template = Template::parse(source, &scope).expect("a good template");

        assert_eq!(template.render(&[], &values).expect("it renders"), shown);

        assert_eq!(computed.load(Ordering::Relaxed), asks, "{source}");
    }
}

#[test]
fn variables_are_filled_in() {
    let text = "{{ bot.name }}: {{ contact.first_name }} {{ contact.phone }} {{ match.number }}";
    assert_eq!(render(text, &ana(), ""), "Luna: Ana +15550000001 42");
}

#[test]
fn a_name_that_is_not_known_is_empty_or_the_default() {
    let text = "Hi {{ contact.first_name | default('there') }}{{ contact.name }}!";
    assert_eq!(render(text, &json!({}), ""), "Hi there!");
}

#[test]
fn an_unknown_variable_is_found_at_load_with_its_place_and_the_closest_name() {
    let errors = parse("Hi {{ contact.nmae }}, {{ match.x }}").unwrap_err();

    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0].range, 6..18);
    let [name, group] = [0, 1].map(|index| errors[index].help.as_deref().unwrap());
    assert_eq!(name, "did you mean `contact.name`?");
    assert!(group.contains("group"));
}

#[test]
fn a_syntax_error_has_its_place() {
    let source = "Hi {{ contact.name";
    let errors = parse(source).unwrap_err();

    assert_eq!(errors.len(), 1);
    assert!(errors[0].range.end <= source.len());
}

#[test]
fn a_text_that_runs_away_is_stopped() {
    let source = "{% for a in range(1000) %}x{% endfor %}";
    assert!(parse(source).is_err(), "there is no `range`");
    let source =
        "{% for a in message.text %}{% for b in message.text %}{{ a }}{% endfor %}{% endfor %}";
    let template = parse(source).expect("known variables");
    assert!(fill(&template, &ana(), &"x".repeat(4000)).is_err());
}

#[test]
fn dates_numbers_money_and_plurals_are_written_as_the_language_does() {
    let of_fields = |text: &str, language: &str| {
        let fields: BTreeSet<String> = ["day", "at", "sum", "count"].map(str::to_owned).into();
        let scope = Scope {
            fields: Some(&fields),
            ..Scope::default()
        };
        let template = Template::parse(text, &scope).expect("a good template");
        let fields = json!({ "day": "2026-12-24", "at": "15:30", "sum": "1234.5", "count": "3" });
        let values = json!({ "language": language, "contact": { "fields": fields } });
        template.render(&[language], &values).expect("it renders")
    };
    let text = "{% set f = contact.fields %}{{ f.day | date }}; {{ f.day | date('short') }}; {{ f.at | time }}; \
                {{ f.sum | number(2) }}; {{ f.sum | money('EUR') }}; {{ f.count }} {{ f.count | plural(one='a', few='b', other='c') }}";

    let plural = "{{ contact.fields.count | plural(one='a', few='b', other='c') }}";
    let english = "December 24, 2026; 12/24/26; 3:30 PM; 1,234.50; €1,234.50; 3 c";
    assert_eq!(of_fields(text, "en"), english);
    let german = "24. Dezember 2026; 24.12.26; 15:30; 1.234,50; 1.234,50 €; 3 c";
    assert_eq!(of_fields(text, "de"), german);
    assert_eq!(of_fields(plural, "ru"), "b");
}

proptest! {
    #[test]
    fn what_people_write_comes_back_as_they_wrote_it(text in "(\\{\\{|\\}\\}|\\{%|%\\}|[a-z .()|'\"]){0,12}") {
        prop_assert_eq!(render("{{ message.text }}", &ana(), &text), text);
    }

    #[test]
    fn no_source_makes_it_panic(source in "(\\{\\{|\\}\\}|\\{%|%\\}|if|for|in|contact|\\.|name|[ |()x]){0,14}") {
        if let Ok(template) = parse(&source) {
            let _ = fill(&template, &ana(), "x");
        }
    }
}

#[test]
fn the_nearest_language_is_taken_part_by_part() {
    let written_in = |tags: &[&str]| {
        let texts = tags.iter().map(|tag| {
            let text = parse(tag).expect("a good text");
            ((*tag).to_owned(), text)
        });
        Template::in_languages(texts.collect())
    };
    let chinese = written_in(&["en", "zh-Hans", "zh-Hant"]);
    for (wanted, taken) in [
        ("zh-Hant-TW", "zh-Hant"),
        ("zh-TW", "zh-Hant"),
        ("zh-hk", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("fr", "en"),
    ] {
        assert_eq!(chinese.source(&[wanted]), taken, "{wanted}");
    }

    let regions = written_in(&["en", "zh-CN", "zh-TW", "pt-BR", "es", "es-MX"]);
    for (wanted, taken) in [
        ("zh-Hant-TW", "zh-TW"),
        ("zh-Hant", "zh-TW"),
        ("zh-HK", "zh-TW"),
        ("zh-SG", "zh-CN"),
        ("pt-PT", "pt-BR"),
        ("es-mx", "es-MX"),
        ("es-AR", "es"),
        ("zh", "zh-CN"),
        ("es-419-x-a", "es"),
    ] {
        assert_eq!(regions.source(&[wanted]), taken, "{wanted}");
    }
}

/// Fills in a text from the JSON of another service.
fn said_of(source: &str, json: &Value) -> String {
    let roots = ["x".to_owned()];
    let scope = Scope {
        roots: &roots,
        ..Scope::default()
    };
    let template = Template::parse(source, &scope).expect("a good template");
    let values = json!({ "x": json });
    template.render(&[], &values).expect("it renders")
}

#[test]
fn values_of_json_are_written_for_people() {
    let json = json!({
        "yes": true, "no": false, "nothing": null, "whole": 3, "part": 2.5,
        "sizes": ["S", "M", null, true], "empty": [],
        "table": { "colour": "red", "sold": false, "note": null },
        "rows": [{ "id": 1 }, { "id": 2 }],
    });
    for (source, expected) in [
        ("{{ x.yes }} {{ x.no }}", "true false"),
        ("[{{ x.nothing }}]", "[]"),
        ("{{ x.nothing | default('none yet') }}", "none yet"),
        ("{{ x.missing | default('none yet') }}", "none yet"),
        ("{{ x.no | default('none yet') }}", "false"),
        ("{{ '' | default('empty', true) }}", "empty"),
        ("{{ x.whole }} {{ x.part }}", "3 2.5"),
        ("{{ x.sizes }}", "S, M, true"),
        ("{{ x.sizes | join(' or ') }}", "S or M or true"),
        ("{{ x.sizes | upper }}", "S, M, TRUE"),
        ("{{ x.rows | join(', ', attribute='id') }}", "1, 2"),
        ("[{{ x.empty }}]", "[]"),
        ("{{ x.table }}", "colour: red, sold: false"),
        ("{{ x.rows }}", "id: 1, id: 2"),
        (
            "[{{ x.nothing | upper }}{{ x.nothing | trim }}{{ x.nothing | title }}]",
            "[]",
        ),
        ("{{ x.yes | upper }} {{ x.yes | capitalize }}", "TRUE True"),
        (
            "{{ x.nothing | number }}{{ x.nothing | date }}{{ x.nothing | money('EUR') }}",
            "",
        ),
        ("{{ x.yes | replace('u', 'U') }}", "trUe"),
        ("{{ 'a' ~ x.nothing ~ x.yes ~ x.sizes }}", "atrueS, M, true"),
        ("{% if x.no %}yes{% else %}no{% endif %}", "no"),
        (
            "{{ x.sizes | first | lower }} {{ x.sizes | length }}",
            "s 4",
        ),
    ] {
        assert_eq!(said_of(source, &json), expected, "{source}");
    }
}

#[test]
fn a_text_is_cut_to_a_length_as_whatsapp_counts() {
    for (text, expected) in [
        ("short", "short"),
        ("ten chars.", "ten chars."),
        ("eleven char", "eleven ch…"),
        ("🥐🥐🥐🥐🥐🥐", "🥐🥐🥐🥐…"),
        ("a word and more", "a word an…"),
        ("seventy     ", "seventy…"),
    ] {
        let text = said_of("{{ x | truncate(10) }}", &json!(text));
        assert_eq!(text, expected);
    }
}

#[test]
fn values_in_a_link_are_escaped_but_for_an_address_that_begins_it() {
    let roots = ["x".to_owned()];
    let scope = Scope {
        roots: &roots,
        ..Scope::default()
    };
    let pay = "https://pay.example/p?id=1&n=A b";
    for (source, value, expected) in [
        (
            "https://a.example/?q={{ x }}",
            json!("ice & cake?"),
            "https://a.example/?q=ice%20%26%20cake%3F",
        ),
        (
            "https://a.example/{{ x }}/é",
            json!("é/.."),
            "https://a.example/%C3%A9%2F../é",
        ),
        ("{{ x }}", json!(pay), "https://pay.example/p?id=1&n=A%20b"),
        (
            "{{- x | default('') -}}&t={{ x }}",
            json!("HTTPS://b.example"),
            "HTTPS://b.example&t=HTTPS%3A%2F%2Fb.example",
        ),
        (
            "https://a.example/?next={{ x }}",
            json!(pay),
            "https://a.example/?next=https%3A%2F%2Fpay.example%2Fp%3Fid%3D1%26n%3DA%20b",
        ),
        (
            "{{ x }}",
            json!("javascript:alert(1)"),
            "javascript%3Aalert%281%29",
        ),
        (
            "https://a.example/{{ x }}",
            json!(null),
            "https://a.example/",
        ),
        (
            "https://a.example/{{ x }}",
            json!(["a", true]),
            "https://a.example/a%2C%20true",
        ),
    ] {
        let link = Template::parse_link(source, &scope).expect("a good template");
        let shown = link.render(&[], &json!({ "x": value }));
        assert_eq!(shown.expect("it renders"), expected, "{source}");
    }
}

#[test]
fn a_group_that_is_written_as_a_text_is_refused() {
    for (source, group) in [
        ("Hi {{ contact }}", Some("contact")),
        ("{{ order.items }}", Some("order.items")),
        ("{{ cards | default('none') }}", Some("cards")),
        ("{{- form -}}", Some("form")),
        ("{{ contact.fields }}", Some("contact.fields")),
        ("{{ contact.tags }} {{ contact.name }}", None),
        ("{{ cards | length }}", None),
        (
            "{% for item in order.items %}{{ item.product }}{% endfor %}",
            None,
        ),
        ("{% if order %}yes{% endif %}", None),
    ] {
        let errors = parse(source).err().unwrap_or_default();
        let places: Vec<&str> = errors
            .iter()
            .map(|error| &source[error.range.clone()])
            .collect();
        assert_eq!(places, group.into_iter().collect::<Vec<_>>(), "{source}");
    }
}
