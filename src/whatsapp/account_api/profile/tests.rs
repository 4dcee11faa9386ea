use super::*;

fn changed(change: impl FnOnce(&mut Changes)) -> Changes {
    let mut changes = Changes::default();
    change(&mut changes);
    changes
}

fn x(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn each_limit_is_taken_at_its_edge_and_refused_behind_it() {
    type Change = fn(&mut Changes, String);
    let about: Change = |changes, text| changes.about = Some(text);
    let address: Change = |changes, text| changes.address = Some(text);
    let description: Change = |changes, text| changes.description = Some(text);
    let email: Change = |changes, text| changes.email = Some(text);
    let websites: Change = |changes, urls| {
        changes.websites = urls.split(' ').map(str::to_owned).collect();
    };
    let vertical: Change = |changes, text| changes.vertical = Some(text);
    let nothing: Change = |changes, text| {
        changes.address = Some(text).filter(String::is_empty);
    };
    let text = str::to_owned;
    let website = |length: usize| format!("https://{}", x(length - 8));
    let host = |length: usize| format!("{}@x.example", x(length - 10));
    let table = [
        ("about", about, x(139), x(140)),
        ("about", about, x(1), x(0)),
        ("address", address, x(256), x(257)),
        ("description", description, x(512), x(513)),
        ("email", email, host(128), host(129)),
        ("email", email, text("a@b"), text("a@")),
        ("websites[0]", websites, website(256), website(257)),
        ("websites[0]", websites, text("http://x"), text("x.example")),
        (
            "websites",
            websites,
            ["https://x"; 2].join(" "),
            ["https://x"; 3].join(" "),
        ),
        ("vertical", vertical, text("retail"), text("UNDEFINED")),
        ("profile", nothing, x(0), x(1)),
    ];
    for (part, change, taken, refused) in table {
        let update = |value| update("1", &changed(|changes| change(changes, value)));
        assert!(update(taken).is_ok(), "{part}");
        let problems = update(refused).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].part, part);
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let changes = Changes {
        about: Some(x(0)),
        email: Some(x(200)),
        websites: vec!["a".to_owned(), "b".to_owned(), "https://c".to_owned()],
        vertical: Some("BAKERY".to_owned()),
        ..Changes::default()
    };

    let problems = update("1", &changes).unwrap_err().into_iter();

    let parts: Vec<String> = problems.map(|problem| problem.part).collect();
    let expected = "email about email websites websites[0] websites[1] vertical";
    assert_eq!(parts.join(" "), expected);
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
    let sure = update("1", &changed(|c| c.description = Some(x(256)))).unwrap();
    let unsure = update("1", &changed(|c| c.description = Some(x(257)))).unwrap();

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
