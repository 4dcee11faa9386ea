//! The index finds what looking at every rule finds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use crate::message::{Contact, Content, Identity, Inbound, PhoneNumberId, State, WaId, Wamid};
use crate::rules::condition::Facts;
use crate::rules::variables::Scene;
use crate::rules::{Beside, RuleSet, Sources, compile};

/// Few words, so that rules and messages meet often; some with slips, accents and another script.
const WORDS: [&str; 12] = [
    "menu",
    "mneu",
    "hours",
    "hour",
    "cake",
    "cakes",
    "delivery",
    "dleivery",
    "Größe",
    "مرحبا",
    "你好",
    "42",
];
const IDS: [&str; 5] = ["cake:lemon", "cake:", "yes", "cake:*", "*:lemon"];

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..4)
        .prop_map(|words| words.join(" "))
}

/// A condition as it stands in a rules file.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        words().prop_map(|words| format!("{{ text.has = \"{words}\" }}")),
        (words(), words()).prop_map(|(a, b)| format!("{{ text.is = [\"{a}\", \"{b}\"] }}")),
        words().prop_map(|words| format!("{{ text.starts = \"{words}\" }}")),
        words().prop_map(|words| format!("{{ text.like = \"{words}\" }}")),
        prop::sample::select(vec!["c.ke", "^menu", "(?i)größe", r"\\d+"])
            .prop_map(|pattern| format!("{{ text.matches = \"{pattern}\" }}")),
        prop::sample::select(IDS.to_vec()).prop_map(|id| format!("{{ button = \"{id}\" }}")),
        prop::sample::select(vec!["text", "image", "button"])
            .prop_map(|kind| format!("{{ type = \"{kind}\" }}")),
        Just("{ first_contact = true }".to_owned()),
        Just("{ if = \"message.text == 'menu'\" }".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|all| format!("{{ any = [{}] }}", all.join(", "))),
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|all| format!("{{ all = [{}] }}", all.join(", "))),
            inner.prop_map(|one| format!("{{ not = {one} }}")),
        ]
    })
}

fn rules(conditions: &[String]) -> RuleSet {
    let numbered = conditions.iter().enumerate();
    let rules: Vec<String> = numbered
        .map(|(index, condition)| format!("[[rule]]\nid = \"r{index}\"\nwhen = {condition}\n"))
        .collect();
    let text = format!("version = 1\n{}", rules.concat());
    match compile(&Sources::one("rules.toml", &text), Beside::default()) {
        Ok(compiled) => compiled.rules,
        Err(found) => panic!("{text}\n{found:?}"),
    }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        3 => words().prop_map(|body| Content::Text { body }),
        1 => prop::sample::select(IDS.to_vec()).prop_map(|id| Content::ButtonReply {
            id: id.to_owned(),
            title: "menu".to_owned(),
        }),
        1 => words().prop_map(|words| Content::Image(crate::message::Media {
            caption: Some(words),
            ..Default::default()
        })),
    ]
}

proptest! {
    #[test]
    fn every_rule_that_matches_is_a_candidate(
        conditions in prop::collection::vec(condition(), 1..12), content in content(), first in any::<bool>(),
    ) {
        let rules = rules(&conditions);
        let contact = Contact {
            identity: Identity::Phone(WaId::parse("15550000001").unwrap()),
            name: None,
            username: None,
        };
        let number = PhoneNumberId::parse("1").unwrap();
        let wamid = Wamid::parse("wamid.1").unwrap();
        let message = Inbound::new(number, wamid, contact.identity.clone(), Timestamp::UNIX_EPOCH, content);
        let (state, captures) = (State::default(), BTreeMap::new());
        let scene = Scene {
            rules: &rules, contact: &contact, state: &state, message: &message, captures: &captures,
            roots: BTreeMap::new(), now: Timestamp::UNIX_EPOCH,
        };
        let facts = Facts::of(scene, first);

        let candidates = rules.index.candidates(&facts);

        prop_assert!(candidates.is_sorted());
        for (place, rule) in rules.rules.iter().enumerate() {
            let holds = rule.when.look(&facts).holds;
            prop_assert!(!holds || candidates.contains(&place), "{} was not found", conditions[place]);
        }
    }
}

#[test]
fn a_rule_with_other_words_is_no_candidate() {
    let rules = rules(
        &[
            "{ text.has = \"menu\" }",
            "{ text.has = \"hours\" }",
            "{ button = \"yes\" }",
        ]
        .map(str::to_owned),
    );
    let contact = Contact {
        identity: Identity::Phone(WaId::parse("15550000001").unwrap()),
        name: None,
        username: None,
    };
    let number = PhoneNumberId::parse("1").unwrap();
    let wamid = Wamid::parse("wamid.1").unwrap();
    let content = Content::Text {
        body: "Your HOURS?".to_owned(),
    };
    let message = Inbound::new(
        number,
        wamid,
        contact.identity.clone(),
        Timestamp::UNIX_EPOCH,
        content,
    );
    let (state, captures) = (State::default(), BTreeMap::new());
    let scene = Scene {
        rules: &rules,
        contact: &contact,
        state: &state,
        message: &message,
        captures: &captures,
        roots: BTreeMap::new(),
        now: Timestamp::UNIX_EPOCH,
    };

    assert_eq!(rules.index.candidates(&Facts::of(scene, false)), [1]);
}
