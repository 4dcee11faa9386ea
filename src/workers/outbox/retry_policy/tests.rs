use super::*;
use crate::gateway::{Insecure, Unknown};
use crate::message::GraphError;

fn rejected(status: u16, code: Option<i64>, retry_after: Option<u64>) -> SendError {
    SendError::Rejected(Box::new(Rejection {
        status,
        error: code.map(|code| GraphError {
            code,
            subcode: None,
            title: None,
            details: None,
        }),
        is_transient: false,
        retry_after: retry_after.map(Duration::from_secs),
    }))
}

fn judge(error: SendError, attempt: u32) -> (Disposition, Feedback) {
    judge_message(&Err(error), attempt, "claim_token")
}

#[test]
fn what_never_left_is_sent_again_as_soon_as_the_gateway_is_back() {
    for reason in [
        NotSent::Name,
        NotSent::TooSlow,
        NotSent::Tls(Insecure::Untrusted),
        NotSent::Refused,
    ] {
        let (disposition, feedback) = judge(SendError::NotSent(reason), 1_000);

        assert_eq!(disposition, Disposition::AgainAfterPause);
        assert!(matches!(feedback, Feedback::StopGateway(OUTAGE)));
    }
}

#[test]
fn what_may_have_been_sent_is_never_sent_again() {
    for reason in [
        Unknown::TimedOut,
        Unknown::Broken,
        Unknown::Answer { status: 502 },
    ] {
        let (disposition, feedback) = judge(SendError::Unknown(reason), 1);

        assert_eq!(disposition, Disposition::Unknown);
        assert!(matches!(feedback, Feedback::Unknown));
    }
}

#[test]
fn each_kind_of_error_stops_what_it_concerns_and_nothing_else() {
    let number = |first| move |feedback: Feedback| matches!(feedback, Feedback::StopNumber(pause) if pause.first == Duration::from_secs(first));
    for (code, first) in [
        (130_429, 1),
        (131_057, 1),
        (4, 60),
        (190, 30),
        (131_048, 30),
    ] {
        let (disposition, feedback) = judge(rejected(400, Some(code), None), 100);

        assert_eq!(disposition, Disposition::AgainAfterPause, "{code}");
        assert!(number(first)(feedback), "{code}: {feedback:?}");
    }
    for status in [401, 400, 404, 429] {
        let (disposition, feedback) = judge(rejected(status, None, None), 100);

        assert_eq!(disposition, Disposition::AgainAfterPause, "{status}");
        assert!(
            matches!(feedback, Feedback::StopGateway(_)),
            "{status}: {feedback:?}"
        );
    }
    for code in [131_047, 131_026, 100] {
        let (disposition, feedback) = judge(rejected(400, Some(code), None), 1);

        assert_eq!(disposition, Disposition::Dead, "{code}");
        assert!(matches!(feedback, Feedback::Works), "{code}: {feedback:?}");
    }
}

#[test]
fn an_unknown_number_pauses_itself_and_keeps_its_messages() {
    let mut error = rejected(400, Some(100), None);
    let SendError::Rejected(rejection) = &mut error else {
        unreachable!()
    };
    rejection.error.as_mut().unwrap().subcode = Some(33);

    let (disposition, feedback) = judge(error, 100);

    assert_eq!(disposition, Disposition::AgainAfterPause);
    assert!(matches!(feedback, Feedback::StopNumber(BROKEN)));
}

#[test]
fn rate_limits_that_come_with_400_pause_and_lose_nothing() {
    for code in [4, 17, 32, 341, 613, 80_007, 80_008] {
        let (disposition, feedback) = judge(rejected(400, Some(code), None), 100);

        assert_eq!(disposition, Disposition::AgainAfterPause, "{code}");
        assert!(
            matches!(feedback, Feedback::StopNumber(EXHAUSTED)),
            "{code}"
        );
    }
}

