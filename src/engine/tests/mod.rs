//! Decisions on rules written the way owners write them.

mod actions;
mod bursts;
mod conversations;
mod discard;
mod explained;
mod flows;
mod replayed;
mod two_people;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Decision, Engine, EngineEvent, Trace, Turn, Verdict};
use crate::diagnostics;
use crate::diagnostics::sources::SourceMap;
use crate::message::{
    Contact, Content, Conversation, ConversationState, Echo, Identity, Inbound, Media, Outbound,
    PhoneNumberId, WaId, Wamid,
};
use crate::rules::{self, CompileInput};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

fn engine(text: &str) -> Engine {
    let text = format!("version = 1\n{text}");
    let sources = SourceMap::new("rules.toml", &text);
    let compiled = rules::compile(&sources, CompileInput::default());
    Engine::new(
        compiled
            .unwrap_or_else(|problems| {
                let plain = diagnostics::Colour::Plain;
                panic!("{}", diagnostics::render(&problems, &sources, plain))
            })
            .rules,
    )
}

fn decide(engine: &Engine, before: &Conversation, event: EngineEvent<'_>, now: Timestamp) -> Turn {
    engine.decide(before, event, now, Trace::Matched)
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

fn decide_message(
    engine: &Engine,
    before: &Conversation,
    message: &Inbound,
    now: Timestamp,
) -> Turn {
    decide(engine, before, EngineEvent::Message(message), now)
}

fn text(body: &str) -> Inbound {
    message(Content::Text {
        body: body.to_owned(),
    })
}

fn say(engine: &Engine, body: &str) -> Turn {
    decide_message(engine, &ana(), &text(body), NOW)
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
    let engine = engine(SHOP);

    let turn = say(&engine, "When do you OPEN? Order #12");

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(texts(&turn), ["From 8 to 18."]);
    assert!(turn.mark_read);
}

#[test]
fn captures_of_a_pattern_fill_the_reply() {
    assert_eq!(
        texts(&say(&engine(SHOP), "where is #4711")),
        ["Order 4711 for Ana"]
    );
}

#[test]
fn the_explanation_tells_what_was_looked_at_and_why() {
    let turn = say(&engine(SHOP), "Where is #4711");

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
    let engine = engine(&text);
    let (conversation, message) = (ana(), self::text("word42 please"));
    let asked = EngineEvent::Message(&message);

    let stored = decide(&engine, &conversation, asked, NOW);
    let explained = engine.decide(&conversation, asked, NOW, Trace::Considered);

    assert_eq!(texts(&stored), ["42"]);
    assert_eq!(stored.replies, explained.replies);
    assert_eq!(stored.explanation.considered.len(), 1);
    assert_eq!(stored.explanation.not_told, 42);
    assert_eq!(explained.explanation.considered.len(), 43);

    let message = self::text("something else");
    let unanswered = decide(&engine, &conversation, EngineEvent::Message(&message), NOW);

    assert_eq!(unanswered.decision, Decision::NoMatch);
    assert_eq!(unanswered.explanation.not_told, 60);
}

#[test]
fn patterns_see_as_many_characters_as_a_message_has() {
    let engine = engine(SHOP);
    let behind = |characters: usize| format!("{} #4711 and more", "ö".repeat(characters));
    let why = |turn: &Turn| turn.explanation.considered[1].because.clone();

    let whole = say(&engine, &behind(4_081));
    let cut = say(&engine, &behind(4_085));
    let beyond = say(&engine, &behind(4_095));

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
    let engine = engine(
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
        texts(&say(&engine, "hello")),
        ["We move next week.", "Hello!"]
    );
    assert_eq!(texts(&say(&engine, "what?")), ["We move next week."]);
}

#[test]
fn a_rule_with_once_is_quiet_until_its_time_is_over() {
    let engine = engine("[[rule]]\nid = \"closed\"\nonce = \"12h\"\nreply = \"Closed.\"");
    let mut conversation = ana();

    let first = decide_message(&engine, &conversation, &text("a"), NOW);
    conversation.state = first.state;
    let second = decide_message(&engine, &conversation, &text("b"), NOW);
    conversation.state = second.state;
    let later = NOW + SignedDuration::from_hours(12);
    let mut third = text("c");
    third.sent_at = later;
    let third = decide_message(&engine, &conversation, &third, later);

    assert_eq!(first.decision, Decision::Answered);
    assert_eq!(second.decision, Decision::NoMatch);
    assert_eq!(second.explanation.considered[0].verdict, Verdict::Quiet);
    assert_eq!(third.decision, Decision::Answered);
}

#[test]
fn the_first_contact_is_the_first_message_only() {
    let engine =
        engine("[[rule]]\nid = \"welcome\"\nwhen.first_contact = true\nreply = \"Welcome!\"");
    let mut conversation = ana();
    conversation.inbound_count = 0;

    assert_eq!(
        decide_message(&engine, &conversation, &text("x"), NOW).decision,
        Decision::Answered
    );
    assert_eq!(say(&engine, "x").decision, Decision::NoMatch);
}

#[test]
fn a_tap_is_answered_by_its_id_and_a_picture_by_its_type() {
    let engine = engine(
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
    let tapped = decide_message(&engine, &ana(), &message(tap), NOW);
    let image = decide_message(
        &engine,
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
    let engine = engine(SHOP);
    let mut old = text("open?");
    old.sent_at = NOW - SignedDuration::from_secs(15 * 60 + 1);
    let mut fresh = text("open?");
    fresh.sent_at = NOW - SignedDuration::from_secs(15 * 60);

    let turn = decide_message(&engine, &ana(), &old, NOW);

    assert_eq!((turn.decision, turn.mark_read), (Decision::TooOld, false));
    assert_eq!(
        decide_message(&engine, &ana(), &fresh, NOW).decision,
        Decision::Answered
    );
}

#[test]
fn the_reply_budget_ends_a_loop_and_comes_back() {
    let budget = "[bot]\nreply_budget = { per_minute = 5, per_hour = 30 }\n";
    let engine = engine(&format!("{budget}{SHOP}"));
    let mut conversation = ana();
    let mut decisions = Vec::new();
    for _ in 0..6 {
        let turn = decide_message(&engine, &conversation, &text("loop"), NOW);
        conversation.state = turn.state;
        decisions.push(turn.decision);
    }
    let later = NOW + SignedDuration::from_secs(61);
    let mut again = text("loop");
    again.sent_at = later;

    assert_eq!(decisions[..5], [Decision::Answered; 5]);
    assert_eq!(decisions[5], Decision::RateLimited);
    assert_eq!(
        decide_message(&engine, &conversation, &again, later).decision,
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

    let fallback = decide_message(&engine(SHOP), &ana(), &message(reaction()), NOW);

    assert_eq!(fallback.decision, Decision::NoMatch);
    assert_eq!(
        texts(&decide_message(
            &engine(&named),
            &ana(),
            &message(reaction()),
            NOW
        )),
        ["Thank you!"]
    );
}

#[test]
fn kinds_we_do_not_know_are_never_answered() {
    let unknown = Content::Other {
        kind: "hologram".to_owned(),
    };

    let turn = decide_message(&engine(SHOP), &ana(), &message(unknown), NOW);

    assert_eq!(
        (turn.decision, turn.mark_read),
        (Decision::Unsupported, false)
    );
}

#[test]
fn a_reply_that_grows_over_a_limit_is_a_failure_and_not_sent() {
    let engine = engine(
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

    let turn = say(&engine, &"long ".repeat(10));

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
    let engine = engine(
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

    let turn = say(&engine, &"long ".repeat(10));

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(texts(&turn), ["That is too long for a button."]);
}

#[test]
fn a_text_that_grows_over_the_limit_is_sent_in_pieces_cut_between_words() {
    let engine =
        engine("[[rule]]\nid = \"echo\"\nreply = \"{{ message.text }}{{ message.text }}\"");
    let body = "word ".repeat(800);

    let turn = say(&engine, &body);

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
    let engine = engine(&format!("[bot]\nhuman_pause = \"2h\"\n{SHOP}"));
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

    conversation.state = decide(&engine, &conversation, EngineEvent::Echo(&echo), NOW).state;
    let during = say_at(&engine, &conversation, NOW + SignedDuration::from_mins(119));
    let after = say_at(&engine, &conversation, NOW + SignedDuration::from_mins(120));

    assert_eq!(
        (during.decision, during.mark_read),
        (Decision::HandedOff, false)
    );
    assert!(during.replies.is_empty());
    assert_eq!(after.decision, Decision::Answered);
    assert_eq!(after.state.handoff_until, None);
}

fn say_at(engine: &Engine, conversation: &Conversation, now: Timestamp) -> Turn {
    let message = Inbound {
        sent_at: now,
        ..text("open?")
    };
    decide_message(engine, conversation, &message, now)
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

    let turn = decide_message(&engine(SHOP), &conversation, &text("x"), NOW);

    assert_eq!(turn.state.replied_at, [NOW]);
    assert!(turn.state.once.is_empty());
}

#[test]
fn the_same_arguments_give_the_same_turn() {
    let engine = engine(
        include_str!("../../../examples/bakery.toml")
            .trim_start_matches(|c| c != '\n')
            .split_once("version = 1")
            .unwrap()
            .1,
    );
    assert!(engine.rules().bot.max_age == Duration::from_mins(15));
    for body in ["hello", "cake please", "order #12345", "👍", "?!"] {
        assert_eq!(say(&engine, body), say(&engine, body));
    }
}
