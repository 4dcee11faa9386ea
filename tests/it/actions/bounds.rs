//! However an action fails, its `on_error` is sent; and no contact can ask for actions without end.

use super::{ActionServer, body, change, text};
use crate::support::{ANA, BO, assert_contains, closed_address};

/// Each way in which an action can fail once it is asked for: a title, then the action of a rule.
/// Failures that are found before are tested beside the engine.
const FAILURES: &str = include_str!("../../cases/actions/failures.txt");

#[tokio::test]
async fn however_an_action_fails_its_on_error_is_sent() {
    let closed = closed_address();
    let server = ActionServer::default();
    server.prepare_model("drop table");
    let mut rules = "version = 1\n[bot]\nreply_budget = { per_minute = 1000, per_hour = 1000 }\n\
        action_budget = { per_minute = 1000, per_hour = 1000 }\n"
        .to_owned();
    let failures = FAILURES.split("\n\n");
    let failures = failures.map(|failure| failure.split_once('\n').unwrap());
    let failures: Vec<_> = failures.collect();
    assert_eq!(failures.len(), 16);
    for (index, (_, action)) in failures.iter().enumerate() {
        let long = "x".repeat(70_000);
        let action = action
            .replace("CLOSED", &closed.to_string())
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
    let host = format!("{{ host = \"http://{closed}\", private = true }}");
    let app = server.serve_with(&rules, &host).await;

    for (index, (title, _)) in failures.iter().enumerate() {
        app.sandbox.say(ANA, &format!("number {index} .")).await;
        let answers = app.answers(ANA, index + 1).await;
        assert_eq!(answers[index], format!("{index} failed."), "{title}");
    }
    assert_eq!(app.decisions(ANA).await, ["answered"; 16]);
}

#[tokio::test]
async fn one_contact_cannot_ask_a_model_without_end_and_another_is_served() {
    let server = ActionServer::default();
    server.prepare_model("Yes.");
    let rules = "version = 1\n[[rule]]\nid = \"ask\"\nmodel = { prompt = \"You are a baker.\" }\nreply = \"{{ model.text }}\"\n";
    let app = server.serve(rules).await;

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
    let events = app.store().conversation_events(conversation).await.unwrap();
    let is_noted = events.iter().any(|event| event.kind == "rate_limited");
    assert!(is_noted, "{events:?}");
    let metrics = app.metrics().await;
    assert_contains(
        &metrics,
        "replyd_decisions_total{outcome=\"rate_limited\"} 988",
    );
    app.post(&text("wamid.bo", Some(BO), None, "and me?")).await;
    assert_eq!(app.answers(BO, 1).await, ["Yes."]);
}