#[test]
fn a_file_that_meta_could_not_take_is_tried_a_few_times() {
    for code in [131_052, 131_053] {
        for attempt in 1..FEW_ATTEMPTS {
            let (disposition, feedback) = judge(rejected(400, Some(code), None), attempt);

            assert!(matches!(disposition, Disposition::Again(_)), "{code}");
            assert!(matches!(feedback, Feedback::Works), "{code}");
        }
        let (disposition, _) = judge(rejected(400, Some(code), None), FEW_ATTEMPTS);

        assert_eq!(disposition, Disposition::Dead, "{code}");
    }
}

#[test]
fn a_crowded_person_waits_alone() {
    let (disposition, feedback) = judge(rejected(400, Some(131_056), None), 3);

    assert_eq!(disposition, Disposition::Again(Duration::from_secs(16)));
    assert!(matches!(feedback, Feedback::Works));
}

/// Times of the attempts of a message that gets `code` each time, until it expires.
fn tries(code: i64, give_up_after: Duration, claim_token: &str) -> Vec<Duration> {
    let (mut at, mut tries) = (Duration::ZERO, Vec::new());
    while at < give_up_after {
        tries.push(at);
        let attempt = u32::try_from(tries.len()).unwrap();
        match judge_message(&Err(rejected(500, Some(code), None)), attempt, claim_token).0 {
            Disposition::Again(wait) => at += wait,
            ended => panic!("ended by {ended:?} after {tries:?}"),
        }
    }
    tries
}

#[test]
fn a_fault_that_may_pass_is_tried_until_the_time_is_over_and_never_in_a_burst() {
    let quarter = Duration::from_mins(15);
    for (code, least, most, first) in [(2, 12, 26, 1), (131_016, 12, 26, 1), (131_000, 8, 16, 5)] {
        for claim_token in ["a", "b", "c", "0f3a9bc4"] {
            let tries = tries(code, quarter, claim_token);

            let waits = tries.windows(2).map(|two| two[1].abs_diff(two[0]));
            let waits: Vec<Duration> = waits.collect();
            assert!(
                (least..=most).contains(&tries.len()),
                "{code}: {}",
                tries.len()
            );
            assert!(waits[0] >= Duration::from_secs(first), "{code}: {waits:?}");
            assert!(waits.is_sorted_by(|a, b| a.as_secs() <= 2 * b.as_secs().max(1)));
            // The last wait is minutes long, and there is always time left for another attempt.
            assert!(quarter <= *tries.last().unwrap() + Duration::from_mins(5));
        }
    }
}

#[test]
fn a_fault_of_two_minutes_is_survived_within_two_more() {
    let outage = Duration::from_mins(2);
    for code in [2, 131_016, 133_004] {
        for claim_token in ["a", "b", "c", "0f3a9bc4"] {
            let tries = tries(code, Duration::from_mins(15), claim_token);

            let passed = tries.iter().find(|at| **at >= outage).unwrap();
            assert!(*passed <= 2 * outage, "{code}: {passed:?}");
        }
    }
}

#[test]
fn retry_after_is_the_least_that_is_waited() {
    let (disposition, _) = judge(rejected(503, Some(2), Some(40)), 1);
    let (_, feedback) = judge(rejected(429, None, Some(40)), 1);

    let (crowded, _) = judge(rejected(400, Some(131_056), Some(40)), 1);

    assert_eq!(disposition, Disposition::Again(Duration::from_secs(40)));
    assert_eq!(crowded, Disposition::Again(Duration::from_secs(40)));
    let retry_after = Some(Duration::from_secs(40));
    assert!(matches!(feedback, Feedback::StopGateway(pause) if pause.retry_after == retry_after));
}

#[test]
fn a_read_mark_never_stops_a_number() {
    let ends = [
        rejected(400, Some(131_009), None),
        rejected(401, Some(190), None),
        SendError::Unknown(Unknown::TimedOut),
        SendError::NotSent(NotSent::Refused),
        rejected(429, None, None),
    ];
    for error in ends {
        let shown = error.to_string();

        let feedback = judge_read_mark(&Err(error));

        assert!(
            !matches!(feedback, Feedback::StopNumber(_) | Feedback::Works),
            "{shown}: {feedback:?}"
        );
    }
}
