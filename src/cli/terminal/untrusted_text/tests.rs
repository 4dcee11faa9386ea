//! All of Unicode, and ordinary texts in many scripts.

use anstyle::Style;
use proptest::prelude::*;
use regex::Regex;
use unicode_width::UnicodeWidthStr as _;

use super::{BUSINESS, CONTACT, drawn, json, laid_out, name, one_line, shortened, visible};

/// Every character there is.
fn all_characters() -> impl Iterator<Item = char> {
    '\0'..=char::MAX
}

fn hidden() -> Regex {
    Regex::new(r"[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]").unwrap()
}

#[test]
fn no_character_that_nobody_sees_reaches_the_terminal() {
    let hidden = hidden();
    let mut hidden_count = 0;
    for character in all_characters().filter(|character| *character != '\n') {
        let text = format!("{character}a{character}b{character}{character}");
        let is_hidden = hidden.is_match(&text);
        hidden_count += usize::from(is_hidden);
        let shown = visible(&text);
        assert_eq!(shown != text, is_hidden, "U+{:04X}", u32::from(character));
        assert!(!hidden.is_match(&shown), "U+{:04X}", u32::from(character));
        // The rest is made of that.
        if is_hidden && u32::from(character) < 0x1_0000 {
            for line in [one_line(&text), name(&text), shortened(&text, 5)] {
                assert!(!hidden.is_match(&line), "U+{:04X}", u32::from(character));
            }
        }
    }
    assert!(
        hidden_count > 100_000,
        "the classes were not found: {hidden_count}"
    );
}

#[test]
fn what_nobody_sees_is_written_out() {
    for (text, shown) in [
        ("a\x1b[31mb\u{9b}c", "a␛[31mb<U+009B>c"),
        (
            "\u{202e}evil\u{2066}\u{200f}\u{61c}",
            "<U+202E>evil<U+2066><U+200F><U+061C>",
        ),
        ("a\u{2028}b\u{2029}c\u{85}d", "a<U+2028>b<U+2029>c<U+0085>d"),
        ("a\u{2060}\u{feff}\u{ad}b", "a<U+2060><U+FEFF><U+00AD>b"),
        ("\u{e0041}\u{e007f}", "<U+E0041><U+E007F>"),
        ("\u{3164}\u{115f}", "<U+3164><U+115F>"),
        ("\u{e000}\u{10ffff}", "<U+E000><U+10FFFF>"),
        ("a\r\nb\rc\td\x7f", "a\nb␍c d␡"),
        ("a\u{200d}b\u{200c}c\u{fe0f}", "a<U+200D>b<U+200C>c<U+FE0F>"),
        ("\u{fe0f}\u{200d}👩", "<U+FE0F><U+200D>👩"),
        ("\u{1f3f4}\u{e0067}\u{e0062}x", "🏴<U+E0067><U+E0062>x"),
    ] {
        assert_eq!(visible(text), shown);
    }
}

#[test]
fn honest_text_stays_as_it_is() {
    for text in [
        "👩\u{200d}👩\u{200d}👧\u{200d}👦 🏳\u{fe0f}\u{200d}🌈 👍🏽 👩🏽\u{200d}🚀 ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3} 🇧🇷",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        "می\u{200c}خواهم שָׁלוֹם مرحبا",
        "ක්\u{200d}රමය क्\u{200d}ष",
        "葛\u{e0100}城",
        "e\u{301} Marcel·lí ไม่ได้ 日本語",
    ] {
        assert_eq!(visible(text), text);
    }
}

#[test]
fn marks_without_end_are_counted() {
    let heaped = format!("Z{}algo", "\u{35b}".repeat(60));
    assert_eq!(
        visible(&heaped),
        format!("Z{}<+52 marks>algo", "\u{35b}".repeat(8))
    );
}

#[test]
fn a_name_is_one_short_line_without_our_signs() {
    for (text, shown) in [
        ("Ana Lima", "Ana Lima"),
        (" Marcel·lí ", "Marcel·lí"),
        ("Ana\nrule menu", "Ana ⏎ rule menu"),
        ("Ana › yes", "Ana <U+203A> yes"),
        ("A · +1", "A <U+00B7> +1"),
        ("— Monday —", "<U+2014> Monday <U+2014>"),
        ("\n \t", "(no name)"),
        (
            "日本語日本語日本語日本語日本語日本語",
            "日本語日本語日本語日本語日本語…",
        ),
    ] {
        assert_eq!(name(text), shown);
    }
    assert_eq!(shortened("one two", 5), "one…");
    assert!(name(&"x".repeat(500)).width() <= 32);
}

#[test]
fn each_line_has_its_bar_also_where_the_terminal_would_break_it() {
    let plain = Style::new();
    let text = format!("{}  │ yours\nand\n\n  rule menu\n", "x".repeat(12));

    assert_eq!(
        laid_out("Ana › ", CONTACT, plain, &text, 20),
        "Ana › xxxxxxxxxxxx  \n  › │ yours\n  › and\n  › \n  ›   rule menu"
    );
    assert_eq!(
        laid_out(BUSINESS, BUSINESS, plain, "日本語日本語日本語", 11),
        "  │ 日本語\n  │ 日本語\n  │ 日本語"
    );
    let styled = laid_out(
        "\x1b[2m10:00\x1b[0m › ",
        CONTACT,
        Style::new().bold(),
        "a",
        20,
    );
    assert_eq!(styled, "\x1b[2m10:00\x1b[0m › \x1b[1ma\x1b[0m");
}

#[test]
fn what_is_drawn_keeps_its_colours_and_nothing_else() {
    assert_eq!(
        drawn("\x1b[1;31merror\x1b[0m: \u{202e}\x1b[2J\x1b]0;x\x07é\x1b["),
        "\x1b[1;31merror\x1b[0m: <U+202E>␛[2J␛]0;x␇é␛["
    );
}

#[test]
fn json_is_exact_and_shows_what_nobody_sees() {
    let hidden = hidden();
    let all_characters: Vec<char> = all_characters().collect();
    for some in all_characters.chunks(1_000) {
        let text: String = some.iter().collect();
        let line = json(&serde_json::json!({ "text": text }));
        assert!(!hidden.is_match(&line), "{line:?}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["text"], text);
    }
}

proptest! {
    #[test]
    fn what_is_visible_stays_so(text in "\\PC*|.*|[\u{300}\u{200d}\u{fe0f}👩ක0\u{20e3}\u{200c}ی葛\u{e0100}\r\n]{0,40}") {
        let once = visible(&text);
        prop_assert_eq!(visible(&once), once.clone());
        let name = name(&text);
        prop_assert!(name.width() <= 32 && !name.contains(['\n', '›', '│']), "{}", name);
    }
}
