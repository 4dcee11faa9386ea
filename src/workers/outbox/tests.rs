use serde_json::json;

use super::rate_limit::{Feedback, Pause};
use super::*;
use crate::gateway::SendError;
use crate::gateway::test_server::{Fake, Script};
use crate::message::{Outbound, PhoneNumberId, Recipient, WaId, Wamid};
use crate::store::{Claimed, SendRoom as _};

const HOUR: Duration = Duration::from_hours(1);

fn clock() -> Clock {
    Clock::manual("2026-11-23T15:00:00Z".parse().unwrap())
}

fn message(id: i64, conversation_id: i64) -> Claimed {
    Claimed {
        id,
        conversation_id,
        phone_number_id: PhoneNumberId::parse("1065").unwrap(),
        claim_token: format!("claim_token-{id}"),
        attempt: 1,
        expires_at: clock().now() + HOUR,
        recipient: Recipient::Phone(WaId::parse("5511900000001").unwrap()),
        content: Box::new(Outbound::Text {
            body: format!("text {id}"),
            preview_url: false,
        }),
        about: None,
    }
}

fn read_mark(conversation_id: i64) -> ReadMark {
    ReadMark {
        conversation_id,
        phone_number_id: PhoneNumberId::parse("1065").unwrap(),
        wamid: Wamid::parse("wamid.USER=").unwrap(),
        expires_at: clock().now() + HOUR,
    }
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

async fn send(
    fake: &Fake,
    stop: CancellationToken,
    mark: Option<ReadMark>,
    rows: Vec<Claimed>,
) -> Ends {
    let sends = Sends {
        mark: mark.map(|mark| (mark, Instant::now())),
        rows: scheduled(rows),
    };
    let sender = Sender {
        gateway: fake.client(),
        clock: clock(),
        stop,
    };
    sender.send_in_order(sends).await
}

/// Result of the read mark and of each row: `sent`, `failed` or `back`.
fn words(ends: &Ends) -> Vec<&'static str> {
    fn word<T>(result: Option<&Result<T, SendError>>) -> &'static str {
        match result {
            Some(Ok(_)) => "sent",
            Some(Err(_)) => "failed",
            None => "back",
        }
    }
    let mark = ends.mark.iter().map(|mark| word(mark.result.as_ref()));
    let rows = ends.rows.iter().map(|row| word(row.result.as_ref()));
    mark.chain(rows).collect()
}

#[test]
fn rows_are_grouped_by_conversation_with_its_read_mark() {
    let rows = vec![message(1, 10), message(2, 20)];
    let marks = [read_mark(10), read_mark(30)].map(|mark| (mark, Instant::now()));

    let groups = by_conversation(scheduled(rows), marks.into());

    let groups: Vec<_> = groups
        .iter()
        .map(|Sends { mark, rows }| {
            let mark = mark.as_ref().map(|(mark, _)| mark.conversation_id);
            (mark, rows.iter().map(|row| row.row.id).collect::<Vec<_>>())
        })
        .collect();
    let expected = [(Some(10), vec![1]), (None, vec![2]), (Some(30), Vec::new())];
    assert_eq!(groups, expected);
}

#[tokio::test]
async fn a_read_mark_shows_typing_before_a_reply_and_not_alone() {
    let success = || Script::answer(200, "", r#"{"success":true}"#);
    let fake = Fake::start([success(), Script::accepted("wamid.A="), success()]).await;

    let (go, mark) = (CancellationToken::new(), Some(read_mark(10)));
    send(&fake, go.clone(), mark.clone(), vec![message(2, 10)]).await;
    send(&fake, go, mark, Vec::new()).await;

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

    let (go, mark) = (CancellationToken::new(), Some(read_mark(10)));
    let ends = send(&fake, go, mark, vec![message(2, 10)]).await;

    assert_eq!(words(&ends), ["failed", "sent"]);
}

#[tokio::test]
async fn a_message_that_was_not_accepted_holds_back_those_behind_it() {
    for failure in [
        Script::graph_error(400, 131_056),
        Script::answer(502, "", ""),
    ] {
        let fake = Fake::start([failure]).await;

        let rows = vec![message(1, 10), message(2, 10)];
        let ends = send(&fake, CancellationToken::new(), None, rows).await;

        assert_eq!(words(&ends), ["failed", "back"]);
    }
}

#[tokio::test]
async fn what_expires_before_its_turn_or_meets_a_stop_goes_back_unsent() {
    let fake = Fake::start([]).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    let (mut late, mut late_mark) = (message(1, 10), read_mark(10));
    late.expires_at = clock().now();
    late_mark.expires_at = clock().now();
    let (go, mark) = (CancellationToken::new(), Some(read_mark(10)));

    let expired = send(&fake, go, Some(late_mark), vec![late]).await;
    let stopped = send(&fake, stopped, mark, vec![message(2, 10)]).await;

    assert_eq!(words(&expired), ["back", "back"]);
    assert_eq!(words(&stopped), ["back", "back"]);
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn room_that_is_given_back_does_not_use_up_the_trial_of_a_circuit_breaker() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let store = Store::open(&url).await.unwrap();
    let now = Instant::now();
    let number = PhoneNumberId::parse("1065").unwrap();
    let mut limiter = RateLimiter::new(0, 0, now);
    let pause = Pause {
        first: Duration::ZERO,
        longest: Duration::ZERO,
        retry_after: None,
    };
    limiter.learn(&number, now, Feedback::StopNumber(pause), now);
    let capacity = Capacity {
        limiter,
        in_flight: 0,
        in_flight_max: 10,
        crowded: HashSet::new(),
        marks_on_their_way: HashSet::new(),
        is_open: true,
    };
    let shared = Shared::new(capacity, store, HOUR, SETTLING_TIME);
    let (hand_over, _handed_over) = mpsc::unbounded_channel();
    let (_ends, ended) = mpsc::unbounded_channel();
    let direct = DirectSends::new(Arc::clone(&shared), hand_over, ended);

    let failed = direct.reservation();
    assert!(failed.reserve(&number).is_some(), "the trial");
    drop(failed);
    let mut unknown = direct.reservation();
    assert!(unknown.reserve(&number).is_some(), "the next trial");
    assert_eq!(unknown.release().len(), 1);

    assert!(direct.reservation().reserve(&number).is_some());
    assert_eq!(shared.capacity().in_flight, 0);
}
