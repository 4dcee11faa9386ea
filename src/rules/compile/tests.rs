//! Result of valid files; diagnostics of invalid ones are tested in `tests/cases/diagnostics`.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{CompileInput, compile};
use crate::diagnostics::sources::SourceMap;
use crate::message::{Frame, Header, Kind, MediaKind, Outbound};
use crate::rules::{Budget, Condition, Rule, RuleSet};
use crate::template::Template;

#[track_caller]
fn rules(text: &str) -> RuleSet {
    let text = format!("version = 1\n{text}");
    compile(
        &SourceMap::new("rules.toml", &text),
        CompileInput::default(),
    )
    .expect("the file is good")
    .rules
}

#[track_caller]
fn rule(text: &str) -> Rule {
    let mut rules = rules(&format!("[[rule]]\nid = \"one\"\n{text}")).rules;
    assert_eq!(rules.len(), 1);
    rules.remove(0)
}

fn budget(per_minute: u32, per_hour: u32) -> Budget {
    Budget {
        per_minute,
        per_hour,
    }
}

#[test]
fn without_a_bot_table_the_defaults_hold() {
    let bot = rules("").bot;

    assert_eq!(bot.name, "");
    assert_eq!(bot.timezone, TimeZone::UTC);
    assert_eq!(bot.language, "en");
    assert!(bot.mark_read);
    assert_eq!(bot.max_age, Duration::from_mins(15));
    assert_eq!(bot.reply_budget, budget(12, 60));
    assert_eq!(bot.action_budget, budget(20, 100));
}

#[test]
fn every_key_of_the_bot_table_is_taken() {
    let bot = rules(
        "[bot]\nname = \"Luna\"\ntimezone = \"Europe/Berlin\"\nlanguage = \"pt-BR\"\nmark_read = false\n\
         max_age = \"2h\"\nreply_budget = { per_minute = 2, per_hour = 20 }\n\
         action_budget = { per_hour = 7 }",
    )
    .bot;

    assert_eq!(bot.name, "Luna");
    assert_eq!(bot.timezone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(bot.language, "pt-BR");
    assert!(!bot.mark_read);
    assert_eq!(bot.max_age, Duration::from_hours(2));
    assert_eq!(bot.reply_budget, budget(2, 20));
    assert_eq!(bot.action_budget, budget(20, 7));
}

#[test]
fn rules_keep_their_order_and_what_they_say_of_themselves() {
    let rules = rules(
        "[[rule]]\nid = \"z\"\nonce = \"1d\"\ncontinue = true\n[[rule]]\nid = \"a\"\nreply = [\"1\", \"2\"]",
    )
    .rules;

    let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["z", "a"]);
    assert_eq!(rules[0].once, Some(Duration::from_hours(24)));
    assert!(rules[0].continues);
    assert!(rules[0].answer.variants.is_empty());
    assert_eq!(rules[1].once, None);
    assert!(!rules[1].continues);
    assert_eq!(rules[1].answer.variants[0].len(), 2);
    assert!(matches!(rules[1].when, Condition::Always));
}

#[test]
fn several_keys_in_one_table_must_all_hold() {
    let when =
        rule("when.text.has = \"menu\"\nwhen.text.is = [\"a\", \"b\"]\nwhen.type = \"text\"").when;

    let Condition::All(parts) = when else {
        panic!("{when:?}");
    };
    let [Condition::All(text), Condition::Type(kinds)] = parts.as_slice() else {
        panic!("{parts:?}");
    };
    assert_eq!(kinds, &[Kind::Text]);
    let [Condition::TextIs(is), Condition::TextHas(has)] = text.as_slice() else {
        panic!("{text:?}");
    };
    assert_eq!((is.len(), has.len()), (2, 1));
}

#[test]
fn conditions_nest() {
    let when = rule(
        "when.any = [{ not = { button = \"x\" } }, { first_contact = false }, \
         { all = [{ text.starts = \"a\" }, { text.matches = 'b+' }] }]",
    )
    .when;

    let Condition::Any(parts) = when else {
        panic!("{when:?}");
    };
    let [
        Condition::Not(not),
        Condition::FirstContact(false),
        Condition::All(parts),
    ] = parts.as_slice()
    else {
        panic!("{parts:?}");
    };
    assert!(matches!(&**not, Condition::Button(ids) if ids[0].written == "x"));
    assert!(matches!(
        parts.as_slice(),
        [Condition::TextStarts(_), Condition::TextMatches(_)]
    ));
}

#[test]
fn a_text_beside_a_file_is_its_caption() {
    let short = rule("reply = { image = \"https://a.example/b.jpg\", text = \"Below\" }");
    let long = rule(
        "reply.document = { link = \"https://a.example/b\", caption = \"Below\", filename = \"B.pdf\" }",
    );

    for (rule, kind, filename) in [
        (short, MediaKind::Image, None),
        (long, MediaKind::Document, Some("B.pdf")),
    ] {
        let Outbound::Media(media) = &rule.answer.variants[0][0].content else {
            panic!("{:?}", rule.answer.variants[0]);
        };
        assert_eq!(media.kind, kind);
        let source = |text: &Template| text.source(&[]).to_owned();
        assert_eq!(media.caption.as_ref().map(source).as_deref(), Some("Below"));
        assert_eq!(media.filename.as_ref().map(source).as_deref(), filename);
    }
}

#[test]
fn buttons_and_lists_keep_all_their_parts() {
    let replies = rule(
        "[[rule.reply]]\ntext = \"T\"\nfooter = \"F\"\nheader = { video = \"https://a.example/b\" }\n\
         buttons = [{ id = \"x\", title = \"X\" }]\n[[rule.reply]]\ntext = \"T\"\nheader = \"H\"\n\
         list = { button = \"B\", sections = [{ title = \"S\", rows = [{ id = \"y\", title = \"Y\", description = \"D\" }] }] }\n\
         [[rule.reply]]\ntext = \"T\"\npreview_url = true",
    )
    .answer
    .variants
    .remove(0);

    let [buttons, list, text] = replies.as_slice() else {
        panic!("{replies:?}");
    };
    assert!(matches!(
        &buttons.content,
        Outbound::Buttons { frame: Frame { header: Some(Header::Media(file)), footer: Some(_), .. }, buttons }
            if file.kind == MediaKind::Video && buttons[0].id == "x"
    ));
    assert!(matches!(
        &list.content,
        Outbound::List { header: Some(_), footer: None, sections, .. }
            if sections[0].rows[0].id == "y" && sections[0].rows[0].description.is_some()
    ));
    assert!(matches!(
        &text.content,
        Outbound::Text {
            preview_url: true,
            ..
        }
    ));
}
