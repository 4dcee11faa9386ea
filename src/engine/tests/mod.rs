//! Decisions on rules written the way owners write them.

mod actions;
mod bursts;
mod conversations;
mod explained;
mod flows;
mod replayed;
mod two_people;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Decision, EngineEvent, Turn, Verdict};
use crate::diagnostics;
use crate::diagnostics::sources::SourceMap;
use crate::message::{
    Contact, Content, Conversation, ConversationState, Echo, Identity, Inbound, Media, Outbound,
    PhoneNumberId, WaId, Wamid,
};
use crate::rules::{self, CompileInput, RuleSet};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

fn rules(text: &str) -> RuleSet {
    let text = format!("version = 1\n{text}");
    let sources = SourceMap::new("rules.toml", &text);
    rules::compile(&sources, CompileInput::default())
        .unwrap_or_else(|found| {
            panic!(
                "{}",
                diagnostics::render(&found, &sources, diagnostics::Colour::Plain)
            )
        })
        .rules
}

fn ana() -> Conversation {
    Conversation {
        phone_number_id: PhoneNumberId::parse("1065").unwrap(),
        contact: Contact {
            identity: Identity::Phone(WaId::parse("15550000001").unwrap()),
            name: Some("Ana Lima".to_owned()),
            username: None,
        },
        inbound_count: 3,
        state: ConversationState::default(),
    }
}

fn message(content: Content) -> Inbound {
    let number = PhoneNumberId::parse("1065").unwrap();
    let wamid = Wamid::parse("wamid.A").unwrap();
    Inbound::new(number, wamid, ana().contact.identity, NOW, content)
}

fn take(rules: &RuleSet, before: &Conversation, message: &Inbound, now: Timestamp) -> Turn {
    super::take(rules, before, EngineEvent::Message(message), now)
}

fn text(body: &str) -> Inbound {
    message(Content::Text {
        body: body.to_owned(),
    })
}

fn say(rules: &RuleSet, body: &str) -> Turn {
    take(rules, &ana(), &text(body), NOW)
}

#[track_caller]
fn texts(turn: &Turn) -> Vec<&str> {
    turn.replies
        .iter()
        .map(|reply| match &reply.content {
            Outbound::Text { body, .. } => body.as_str(),
            other => panic!("not a text: {other:?}"),
        })
        .collect()
}

const SHOP: &str = r#"
[[rule]]
id = "hours"
when.text.has = ["open", "opening hours"]
reply = "From 8 to 18."
[[rule]]
id = "track"
when.text.matches = '#(?<number>\d+)'
reply = "Order {{ match.number }} for {{ contact.first_name }}"
[[rule]]
id = "fallback"
reply = "Sorry?"
"#;

#[test]
fn the_first_rule_that_matches_answers() {
    let rules = rules(SHOP);

    let turn = say(&rules, "When do you OPEN? Order #12");

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(texts(&turn), ["From 8 to 18."]);
    assert!(turn.mark_read);
}

#[test]
fn captures_of_a_pattern_fill_the_reply() {
    assert_eq!(
        texts(&say(&rules(SHOP), "where is #4711")),
        ["Order 4711 for Ana"]
    );
}

#[test]
fn the_explanation_tells_what_was_looked_at_and_why() {
    let turn = say(&rules(SHOP), "Where is #4711");

    let told: Vec<_> = turn
        .explanation
        .considered
        .iter()
        .map(|one| (one.rule.as_str(), one.verdict))
        .collect();
    assert_eq!(told, [("hours", Verdict::No), ("track", Verdict::Matched)]);
    assert_eq!(
        turn.explanation.considered[0].because,
        "none of \"open\", \"opening hours\" is in the text"
    );
    assert_eq!(
        turn.explanation.normalized.as_deref(),
        Some("where is 4711")
    );
}

#[test]
fn of_many_rules_only_those_that_came_into_question_are_stored() {
    let one = |number: i32| {
        format!(
            "[[rule]]\nid = \"r{number}\"\nwhen.text.has = \"word{number}\"\nreply = \"{number}\"\n"
        )
    };
    let text: Vec<String> = (0..60).map(one).collect();
    let text = text.concat();
    let rules = rules(&text);
    let (conversation, message) = (ana(), self::text("word42 please"));
    let asked = EngineEvent::Message(&message);

    let stored = super::take(&rules, &conversation, asked, NOW);
    let explained = super::explain(&rules, &conversation, asked, NOW);

    assert_eq!(texts(&stored), ["42"]);
    assert_eq!(stored.replies, explained.replies);
    assert_eq!(stored.explanation.considered.len(), 1);
    assert_eq!(stored.explanation.not_told, 42);
    assert_eq!(explained.explanation.considered.len(), 43);

    let message = self::text("something else");
    let unanswered = super::take(&rules, &conversation, EngineEvent::Message(&message), NOW);

    assert_eq!(unanswered.decision, Decision::NoMatch);
    assert_eq!(unanswered.explanation.not_told, 60);
}

