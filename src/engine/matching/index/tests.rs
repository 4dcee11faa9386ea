//! The index finds what looking at every rule finds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::Index;
use crate::diagnostics::sources::SourceMap;
use crate::engine::matching::evaluate::MatchContext;
use crate::engine::render::variables::RenderContext;
use crate::message::{
    Contact, Content, ContextInfo, ConversationState, Forwarded, Identity, Inbound, Media,
    PhoneNumberId, Referral, WaId, Wamid,
};
use crate::rules::{CompileInput, Condition, RuleSet, compile};

/// Few words, so that rules and messages meet often; some with slips, accents and another script,
/// some as long as slips are forgiven in and longer.
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

/// One condition of each kind that there is.
const EVERY_KIND: [&str; 22] = [
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
    "{ if = \"message.text == 'menu'\" }",
    "{ any = [{ tag = \"vip\" }, { text.has = \"cake\" }] }",
    "{ tag = \"vip\", text.has = \"cake\" }",
    "{ not = { text.has = \"cake\" } }",
];

/// Stands in `EVERY_KIND` under this number; a kind that is not there does not compile.
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
        Condition::If(_) => 18,
        Condition::Any(_) => 19,
        Condition::All(_) => 20,
        Condition::Not(_) => 21,
        Condition::Always => 22,
    }
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..4)
        .prop_map(|words| words.join(" "))
}

/// Words as fingers type them: up to three times a letter too few, too many, another one, or two
/// swapped.
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

/// Words behind so much else that patterns see all, a part or nothing of them.
fn long() -> impl Strategy<Value = String> {
    let before = prop::sample::select(vec!["ö", "你", "x ", "😀"]);
    (before, 4_060..4_100_usize, slipped()).prop_map(|(before, characters, words)| {
        let before: String = before.chars().cycle().take(characters).collect();
        format!("{before} {words}")
    })
}

/// A condition as it stands in a rules file.
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
                .prop_map(|all| format!("{{ any = [{}] }}", all.join(", "))),
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|all| format!("{{ all = [{}] }}", all.join(", "))),
            inner.prop_map(|one| format!("{{ not = {one} }}")),
        ]
    })
}

fn index(rules: &RuleSet) -> Index {
    Index::new(rules.rules.iter().map(|rule| &rule.when))
}

