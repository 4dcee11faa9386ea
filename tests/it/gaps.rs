//! `replyd gaps`: every message counts, similar ones stand together, and the suggested rule takes
//! them alone.

use crate::support::{TestApp, assert_contains, bodies};

const RULES: &str = r#"
version = 1

[[rule]]
id = "closed"
when.not = { text.has = "urgent" }
continue = true
reply = "We are closed now."

[[rule]]
id = "menu"
when.text.has = "menu"
reply = "Cakes and bread."

[[rule]]
id = "later"
when.text.has = "remind"
after = "1m"
reply = "Here I am."

[[rule]]
id = "fallback"
when.not = { text.has = "nobody" }
reply = "I did not get that."
"#;

/// Matches no text of these tests.
const SILENT: &str = r#"
version = 1
[[rule]]
id = "menu"
when.text.has = "menu"
reply = "Cakes and bread."
"#;

/// A service that has stored these texts, each of another contact.
async fn after_texts(rules: &str, texts: &[String]) -> TestApp {
    let app = TestApp::start(rules).await;
    let messages = texts.iter().enumerate().map(|(number, text)| {
        let (from, wamid) = (format!("1556{number:07}"), format!("wamid.{number}"));
        bodies::text(&from, &wamid, text)
    });
    let messages: Vec<_> = messages.collect();
    for together in messages.chunks(700) {
        app.accept(&bodies::with_messages(together)).await;
    }
    app
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn every_spelling_of_every_message_counts() {
    // 3,500 spellings of one question, each once, among 1,516 other texts.
    let mut texts: Vec<String> = (0..1_516)
        .map(|number| format!("Question{number}x about thing{number}y"))
        .collect();
    for spelling in 0..3_500_u32 {
        let letters = "where is it that i can park".chars().enumerate();
        let letters = letters.map(|(at, letter)| match spelling >> at & 1 {
            1 => letter.to_ascii_uppercase(),
            _ => letter,
        });
        let stops = "!".repeat(usize::try_from(spelling / 128).unwrap());
        texts.push(letters.collect::<String>() + &stops);
    }
    let app = after_texts(SILENT, &texts).await;

    let shown = app.looks_back("gaps --limit 1").await.done();

    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "5016 messages that no rule understood", "{shown}");
    let first = lines[2].to_lowercase();
    let expected = "3500 × where is it that i can park";
    assert!(first.starts_with(expected), "{shown}");
}

#[tokio::test]
async fn a_rule_that_goes_on_is_no_answer_and_the_fallback_may_be_named() {
    let texts = owned(&[
        "Is there parking?",         // closed, fallback
        "It is urgent: parking!",    // fallback alone
        "urgent, for nobody: glue?", // no rule
        "glue, for nobody?",         // closed alone
        "the menu please",           // closed, menu
        "remind me",                 // closed, later
    ]);
    let app = after_texts(RULES, &texts).await;
    app.drained().await;

    let shown = app.looks_back("gaps --fallback fallback").await;
    let without = app.looks_back("gaps").await.to_string();
    let misspelt = app.looks_back("gaps --fallback fallbak").await;
    let unknown = app.looks_back("gaps --fallback nope").await.to_string();

    insta::assert_snapshot!("gaps_fallback", shown);
    assert_contains(&without, "\n2 messages that no rule understood\n");
    insta::assert_snapshot!(misspelt.refused(), @r"
    error: `rules.toml` has no rule `fallbak`

    hint: did you mean `fallback`?
    ");
    assert_contains(
        &unknown,
        "hint: its rules are closed, menu, later, fallback",
    );
}

#[tokio::test]
async fn the_suggested_rule_uses_words_that_only_these_texts_have() {
    let mut texts = owned(&[
        "where can I park my helicopter",
        "can I have it",
        "where",
        "how are you and how is the family?",
    ]);
    // What others write and the menu answers.
    let others = [
        "where can I have my menu",
        "can I have it, your menu, where is it",
        "the menu: where can I have it and how",
        "can I see the menu of my family",
    ];
    for number in 0..12 {
        texts.extend(others.iter().map(|text| format!("{text} {number}")));
    }
    // One of 4,096 characters.
    let mut long = "Of sandwiches and more, my friend. ".repeat(120);
    long.insert_str(0, "I write a lot. ");
    long.truncate(4_096);
    texts.push(long);
    let app = after_texts(SILENT, &texts).await;

    let run = app.looks_back("gaps").await;

    insta::assert_snapshot!("gaps_suggestions", run);
    // The suggestion works: put before the other rules it takes its own examples.
    let rules = run
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("    "));
    let rules: Vec<&str> = rules.filter(|line| line.contains(['=', '['])).collect();
    let file = format!("version = 1\n{}\n", rules.join("\n"));
    app.write("suggested.toml", file);
    app.replyd("test suggested.toml").await.done();
}
