//! However an action fails, somebody hears of it; and nobody leads to actions without end.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{ActionServer, BO, answers, said};
use crate::support::ANA;

/// Each way in which an action can fail once it is asked for; those that are found before are
/// tested beside the turn.
const FAILURES: [(&str, &str); 16] = [
    (
        "a status that is an error",
        "call = { get = 'SHOP/wrong/status', save = 'order' }",
    ),
    (
        "a redirect",
        "call = { get = 'SHOP/wrong/redirect', save = 'order' }",
    ),
    (
        "an answer that is too large",
        "call = { get = 'SHOP/wrong/large', save = 'order' }",
    ),
    (
        "an answer that is nested too deep",
        "call = { get = 'SHOP/wrong/deep', save = 'order' }",
    ),
    (
        "half an answer",
        "call = { get = 'SHOP/wrong/broken', save = 'order' }",
    ),
    (
        "no JSON",
        "call = { get = 'SHOP/wrong/bare', save = 'order' }",
    ),
    (
        "no answer in time",
        "call = { get = 'SHOP/wrong/late', save = 'order', timeout = '1s' }",
    ),
    (
        "a host that is not allowed",
        "call = { get = 'https://elsewhere.example/', save = 'order' }",
    ),
    (
        "nobody at the address",
        "call = { get = 'http://CLOSED/', save = 'order' }",
    ),
    (
        "a port that is none",
        "call = { get = 'http://127.0.0.1:99999/', save = 'order' }",
    ),
    (
        "an address of the owner's network",
        "call = { get = 'http://127.0.0.2:1/', save = 'order' }",
    ),
    (
        "a dot segment",
        "call = { get = 'SHOP/{{ message.text | last }}{{ message.text | last }}/x', save = 'order' }",
    ),
    (
        "an address that is too long",
        "call = { get = 'SHOP/LONG', save = 'order' }",
    ),
    (
        "a header with a line break",
        "call = { get = 'SHOP/orders/1', headers = { x = \"{{ 'a\\nb' }}\" }, save = 'order' }",
    ),
    (
        "a choice that was not offered",
        "model = { choose = ['other'] }\nset = { a = 'b' }",
    ),
    (
        "a host whose name is none",
        "call = { get = 'http://no..name/', save = 'order' }",
    ),
];

#[tokio::test]
async fn however_an_action_fails_its_on_error_is_said() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let outside = ActionServer::default();
    "drop table".clone_into(&mut outside.says.lock().unwrap());
    let mut rules = "version = 1\n[bot]\nreply_budget = { per_minute = 1000, per_hour = 1000 }\n\
        action_budget = { per_minute = 1000, per_hour = 1000 }\n"
        .to_owned();
    for (index, (_, action)) in FAILURES.iter().enumerate() {
        let long = "x".repeat(70_000);
        let action = action
            .replace("CLOSED", &address.to_string())
            .replace("LONG", &long);
        let reply = if action.starts_with("call") {
            "It is {{ order.status }}."
        } else {
            "Good."
        };
        let rule = format!(
            "[[rule]]\nid = \"r{index}\"\nwhen.text.is = \"number {index} .\"\n{action}\nreply = \"{reply}\"\n\
             on_error = \"{index} failed.\"\n"
        );
        rules.push_str(&rule);
    }
    rules += "[[rule]]\nid = \"other\"\nwhen.text.is = \"other\"\nreply = \"Other.\"\n";
    let app = outside
        .serve_with(
            &rules,
            &format!("{{ host = \"http://{address}\", private = true }}"),
        )
        .await;

    for (index, (what, _)) in FAILURES.iter().enumerate() {
        app.sandbox.say(ANA, &format!("number {index} .")).await;
        let said = answers(&app, ANA, index + 1).await;
        assert_eq!(said[index], format!("{index} failed."), "{what}");
    }
    let conversation = app.store().conversations(None, 1).await.unwrap()[0].id;
    let entries = app.store().transcript(conversation, 100).await.unwrap();
    let decided: Vec<_> = entries
        .iter()
        .filter_map(|one| one.decision.as_deref())
        .collect();
    assert_eq!(decided, ["answered"; FAILURES.len()]);
}

#[tokio::test]
async fn one_person_cannot_ask_a_model_without_end_and_another_is_served() {
    let outside = ActionServer::default();
    "Yes.".clone_into(&mut outside.says.lock().unwrap());
    let app = outside
        .serve("version = 1\n[[rule]]\nid = \"ask\"\nmodel = { prompt = \"You are a baker.\" }\nreply = \"{{ model.text }}\"\n")
        .await;

    for batch in 0..20 {
        let messages: Vec<Value> = (0..50)
            .map(|index| {
                let (wamid, text) = (
                    format!("wamid.{batch}.{index}"),
                    format!("{batch} or {index}?"),
                );
                let body: Value =
                    serde_json::from_str(&said(&wamid, Some(ANA), None, &text)).unwrap();
                body.pointer("/entry/0/changes/0").unwrap().clone()
            })
            .collect();
        let body = json!({ "entry": [{ "changes": messages }] });
        assert_eq!(app.post(&body.to_string()).await, 200);
        app.drained().await;
    }

    assert_eq!(
        outside.asked().len(),
        12,
        "as many as the replies of a minute"
    );
    let over = "SELECT count(*) FROM messages WHERE decision = 'rate_limited'";
    assert_eq!(crate::sqlite::number(&app.database(), over).await, 988);
    let conversation = app.store().conversations(None, 1).await.unwrap()[0].id;
    let notes = app.store().conversation_events(conversation).await.unwrap();
    assert!(
        notes.iter().any(|note| note.kind == "rate_limited"),
        "{notes:?}"
    );
    let metrics = app.metrics().await;
    assert!(
        metrics.contains("replyd_decisions_total{outcome=\"rate_limited\"} 988"),
        "{metrics}"
    );
    app.post(&said("wamid.bo", Some(BO), None, "and me?")).await;
    assert_eq!(answers(&app, BO, 1).await, ["Yes."]);
}
