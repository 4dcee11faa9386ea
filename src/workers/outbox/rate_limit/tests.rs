use super::*;

const SECOND: Duration = Duration::from_secs(1);
const PAUSE: Pause = Pause {
    first: SECOND,
    longest: Duration::from_secs(4),
    retry_after: None,
};

fn number(id: &str) -> PhoneNumberId {
    PhoneNumberId::parse(id).unwrap()
}

/// Sends as fast as allowed for a time span; returns the start of each send, from the beginning.
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
async fn no_second_holds_more_than_a_number_or_the_gateway_may_send() {
    let (one_number, two_numbers) = (&[number("1")][..], &[number("1"), number("2")][..]);
    for (case, by_number, by_gateway, numbers, most, least) in [
        ("one number", 80, 0, one_number, 80, 795),
        ("a gateway shared by all", 80, 8, two_numbers, 8, 78),
        (
            "numbers that do not wait for each other",
            10,
            0,
            two_numbers,
            20,
            198,
        ),
    ] {
        let mut limiter = RateLimiter::new(by_number, by_gateway, Instant::now());

        let starts = starts(&mut limiter, numbers, 10 * SECOND);

        assert_eq!(most_in_a_second(&starts), most, "{case}");
        assert!(starts.len() >= least, "{case}: {}", starts.len());
    }
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
async fn a_number_whose_replies_take_all_its_room_marks_nothing() {
    let now = Instant::now();
    let (slow, stopped) = (number("1"), number("2"));
    let mut limiter = RateLimiter::new(4, 0, now);
    let room = limiter.number_room(&slow, now);
    limiter.learn(&stopped, now, Feedback::StopNumber(PAUSE), now);

    assert_eq!(limiter.numbers_without_room(now), [&stopped]);

    for _ in 0..room {
        limiter.take(&slow, Weight::Message, now);
    }
    let mut without = limiter.numbers_without_room(now);
    without.sort();
    assert_eq!(without, [&slow, &stopped]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_number_rests_alone_and_then_tries_one() {
    let now = Instant::now();
    let (number_a, number_b) = (number("1"), number("2"));
    let mut limiter = RateLimiter::new(80, 0, now);

    let tripped = limiter.learn(&number_a, now, Feedback::StopNumber(PAUSE), now);

    let (wait, is_new) = (SECOND, true);
    assert_eq!(tripped, Some(Tripped { wait, is_new }));
    assert_eq!(limiter.number_room(&number_a, now), 0);
    assert!(limiter.number_room(&number_b, now) > 1);
    assert_eq!(limiter.next_room(now), Some(now + SECOND));
    let after = now + SECOND;
    assert_eq!(limiter.number_room(&number_a, after), 1);
    limiter.take(&number_a, Weight::Message, after);
    let room = limiter.number_room(&number_a, after + SECOND);
    assert_eq!(room, 0, "one try at a time");
    limiter.learn(&number_a, after, Feedback::Works, after);
    assert!(limiter.number_room(&number_a, after + SECOND) > 1);
}

#[tokio::test(start_paused = true)]
async fn a_brake_holds_longer_each_time_until_something_works() {
    let mut now = Instant::now();
    let number_a = number("1");
    let mut limiter = RateLimiter::new(80, 0, now);
    let mut waits = Vec::new();

    for _ in 0..4 {
        let tripped = limiter.learn(&number_a, now, Feedback::StopNumber(PAUSE), now);
        waits.push(tripped.unwrap().wait.as_secs());
        now += tripped.unwrap().wait;
    }
    limiter.learn(&number_a, now, Feedback::Works, now);
    let tripped = limiter.learn(&number_a, now, Feedback::StopNumber(PAUSE), now);

    assert_eq!(waits, [1, 2, 4, 4]);
    assert_eq!(tripped.unwrap().wait, SECOND);
}

#[tokio::test(start_paused = true)]
async fn news_from_before_the_brake_changes_nothing() {
    let before = Instant::now();
    let now = before + SECOND;
    let number_a = number("1");
    let mut limiter = RateLimiter::new(80, 0, before);
    limiter.learn(&number_a, before, Feedback::StopNumber(PAUSE), now);

    let now = now + SECOND / 2;
    let again = limiter.learn(&number_a, before, Feedback::StopNumber(PAUSE), now);
    limiter.learn(&number_a, before, Feedback::Works, now);

    let (wait, is_new) = (SECOND / 2, false);
    assert_eq!(again, Some(Tripped { wait, is_new }));
    assert_eq!(limiter.number_room(&number_a, now), 0);
}

#[tokio::test(start_paused = true)]
async fn the_gateway_may_ask_for_longer() {
    let now = Instant::now();
    let mut limiter = RateLimiter::new(80, 0, now);
    let retry_after = Some(30 * SECOND);

    let pause = Pause {
        retry_after,
        ..PAUSE
    };
    let tripped = limiter.learn(&number("1"), now, Feedback::StopGateway(pause), now);

    assert_eq!(tripped.unwrap().wait, 30 * SECOND);
    assert_eq!(limiter.gateway_room(now + 29 * SECOND), 0);
    assert_eq!(limiter.gateway_room(now + 30 * SECOND), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_answers_nobody_is_paused_and_one_that_answers_others_is_not() {
    let begin = Instant::now();
    let now = begin + SECOND;
    let number_a = number("1");
    let mut healthy = RateLimiter::new(80, 0, begin);
    let mut silent = RateLimiter::new(80, 0, begin);

    healthy.learn(&number_a, begin, Feedback::Works, now);
    for _ in 0..32 {
        healthy.learn(&number_a, begin, Feedback::Unknown, now);
    }
    let mut learn = || silent.learn(&number_a, begin, Feedback::Unknown, now);
    let tripped = [(); 3].map(|()| learn().is_some());

    assert!(healthy.gateway_room(now) > 1);
    assert_eq!(tripped, [false, false, true]);
    assert_eq!(silent.gateway_room(now), 0);
}
