//! Opening hours on ordinary days, over midnight, on holidays, and on the days when clocks are
//! changed.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::{DAY, Days, Holiday, Schedule, Span, day_index};

fn span(text: &str) -> Span {
    let (from, to) = text.split_once('-').unwrap();
    let minutes = |time: &str| {
        let (hour, minute) = time.split_once(':').unwrap();
        hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap()
    };
    let (from, to) = (minutes(from), minutes(to));
    Span {
        from,
        to: if to <= from { to + DAY } else { to },
    }
}

fn daily(zone: &str, spans: &[&str]) -> Schedule {
    let spans: Vec<Span> = spans.iter().map(|text| span(text)).collect();
    Schedule {
        timezone: TimeZone::get(zone).unwrap(),
        week: std::array::from_fn(|_| spans.clone()),
        holidays: Vec::new(),
    }
}

fn closed(days: Days) -> Holiday {
    let open = Vec::new();
    Holiday { days, open }
}

/// A local time, in its first meaning.
fn at(zone: &str, text: &str) -> Timestamp {
    let time: jiff::civil::DateTime = text.parse().unwrap();
    time.in_tz(zone).unwrap().timestamp()
}

const NEW_YORK: &str = "America/New_York";

#[test]
fn a_span_ends_before_its_closing_time_and_there_may_be_several_a_day() {
    let shop = daily(NEW_YORK, &["08:00-12:30", "14:00-19:00"]);
    let open = |text| shop.is_open(at(NEW_YORK, text));

    assert!(!open("2026-12-01T07:59:59") && open("2026-12-01T08:00"));
    assert!(open("2026-12-01T12:29:59") && !open("2026-12-01T12:30"));
    assert!(open("2026-12-01T14:00") && !open("2026-12-01T19:00"));
    for (now, opens) in [("01T13:00", "01T14:00"), ("01T20:00", "02T08:00")] {
        let [now, opens] = [now, opens].map(|time| at(NEW_YORK, &format!("2026-12-{time}")));
        assert_eq!(shop.next_open(now), Some(opens), "{now}");
    }
    let closes = shop.next_close(at(NEW_YORK, "2026-12-01T09:00"));
    assert_eq!(closes, Some(at(NEW_YORK, "2026-12-01T12:30")));
    assert_eq!(shop.next_close(at(NEW_YORK, "2026-12-01T13:00")), None);
}

#[test]
fn a_span_over_midnight_belongs_to_the_day_it_begins_on() {
    let mut bar = daily(NEW_YORK, &[]);
    bar.week[5] = vec![span("22:00-02:00")];
    bar.holidays = vec![closed(Days::On(date(2026, 12, 6)))];

    // The 5th is a Saturday; the Sunday behind it is a holiday, and the night goes on all the same.
    assert!(bar.is_open(at(NEW_YORK, "2026-12-06T01:59")));
    assert!(!bar.is_open(at(NEW_YORK, "2026-12-06T02:00")));
    let opens = bar.next_open(at(NEW_YORK, "2026-12-06T12:00"));
    assert_eq!(opens, Some(at(NEW_YORK, "2026-12-12T22:00")));
}

#[test]
fn holidays_of_every_kind_stand_before_the_week() {
    let mut shop = daily(NEW_YORK, &["08:00-18:00"]);
    shop.holidays = vec![
        Holiday {
            days: Days::On(date(2026, 12, 24)),
            open: vec![span("08:00-12:00")],
        },
        closed(Days::Every(12, 25)),
        closed(Days::Range(date(2026, 12, 26), date(2027, 1, 2))),
    ];
    let open = |text| shop.is_open(at(NEW_YORK, text));

    assert!(open("2026-12-24T11:00") && !open("2026-12-24T13:00"));
    assert!(!open("2026-12-25T11:00") && !open("2027-12-25T11:00"));
    assert!(!open("2027-01-02T11:00") && open("2027-01-03T11:00"));
    let opens = shop.next_open(at(NEW_YORK, "2026-12-24T13:00"));
    assert_eq!(opens, Some(at(NEW_YORK, "2027-01-03T08:00")));
}

