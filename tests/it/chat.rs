//! `replyd chat`: owners read its output, so it is tested as text.

use std::io::{Write as _, pipe};
use std::path::Path;

use crate::support::assert_contains;
use crate::support::run::{self, Run};

/// Two replies to each message; `[bot]` follows.
const TWO_REPLIES: &str = r#"
version = 1
rule = [
    { id = "first", continue = true, reply = "One." },
    { id = "second", reply = "Two." },
]
"#;

/// Runs `replyd chat` on rules of this repository, with lines typed into it.
async fn chat(rules: &str, typed: &str) -> Run {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(typed.as_bytes()).unwrap();
    drop(writer);
    let mut command = run::command(Path::new(env!("CARGO_MANIFEST_DIR")));
    let command = command.args(["chat", rules]).stdin(reader);
    Run::new(&format!("chat {rules}"), command).await
}

#[tokio::test]
async fn a_chat_shows_buttons_and_lists_to_choose_by_number_and_explains_itself() {
    let typed = "Hello\n1\n2\n/why\nthanks\nthanks\n/voice\n";

    let run = chat("examples/bakery.toml", typed).await;

    run.done();
    insta::assert_snapshot!(run.stdout, @r#"
    you › Hello
      │ Hi Ana! What can we do for you?
      │ Luna Bakery, since 1987
      │ [1] Order a cake  [2] Opening hours  [3] Talk to us
    you › 1
    [Order a cake]
      │ Our cakes of this week. Which one would you like?
      │ ≡ See the cakes
      │ Round
      │ [1] Lemon cake · 6 people, $28
      │ [2] Walnut cake · 8 people, $34
      │ By the tray
      │ [3] Plum tray · 12 people, $40
    you › 2
    [Walnut cake]
      │ Walnut cake, a good choice! For which day, and at what time will you come for it?
      │ 
      │ Write it here; we confirm it before noon.
    you › /why
    · human: `cake-walnut` was tapped; the message has no text
    · track: the message has no text
    · welcome: the message is of type `list_reply`
    · menu: the message has no text
    · order: `cake-walnut` was tapped; the message has no text
    ✓ cake-chosen: `cake-walnut` was tapped
    you › thanks
      │ With pleasure!
    you › thanks
    (a rule matches and says nothing; /why shows which)
    you › /voice
      │ Thank you! One of us will have a look at it. Write *menu* to see what I can do meanwhile.
    "#);
}

#[tokio::test]
async fn a_chat_taps_buttons_of_older_messages_and_lets_time_pass() {
    let typed = "/tap hours\nhi\nwhen?\n1\n/tap Opening hours\n/tap order\n/tap Pie\n\
                 reserve\n/wait 1h\n/wait soon\n";

    let run = chat("examples/bakery.toml", typed).await;

    run.done();
    insta::assert_snapshot!(run.stdout);
}

#[tokio::test]
async fn a_chat_says_that_the_budget_of_replies_silences_the_bot() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    for debounce in ["", "debounce = \"4s\""] {
        let text = format!("{TWO_REPLIES}\n[bot]\nreply_budget.per_minute = 3\n{debounce}\n");
        std::fs::write(&rules, text).unwrap();

        let run = chat(rules.to_str().unwrap(), "a\nb\nc\n/wait 1m\nd\n").await;

        run.done();
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stdout);
        }
    }
}

#[tokio::test]
async fn a_chat_with_broken_rules_shows_what_is_wrong() {
    let rules = "tests/cases/diagnostics/R0202-ids-with-odd-characters.toml";

    let run = chat(rules, "hello\n").await;

    run.refused();
    assert_contains(&run.stderr, "error[R0202]");
}
