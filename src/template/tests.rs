//! Texts filled in and refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{RenderError, Scope, Template};
use crate::diagnostics::sources::SourceMap;
use crate::engine::render::variables::RenderContext;
use crate::engine::render::variables::Variables;
use crate::message::{
    Contact, Content, ConversationState, Identity, Inbound, PhoneNumberId, WaId, Wamid,
};
use crate::rules::{CompileInput, RuleSet, compile};

fn ana() -> Contact {
    let phone = WaId::parse("15550000001").expect("digits");
    Contact {
        identity: Identity::Phone(phone),
        name: Some("Ana Lima".to_owned()),
        username: None,
    }
}

fn said(text: &str) -> Inbound {
    let text = Content::Text {
        body: text.to_owned(),
    };
    let number = PhoneNumberId::parse("1").expect("not empty");
    let wamid = Wamid::parse("wamid.1").expect("not empty");
    Inbound::new(
        number,
        wamid,
        ana().identity,
        jiff::Timestamp::UNIX_EPOCH,
        text,
    )
}

fn nobody() -> Contact {
    Contact {
        name: None,
        ..ana()
    }
}

fn rules() -> RuleSet {
    let sources = SourceMap::new("rules.toml", "version = 1\n[bot]\nname = \"Luna\"\n");
    let compiled = compile(&sources, CompileInput::default());
    compiled.expect("good rules").rules
}

/// Fills a template in for a message, or says that it cannot be.
fn fill(template: &Template, contact: &Contact, text: &str) -> Result<String, RenderError> {
    let (rules, state, message) = (rules(), ConversationState::default(), said(text));
    let captures = BTreeMap::from([("number".to_owned(), "42".to_owned())]);
    template.render(&Variables::new(RenderContext {
        rules: &rules,
        contact,
        state: &state,
        message: &message,
        captures: &captures,
        roots: BTreeMap::new(),
        now: jiff::Timestamp::UNIX_EPOCH,
    }))
}

fn render(source: &str, contact: &Contact, text: &str) -> String {
    let scope = Scope {
        captures: &["number".to_owned()],
        ..Scope::default()
    };
    let template = Template::parse(source, &scope).expect("a good template");
    fill(&template, contact, text).expect("it renders")
}

#[test]
fn hours_are_worked_out_for_a_text_that_asks_for_them_and_no_other() {
    let text = "version = 1\n[hours]\ndaily = \"00:00-24:00\"\n";
    let compiled = compile(&SourceMap::new("rules.toml", text), CompileInput::default());
    let (rules, contact) = (compiled.expect("good rules").rules, ana());
    let (state, message, captures) = (ConversationState::default(), said("Hi"), BTreeMap::new());
    for (source, shown, asks) in [
        (
            "{{ contact.first_name }} {{ message.text }}",
            "Ana Hi",
            false,
        ),
        ("{{ hours.open }}", "True", true),
        ("{% if hours.open %}yes{% endif %}", "yes", true),
        ("{% set it = hours %}{{ it.open }}", "True", true),
        (
            "{% for one in [1] %}{{ hours.open }}{% endfor %}",
            "True",
            true,
        ),
        ("{{ hours.next_close | default('never') }}", "never", true),
    ] {
        let variables = Variables::new(RenderContext {
            rules: &rules,
            contact: &contact,
            state: &state,
            message: &message,
            captures: &captures,
            roots: BTreeMap::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
        });
        let template = Template::parse(source, &Scope::default()).expect("a good template");

        assert_eq!(template.render(&variables).expect("it renders"), shown);

        let known = serde_json::to_value(&variables).expect("values");
        assert_eq!(known.get("hours").is_some(), asks, "{source}");
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
    assert_eq!(render(text, &nobody(), ""), "Hi there!");
}

#[test]
fn an_unknown_variable_is_found_at_load_with_its_place_and_the_closest_name() {
    let errors =
        Template::parse("Hi {{ contact.nmae }}, {{ match.x }}", &Scope::default()).unwrap_err();

    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0].range, 6..18);
    assert_eq!(
        errors[0].help.as_deref(),
        Some("did you mean `contact.name`?")
    );
    assert!(
        errors[1]
            .help
            .as_deref()
            .is_some_and(|help| help.contains("group"))
    );
}

