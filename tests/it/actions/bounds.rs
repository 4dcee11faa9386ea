//! However an action fails, its `on_error` is sent; and no contact can ask for actions without end.

use tokio::net::TcpListener;

use super::{ActionServer, body, change, text};
use crate::support::{ANA, BO, assert_contains};

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
    let server = ActionServer::default();
    "drop table".clone_into(&mut server.model_text.lock().unwrap());
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
    let app = server
        .serve_with(
            &rules,
            &format!("{{ host = \"http://{address}\", private = true }}"),
        )
        .await;

    for (index, (what, _)) in FAILURES.iter().enumerate() {
        app.sandbox.say(ANA, &format!("number {index} .")).await;
        let answers = app.answers(ANA, index + 1).await;
        assert_eq!(answers[index], format!("{index} failed."), "{what}");
    }
    assert_eq!(app.decisions(ANA).await, ["answered"; FAILURES.len()]);
}

#[tokio::test]
async fn one_person_cannot_ask_a_model_without_end_and_another_is_served() {
    let server = ActionServer::default();
    "Yes.".clone_into(&mut server.model_text.lock().unwrap());
    let app = server
        .serve("version = 1\n[[rule]]\nid = \"ask\"\nmodel = { prompt = \"You are a baker.\" }\nreply = \"{{ model.text }}\"\n")
        .await;

    for batch in 0..20 {
        let changes = (0..50).map(|index| {
            let wamid = format!("wamid.{batch}.{index}");
            change(&wamid, Some(ANA), None, &format!("{batch} or {index}?"))
        });
        app.accept(&body(&changes.collect::<Vec<_>>())).await;
        app.drained().await;
    }

    let requests = server.bodies().len();
    assert_eq!(requests, 12, "as many as the replies of a minute");
    let over = "SELECT count(*) FROM messages WHERE decision = 'rate_limited'";
    assert_eq!(app.number(over).await, 988);
    let conversation = app.store().conversations(None, 1).await.unwrap()[0].id;
    let notes = app.store().conversation_events(conversation).await.unwrap();
    let is_noted = notes.iter().any(|note| note.kind == "rate_limited");
    assert!(is_noted, "{notes:?}");
    let metrics = app.metrics().await;
    assert_contains(
        &metrics,
        "replyd_decisions_total{outcome=\"rate_limited\"} 988",
    );
    app.post(&text("wamid.bo", Some(BO), None, "and me?")).await;
    assert_eq!(app.answers(BO, 1).await, ["Yes."]);
}
