//! Each limit at its edge: what just fits is sent, one more is not.

use super::{
    BODY_MAX, BUTTON_ID_MAX, BUTTON_TITLE_MAX, CAPTION_MAX, FILENAME_MAX, FOOTER_MAX, HEADER_MAX,
    LINK_MAX, LIST_BUTTON_MAX, ROW_DESCRIPTION_MAX, ROW_ID_MAX, ROW_TITLE_MAX, SECTION_TITLE_MAX,
    TEXT_MAX, ViolationKind, violations,
};
use crate::message::{
    Button, Frame, Header, MediaKind, MediaSource, Outbound, OutboundMedia as Media, Row, Section,
};

/// Makes a message that is longer than it may be by a number of characters; and its parts.
type Case = (fn(usize) -> Outbound, &'static [&'static str]);

fn text(length: usize) -> String {
    "x".repeat(length)
}

fn buttons(excess: usize) -> Outbound {
    Outbound::Buttons {
        frame: Frame {
            header: Some(Header::Text(text(HEADER_MAX + excess))),
            body: text(BODY_MAX + excess),
            footer: Some(text(FOOTER_MAX + excess)),
        },
        buttons: vec![Button {
            id: text(BUTTON_ID_MAX + excess),
            title: text(BUTTON_TITLE_MAX + excess),
        }],
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
    let host = "https://a/";
    Outbound::Media(Media {
        kind: MediaKind::Document,
        source: MediaSource::Link(format!("{host}{}", text(LINK_MAX + excess - host.len()))),
        caption: Some(text(CAPTION_MAX + excess)),
        filename: Some(text(FILENAME_MAX + excess)),
        voice: false,
    })
}

fn plain(body: String) -> Outbound {
    Outbound::Text {
        body,
        preview_url: false,
    }
}

fn kinds(content: &Outbound) -> Vec<(String, ViolationKind)> {
    let kinds = violations(content).into_iter();
    kinds
        .map(|violation| (violation.part, violation.kind))
        .collect()
}

#[test]
fn what_just_fits_is_sent_and_one_more_character_is_not() {
    let cases: [Case; 4] = [
        (|excess| plain(text(TEXT_MAX + excess)), &["text"]),
        (
            buttons,
            &[
                "header",
                "text",
                "footer",
                "buttons[0].id",
                "buttons[0].title",
            ],
        ),
        (
            long_list,
            &[
                "header",
                "text",
                "footer",
                "list.button",
                "list.sections[0].title",
                "list.sections[0].rows[0].id",
                "list.sections[0].rows[0].title",
                "list.sections[0].rows[0].description",
            ],
        ),
        (document, &["link", "caption", "filename"]),
    ];

    for (content, parts) in cases {
        assert_eq!(kinds(&content(0)), []);
        let too_much = |part: &&str| ((*part).to_owned(), ViolationKind::TooMuch);
        let expected: Vec<_> = parts.iter().map(too_much).collect();
        assert_eq!(kinds(&content(1)), expected);
    }
}

#[test]
fn three_buttons_are_sent_and_four_or_none_are_not() {
    let with = |number: usize| Outbound::Buttons {
        frame: Frame {
            header: None,
            body: "Choose".to_owned(),
            footer: None,
        },
        buttons: (0..number)
            .map(|index| Button {
                id: index.to_string(),
                title: format!("Button {index}"),
            })
            .collect(),
    };

    assert_eq!(kinds(&with(3)), []);
    assert_eq!(
        kinds(&with(4)),
        [("buttons".to_owned(), ViolationKind::TooMuch)]
    );
    assert_eq!(
        kinds(&with(0)),
        [("buttons".to_owned(), ViolationKind::Missing)]
    );
}

#[test]
fn ten_rows_over_all_sections_are_sent_and_eleven_are_not() {
    let with = |first: usize, second: usize| {
        list(vec![
            Section {
                title: Some("A".to_owned()),
                rows: (0..first).map(row).collect(),
            },
            Section {
                title: Some("B".to_owned()),
                rows: (first..first + second).map(row).collect(),
            },
        ])
    };
    let part = || "list.sections".to_owned();

    assert_eq!(kinds(&with(4, 6)), []);
    assert_eq!(kinds(&with(5, 6)), [(part(), ViolationKind::TooMuch)]);
    assert_eq!(kinds(&list(Vec::new())), [(part(), ViolationKind::Missing)]);
}

#[test]
fn characters_are_counted_as_utf_16_units() {
    let emoji = "🥐".repeat(TEXT_MAX / 2);
    assert_eq!(kinds(&plain(emoji.clone())), []);
    assert_eq!(kinds(&plain(emoji + "x")).len(), 1);
    // Precomposed letters count once whatever their number of bytes.
    assert_eq!(kinds(&plain("é".repeat(TEXT_MAX))), []);
}

#[test]
fn texts_of_spaces_only_are_empty() {
    let expected = [("text".to_owned(), ViolationKind::Missing)];
    assert_eq!(kinds(&plain(" \n".to_owned())), expected);
}

#[test]
fn a_second_section_makes_titles_necessary() {
    let section = |id| Section {
        title: None,
        rows: vec![row(id)],
    };

    assert_eq!(kinds(&list(vec![section(1)])), []);
    let missing = |index| (format!("list.sections[{index}]"), ViolationKind::Missing);
    let two = list(vec![section(1), section(2)]);
    assert_eq!(kinds(&two), [missing(0), missing(1)]);
}

#[test]
fn ids_with_outer_spaces_and_sounds_with_texts_are_refused() {
    let spaced = Outbound::Buttons {
        frame: Frame {
            header: Some(Header::Media(Media {
                kind: MediaKind::Audio,
                source: MediaSource::Link("https://shop.example/a.ogg".to_owned()),
                caption: None,
                filename: None,
                voice: false,
            })),
            body: "Choose".to_owned(),
            footer: None,
        },
        buttons: vec![Button {
            id: " a".to_owned(),
            title: "A".to_owned(),
        }],
    };
    let sound = Outbound::Media(Media {
        kind: MediaKind::Audio,
        source: MediaSource::Link("https://shop.example/a.ogg".to_owned()),
        caption: Some("Listen".to_owned()),
        filename: Some("a.ogg".to_owned()),
        voice: false,
    });
    let misplaced = |part: &str| (part.to_owned(), ViolationKind::Misplaced);

    let expected = [misplaced("header"), misplaced("buttons[0].id")];
    assert_eq!(kinds(&spaced), expected);
    let expected = [misplaced("caption"), misplaced("filename")];
    assert_eq!(kinds(&sound), expected);
}

#[test]
fn links_are_complete_https_addresses() {
    let with = |link: &str| {
        Outbound::Media(Media {
            kind: MediaKind::Image,
            source: MediaSource::Link(link.to_owned()),
            caption: None,
            filename: None,
            voice: false,
        })
    };

    assert_eq!(kinds(&with("https://shop.example/a.jpg?b=c")), []);
    for wrong in [
        "http://a/b",
        "a.jpg",
        "https://",
        "https:///a",
        "https://a/b c",
    ] {
        let expected = [("link".to_owned(), ViolationKind::Link)];
        assert_eq!(kinds(&with(wrong)), expected, "{wrong}");
    }
}
