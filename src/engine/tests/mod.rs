//! Decisions on single messages; the modules below decide on whole conversations.

mod actions;
mod conversations;
mod debounced;
mod discard;
mod explained;
mod failed_replies;
mod fitted;
mod flows;
mod replayed;
pub(crate) mod talk;
mod two_people;

use std::time::Duration;

use jiff::SignedDuration;

use super::{Decision, EngineEvent, Trace, Turn, Verdict};
use crate::message::{Content, Echo, Media, PhoneNumberId, Profile, RuleId, Wamid};
use talk::{NOW, Talk, ana, engine, message, numbered_rules, say, text, texts};

const SHOP: &str = r#"
rule = [
    { id = "hours", when.text.has = ["open", "opening hours"], reply = "From 8 to 18." },
    { id = "track", when.text.matches = '#(?<number>\d+)', reply = "Order {{ match.number }} for {{ contact.first_name }}" },
    { id = "fallback", reply = "Sorry?" },
]
"#;

/// A reply that is too long for a button if the message is.
const ECHO: &str = r#"
rule = [
    { id = "echo", reply = { text = "x", buttons = [{ id = "a", title = "{{ message.text }}" }] } },
    { id = "tapped", when.button = "a", reply = "y" },
]
"#;

#[test]
fn the_first_rule_that_matches_answers() {
    let turn = say(&engine(SHOP), "When do you OPEN? Order #12");

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(texts(&turn), ["From 8 to 18."]);
    assert!(turn.mark_read);
}

#[test]
fn captures_of_a_pattern_fill_the_reply() {
    let turn = say(&engine(SHOP), "where is #4711");

    assert_eq!(texts(&turn), ["Order 4711 for Ana"]);
}

#[test]
fn the_explanation_tells_what_was_looked_at_and_why() {
    let explanation = say(&engine(SHOP), "Where is #4711").explanation;

    let verdicts = explanation.considered.iter();
    let verdicts: Vec<_> = verdicts
        .map(|considered| (considered.rule.as_str(), considered.verdict))
        .collect();
    assert_eq!(
        verdicts,
        [("hours", Verdict::No), ("track", Verdict::Matched)]
    );
    assert_eq!(
        explanation.considered[0].because,
        "none of \"open\", \"opening hours\" is in the text"
    );
    assert_eq!(explanation.normalized.as_deref(), Some("where is 4711"));
}

#[test]
fn of_many_rules_only_those_that_came_into_question_are_stored() {
    let engine = numbered_rules(60);

    let stored = say(&engine, "word42 please");
    let mut talk = Talk::new(&engine);
    talk.trace = Trace::Considered;
    let explained = talk.text("word42 please");

    assert_eq!(texts(&stored), ["42"]);
    assert_eq!(stored.replies, explained.replies);
    assert_eq!(stored.explanation.considered.len(), 1);
    assert_eq!(stored.explanation.unlisted, 42);
    assert_eq!(explained.explanation.considered.len(), 43);

    let unanswered = say(&engine, "something else");

    assert_eq!(unanswered.decision, Decision::NoMatch);
    assert_eq!(unanswered.explanation.unlisted, 60);
}

#[test]
fn patterns_see_as_many_characters_as_a_message_has() {
    let engine = engine(SHOP);
    let matched = r##"the pattern `#(?<number>\d+)` matches "#4711""##;
    let cut = "in the first 4096 characters of a longer text";
    for (characters, reply, because) in [
        (4_081, "Order 4711 for Ana", matched.to_owned()),
        (4_085, "Order 4711 for Ana", format!("{matched} {cut}")),
        (4_095, "Sorry?", format!("no pattern matches {cut}")),
    ] {
        let turn = say(
            &engine,
            &format!("{} #4711 and more", "ö".repeat(characters)),
        );

        assert_eq!(texts(&turn), [reply]);
        assert_eq!(turn.explanation.considered[1].because, because);
    }
}

#[test]
fn a_rule_that_continues_lets_the_next_one_answer_too() {
    let engine = engine(
        r#"
rule = [
    { id = "notice", continue = true, reply = "We move next week." },
    { id = "hello", when.text.has = "hello", reply = "Hello!" },
]
"#,
    );

    let both = say(&engine, "hello");
    assert_eq!(texts(&both), ["We move next week.", "Hello!"]);
    assert_eq!(texts(&say(&engine, "what?")), ["We move next week."]);
}

#[test]
fn a_rule_with_once_is_quiet_until_its_time_is_over() {
    let engine = engine("rule = [{ id = \"closed\", once = \"12h\", reply = \"Closed.\" }]");
    let mut talk = Talk::new(&engine);

    assert_eq!(talk.text("a").decision, Decision::Answered);
    let second = talk.text("b");
    assert_eq!(second.decision, Decision::NoMatch);
    assert_eq!(second.explanation.considered[0].verdict, Verdict::Quiet);
    talk.now += SignedDuration::from_hours(12);
    assert_eq!(talk.text("c").decision, Decision::Answered);
}

#[test]
fn the_first_contact_is_the_first_message_only() {
    let welcome = "rule = [{ id = \"new\", when.first_contact = true, reply = \"Welcome!\" }]";
    let engine = engine(welcome);
    let mut talk = Talk::new(&engine);
    talk.conversation.inbound_count = 0;

    assert_eq!(talk.text("x").decision, Decision::Answered);
    assert_eq!(say(&engine, "x").decision, Decision::NoMatch);
}

