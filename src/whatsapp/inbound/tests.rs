use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::message::Content;

const NUMBER: &str = "106500000000001";
const NOW: Timestamp = Timestamp::constant(1_767_000_060, 0);

fn good(id: &str) -> Value {
    json!({ "from": "5511900000001", "id": id, "timestamp": "1767000000", "type": "text", "text": { "body": "Hi" } })
}

fn body_of(messages: &[String]) -> String {
    let messages = messages.join(",");
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{
            "metadata":{{"phone_number_id":"{NUMBER}"}},"contacts":[],"messages":[{messages}]}}}}]}}]}}"#
    )
}

/// Elements that are wrong by themselves, as JSON text because some of them no JSON writer would
/// write.
fn poison() -> Vec<(&'static str, String)> {
    let with = |field: &str, value: &str| {
        let mut object = good("wamid.P=");
        object.as_object_mut().unwrap().remove(field);
        let rest = object.to_string();
        format!(r#"{{"{field}":{value},{}"#, &rest[1..])
    };
    let long_id = format!(r#""{}""#, "x".repeat(5_000));
    let whole = [
        ("null", "null"),
        ("a number", "7"),
        ("a text", r#""x""#),
        ("an array", "[]"),
        ("an empty object", "{}"),
    ];
    let fields: [(&str, &str, &str); 9] = [
        ("an id of 5 kB", "id", &long_id),
        ("an empty id", "id", r#""""#),
        ("an id that is half an emoji", "id", r#""\ud83d""#),
        ("an id with U+0000", "id", r#""a\u0000b""#),
        ("an id with a fraction", "id", "7.5"),
        ("a missing id", "id", "null"),
        ("no sender", "from", "null"),
        ("a sender that is no phone", "from", r#""ana""#),
        ("a sender that is an object", "from", "{}"),
    ];
    let whole = whole.map(|(name, json)| (name, json.to_owned()));
    let fields = fields.map(|(name, field, value)| (name, with(field, value)));
    whole.into_iter().chain(fields).collect()
}

/// Reads a body that becomes exactly one event, an unreadable one.
#[track_caller]
fn unreadable_of(body: &[u8]) -> Unreadable {
    match <[Event; 1]>::try_from(read(body, NOW)) {
        Ok([Event::Unreadable(unreadable)]) => unreadable,
        other => panic!("one unreadable update is expected: {other:?}"),
    }
}

/// Reads a body of one message.
#[track_caller]
fn message_of(body: &str) -> Box<Inbound> {
    match <[Event; 1]>::try_from(read(body.as_bytes(), NOW)) {
        Ok([Event::Message(message)]) => message,
        other => panic!("one message is expected: {other:?}"),
    }
}

#[test]
fn a_poison_update_costs_only_itself_wherever_it_stands() {
    for (name, poison) in poison() {
        for at in 0..3 {
            let mut messages = vec![good("wamid.A=").to_string(), good("wamid.B=").to_string()];
            messages.insert(at, poison.clone());

            let events = read(body_of(&messages).as_bytes(), NOW);

            assert_eq!(events.len(), 3, "{name} at {at}");
            for (index, event) in events.iter().enumerate() {
                let Event::Unreadable(unreadable) = event else {
                    assert_ne!(index, at, "{name}");
                    continue;
                };
                assert_eq!(index, at, "{name}");
                assert_eq!(unreadable.raw, poison.as_bytes(), "{name}");
                let number = unreadable.phone_number_id.as_ref();
                assert_eq!(number.map(AsRef::as_ref), Some(NUMBER), "{name}");
            }
        }
    }
}

#[test]
fn a_message_with_one_unreadable_part_is_read_with_the_others() {
    let with = |field: &str, value: &str| {
        let mut object = good("wamid.A=");
        object.as_object_mut().unwrap().remove(field);
        let rest = object.to_string();
        message_of(&body_of(&[format!(
            r#"{{"{field}":{value},{}"#,
            &rest[1..]
        )]))
    };
    let text = |body: &str| Content::Text {
        body: body.to_owned(),
    };
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let texts = [
        (format!(r#"{{"body":{deep}}}"#), ""),
        (deep, ""),
        ("null".to_owned(), ""),
        ("{}".to_owned(), ""),
        (r#"{"body":1}"#.to_owned(), "1"),
        (r#""Hi""#.to_owned(), "Hi"),
    ];
    for (part, body) in texts {
        assert_eq!(with("text", &part).content, text(body), "{part:.20}");
    }
    for kind in ["null", "1", r#""""#, "[]"] {
        assert_eq!(with("type", kind).content, text("Hi"), "{kind}");
    }
    let unreadable = [
        "null",
        r#""""#,
        r#""yesterday""#,
        "-1",
        "0",
        "9223372036854775807",
        r#""99999999999999999999""#,
        "1e999",
        "{}",
    ];
    for time in unreadable {
        assert_eq!(with("timestamp", time).sent_at, NOW, "{time}");
    }
    for time in [
        "1767000000.9",
        r#""1767000000.0""#,
        "1.767e9",
        r#"" 1767000000 ""#,
    ] {
        let sent_at = with("timestamp", time).sent_at;
        assert_eq!(sent_at.as_second(), 1_767_000_000, "{time}");
    }
    let by_number = with("from", "5511900000001");
    assert_eq!(by_number.sender, with("from", r#""5511900000001""#).sender);
    assert_eq!(with("id", "7").wamid.as_str(), "7");
}

#[test]
fn half_an_emoji_and_a_null_character_cost_no_message() {
    let odd = r#"{"from":"5511900000001","id":"wamid.A=","timestamp":1767000000,"type":"text","text":{"body":"a\u0000b \ud83d c"},"\ud800":1}"#;

    let message = message_of(&body_of(&[odd.to_owned()]));

    let body = "ab \u{fffd}\u{fffd}\u{fffd} c".to_owned();
    assert_eq!(message.content, Content::Text { body });
    assert_eq!(message.raw, odd);
}

#[test]
fn repeated_names_lose_nothing_in_the_envelope_and_cost_one_update_inside() {
    let a = good("wamid.A=");
    let b = good("wamid.B=");
    let twice = r#"{"from":"5511900000001","id":"wamid.C=","id":"wamid.D=","timestamp":"1767000000","type":"text","text":{"body":"Hi"}}"#;
    let body = format!(
        r#"{{"entry":[{{"changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"{NUMBER}"}},
            "messages":[{a}],"messages":[{b},{twice}]}}}}]}}]}}"#
    );

    let ids: Vec<String> = read(body.as_bytes(), NOW)
        .into_iter()
        .map(|event| match event {
            Event::Message(message) => message.wamid.as_str().to_owned(),
            other => panic!("only messages are expected: {other:?}"),
        })
        .collect();

    assert_eq!(ids, ["wamid.A=", "wamid.B=", "wamid.D="]);
}

#[test]
fn a_body_that_is_not_json_is_one_unreadable_update() {
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"<html>",
        b"{\"entry\":[]} tail",
        b"{\"entry\":[{\"changes\":[],}]}",
        b"{\"entry\":\"\xff\"}",
        b"{\"entry\":[\"\x01\"]}",
    ];
    for body in bodies {
        assert_eq!(unreadable_of(body).raw, body);
    }
}

#[test]
fn a_reason_never_tells_what_was_written() {
    let canary = "canary-5511900000001";
    for (name, poison) in poison() {
        let poison = poison
            .replace("5511900000001", canary)
            .replace("Hi", canary);

        for event in read(body_of(&[poison]).as_bytes(), NOW) {
            if let Event::Unreadable(Unreadable { reason, .. }) = event {
                assert!(!reason.contains(canary), "{name}: {reason}");
                assert!(!reason.contains("wamid."), "{name}");
            }
        }
    }
}

#[test]
fn a_thousand_updates_are_a_thousand_events() {
    let messages: Vec<String> = (0..1_000)
        .map(|index| good(&format!("wamid.{index}=")).to_string())
        .collect();

    assert_eq!(read(body_of(&messages).as_bytes(), NOW).len(), 1_000);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("text")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let names = "id from type text body timestamp metadata phone_number_id status errors x";
        let name = proptest::sample::select(names.split(' ').collect::<Vec<_>>());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(name.prop_map(str::to_owned), inner, 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_whatever_make_it_panic_or_vanish(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!read(&bytes, NOW).is_empty());
    }

    #[test]
    fn any_element_gives_one_event_and_leaves_its_neighbour(element in json_value()) {
        for name in ["messages", "statuses"] {
            let body = json!({ "entry": [{ "changes": [{ "field": "messages", "value": {
                "metadata": { "phone_number_id": NUMBER }, name: [element],
            } }, { "field": "messages", "value": {
                "metadata": { "phone_number_id": NUMBER }, "messages": [good("wamid.A=")],
            } }] }] });

            let events = read(body.to_string().as_bytes(), NOW);

            prop_assert_eq!(events.len(), 2);
            prop_assert!(matches!(events[1], Event::Message(_)));
        }
    }

    #[test]
    fn any_part_of_the_envelope_may_be_anything(part in json_value(), at in 0..5) {
        let wrap = |level: i32, inner: Value| match level {
            0 => json!({ "entry": inner }),
            1 => json!({ "entry": [inner] }),
            2 => json!({ "entry": [{ "changes": inner }] }),
            3 => json!({ "entry": [{ "changes": [{ "field": "messages", "value": inner }] }] }),
            _ => json!({ "entry": [{ "changes": [{ "field": "messages", "value": {
                "metadata": inner, "messages": [good("wamid.A=")] } }] }] }),
        };
        let _ = read(wrap(at, part).to_string().as_bytes(), NOW);
    }
}

/// Builds a body with one change for each field and value.
fn body_with(changes: &[(&str, String)]) -> String {
    let changes: Vec<String> = changes
        .iter()
        .map(|(field, value)| format!(r#"{{"field":"{field}","value":{value}}}"#))
        .collect();
    format!(
        r#"{{"entry":[{{"id":"1","changes":[{}]}}]}}"#,
        changes.join(",")
    )
}

/// Builds a value with lists, each of `count` equal elements.
fn value_with(lists: &[(&str, &str, usize)]) -> String {
    let lists: Vec<String> = lists
        .iter()
        .map(|(name, element, count)| format!(r#""{name}":[{}]"#, vec![*element; *count].join(",")))
        .collect();
    format!(
        r#"{{"metadata":{{"phone_number_id":"{NUMBER}"}},{}}}"#,
        lists.join(",")
    )
}

/// Asserts that the body becomes one quarantine entry as a whole.
#[track_caller]
fn assert_kept_whole(body: &str, reason: &str) {
    let unreadable = unreadable_of(body.as_bytes());
    assert_eq!(unreadable.reason, reason);
    assert!(unreadable.raw == body.as_bytes(), "{reason}: a part");
}

#[test]
fn twice_as_many_updates_as_meta_sends_are_read_and_no_more() {
    const REASON: &str = "the body holds more than 2000 updates";
    let message = good("wamid.A=").to_string();
    let receipt = r#"{"id":"wamid.A=","status":"sent","timestamp":"1767000000","recipient_id":"5511900000001"}"#;
    let body_of_list =
        |field, list, element, count| body_with(&[(field, value_with(&[(list, element, count)]))]);
    let lists = [
        ("messages", "messages", message.as_str()),
        ("messages", "messages", "null"),
        ("messages", "statuses", receipt),
        ("messages", "errors", r#"{"code":130429}"#),
        ("smb_message_echoes", "message_echoes", "{}"),
        ("user_preferences", "user_preferences", "{}"),
    ];
    for (field, list, element) in lists {
        for count in [1_000, UPDATES_MAX] {
            let events = read(body_of_list(field, list, element, count).as_bytes(), NOW);
            assert_eq!(events.len(), count, "{list}: {element}");
        }
        assert_kept_whole(&body_of_list(field, list, element, UPDATES_MAX + 1), REASON);
    }

    let mixed = |statuses| {
        let parts = [
            ("messages", message.as_str(), 1_000),
            ("statuses", receipt, statuses),
        ];
        body_with(&[("messages", value_with(&parts))])
    };
    assert_eq!(read(mixed(1_000).as_bytes(), NOW).len(), UPDATES_MAX);
    assert_kept_whole(&mixed(1_001), REASON);

    let changes = |count| vec![("security", "{}".to_owned()); count];
    assert_eq!(
        read(body_with(&changes(UPDATES_MAX)).as_bytes(), NOW).len(),
        UPDATES_MAX
    );
    assert_kept_whole(&body_with(&changes(UPDATES_MAX + 1)), REASON);

    let entries = |count: usize| format!(r#"{{"entry":[{}]}}"#, vec!["7"; count].join(","));
    assert_eq!(
        read(entries(UPDATES_MAX).as_bytes(), NOW).len(),
        UPDATES_MAX
    );
    assert_kept_whole(&entries(UPDATES_MAX + 1), REASON);
    // The same list given twice is one list.
    let twice = format!(
        r#"{{"entry":[{0}],"entry":[{0}]}}"#,
        vec!["7"; 1_001].join(",")
    );
    assert_kept_whole(&twice, REASON);
}

#[test]
fn more_contacts_than_messages_are_kept_whole() {
    let card = r#"{"wa_id":"5511900000001","profile":{"name":"Ana"}}"#;
    let message = good("wamid.A=").to_string();
    let body = |cards| {
        let lists = [("contacts", card, cards), ("messages", message.as_str(), 1)];
        body_with(&[("messages", value_with(&lists))])
    };

    let events = read(body(CARDS_MAX).as_bytes(), NOW);
    let [Event::Message(_), Event::Account(rest)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(rest.raw.matches(card).count(), CARDS_MAX - 1);
    assert_kept_whole(
        &body(CARDS_MAX + 1),
        "the body holds more than 2000 contacts for one number",
    );
}

#[test]
fn a_body_of_countless_values_is_kept_whole_wherever_they_are() {
    const REASON: &str = "the body holds more than 250000 JSON values";
    // Values beside those of the list: the body, one for each bracket and comma, and the list.
    let around = body_of(&[good("wamid.A=").to_string()])
        .matches(['{', '[', ','])
        .count()
        + 2;
    let odd = |count: usize| {
        let text = good("wamid.A=").to_string();
        let odd = vec!["0"; count].join(",");
        body_of(&[format!(r#"{},"odd":[{odd}]}}"#, &text[..text.len() - 1])])
    };
    message_of(&odd(VALUES_MAX - around));
    assert_kept_whole(&odd(VALUES_MAX - around + 1), REASON);

    let deep = format!("{}{}", "[".repeat(300_000), "]".repeat(300_000));
    let wide = vec!["null"; 500_000].join(",");
    for body in [
        body_of(std::slice::from_ref(&wide)),
        body_of(std::slice::from_ref(&deep)),
        format!(r#"{{"entry":[{wide}]}}"#),
        format!(r#"{{"entry":{deep}}}"#),
        format!("[{wide}]"),
        format!(r#"{{"other":[{wide}]}}"#),
        deep,
    ] {
        assert_kept_whole(&body, REASON);
    }
}

#[test]
fn countless_errors_and_answers_of_one_update_stay_in_its_raw_json() {
    let errors = vec![r#"{"code":131026}"#; 10_000].join(",");
    let receipt = format!(
        r#"{{"id":"wamid.A=","status":"failed","timestamp":"1767000000","errors":[{errors}]}}"#
    );
    let body = body_with(&[("messages", value_with(&[("statuses", &receipt, 1)]))]);
    let events = read(body.as_bytes(), NOW);
    let [Event::Receipt(read_receipt)] = events.as_slice() else {
        panic!("{} events", events.len());
    };
    assert_eq!(
        read_receipt.errors.len(),
        crate::whatsapp::bounds::ERRORS_MAX
    );
    assert_eq!(read_receipt.raw, receipt);

    for (fields, is_read) in [(1_000, true), (20_000, false)] {
        let answers = format!(r#"{{"a":[{}]}}"#, vec!["0"; fields].join(","));
        let mut form = good("wamid.B=");
        form["type"] = json!("interactive");
        form["interactive"] =
            json!({ "type": "nfm_reply", "nfm_reply": { "response_json": answers } });
        let message = message_of(&body_of(&[form.to_string()]));
        let Content::Form { answers, .. } = &message.content else {
            panic!("{:?}", message.content);
        };
        assert_eq!(!answers.is_empty(), is_read);
    }
}

#[test]
fn the_id_of_a_number_that_would_lead_elsewhere_is_unreadable() {
    for id in ["..", "1/messages", "1?x", "1 2", "ä"] {
        let body = body_of(&[good("wamid.A=").to_string()]).replace(NUMBER, id);

        let reason = unreadable_of(body.as_bytes()).reason;

        let expected = "`metadata.phone_number_id` holds characters that no id has";
        assert!(reason.contains(expected), "{reason}");
    }
}
