//! `replyd chat`: what it prints is read by people, so it is tested as text.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn replyd(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_chat_shows_buttons_and_lists_to_choose_by_number_and_explains_itself() {
    let typed = "Hello\n1\n2\n/why\nthanks\nthanks\n/voice\n";

    let output = replyd(&["chat", "examples/bakery.toml"], typed);

    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout), @r#"
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
    · menu: the message is of type `list_reply`; the message has no text
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

#[test]
fn a_chat_with_broken_rules_shows_what_is_wrong() {
    let broken = "tests/cases/diagnostics/R0202-ids-with-odd-characters.toml";

    let output = replyd(&["chat", broken], "hello\n");

    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("error[R0202]"),
        "{}",
        text(&output.stderr)
    );
}
