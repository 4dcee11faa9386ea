//! The candidates of the index include every rule that matches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::Index;
use crate::engine::Engine;
use crate::engine::matching::evaluate::MatchContext;
use crate::engine::render::variables::RenderContext;
use crate::engine::tests::talk::{ana, engine, message};
use crate::message::{
    Content, ContextInfo, Conversation, Forwarded, Inbound, Media, Referral, Wamid,
};
use crate::rules::Condition;

/// Few words, so that rules and messages match often; some with typing errors, accents and another
/// script, some as long as typing errors are accepted in, and longer.
const WORDS: [&str; 19] = [
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
    "Wohnungsbesichtigung",
    "Krankenversicherungsbeitr",
    "Krankenversicherungsbeitrag",
    "Lebensmittelunverträglichkeiten",
    "Geschwindigkeitsbegrenzungsschild",
    "Rechtsschutzversicherungsgesellschaften",
    "ненавистническогопредставления",
];
const IDS: [&str; 5] = ["cake:lemon", "cake:", "yes", "cake:*", "*:lemon"];

/// One condition of each kind.
const EVERY_KIND: [&str; 23] = [
    "{ text.is = \"menu\" }",
    "{ text.has = \"menu\" }",
    "{ text.starts = \"menu\" }",
    "{ text.like = \"menu\" }",
    "{ text.matches = \"menu\" }",
    "{ button = \"yes\" }",
    "{ type = \"image\" }",
    "{ first_contact = true }",
    "{ returning_after = \"2h\" }",
    "{ language = \"es\" }",
    "{ country = \"US\" }",
    "{ hours = \"closed\" }",
    "{ tag = \"vip\" }",
    "{ field = { size = \"large\" } }",
    "{ reply_to = true }",
    "{ forwarded = true }",
    "{ ad = true }",
    "{ ad = \"120200\" }",
    "{ form = \"booking\" }",
    "{ if = \"message.text == 'menu'\" }",
    "{ any = [{ tag = \"vip\" }, { text.has = \"cake\" }] }",
    "{ tag = \"vip\", text.has = \"cake\" }",
    "{ not = { text.has = \"cake\" } }",
];

/// Gives the place of a kind in `EVERY_KIND`; a new kind does not compile until it has one.
fn number(condition: &Condition) -> usize {
    match condition {
        Condition::TextIs(_) => 0,
        Condition::TextHas(_) => 1,
        Condition::TextStarts(_) => 2,
        Condition::TextLike(_) => 3,
        Condition::TextMatches(_) => 4,
        Condition::Button(_) => 5,
        Condition::Type(_) => 6,
        Condition::FirstContact(_) => 7,
        Condition::ReturningAfter(_) => 8,
        Condition::Language(_) => 9,
        Condition::Country(_) => 10,
        Condition::Open(_) => 11,
        Condition::Tag(_) => 12,
        Condition::Field(..) => 13,
        Condition::ReplyTo(_) => 14,
        Condition::Forwarded(_) => 15,
        Condition::FromAd(_) => 16,
        Condition::Ad(_) => 17,
        Condition::Form(_) => 18,
        Condition::If(_) => 19,
        Condition::Any(_) => 20,
        Condition::All(_) => 21,
        Condition::Not(_) => 22,
        Condition::Always => 23,
    }
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..4)
        .prop_map(|words| words.join(" "))
}

/// Words with up to three typing errors: a missing, additional or different letter, or two swapped.
fn slipped() -> impl Strategy<Value = String> {
    let slip = (any::<prop::sample::Index>(), 0..4_u8);
    (words(), prop::collection::vec(slip, 0..4)).prop_map(|(words, max_edits)| {
        let mut letters: Vec<char> = words.chars().collect();
        for (at, how) in max_edits {
            let at = at.index(letters.len());
            match how {
                0 if letters.len() > 1 => drop(letters.remove(at)),
                1 => letters.insert(at, 'e'),
                2 => letters[at] = 'e',
                _ if at > 0 => letters.swap(at - 1, at),
                _ => {}
            }
        }
        letters.into_iter().collect()
    })
}

/// Words behind so many characters that patterns search all, a part or nothing of them.
fn long() -> impl Strategy<Value = String> {
    let before = prop::sample::select(vec!["ö", "你", "x ", "😀"]);
    (before, 4_060..4_100_usize, slipped()).prop_map(|(before, characters, words)| {
        let before: String = before.chars().cycle().take(characters).collect();
        format!("{before} {words}")
    })
}

/// A condition, as written in a rules file.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        1 => words().prop_map(|words| format!("{{ text.has = \"{words}\" }}")),
        1 => (words(), words()).prop_map(|(a, b)| format!("{{ text.is = [\"{a}\", \"{b}\"] }}")),
        1 => words().prop_map(|words| format!("{{ text.starts = \"{words}\" }}")),
        3 => words().prop_map(|words| format!("{{ text.like = \"{words}\" }}")),
        1 => prop::sample::select(vec!["c.ke", "^menu", "(?i)größe", r"\\d+", "ours?$"])
            .prop_map(|pattern| format!("{{ text.matches = \"{pattern}\" }}")),
        1 => prop::sample::select(IDS.to_vec()).prop_map(|id| format!("{{ button = \"{id}\" }}")),
        1 => prop::sample::select(vec!["text", "image", "button", "voice"])
            .prop_map(|kind| format!("{{ type = \"{kind}\" }}")),
        2 => prop::sample::select(EVERY_KIND.map(str::to_owned).to_vec()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|parts| format!("{{ any = [{}] }}", parts.join(", "))),
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|parts| format!("{{ all = [{}] }}", parts.join(", "))),
            inner.prop_map(|negated| format!("{{ not = {negated} }}")),
        ]
    })
}