#[test]
fn of_two_holidays_the_one_with_fewer_days_counts_wherever_it_stands() {
    let range = |first, last| Days::Range(date(2026, 12, first), date(2026, 12, last));
    let narrowest_first = [
        Days::On(date(2026, 12, 24)),
        Days::Every(12, 24),
        range(23, 26),
        range(20, 31),
    ];
    let mut shop = daily(NEW_YORK, &["08:00-18:00"]);
    for (place, days) in narrowest_first.iter().enumerate() {
        for other in &narrowest_first[place + 1..] {
            for both in [[days, other], [other, days]] {
                shop.holidays = both.map(|days| closed(*days)).to_vec();

                let holiday = shop.holiday(date(2026, 12, 24)).unwrap();

                assert_eq!(holiday.days, *days, "before {other}");
            }
            assert_eq!(days.rivals(*other), None);
        }
    }
}

#[test]
fn a_day_that_two_equal_holidays_name_is_known() {
    let range = |first, last| Days::Range(date(2026, 12, first), date(2026, 12, last));
    let every = |day| Days::Every(12, day);
    for (days, other, day) in [
        (every(24), every(24), Some("12-24 of every year")),
        (every(24), every(25), None),
        (
            Days::On(date(2026, 12, 24)),
            range(24, 24),
            Some("2026-12-24"),
        ),
        (range(20, 22), range(22, 24), Some("2026-12-22")),
        (range(20, 22), range(23, 25), None),
    ] {
        assert_eq!(days.rivals(other).as_deref(), day);
        assert_eq!(other.rivals(days).as_deref(), day);
    }
}

#[test]
fn who_never_opens_has_no_next_opening_and_who_never_closes_no_closing() {
    let now = at(NEW_YORK, "2026-12-01T08:00");
    assert_eq!(daily(NEW_YORK, &[]).next_open(now), None);
    let always = daily(NEW_YORK, &["00:00-24:00"]);
    assert_eq!(always.next_close(now), None);
    assert_eq!(always.next_open(now), None);
}

#[test]
fn a_week_without_a_gap_never_closes_unless_a_holiday_is_to_come() {
    let now = at(NEW_YORK, "2026-12-26T00:30");
    for spans in [
        &["00:00-24:00"][..],
        &["08:00-20:00", "20:00-08:00"],
        &["12:00-24:00", "00:00-12:00"],
        &["06:00-05:59", "05:00-07:00"],
    ] {
        let mut always = daily(NEW_YORK, spans);
        assert!(always.never_closes_from(date(2026, 12, 26)), "{spans:?}");

        // Hours of the day before may last over midnight.
        always.holidays = vec![closed(Days::On(date(2026, 12, 25)))];
        assert!(!always.never_closes_from(date(2026, 12, 26)), "{spans:?}");
        assert!(always.never_closes_from(date(2026, 12, 27)), "{spans:?}");

        always.holidays[0].days = Days::Every(12, 28);
        assert_eq!(
            always.next_close(now) < Some(at(NEW_YORK, "2026-12-29T00:00")),
            always.is_open(now),
            "{spans:?}"
        );
        assert!(always.next_open(now).is_some(), "{spans:?}");
    }
    for spans in [
        &["00:00-23:59"][..],
        &["00:01-24:00"],
        &["08:00-20:00", "20:00-07:59"],
        &["00:00-12:00", "12:01-24:00"],
        &[],
    ] {
        let shop = daily(NEW_YORK, spans);
        assert!(!shop.never_closes_from(date(2026, 12, 26)), "{spans:?}");
    }
    let mut six_days = daily(NEW_YORK, &["00:00-24:00"]);
    six_days.week[6].clear();
    assert!(!six_days.never_closes_from(date(2026, 12, 26)));
}

