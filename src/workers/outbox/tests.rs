use serde_json::json;

use super::*;
use crate::gateway::test_server::{Fake, Script};
use crate::message::{Outbound, PhoneNumberId, Recipient, WaId, Wamid};
use crate::store::{Claimed, ClaimedKind};

const HOUR: Duration = Duration::from_hours(1);

fn clock() -> Clock {
    Clock::manual("2026-11-23T15:00:00Z".parse().unwrap())
}

fn row(id: i64, conversation_id: i64, kind: ClaimedKind) -> Claimed {
    Claimed {
        id,
        conversation_id,
        phone_number_id: PhoneNumberId::parse("1065").unwrap(),
        claim_token: format!("claim_token-{id}"),
        attempt: 1,
        expires_at: clock().now() + HOUR,
        kind,
    }
}

fn message(id: i64, conversation_id: i64) -> Claimed {
    let kind = ClaimedKind::Message {
        recipient: Recipient::Phone(WaId::parse("5511900000001").unwrap()),
        content: Box::new(Outbound::Text {
            body: format!("text {id}"),
            preview_url: false,
        }),
        about: None,
    };
    row(id, conversation_id, kind)
}

fn read_mark(id: i64, conversation_id: i64) -> Claimed {
    let wamid = Wamid::parse("wamid.USER=").unwrap();
    row(id, conversation_id, ClaimedKind::ReadMark { wamid })
}

fn scheduled(rows: Vec<Claimed>) -> Vec<Scheduled> {
    let now = Instant::now();
    let rows = rows.into_iter().map(|row| Scheduled {
        row,
        slot: now,
        latest: now + HOUR,
    });
    rows.collect()
}

async fn send(fake: &Fake, stop: CancellationToken, rows: Vec<Claimed>) -> Vec<Finished> {
    let sender = Sender {
        gateway: fake.client(),
        clock: clock(),
        stop,
    };
    sender.send_in_order(scheduled(rows)).await
}

/// Result of each row: `sent`, `failed` or `back`.
fn words(finished: &[Finished]) -> Vec<&'static str> {
    let word = |row: &Finished| match &row.result {
        Some(Ok(_)) => "sent",
        Some(Err(_)) => "failed",
        None => "back",
    };
    finished.iter().map(word).collect()
}

#[test]
fn rows_are_grouped_by_conversation_and_the_read_mark_goes_first() {
    let rows = vec![
        message(1, 10),
        message(2, 20),
        read_mark(3, 10),
        read_mark(4, 30),
    ];

    let groups: Vec<Vec<i64>> = by_conversation(scheduled(rows))
        .iter()
        .map(|group| group.iter().map(|row| row.row.id).collect())
        .collect();

    assert_eq!(groups, [vec![3, 1], vec![2], vec![4]]);
}

#[tokio::test]
async fn a_read_mark_shows_typing_before_a_reply_and_not_alone() {
    let success = || Script::answer(200, "", r#"{"success":true}"#);
    let fake = Fake::start([success(), Script::accepted("wamid.A="), success()]).await;

    let with_reply = vec![read_mark(1, 10), message(2, 10)];
    send(&fake, CancellationToken::new(), with_reply).await;
    send(&fake, CancellationToken::new(), vec![read_mark(3, 10)]).await;

    let [first, reply, alone] = fake.requests().try_into().unwrap();
    assert_eq!(first.body["typing_indicator"], json!({ "type": "text" }));
    assert_eq!(reply.body["text"]["body"], "text 2");
    assert_eq!(reply.body["biz_opaque_callback_data"], "claim_token-2");
    assert_eq!(alone.body.get("typing_indicator"), None);
}

#[tokio::test]
async fn a_failed_read_mark_does_not_hold_back_the_reply() {
    let fake = Fake::start([
        Script::graph_error(400, 131_009),
        Script::accepted("wamid.A="),
    ])
    .await;

    let rows = vec![read_mark(1, 10), message(2, 10)];
    let finished = send(&fake, CancellationToken::new(), rows).await;

    assert_eq!(words(&finished), ["failed", "sent"]);
}

#[tokio::test]
async fn a_message_that_was_not_accepted_holds_back_those_behind_it() {
    for failure in [
        Script::graph_error(400, 131_056),
        Script::answer(502, "", ""),
    ] {
        let fake = Fake::start([failure]).await;

        let rows = vec![message(1, 10), message(2, 10)];
        let finished = send(&fake, CancellationToken::new(), rows).await;

        assert_eq!(words(&finished), ["failed", "back"]);
    }
}

#[tokio::test]
async fn what_expires_before_its_turn_or_meets_a_stop_goes_back_unsent() {
    let fake = Fake::start([]).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    let mut late = message(1, 10);
    late.expires_at = clock().now();

    let expired = send(&fake, CancellationToken::new(), vec![late]).await;
    let stopped = send(&fake, stopped, vec![message(2, 10)]).await;

    assert_eq!(words(&expired), ["back"]);
    assert_eq!(words(&stopped), ["back"]);
    assert!(fake.requests().is_empty());
}
