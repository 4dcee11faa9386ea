use crate::message::{MediaKind, OutboundMedia, UserId, WaId};

use super::*;

fn phone() -> Recipient {
    Recipient::To(WaId::parse("5511900000001").unwrap())
}

/// What every body holds beside the part that depends on the type.
#[track_caller]
fn assert_part(content: &Outbound, kind: &str, part: &Value) {
    let body = message_body(&phone(), content, "r7.1");

    let expected = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+5511900000001",
        "type": kind,
        kind: part,
        "biz_opaque_callback_data": "r7.1",
    });
    assert_eq!(body, expected);
}

fn media(kind: MediaKind, caption: Option<&str>, filename: Option<&str>) -> OutboundMedia {
    OutboundMedia {
        kind,
        link: "https://x.example/a".to_owned(),
        caption: caption.map(str::to_owned),
        filename: filename.map(str::to_owned),
    }
}

fn buttons(header: Option<Header>, footer: Option<&str>) -> Outbound {
    Outbound::Buttons {
        header,
        body: "Proceed?".to_owned(),
        footer: footer.map(str::to_owned),
        buttons: [("yes", "Yes"), ("no", "No")]
            .map(|(id, title)| Button {
                id: id.to_owned(),
                title: title.to_owned(),
            })
            .to_vec(),
    }
}

#[test]
fn a_text_says_whether_its_link_is_previewed() {
    for preview_url in [true, false] {
        let content = Outbound::Text {
            body: "Hello \u{1f44b}\n\"you\"".to_owned(),
            preview_url,
        };
        let part = json!({ "body": "Hello \u{1f44b}\n\"you\"", "preview_url": preview_url });
        assert_part(&content, "text", &part);
    }
}

#[test]
fn a_hidden_phone_is_addressed_by_recipient_and_never_in_to() {
    let to = Recipient::Recipient(UserId::parse("BR.88012345678901234").unwrap());
    let content = Outbound::Text {
        body: "Hi".to_owned(),
        preview_url: false,
    };

    let body = message_body(&to, &content, "r7.1");

    assert_eq!(body["recipient"], "BR.88012345678901234");
    assert_eq!(body.get("to"), None);
}

#[test]
fn buttons_leave_out_what_is_not_there() {
    let part = json!({
        "type": "button",
        "body": { "text": "Proceed?" },
        "action": { "buttons": [
            { "type": "reply", "reply": { "id": "yes", "title": "Yes" } },
            { "type": "reply", "reply": { "id": "no", "title": "No" } },
        ] },
    });
    assert_part(&buttons(None, None), "interactive", &part);
}

#[test]
fn buttons_carry_header_and_footer() {
    let headers = [
        (
            Header::Text("Order".to_owned()),
            json!({ "type": "text", "text": "Order" }),
        ),
        (
            Header::Media(media(MediaKind::Image, None, None)),
            json!({ "type": "image", "image": { "link": "https://x.example/a" } }),
        ),
        (
            Header::Media(media(MediaKind::Document, None, Some("r.pdf"))),
            json!({ "type": "document", "document": { "link": "https://x.example/a", "filename": "r.pdf" } }),
        ),
    ];
    for (header, expected) in headers {
        let body = message_body(&phone(), &buttons(Some(header), Some("small")), "r7.1");

        assert_eq!(body["interactive"]["header"], expected);
        assert_eq!(body["interactive"]["footer"], json!({ "text": "small" }));
    }
}

#[test]
fn a_list_carries_its_sections_in_order() {
    let row = |id: &str, description: Option<&str>| Row {
        id: id.to_owned(),
        title: id.to_uppercase(),
        description: description.map(str::to_owned),
    };
    let content = Outbound::List {
        header: Some("Menu".to_owned()),
        body: "Choose".to_owned(),
        footer: Some("small".to_owned()),
        button: "Open".to_owned(),
        sections: vec![
            Section {
                title: Some("Food".to_owned()),
                rows: vec![row("p1", Some("Large")), row("p2", None)],
            },
            Section {
                title: None,
                rows: vec![row("d1", None)],
            },
        ],
    };

    let part = json!({
        "type": "list",
        "header": { "type": "text", "text": "Menu" },
        "body": { "text": "Choose" },
        "footer": { "text": "small" },
        "action": { "button": "Open", "sections": [
            { "title": "Food", "rows": [
                { "id": "p1", "title": "P1", "description": "Large" },
                { "id": "p2", "title": "P2" },
            ] },
            { "rows": [{ "id": "d1", "title": "D1" }] },
        ] },
    });
    assert_part(&content, "interactive", &part);
}

#[test]
fn a_file_is_sent_by_link() {
    let link = "https://x.example/a";
    let cases = [
        (
            media(MediaKind::Image, Some("c"), None),
            json!({ "link": link, "caption": "c" }),
        ),
        (media(MediaKind::Video, None, None), json!({ "link": link })),
        (media(MediaKind::Audio, None, None), json!({ "link": link })),
        (
            media(MediaKind::Document, Some("c"), Some("r.pdf")),
            json!({ "link": link, "caption": "c", "filename": "r.pdf" }),
        ),
    ];
    for (media, part) in cases {
        let kind = media.kind.name();
        assert_part(&Outbound::Media(media), kind, &part);
    }
}

#[test]
fn a_read_mark_shows_typing_only_when_a_reply_follows() {
    let wamid = Wamid::parse("wamid.USER=").unwrap();

    assert_eq!(
        read_mark_body(&wamid, Typing::No),
        json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.USER=" })
    );
    assert_eq!(
        read_mark_body(&wamid, Typing::Shown),
        json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.USER=",
            "typing_indicator": { "type": "text" },
        })
    );
}