#[test]
fn on_the_day_that_has_an_hour_less_a_span_in_it_begins_behind_it() {
    for (zone, day, gap) in [
        (NEW_YORK, "2026-03-08", ("02:00", "03:00")),
        ("Europe/Berlin", "2026-03-29", ("02:00", "03:00")),
        ("Australia/Lord_Howe", "2026-10-04", ("02:00", "02:30")),
    ] {
        let night = daily(zone, &["02:15-05:00"]);
        let opens = at(zone, &format!("{day}T{}", gap.1));

        assert!(night.is_open(opens), "{zone}");
        assert_eq!(night.next_open(opens - 1.hour()), Some(opens), "{zone}");
        // The span lasts from the gap's end, however short that makes it.
        let closes = at(zone, &format!("{day}T05:00"));
        assert_eq!(night.next_close(opens), Some(closes), "{zone}");
        let inside = daily(zone, &["02:05-02:25"]);
        assert!(!inside.is_open(opens), "{zone}: a span within the gap");
    }
}

#[test]
fn on_the_day_that_has_an_hour_more_a_span_lasts_until_the_second_end() {
    for (zone, first, length) in [
        (NEW_YORK, "2026-11-01T01:30", 120),
        ("Europe/Berlin", "2026-10-25T02:30", 120),
        ("Australia/Lord_Howe", "2026-04-05T01:45", 60),
    ] {
        let time = &first[11..];
        let (hour, minute) = time.split_once(':').unwrap();
        let end = format!("{:02}:{minute}", hour.parse::<u16>().unwrap() + 1);
        let night = daily(zone, &[&format!("{time}-{end}")]);
        let opens = at(zone, first);

        assert!(night.is_open(opens), "{zone}");
        let closes = night.next_close(opens).unwrap();
        let minutes = closes.duration_since(opens).as_mins();
        assert!(minutes >= length, "{zone}: {minutes}");
        let next = night.next_open(opens).unwrap();
        assert!(next > closes, "{zone}: it opens once");
    }
}

/// Evaluates the spans minute by minute, independently of the schedule.
fn is_open_by_the_clock(shop: &Schedule, at: Timestamp) -> bool {
    let local = at.to_zoned(shop.timezone.clone());
    let minute = u16::try_from(local.hour()).unwrap() * 60 + u16::try_from(local.minute()).unwrap();
    let spans = |day: Date| -> Vec<Span> {
        let holiday = shop
            .holidays
            .iter()
            .find(|holiday| holiday.days.contains(day));
        match holiday {
            Some(holiday) => holiday.open.clone(),
            None => shop.week[usize::from(day_index(day.weekday()))].clone(),
        }
    };
    let today = spans(local.date())
        .iter()
        .any(|span| (span.from..span.to).contains(&minute));
    let before = spans(local.date().yesterday().unwrap());
    today
        || before
            .iter()
            .any(|span| (span.from..span.to).contains(&(minute + DAY)))
}

proptest! {
    #[test]
    fn a_schedule_agrees_with_the_clock_on_the_wall(
        starts in prop::collection::vec((0..24_u16 * 4, 1..40_u16), 0..4), holiday in 0..14_i64, minutes in 0..14 * 24 * 60_i64,
        zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "America/Lima"]),
    ) {
        let spans: Vec<Span> = starts.iter().map(|(start, length)| Span { from: start * 15, to: start * 15 + length * 15 }).collect();
        let first = date(2026, 6, 1);
        let shop = Schedule {
            timezone: TimeZone::get(zone).unwrap(),
            week: std::array::from_fn(|day| if day % 3 == 0 { Vec::new() } else { spans.clone() }),
            holidays: vec![Holiday { days: Days::On(first.checked_add(holiday.days()).unwrap()), open: spans.iter().take(1).copied().collect() }],
        };
        let at = first.in_tz(zone).unwrap().timestamp() + minutes.minutes();

        prop_assert_eq!(shop.is_open(at), is_open_by_the_clock(&shop, at));
        if let Some(next) = shop.next_open(at) {
            prop_assert!(shop.is_open(next));
            prop_assert!(!shop.is_open(next - 1.second()));
            // Nothing opens before it.
            let mut minute = at;
            let mut open = shop.is_open(at);
            while minute + 15.minutes() < next {
                minute += 15.minutes();
                let now = is_open_by_the_clock(&shop, minute);
                prop_assert!(open || !now || minute == next, "opens at {minute} before {next}");
                open = now;
            }
        }
        if let Some(end) = shop.next_close(at) {
            prop_assert!(!shop.is_open(end) && shop.is_open(end - 1.second()));
        }
    }
}