#[test]
fn patterns_see_as_many_characters_as_a_message_has() {
    let rules = rules(SHOP);
    let behind = |characters: usize| format!("{} #4711 and more", "ö".repeat(characters));
    let why = |turn: &Turn| turn.explanation.considered[1].because.clone();

    let whole = say(&rules, &behind(4_081));
    let cut = say(&rules, &behind(4_085));
    let beyond = say(&rules, &behind(4_095));

    assert_eq!(texts(&whole), ["Order 4711 for Ana"]);
    assert_eq!(
        why(&whole),
        r##"the pattern `#(?<number>\d+)` matches "#4711""##
    );
    assert_eq!(texts(&cut), ["Order 4711 for Ana"]);
    assert_eq!(
        why(&cut),
        r##"the pattern `#(?<number>\d+)` matches "#4711" in the first 4096 characters of a longer text"##
    );
    assert_eq!(texts(&beyond), ["Sorry?"]);
    assert_eq!(
        why(&beyond),
        "no pattern matches in the first 4096 characters of a longer text"
    );
}

#[test]
fn a_rule_that_continues_lets_the_next_one_answer_too() {
    let rules = rules(
        r#"
[[rule]]
id = "notice"
continue = true
reply = "We move next week."
[[rule]]
id = "hello"
when.text.has = "hello"
reply = "Hello!"
"#,
    );

    assert_eq!(
        texts(&say(&rules, "hello")),
        ["We move next week.", "Hello!"]
    );
    assert_eq!(texts(&say(&rules, "what?")), ["We move next week."]);
}

#[test]
fn a_rule_with_once_is_quiet_until_its_time_is_over() {
    let rules = rules("[[rule]]\nid = \"closed\"\nonce = \"12h\"\nreply = \"Closed.\"");
    let mut conversation = ana();

    let first = take(&rules, &conversation, &text("a"), NOW);
    conversation.state = first.state;
    let second = take(&rules, &conversation, &text("b"), NOW);
    conversation.state = second.state;
    let later = NOW + SignedDuration::from_hours(12);
    let mut third = text("c");
    third.sent_at = later;
    let third = take(&rules, &conversation, &third, later);

    assert_eq!(first.decision, Decision::Answered);
    assert_eq!(second.decision, Decision::NoMatch);
    assert_eq!(second.explanation.considered[0].verdict, Verdict::Quiet);
    assert_eq!(third.decision, Decision::Answered);
}

#[test]
fn the_first_contact_is_the_first_message_only() {
    let rules =
        rules("[[rule]]\nid = \"welcome\"\nwhen.first_contact = true\nreply = \"Welcome!\"");
    let mut conversation = ana();
    conversation.inbound_count = 0;

    assert_eq!(
        take(&rules, &conversation, &text("x"), NOW).decision,
        Decision::Answered
    );
    assert_eq!(say(&rules, "x").decision, Decision::NoMatch);
}

#[test]
fn a_tap_is_answered_by_its_id_and_a_picture_by_its_type() {
    let rules = rules(
        r#"
[[rule]]
id = "tap"
when.button = "yes"
reply = [ "Done.", { text = "Again?", buttons = [ { id = "yes", title = "Yes" } ] } ]
[[rule]]
id = "picture"
when.type = "image"
reply = "Nice!"
"#,
    );

    let tap = Content::ButtonReply {
        id: "yes".to_owned(),
        title: "Yes".to_owned(),
    };
    let tapped = take(&rules, &ana(), &message(tap), NOW);
    let image = take(
        &rules,
        &ana(),
        &message(Content::Image(Media::default())),
        NOW,
    );

    assert_eq!(tapped.replies.len(), 2);
    assert_eq!(tapped.replies[1].content.kind_name(), "buttons");
    assert_eq!(texts(&image), ["Nice!"]);
}

#[test]
fn a_message_older_than_max_age_is_stored_and_not_answered() {
    let rules = rules(SHOP);
    let mut old = text("open?");
    old.sent_at = NOW - SignedDuration::from_secs(15 * 60 + 1);
    let mut fresh = text("open?");
    fresh.sent_at = NOW - SignedDuration::from_secs(15 * 60);

    let turn = take(&rules, &ana(), &old, NOW);

    assert_eq!((turn.decision, turn.mark_read), (Decision::TooOld, false));
    assert_eq!(
        take(&rules, &ana(), &fresh, NOW).decision,
        Decision::Answered
    );
}

#[test]
fn the_reply_budget_ends_a_loop_and_comes_back() {
    let budget = "[bot]\nreply_budget = { per_minute = 5, per_hour = 30 }\n";
    let rules = rules(&format!("{budget}{SHOP}"));
    let mut conversation = ana();
    let mut decisions = Vec::new();
    for _ in 0..6 {
        let turn = take(&rules, &conversation, &text("loop"), NOW);
        conversation.state = turn.state;
        decisions.push(turn.decision);
    }
    let later = NOW + SignedDuration::from_secs(61);
    let mut again = text("loop");
    again.sent_at = later;

    assert_eq!(decisions[..5], [Decision::Answered; 5]);
    assert_eq!(decisions[5], Decision::RateLimited);
    assert_eq!(
        take(&rules, &conversation, &again, later).decision,
        Decision::Answered
    );
}