/// Makes rules with these conditions, and one that sets the tag and the field of the conditions.
fn rules(conditions: &[String]) -> Engine {
    let numbered = conditions.iter().enumerate();
    let rules: Vec<String> = numbered
        .map(|(index, condition)| format!("[[rule]]\nid = \"r{index}\"\nwhen = {condition}\n"))
        .collect();
    engine(&format!(
        "hours.thu = \"08:00-18:00\"\n{}\
         [[rule]]\nid = \"sets\"\nwhen.button = \"sets\"\ntag = \"vip\"\nset.size = \"large\"\n",
        rules.concat()
    ))
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        4 => slipped().prop_map(|body| Content::Text { body }),
        1 => long().prop_map(|body| Content::Text { body }),
        1 => prop::sample::select(IDS.to_vec()).prop_map(|id| Content::ButtonReply {
            id: id.to_owned(),
            title: "menu".to_owned(),
        }),
        1 => prop::option::of(slipped()).prop_map(|caption| Content::Image(Media {
            caption,
            ..Default::default()
        })),
        1 => Just(Content::Audio {
            media: Media::default(),
            voice: true,
        }),
    ]
}

/// A message, its conversation, and the time.
#[derive(Clone, Debug)]
struct Scenery {
    message: Inbound,
    conversation: Conversation,
    now: Timestamp,
}

impl Scenery {
    fn new(content: Content) -> Self {
        Self {
            message: message(content),
            conversation: ana(),
            now: Timestamp::UNIX_EPOCH,
        }
    }

    /// Finds the candidates, and the rules whose condition holds.
    fn matches(&self, engine: &Engine, first_contact: bool) -> [Vec<usize>; 2] {
        let rules = &engine.rules().rules;
        let render = RenderContext {
            rules: engine.rules(),
            contact: &self.conversation.contact,
            state: &self.conversation.state,
            message: &self.message,
            captures: &BTreeMap::new(),
            roots: BTreeMap::new(),
            now: self.now,
        };
        let context = MatchContext::new(render, first_contact);
        let index = Index::new(rules.iter().map(|rule| &rule.when));
        let holds = |place: &usize| rules[*place].when.evaluate(&context).holds;
        let holding = (0..rules.len()).filter(holds).collect();
        [index.candidates(&context), holding]
    }
}

fn scenery() -> impl Strategy<Value = Scenery> {
    let ad = prop::option::of(prop::option::of(Just("120200".to_owned())));
    let known = any::<[bool; 6]>();
    (content(), known, ad, 0..24_i64).prop_map(|(content, known, ad, hour)| {
        let [tagged, sized, spanish, quotes, forwarded, returns] = known;
        let mut scenery = Scenery::new(content);
        scenery.now = Timestamp::new(hour * 3_600, 0).unwrap();
        scenery.message.context = ContextInfo {
            quoted: quotes.then(|| Wamid::parse("wamid.0").unwrap()),
            forwarded: if forwarded {
                Forwarded::Yes
            } else {
                Forwarded::No
            },
            quoted_message: None,
            product: None,
        };
        scenery.message.ad = ad.map(|source_id| Referral {
            source_id,
            ..Referral::default()
        });
        let state = &mut scenery.conversation.state;
        state.tags.extend(tagged.then(|| "vip".to_owned()));
        let size = ("size".to_owned(), "LARGE".to_owned());
        state.fields.extend(sized.then_some(size));
        state.language = spanish.then(|| "es-MX".to_owned());
        state.last_inbound_at = returns.then_some(Timestamp::UNIX_EPOCH);
        scenery
    })
}

proptest! {
    #[test]
    fn every_rule_that_matches_is_a_candidate(
        conditions in prop::collection::vec(condition(), 1..12), scenery in scenery(), first in any::<bool>(),
    ) {
        let [candidates, holding] = scenery.matches(&rules(&conditions), first);

        prop_assert!(candidates.is_sorted());
        for place in holding {
            prop_assert!(candidates.contains(&place), "{} was not found", conditions[place]);
        }
    }
}

#[test]
fn the_rules_above_have_every_kind_of_condition() {
    let rules = rules(&EVERY_KIND.map(str::to_owned));

    let rules = rules.rules().rules.iter();
    let kinds: BTreeSet<usize> = rules.map(|rule| number(&rule.when)).collect();

    assert_eq!(kinds, (0..EVERY_KIND.len()).collect());
}

#[test]
fn a_long_word_is_found_like_a_longer_one_in_both_ways() {
    let rules = rules(&[
        "{ text.like = \"Krankenversicherungsbeitr\" }".to_owned(),
        "{ text.like = \"Rechtsschutzversicherungsgesellschaften\" }".to_owned(),
    ]);
    for (text, expected) in [
        ("Krankenversicherungsbeitrag", vec![0]),
        ("Rechtsschutzversicherungsgesellschaften", vec![1]),
        ("Rechtsschutzversicherungsgesellschafte", vec![]),
    ] {
        let body = text.to_owned();
        let matches = Scenery::new(Content::Text { body }).matches(&rules, false);

        assert_eq!(matches, [expected.clone(), expected], "{text}");
    }
}

#[test]
fn a_rule_with_other_words_is_no_candidate() {
    let conditions = [
        "text.has = \"menu\"",
        "text.has = \"hours\"",
        "button = \"yes\"",
    ];
    let rules = rules(&conditions.map(|condition| format!("{{ {condition} }}")));
    let body = "Your HOURS?".to_owned();

    let [candidates, _] = Scenery::new(Content::Text { body }).matches(&rules, false);

    assert_eq!(candidates, [1]);
}
