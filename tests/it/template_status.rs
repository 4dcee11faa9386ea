//! Meta's reports on message templates, which count at once and leave `templates.json` alone.

use serde_json::{Value, json};

use crate::support::{ANA, NUMBER, TestApp, assert_contains, bodies, in_time};

const RULES: &str = r#"
version = 1
[bot]
reply_budget = { per_minute = 1000, per_hour = 1000 }
loop_guard = 1000
[[rule]]
id = "order"
reply = { template = { name = "weekend_offer", language = "en_US" } }
on_error = "Your order is fine."
"#;

/// A service that has fetched one approved template.
async fn service() -> TestApp {
    let app = TestApp::builder()
        .rules(RULES)
        .config(NUMBER)
        .stopped()
        .await;
    let shape = json!({
        "name": "weekend_offer", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "header": null, "body": [], "named": false, "buttons": [], "cards": 0,
    });
    let file = json!({ "synced_at": "2026-01-23T10:00:00Z", "templates": [shape] });
    app.write("templates.json", file.to_string());
    let mut app = app;
    app.run().await;
    app
}

async fn report(app: &TestApp, field: &str, report: Value) {
    let mut value = report;
    value["message_template_name"] = json!("weekend_offer");
    value["message_template_language"] = json!("en-US");
    let body = replyd::sandbox::webhooks::body(field, &value);
    app.accept(&body).await;
}

/// Writes to the bot until its newest reply is this one.
async fn until_it_answers(app: &TestApp, reply: &str) {
    let asking = async {
        loop {
            let before = app.replies(ANA).len();
            app.sandbox.say(ANA, "my order?").await;
            let replies = app.until_replies(ANA, before + 1).await;
            if replies.last().is_some_and(|last| last.contains(reply)) {
                break;
            }
        }
    };
    in_time(reply, asking).await;
}

#[tokio::test]
async fn a_paused_template_is_replaced_by_on_error_until_it_is_sent_again() {
    let mut app = service().await;
    let status = "message_template_status_update";
    let file = std::fs::read(app.path("templates.json")).unwrap();

    until_it_answers(&app, "[template] weekend_offer").await;
    report(&app, status, json!({ "event": "PAUSED" })).await;
    until_it_answers(&app, "Your order is fine.").await;
    app.restart().await;
    let before = app.replies(ANA).len();
    app.sandbox.say(ANA, "and now?").await;
    let after_restart = app.until_replies(ANA, before + 1).await;
    let why = "other_info";
    report(
        &app,
        status,
        json!({ "event": "APPROVED", why: { "title": "UNPAUSE" } }),
    )
    .await;
    until_it_answers(&app, "[template] weekend_offer").await;

    assert_contains(after_restart.last().unwrap(), "Your order is fine.");
    assert_eq!(std::fs::read(app.path("templates.json")).unwrap(), file);
}

#[tokio::test]
async fn a_send_by_hand_knows_what_became_of_its_template() {
    let app = service().await;
    let send = "send 15550000001 --language en_US --template";

    let unknown = app
        .replyd(&format!("{send} weekend_offers"))
        .await
        .refused();
    let other = "send 15550000001 --template weekend_offer --language de";
    let other = app.replyd(other).await.refused();
    app.sandbox.say(ANA, "hello").await;
    app.until_replies(ANA, 1).await;
    app.accept(&bodies::marketing_stop(ANA)).await;
    let utility = app
        .replyd(&format!("{send} weekend_offer"))
        .await
        .to_string();
    let category = json!({ "previous_category": "UTILITY", "new_category": "MARKETING" });
    report(&app, "template_category_update", category).await;
    let marketing = app.replyd(&format!("{send} weekend_offer")).await.refused();
    let disabled = json!({ "event": "DISABLED" });
    report(&app, "message_template_status_update", disabled).await;
    let disabled = app.replyd(&format!("{send} weekend_offer")).await.refused();

    assert_contains(
        &unknown,
        "there is no template `weekend_offers` among those of 2026-01-23",
    );
    assert_contains(&other, "the template `weekend_offer` has no `de`");
    assert_contains(&utility, "accepted:");
    assert_contains(&marketing, "opted out of marketing");
    assert_contains(&disabled, "the template `weekend_offer` is DISABLED");
}
