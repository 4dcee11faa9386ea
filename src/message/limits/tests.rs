//! Tests of each limit at its edge: a part that just fits is accepted, one more is not.

use super::{
    BODY_MAX, BUTTON_ID_MAX, BUTTON_TITLE_MAX, CAPTION_MAX, FILENAME_MAX, FOOTER_MAX, HEADER_MAX,
    LINK_MAX, LIST_BUTTON_MAX, ROW_DESCRIPTION_MAX, ROW_ID_MAX, ROW_TITLE_MAX, SECTION_TITLE_MAX,
    TEXT_MAX, violations,
};
use crate::message::{
    Button, Frame, Header, MediaKind, MediaSource, Outbound, OutboundMedia as Media, Row, Section,
};

/// Builder of a message whose parts exceed their limits by a number of characters, and these parts.
type Case = (fn(usize) -> Outbound, &'static str);

fn text(length: usize) -> String {
    "x".repeat(length)
}

fn buttons(
    header: Option<Header>,
    buttons: impl IntoIterator<Item = (String, String)>,
) -> Outbound {
    let buttons = buttons.into_iter().map(|(id, title)| Button { id, title });
    let frame = Frame {
        header,
        body: "Choose".to_owned(),
        footer: None,
    };
    Outbound::Buttons {
        frame,
        buttons: buttons.collect(),
    }
}

fn long_buttons(excess: usize) -> Outbound {
    let header = Header::Text(text(HEADER_MAX + excess));
    let button = (
        text(BUTTON_ID_MAX + excess),
        text(BUTTON_TITLE_MAX + excess),
    );
    let mut message = buttons(Some(header), [button]);
    if let Outbound::Buttons { frame, .. } = &mut message {
        frame.body = text(BODY_MAX + excess);
        frame.footer = Some(text(FOOTER_MAX + excess));
    }
    message
}

fn media(kind: MediaKind, link: &str) -> Media {
    Media::new(kind, MediaSource::Link(link.to_owned()))
}

fn section(title: Option<&str>, rows: std::ops::Range<usize>) -> Section {
    Section {
        title: title.map(str::to_owned),
        rows: rows.map(row).collect(),
    }
}

fn row(id: usize) -> Row {
    Row {
        id: id.to_string(),
        title: "Row".to_owned(),
        description: None,
    }
}

fn list(sections: Vec<Section>) -> Outbound {
    Outbound::List {
        header: None,
        body: "Choose".to_owned(),
        footer: None,
        button: "Open".to_owned(),
        sections,
    }
}

fn long_list(excess: usize) -> Outbound {
    Outbound::List {
        header: Some(text(HEADER_MAX + excess)),
        body: text(BODY_MAX + excess),
        footer: Some(text(FOOTER_MAX + excess)),
        button: text(LIST_BUTTON_MAX + excess),
        sections: vec![Section {
            title: Some(text(SECTION_TITLE_MAX + excess)),
            rows: vec![Row {
                id: text(ROW_ID_MAX + excess),
                title: text(ROW_TITLE_MAX + excess),
                description: Some(text(ROW_DESCRIPTION_MAX + excess)),
            }],
        }],
    }
}

fn document(excess: usize) -> Outbound {
    let link = format!("https://a/{}", text(LINK_MAX + excess - 10));
    Outbound::Media(Media {
        caption: Some(text(CAPTION_MAX + excess)),
        filename: Some(text(FILENAME_MAX + excess)),
        ..media(MediaKind::Document, &link)
    })
}

fn plain(body: String) -> Outbound {
    Outbound::Text {
        body,
        preview_url: false,
    }
}

/// Asserts the violations of a message, each as `part Kind`.
#[track_caller]
fn assert_violations(content: &Outbound, expected: &[&str]) {
    let violations = violations(content).into_iter();
    let violations: Vec<String> = violations
        .map(|violation| format!("{} {:?}", violation.part, violation.kind))
        .collect();
    assert_eq!(violations, expected, "{content:?}");
}

#[test]
fn what_just_fits_is_sent_and_one_more_character_is_not() {
    let cases: [Case; 4] = [
        (|excess| plain(text(TEXT_MAX + excess)), "text"),
        (
            long_buttons,
            "header text footer buttons[0].id buttons[0].title",
        ),
        (
            long_list,
            "header text footer list.button list.sections[0].title list.sections[0].rows[0].id \
             list.sections[0].rows[0].title list.sections[0].rows[0].description",
        ),
        (document, "link caption filename"),
    ];

    for (content, parts) in cases {
        assert_violations(&content(0), &[]);
        let expected = parts.split(' ').map(|part| format!("{part} TooMuch"));
        let expected: Vec<String> = expected.collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        assert_violations(&content(1), &expected);
    }
}

#[test]
fn three_buttons_are_sent_and_four_or_none_are_not() {
    let with = |number: usize| {
        let button = |index: usize| (index.to_string(), format!("Button {index}"));
        buttons(None, (0..number).map(button))
    };

    assert_violations(&with(3), &[]);
    assert_violations(&with(4), &["buttons TooMuch"]);
    assert_violations(&with(0), &["buttons Missing"]);
}

#[test]
fn ten_rows_over_all_sections_are_sent_and_eleven_are_not() {
    let with = |first: usize, rows: usize| {
        list(vec![
            section(Some("A"), 0..first),
            section(Some("B"), first..rows),
        ])
    };

    assert_violations(&with(4, 10), &[]);
    assert_violations(&with(5, 11), &["list.sections TooMuch"]);
    assert_violations(&list(Vec::new()), &["list.sections Missing"]);
}

#[test]
fn characters_are_counted_as_utf_16_units() {
    let emoji = "🥐".repeat(TEXT_MAX / 2);
    assert_violations(&plain(emoji.clone()), &[]);
    assert_violations(&plain(emoji + "x"), &["text TooMuch"]);
    // A precomposed letter counts as one, whatever its number of bytes.
    assert_violations(&plain("é".repeat(TEXT_MAX)), &[]);
}

#[test]
fn texts_of_spaces_only_are_empty() {
    assert_violations(&plain(" \n".to_owned()), &["text Missing"]);
}

#[test]
fn a_second_section_makes_titles_necessary() {
    assert_violations(&list(vec![section(None, 1..2)]), &[]);
    let two = list(vec![section(None, 1..2), section(None, 2..3)]);
    let expected = ["list.sections[0] Missing", "list.sections[1] Missing"];
    assert_violations(&two, &expected);
}

#[test]
fn ids_with_outer_spaces_and_sounds_with_texts_are_refused() {
    let sound = media(MediaKind::Audio, "https://shop.example/a.ogg");
    let header = Some(Header::Media(sound.clone()));
    let spaced = buttons(header, [(" a".to_owned(), "A".to_owned())]);
    let expected = ["header Misplaced", "buttons[0].id Misplaced"];
    assert_violations(&spaced, &expected);

    let sound = Outbound::Media(Media {
        caption: Some("Listen".to_owned()),
        filename: Some("a.ogg".to_owned()),
        ..sound
    });
    assert_violations(&sound, &["caption Misplaced", "filename Misplaced"]);
}

#[test]
fn links_are_complete_https_addresses() {
    let with = |link: &str| Outbound::Media(media(MediaKind::Image, link));

    assert_violations(&with("https://shop.example/a.jpg?b=c"), &[]);
    for wrong in "http://a/b|a.jpg|https://|https:///a|https://a/b c".split('|') {
        assert_violations(&with(wrong), &["link Link"]);
    }
}
