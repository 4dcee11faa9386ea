use super::*;

const SECOND: Duration = Duration::from_secs(1);
const PAUSE: Pause = Pause {
    first: SECOND,
    longest: Duration::from_secs(4),
    asked: None,
};

fn number(id: &str) -> PhoneNumberId {
    PhoneNumberId::parse(id).unwrap()
}

/// Sends as fast as allowed for so long and gives the start of each, from the beginning.
fn starts(limiter: &mut RateLimiter, numbers: &[PhoneNumberId], span: Duration) -> Vec<Duration> {
    let begin = Instant::now();
    let mut now = begin;
    let mut starts = Vec::new();
    while now < begin + span {
        let mut free = limiter.gateway_room(now);
        for number in numbers {
            let room = limiter.number_room(number, now).min(free);
            free -= room;
            for _ in 0..room {
                starts.push(limiter.take(number, Weight::Message, now) - begin);
            }
        }
        now = limiter.next_room(now).unwrap_or(now + HORIZON);
    }
    starts.retain(|start| *start < span);
    starts.sort();
    starts
}

fn most_in_a_second(starts: &[Duration]) -> usize {
    let within = |from: Duration| {
        starts
            .iter()
            .filter(move |start| (from..from + SECOND).contains(*start))
            .count()
    };
    starts.iter().map(|from| within(*from)).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn no_second_holds_more_than_a_number_may_send() {
    let mut limiter = RateLimiter::new(80, 0, Instant::now());

    let starts = starts(&mut limiter, &[number("1")], 10 * SECOND);

    assert_eq!(most_in_a_second(&starts), 80);
    assert!(starts.len() >= 795, "{}", starts.len());
}

#[tokio::test(start_paused = true)]
async fn the_gateway_is_shared_by_all_numbers() {
    let mut limiter = RateLimiter::new(80, 8, Instant::now());

    let starts = starts(&mut limiter, &[number("1"), number("2")], 10 * SECOND);

    assert_eq!(most_in_a_second(&starts), 8);
    assert!(starts.len() >= 78, "{}", starts.len());
}

#[tokio::test(start_paused = true)]
async fn numbers_do_not_wait_for_each_other() {
    let mut limiter = RateLimiter::new(10, 0, Instant::now());

    let starts = starts(&mut limiter, &[number("1"), number("2")], 10 * SECOND);

    assert!(starts.len() >= 198, "{}", starts.len());
}

#[tokio::test(start_paused = true)]
async fn read_marks_take_from_the_gateway_only() {
    let now = Instant::now();
    let mut limiter = RateLimiter::new(1, 4, now);

    limiter.take(&number("1"), Weight::ReadMark, now);
    let message = limiter.take(&number("1"), Weight::Message, now);

    assert_eq!(message - now, SECOND / 4);
    assert_eq!(limiter.number_room(&number("1"), now), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_number_rests_alone_and_then_tries_one() {
    let now = Instant::now();
    let (one, two) = (number("1"), number("2"));
    let mut limiter = RateLimiter::new(80, 0, now);

    let engaged = limiter.learn(&one, now, Feedback::StopNumber(PAUSE), now);

    assert_eq!(
        engaged,
        Some(Tripped {
            wait: SECOND,
            is_new: true
        })
    );
    assert_eq!(limiter.number_room(&one, now), 0);
    assert!(limiter.number_room(&two, now) > 1);
    assert_eq!(limiter.next_room(now), Some(now + SECOND));
    let after = now + SECOND;
    assert_eq!(limiter.number_room(&one, after), 1);
    limiter.take(&one, Weight::Message, after);
    assert_eq!(
        limiter.number_room(&one, after + SECOND),
        0,
        "one try at a time"
    );
    limiter.learn(&one, after, Feedback::Works, after);
    assert!(limiter.number_room(&one, after + SECOND) > 1);
}

#[tokio::test(start_paused = true)]
async fn a_brake_holds_longer_each_time_until_something_works() {
    let mut now = Instant::now();
    let one = number("1");
    let mut limiter = RateLimiter::new(80, 0, now);
    let mut waits = Vec::new();

    for _ in 0..4 {
        let engaged = limiter.learn(&one, now, Feedback::StopNumber(PAUSE), now);
        waits.push(engaged.unwrap().wait.as_secs());
        now += engaged.unwrap().wait;
    }
    limiter.learn(&one, now, Feedback::Works, now);
    let engaged = limiter.learn(&one, now, Feedback::StopNumber(PAUSE), now);

    assert_eq!(waits, [1, 2, 4, 4]);
    assert_eq!(engaged.unwrap().wait, SECOND);
}

#[tokio::test(start_paused = true)]
async fn news_from_before_the_brake_changes_nothing() {
    let before = Instant::now();
    let now = before + SECOND;
    let one = number("1");
    let mut limiter = RateLimiter::new(80, 0, before);
    limiter.learn(&one, before, Feedback::StopNumber(PAUSE), now);

    let again = limiter.learn(&one, before, Feedback::StopNumber(PAUSE), now + SECOND / 2);
    limiter.learn(&one, before, Feedback::Works, now + SECOND / 2);

    assert_eq!(
        again,
        Some(Tripped {
            wait: SECOND / 2,
            is_new: false
        })
    );
    assert_eq!(limiter.number_room(&one, now + SECOND / 2), 0);
}

#[tokio::test(start_paused = true)]
async fn the_gateway_may_ask_for_longer() {
    let now = Instant::now();
    let mut limiter = RateLimiter::new(80, 0, now);
    let asked = Some(30 * SECOND);

    let pause = Pause { asked, ..PAUSE };
    let engaged = limiter.learn(&number("1"), now, Feedback::StopGateway(pause), now);

    assert_eq!(engaged.unwrap().wait, 30 * SECOND);
    assert_eq!(limiter.gateway_room(now + 29 * SECOND), 0);
    assert_eq!(limiter.gateway_room(now + 30 * SECOND), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_answers_nobody_is_paused_and_one_that_answers_others_is_not() {
    let begin = Instant::now();
    let now = begin + SECOND;
    let one = number("1");
    let mut healthy = RateLimiter::new(80, 0, begin);
    let mut silent = RateLimiter::new(80, 0, begin);

    healthy.learn(&one, begin, Feedback::Works, now);
    for _ in 0..32 {
        healthy.learn(&one, begin, Feedback::Unknown, now);
    }
    let engaged: Vec<bool> = (0..3)
        .map(|_| silent.learn(&one, begin, Feedback::Unknown, now).is_some())
        .collect();

    assert!(healthy.gateway_room(now) > 1);
    assert_eq!(engaged, [false, false, true]);
    assert_eq!(silent.gateway_room(now), 0);
}