#[test]
fn a_tap_is_answered_by_its_id_and_a_picture_by_its_type() {
    let engine = engine(
        r#"
rule = [
    { id = "tap", when.button = "yes", reply = ["Done.", { text = "Again?", buttons = [{ id = "yes", title = "Yes" }] }] },
    { id = "picture", when.type = "image", reply = "Nice!" },
]
"#,
    );

    let tap = Content::ButtonReply {
        id: "yes".to_owned(),
        title: "Yes".to_owned(),
    };
    let tapped = Talk::new(&engine).content(tap);
    let image = Talk::new(&engine).content(Content::Image(Media::default()));

    assert_eq!(tapped.replies.len(), 2);
    assert_eq!(tapped.replies[1].content.kind_name(), "buttons");
    assert_eq!(texts(&image), ["Nice!"]);
}

#[test]
fn a_message_older_than_max_age_is_stored_and_not_answered() {
    let engine = engine(SHOP);
    let sent_before = |seconds: i64| {
        let mut message = text("open?");
        message.sent_at = NOW - SignedDuration::from_secs(seconds);
        Talk::new(&engine).send(&message)
    };

    let old = sent_before(15 * 60 + 1);

    assert_eq!((old.decision, old.mark_read), (Decision::TooOld, false));
    assert_eq!(sent_before(15 * 60).decision, Decision::Answered);
}

#[test]
fn the_reply_budget_ends_a_loop_and_comes_back() {
    let budget = "bot.reply_budget = { per_minute = 5, per_hour = 30 }\n";
    let engine = engine(&format!("{budget}{SHOP}"));
    let mut talk = Talk::new(&engine);

    for _ in 0..5 {
        assert_eq!(talk.text("loop").decision, Decision::Answered);
    }
    assert_eq!(talk.text("loop").decision, Decision::RateLimited);
    talk.now += SignedDuration::from_secs(61);
    assert_eq!(talk.text("loop").decision, Decision::Answered);
}

#[test]
fn a_reaction_is_answered_only_by_a_rule_that_names_it() {
    let react = |rules: &str| {
        let emoji = Some("👍".to_owned());
        Talk::new(&engine(rules)).content(Content::Reaction {
            message: None,
            emoji,
        })
    };
    let heart = "rule = [{ id = \"heart\", when.type = \"reaction\", reply = \"Thank you!\" },";

    assert_eq!(react(SHOP).decision, Decision::NoMatch);
    let named = react(&SHOP.replace("rule = [", heart));
    assert_eq!(texts(&named), ["Thank you!"]);
}

#[test]
fn kinds_we_do_not_know_are_never_answered() {
    let kind = "hologram".to_owned();

    let turn = Talk::new(&engine(SHOP)).content(Content::Other { kind });

    let expected = (Decision::Unsupported, false);
    assert_eq!((turn.decision, turn.mark_read), expected);
}

#[test]
fn a_reply_that_grows_over_a_limit_is_a_failure_and_not_sent() {
    let turn = say(&engine(ECHO), &"long ".repeat(10));

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
    let on_error = "{ id = \"echo\", on_error = \"That is too long for a button.\",";

    let engine = engine(&ECHO.replace("{ id = \"echo\",", on_error));
    let turn = say(&engine, &"long ".repeat(10));

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(texts(&turn), ["That is too long for a button."]);
}

#[test]
fn a_text_that_grows_over_the_limit_is_sent_in_pieces_cut_between_words() {
    let twice = "rule = [{ id = \"echo\", reply = \"{{ message.text }}{{ message.text }}\" }]";

    let turn = say(&engine(twice), &"word ".repeat(800));

    let pieces = texts(&turn);
    assert_eq!(pieces.len(), 2);
    for piece in pieces {
        assert!(piece.len() <= 4096 && piece.ends_with("word"));
    }
}

#[test]
fn the_bot_is_quiet_where_a_colleague_has_written_and_comes_back_by_itself() {
    let engine = engine(&format!("bot.human_pause = \"2h\"\n{SHOP}"));
    let echo = Echo {
        phone_number_id: PhoneNumberId::parse("1065").unwrap(),
        waba_id: None,
        wamid: Wamid::parse("wamid.E").unwrap(),
        recipient: ana().contact.identity,
        profile: Profile::default(),
        sent_at: NOW,
        content: text("I will look at it myself").content,
        context: crate::message::ContextInfo::default(),
        raw: String::new(),
    };
    let mut talk = Talk::new(&engine);

    talk.decide(EngineEvent::Echo(&echo));
    talk.now = NOW + SignedDuration::from_mins(119);
    let during = talk.text("open?");
    talk.now = NOW + SignedDuration::from_mins(120);
    let after = talk.text("open?");

    let expected = (Decision::HandedOff, false);
    assert_eq!((during.decision, during.mark_read), expected);
    assert!(during.replies.is_empty());
    assert_eq!(after.decision, Decision::Answered);
    assert_eq!(after.state.handoff_until, None);
}

#[test]
fn state_that_can_never_matter_again_is_dropped() {
    let engine = engine(SHOP);
    let mut talk = Talk::new(&engine);
    let old = NOW - SignedDuration::from_hours(2);
    let state = &mut talk.conversation.state;
    state.replied_at = vec![old];
    state.once.insert(RuleId::parse("gone").unwrap(), old);

    let turn = talk.text("x");

    assert_eq!(turn.state.replied_at, [NOW]);
    assert!(turn.state.once.is_empty());
}

#[test]
fn the_same_arguments_give_the_same_turn() {
    let bakery = include_str!("../../../examples/bakery.toml");
    let engine = engine(bakery.split_once("version = 1").unwrap().1);
    assert!(engine.rules().bot.max_age == Duration::from_mins(15));
    for body in ["hello", "cake please", "order #12345", "👍", "?!"] {
        assert_eq!(say(&engine, body), say(&engine, body));
    }
}

/// Decisions on the earlier messages of a turn.
fn late_decisions(turn: &Turn) -> Vec<Decision> {
    let late = turn.late_decisions.iter();
    late.map(|late| late.decision).collect()
}