#[test]
fn a_reaction_is_answered_only_by_a_rule_that_names_it() {
    let reaction = || Content::Reaction {
        message: None,
        emoji: Some("👍".to_owned()),
    };
    let named = format!(
        "[[rule]]\nid = \"heart\"\nwhen.type = \"reaction\"\nreply = \"Thank you!\"\n{SHOP}"
    );

    let fallback = take(&rules(SHOP), &ana(), &message(reaction()), NOW);

    assert_eq!(fallback.decision, Decision::NoMatch);
    assert_eq!(
        texts(&take(&rules(&named), &ana(), &message(reaction()), NOW)),
        ["Thank you!"]
    );
}

#[test]
fn kinds_we_do_not_know_are_never_answered() {
    let unknown = Content::Other {
        kind: "hologram".to_owned(),
    };

    let turn = take(&rules(SHOP), &ana(), &message(unknown), NOW);

    assert_eq!(
        (turn.decision, turn.mark_read),
        (Decision::Unsupported, false)
    );
}

#[test]
fn a_reply_that_grows_over_a_limit_is_a_failure_and_not_sent() {
    let rules = rules(
        r#"
[[rule]]
id = "echo"
reply = { text = "x", buttons = [ { id = "a", title = "{{ message.text }}" } ] }
[[rule]]
id = "tapped"
when.button = "a"
reply = "y"
"#,
    );

    let turn = say(&rules, &"long ".repeat(10));

    assert_eq!(turn.decision, Decision::Failed);
    assert!(turn.replies.is_empty());
    let note = turn.explanation.note.unwrap();
    assert!(
        note.contains("echo") && note.contains("buttons[0].title"),
        "{note}"
    );
}

#[test]
fn a_reply_that_cannot_be_sent_gives_way_to_the_stated_one() {
    let rules = rules(
        r#"
[[rule]]
id = "echo"
reply = { text = "x", buttons = [ { id = "a", title = "{{ message.text }}" } ] }
on_error = "That is too long for a button."
[[rule]]
id = "tapped"
when.button = "a"
reply = "y"
"#,
    );

    let turn = say(&rules, &"long ".repeat(10));

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(texts(&turn), ["That is too long for a button."]);
}

#[test]
fn a_text_that_grows_over_the_limit_is_sent_in_pieces_cut_between_words() {
    let rules = rules("[[rule]]\nid = \"echo\"\nreply = \"{{ message.text }}{{ message.text }}\"");
    let body = "word ".repeat(800);

    let turn = say(&rules, &body);

    let pieces = texts(&turn);
    assert_eq!(pieces.len(), 2);
    assert!(
        pieces
            .iter()
            .all(|piece| piece.len() <= 4096 && piece.ends_with("word"))
    );
}

#[test]
fn the_bot_is_quiet_where_a_colleague_has_written_and_comes_back_by_itself() {
    let rules = rules(&format!("[bot]\nhuman_pause = \"2h\"\n{SHOP}"));
    let echo = Echo {
        phone_number_id: PhoneNumberId::parse("1065").unwrap(),
        wamid: Wamid::parse("wamid.E").unwrap(),
        recipient: ana().contact.identity,
        profile: crate::message::Profile::default(),
        sent_at: NOW,
        content: text("I will look at it myself").content,
        context: crate::message::ContextInfo::default(),
        raw: String::new(),
    };
    let mut conversation = ana();

    conversation.state = super::take(&rules, &conversation, EngineEvent::Echo(&echo), NOW).state;
    let during = say_at(&rules, &conversation, NOW + SignedDuration::from_mins(119));
    let after = say_at(&rules, &conversation, NOW + SignedDuration::from_mins(120));

    assert_eq!(
        (during.decision, during.mark_read),
        (Decision::HandedOff, false)
    );
    assert!(during.replies.is_empty());
    assert_eq!(after.decision, Decision::Answered);
    assert_eq!(after.state.handoff_until, None);
}

fn say_at(rules: &RuleSet, conversation: &Conversation, now: Timestamp) -> Turn {
    let message = Inbound {
        sent_at: now,
        ..text("open?")
    };
    take(rules, conversation, &message, now)
}

#[test]
fn state_that_can_never_matter_again_is_dropped() {
    let mut conversation = ana();
    let old = NOW - SignedDuration::from_hours(2);
    conversation.state.replied_at = vec![old];
    conversation
        .state
        .once
        .insert(crate::message::RuleId::parse("gone").unwrap(), old);

    let turn = take(&rules(SHOP), &conversation, &text("x"), NOW);

    assert_eq!(turn.state.replied_at, [NOW]);
    assert!(turn.state.once.is_empty());
}

#[test]
fn the_same_arguments_give_the_same_turn() {
    let rules = rules(
        include_str!("../../../examples/bakery.toml")
            .trim_start_matches(|c| c != '\n')
            .split_once("version = 1")
            .unwrap()
            .1,
    );
    assert!(rules.bot.max_age == Duration::from_mins(15));
    for body in ["hello", "cake please", "order #12345", "👍", "?!"] {
        assert_eq!(say(&rules, body), say(&rules, body));
    }
}