/// Rules with these conditions, and one that sets what conditions ask for.
fn rules(conditions: &[String]) -> RuleSet {
    let numbered = conditions.iter().enumerate();
    let rules: Vec<String> = numbered
        .map(|(index, condition)| format!("[[rule]]\nid = \"r{index}\"\nwhen = {condition}\n"))
        .collect();
    let text = format!(
        "version = 1\n[hours]\nthu = \"08:00-18:00\"\n{}\
         [[rule]]\nid = \"sets\"\nwhen.button = \"sets\"\ntag = \"vip\"\nset.size = \"large\"\n",
        rules.concat()
    );
    match compile(
        &SourceMap::new("rules.toml", &text),
        CompileInput::default(),
    ) {
        Ok(compiled) => compiled.rules,
        Err(found) => panic!("{text}\n{found:?}"),
    }
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

/// What a person said and who they are.
#[derive(Clone, Debug)]
struct Scenery {
    message: Inbound,
    contact: Contact,
    state: ConversationState,
    now: Timestamp,
}

impl Scenery {
    fn of(content: Content) -> Self {
        let contact = Contact {
            identity: Identity::Phone(WaId::parse("15550000001").unwrap()),
            name: None,
            username: None,
        };
        let (number, wamid) = (
            PhoneNumberId::parse("1").unwrap(),
            Wamid::parse("wamid.1").unwrap(),
        );
        let now = Timestamp::UNIX_EPOCH;
        Self {
            message: Inbound::new(number, wamid, contact.identity.clone(), now, content),
            contact,
            state: ConversationState::default(),
            now,
        }
    }

    /// Hands over what conditions look at.
    fn look<T>(
        &self,
        rules: &RuleSet,
        first_contact: bool,
        see: impl Fn(&MatchContext<'_>) -> T,
    ) -> T {
        let captures = BTreeMap::new();
        let scene = RenderContext {
            rules,
            contact: &self.contact,
            state: &self.state,
            message: &self.message,
            captures: &captures,
            roots: BTreeMap::new(),
            now: self.now,
        };
        see(&MatchContext::new(scene, first_contact))
    }
}

fn scenery() -> impl Strategy<Value = Scenery> {
    let ad = prop::option::of(prop::option::of(Just("120200".to_owned())));
    let known = any::<[bool; 6]>();
    (content(), known, ad, 0..24_i64).prop_map(|(content, known, ad, hour)| {
        let [tagged, sized, spanish, quotes, forwarded, came_back] = known;
        let mut scenery = Scenery::of(content);
        scenery.now = Timestamp::new(hour * 3_600, 0).unwrap();
        scenery.message.context = ContextInfo {
            quoted: quotes.then(|| Wamid::parse("wamid.0").unwrap()),
            forwarded: if forwarded {
                Forwarded::Yes
            } else {
                Forwarded::No
            },
            product: None,
        };
        scenery.message.ad = ad.map(|source_id| Referral {
            source_id,
            ..Referral::default()
        });
        let state = &mut scenery.state;
        state.tags.extend(tagged.then(|| "vip".to_owned()));
        let size = ("size".to_owned(), "LARGE".to_owned());
        state.fields.extend(sized.then_some(size));
        state.language = spanish.then(|| "es-MX".to_owned());
        state.last_inbound_at = came_back.then_some(Timestamp::UNIX_EPOCH);
        scenery
    })
}

proptest! {
    #[test]
    fn every_rule_that_matches_is_a_candidate(
        conditions in prop::collection::vec(condition(), 1..12), scenery in scenery(), first in any::<bool>(),
    ) {
        let rules = rules(&conditions);
        let index = index(&rules);

        let candidates = scenery.look(&rules, first, |context| index.candidates(context));
        let holds = scenery.look(&rules, first, |context| {
            rules.rules.iter().map(|rule| rule.when.evaluate(context).holds).collect::<Vec<_>>()
        });

        prop_assert!(candidates.is_sorted());
        for (place, holds) in holds.into_iter().enumerate() {
            prop_assert!(!holds || candidates.contains(&place), "{} was not found", conditions[place]);
        }
    }
}

#[test]
fn the_rules_above_have_every_kind_of_condition() {
    let rules = rules(&EVERY_KIND.map(str::to_owned));

    let kinds: BTreeSet<usize> = rules.rules.iter().map(|rule| number(&rule.when)).collect();

    assert_eq!(kinds, (0..EVERY_KIND.len()).collect());
}

#[test]
fn a_long_word_is_found_like_a_longer_one_in_both_ways() {
    let rules = rules(&[
        "{ text.like = \"Krankenversicherungsbeitr\" }".to_owned(),
        "{ text.like = \"Rechtsschutzversicherungsgesellschaften\" }".to_owned(),
    ]);
    let index = index(&rules);
    for (text, expected) in [
        ("Krankenversicherungsbeitrag", vec![0]),
        ("Rechtsschutzversicherungsgesellschaften", vec![1]),
        ("Rechtsschutzversicherungsgesellschafte", vec![]),
    ] {
        let body = text.to_owned();
        let scenery = Scenery::of(Content::Text { body });

        let found = scenery.look(&rules, false, |context| index.candidates(context));
        let holds = scenery.look(&rules, false, |context| {
            let rules = rules.rules.iter().enumerate();
            let holding = rules.filter(|(_, rule)| rule.when.evaluate(context).holds);
            holding.map(|(place, _)| place).collect::<Vec<_>>()
        });

        assert_eq!((found, holds), (expected.clone(), expected), "{text}");
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
    let index = index(&rules);
    let body = "Your HOURS?".to_owned();
    let scenery = Scenery::of(Content::Text { body });

    let found = scenery.look(&rules, false, |context| index.candidates(context));

    assert_eq!(found, [1]);
}
