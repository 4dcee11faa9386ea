use super::*;
use crate::gateway::{Insecure, Unknown};
use crate::message::GraphError;

fn rejected(status: u16, code: Option<i64>, retry_after: Option<u64>) -> SendError {
    SendError::Rejected(Box::new(Rejection {
        status,
        error: code.map(|code| GraphError {
            code,
            title: None,
            details: None,
        }),
        is_transient: false,
        retry_after: retry_after.map(Duration::from_secs),
    }))
}

fn judge(error: SendError, attempt: u32) -> (Verdict, Lesson) {
    of_message(&Err(error), attempt, "fence")
}

#[test]
fn what_never_left_is_sent_again_as_soon_as_the_gateway_is_back() {
    for reason in [
        NotSent::Name,
        NotSent::TooSlow,
        NotSent::Tls(Insecure::Untrusted),
        NotSent::Refused,
    ] {
        let (verdict, lesson) = judge(SendError::NotSent(reason), 1_000);

        assert_eq!(verdict, Verdict::AgainAfterPause);
        assert!(matches!(lesson, Lesson::StopGateway(OUTAGE)));
    }
}

#[test]
fn what_may_have_been_sent_is_never_sent_again() {
    for reason in [
        Unknown::TimedOut,
        Unknown::Broken,
        Unknown::Answer { status: 502 },
    ] {
        let (verdict, lesson) = judge(SendError::Unknown(reason), 1);

        assert_eq!(verdict, Verdict::Unknown);
        assert!(matches!(lesson, Lesson::Unknown));
    }
}

#[test]
fn each_kind_of_error_stops_what_it_concerns_and_nothing_else() {
    let number = |first| move |lesson: Lesson| matches!(lesson, Lesson::StopNumber(pause) if pause.first == Duration::from_secs(first));
    for (code, first) in [
        (130_429, 1),
        (131_057, 1),
        (4, 60),
        (190, 30),
        (131_048, 30),
    ] {
        let (verdict, lesson) = judge(rejected(400, Some(code), None), 100);

        assert_eq!(verdict, Verdict::AgainAfterPause, "{code}");
        assert!(number(first)(lesson), "{code}: {lesson:?}");
    }
    for status in [401, 400, 404, 429] {
        let (verdict, lesson) = judge(rejected(status, None, None), 100);

        assert_eq!(verdict, Verdict::AgainAfterPause, "{status}");
        assert!(
            matches!(lesson, Lesson::StopGateway(_)),
            "{status}: {lesson:?}"
        );
    }
    for code in [131_047, 131_026, 100] {
        let (verdict, lesson) = judge(rejected(400, Some(code), None), 1);

        assert_eq!(verdict, Verdict::Dead, "{code}");
        assert!(matches!(lesson, Lesson::Works), "{code}: {lesson:?}");
    }
}

#[test]
fn a_crowded_person_waits_alone() {
    let (verdict, lesson) = judge(rejected(400, Some(131_056), None), 3);

    assert_eq!(verdict, Verdict::Again(Duration::from_secs(16)));
    assert!(matches!(lesson, Lesson::Works));
}

#[test]
fn tries_are_bounded_where_the_message_may_be_the_fault() {
    for (code, attempts) in [(2, ATTEMPTS), (131_000, FEW_ATTEMPTS)] {
        let (before, _) = judge(rejected(500, Some(code), None), attempts - 1);
        let (last, _) = judge(rejected(500, Some(code), None), attempts);

        assert!(matches!(before, Verdict::Again(_)), "{code}: {before:?}");
        assert_eq!(last, Verdict::Dead, "{code}");
    }
}

#[test]
fn retry_after_is_the_least_that_is_waited() {
    let (verdict, _) = judge(rejected(503, Some(2), Some(40)), 1);
    let (_, lesson) = judge(rejected(429, None, Some(40)), 1);

    assert_eq!(verdict, Verdict::Again(Duration::from_secs(40)));
    let asked = Some(Duration::from_secs(40));
    assert!(matches!(lesson, Lesson::StopGateway(pause) if pause.asked == asked));
}

#[test]
fn a_read_mark_is_never_tried_again_and_never_stops_a_number() {
    let ends = [
        (rejected(400, Some(131_009), None), Verdict::Dead),
        (rejected(401, Some(190), None), Verdict::Dead),
        (
            SendError::Unknown(Unknown::TimedOut),
            Verdict::Accepted(None),
        ),
        (SendError::NotSent(NotSent::Refused), Verdict::Dead),
        (rejected(429, None, None), Verdict::Dead),
    ];
    for (error, expected) in ends {
        let shown = error.to_string();

        let (verdict, lesson) = of_read_mark(&Err(error));

        assert_eq!(verdict, expected, "{shown}");
        assert!(
            !matches!(lesson, Lesson::StopNumber(_) | Lesson::Works),
            "{shown}: {lesson:?}"
        );
    }
}