#[test]
fn a_syntax_error_has_its_place() {
    let source = "Hi {{ contact.name";
    let errors = Template::parse(source, &Scope::default()).unwrap_err();

    assert_eq!(errors.len(), 1);
    assert!(errors[0].range.end <= source.len());
}

#[test]
fn a_text_that_runs_away_is_stopped() {
    let source = "{% for a in range(1000) %}x{% endfor %}";
    assert!(
        Template::parse(source, &Scope::default()).is_err(),
        "there is no `range`"
    );
    let source =
        "{% for a in message.text %}{% for b in message.text %}{{ a }}{% endfor %}{% endfor %}";
    let template = Template::parse(source, &Scope::default()).expect("known variables");
    assert!(fill(&template, &ana(), &"x".repeat(4000)).is_err());
}

#[test]
fn dates_numbers_money_and_plurals_are_written_as_the_language_does() {
    let of_fields = |text: &str, language: &str| {
        let fields = ["day", "at", "sum", "count"].map(str::to_owned).into();
        let scope = Scope {
            fields: Some(&fields),
            ..Scope::default()
        };
        let template = Template::parse(text, &scope).expect("a good template");
        let (rules, contact, message) = (rules(), ana(), said("x"));
        let mut state = ConversationState {
            language: Some(language.to_owned()),
            ..ConversationState::default()
        };
        for (name, value) in [
            ("day", "2026-12-24"),
            ("at", "15:30"),
            ("sum", "1234.5"),
            ("count", "3"),
        ] {
            state.fields.insert(name.to_owned(), value.to_owned());
        }
        let captures = BTreeMap::new();
        let variables = Variables::new(RenderContext {
            rules: &rules,
            contact: &contact,
            state: &state,
            message: &message,
            captures: &captures,
            roots: BTreeMap::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
        });
        template.render(&variables).expect("it renders")
    };
    let text = "{% set f = contact.fields %}{{ f.day | date }}; {{ f.day | date('short') }}; {{ f.at | time }}; \
                {{ f.sum | number(2) }}; {{ f.sum | money('EUR') }}; {{ f.count }} {{ f.count | plural(one='a', few='b', other='c') }}";

    assert_eq!(
        of_fields(text, "en"),
        "December 24, 2026; 12/24/26; 3:30 PM; 1,234.50; €1,234.50; 3 c"
    );
    assert_eq!(
        of_fields(text, "de"),
        "24. Dezember 2026; 24.12.26; 15:30; 1.234,50; 1.234,50 €; 3 c"
    );
    assert_eq!(
        of_fields(
            "{{ contact.fields.count | plural(one='a', few='b', other='c') }}",
            "ru"
        ),
        "b"
    );
}

proptest! {
    #[test]
    fn what_people_write_comes_back_as_they_wrote_it(text in "(\\{\\{|\\}\\}|\\{%|%\\}|[a-z .()|'\"]){0,12}") {
        prop_assert_eq!(render("{{ message.text }}", &ana(), &text), text);
    }

    #[test]
    fn no_source_makes_it_panic(source in "(\\{\\{|\\}\\}|\\{%|%\\}|if|for|in|contact|\\.|name|[ |()x]){0,14}") {
        if let Ok(template) = Template::parse(&source, &Scope::default()) {
            let _ = fill(&template, &ana(), "x");
        }
    }
}

#[test]
fn the_nearest_language_is_taken_part_by_part() {
    let written_in = |tags: &[&str]| {
        let texts = tags.iter().map(|tag| {
            let text = Template::parse(tag, &Scope::default()).expect("a good text");
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
