use super::*;

fn changed(change: impl FnOnce(&mut Changes)) -> Changes {
    let mut changes = Changes::default();
    change(&mut changes);
    changes
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every key of a change is optional"
)]
fn some(length: usize) -> Option<String> {
    Some("x".repeat(length))
}

#[test]
fn each_limit_is_taken_at_its_edge_and_refused_behind_it() {
    let website = |length: usize| vec![format!("https://{}", "x".repeat(length - 8))];
    let email = |length: usize| Some(format!("{}@x.example", "a".repeat(length - 10)));
    let table: Vec<(&str, Changes, Changes)> = vec![
        (
            "about",
            changed(|c| c.about = some(139)),
            changed(|c| c.about = some(140)),
        ),
        (
            "about",
            changed(|c| c.about = some(1)),
            changed(|c| c.about = some(0)),
        ),
        (
            "address",
            changed(|c| c.address = some(256)),
            changed(|c| c.address = some(257)),
        ),
        (
            "description",
            changed(|c| c.description = some(512)),
            changed(|c| c.description = some(513)),
        ),
        (
            "email",
            changed(|c| c.email = email(128)),
            changed(|c| c.email = email(129)),
        ),
        (
            "email",
            changed(|c| c.email = Some("a@b".to_owned())),
            changed(|c| c.email = Some("a@".to_owned())),
        ),
        (
            "websites[0]",
            changed(|c| c.websites = website(256)),
            changed(|c| c.websites = website(257)),
        ),
        (
            "websites[0]",
            changed(|c| c.websites = vec!["http://x".to_owned()]),
            changed(|c| c.websites = vec!["x.example".to_owned()]),
        ),
        (
            "websites",
            changed(|c| c.websites = vec!["https://x".to_owned(); 2]),
            changed(|c| c.websites = vec!["https://x".to_owned(); 3]),
        ),
        (
            "vertical",
            changed(|c| c.vertical = Some("retail".to_owned())),
            changed(|c| c.vertical = Some("UNDEFINED".to_owned())),
        ),
        (
            "profile",
            changed(|c| c.address = some(0)),
            Changes::default(),
        ),
    ];
    for (part, taken, refused) in table {
        assert!(update("1", &taken).is_ok(), "{part}: {taken:?}");
        let problems = update("1", &refused).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].part, part);
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let changes = Changes {
        about: some(0),
        email: some(200),
        websites: vec!["a".to_owned(), "b".to_owned(), "https://c".to_owned()],
        vertical: Some("BAKERY".to_owned()),
        ..Changes::default()
    };

    let parts: Vec<String> = update("1", &changes)
        .unwrap_err()
        .into_iter()
        .map(|problem| problem.part)
        .collect();

    assert_eq!(
        parts,
        [
            "email",
            "about",
            "email",
            "websites",
            "websites[0]",
            "websites[1]",
            "vertical"
        ]
    );
}

#[test]
fn only_what_changes_is_sent() {
    let changes = changed(|c| {
        c.about = Some("Open".to_owned());
        c.vertical = Some("restaurant".to_owned());
    });

    let checked = update("106500000000001", &changes).unwrap();

    let body =
        json!({ "messaging_product": "whatsapp", "about": "Open", "vertical": "RESTAURANT" });
    let path = ["106500000000001", "whatsapp_business_profile"];
    assert_eq!(checked.call, Call::post(&path, body));
    assert_eq!(checked.warnings, []);
}

#[test]
fn a_description_that_may_be_too_long_is_sent_with_a_warning() {
    let sure = update("1", &changed(|c| c.description = some(256))).unwrap();
    let unsure = update("1", &changed(|c| c.description = some(257))).unwrap();

    assert_eq!((sure.warnings.len(), unsure.warnings.len()), (0, 1));
}

#[test]
fn a_profile_is_read_plain_nested_and_odd() {
    let plain = json!({ "about": "Hi", "websites": ["https://x.example/"], "messaging_product": "whatsapp" });
    let shapes = [
        json!({ "data": [plain] }),
        json!({ "data": [{ "business_profile": plain, "id": "1" }] }),
        json!({ "data": { "business_profile": plain } }),
        json!({ "data": [{ "about": "Hi", "websites": "[\"https://x.example/\"]", "email": null }] }),
        json!({ "data": [{ "about": "Hi", "websites": "https://x.example/", "vertical": {} }] }),
    ];
    for answer in shapes {
        let read = Profile::read(&answer);

        assert_eq!(read.about, "Hi", "{answer}");
        assert_eq!(read.websites, ["https://x.example/"], "{answer}");
    }
    for answer in [
        json!(null),
        json!({}),
        json!({ "data": [] }),
        json!({ "data": [null] }),
    ] {
        assert_eq!(Profile::read(&answer), Profile::default(), "{answer}");
    }
}
