//! Comparison of server time with the times in the gateway's responses.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

/// Tolerated difference: a response takes up to `gateway.timeout`, and `Date` has whole seconds.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(90);
/// Number of responses in a row that must differ.
pub(super) const NEEDED: u32 = 3;
/// Age up to which a response counts as current.
const FRESH: Duration = Duration::from_secs(30);

/// Result of the last comparisons.
#[derive(Debug, Default)]
pub(super) struct ClockCheck {
    last: Option<(SignedDuration, Instant)>,
    differing: u32,
}

/// Conclusion from the comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No response has carried a time.
    Unknown,
    /// The last response differs, but fewer than [`NEEDED`] in a row do.
    Doubtful,
    Agrees,
    /// Server time is ahead of the gateway by this much.
    Differs(SignedDuration),
}

impl ClockCheck {
    /// Adds a comparison; `offset` is how far server time was ahead.
    pub(super) fn add(&mut self, offset: SignedDuration, now: Instant) {
        self.last = Some((offset, now));
        self.differing = if offset.abs() > TOLERANCE {
            self.differing.saturating_add(1)
        } else {
            0
        };
    }

    pub(super) fn verdict(&self) -> Verdict {
        match (self.last, self.differing) {
            (None, _) => Verdict::Unknown,
            (Some(_), 0) => Verdict::Agrees,
            (Some((offset, _)), NEEDED..) => Verdict::Differs(offset),
            (Some(_), _) => Verdict::Doubtful,
        }
    }

    /// Whether another question would bring nothing new.
    pub(super) fn is_fresh(&self) -> bool {
        let last = self.last.filter(|(_, at)| at.elapsed() < FRESH);
        last.is_some() && !matches!(self.verdict(), Verdict::Doubtful)
    }
}

/// Formats the sentence for the owner; `offset` is how far server time is ahead.
pub(super) fn sentence(offset: SignedDuration) -> String {
    let seconds = offset.as_secs().unsigned_abs();
    let amount = match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    let (side, harm) = if offset.is_negative() {
        ("behind", "opening hours and reminders come late")
    } else {
        ("ahead of", "messages seem too old and are not answered")
    };
    format!(
        "this machine's clock is {amount} {side} WhatsApp's, so {harm}; set it (`timedatectl set-ntp true`)"
    )
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tokio::time::Instant;

    use super::{ClockCheck, Verdict, sentence};

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn after(offsets: &[SignedDuration]) -> Verdict {
        let mut check = ClockCheck::default();
        for offset in offsets {
            check.add(*offset, Instant::now());
        }
        check.verdict()
    }

    #[test]
    fn one_answer_that_differs_proves_nothing_and_three_do() {
        assert_eq!(after(&[]), Verdict::Unknown);
        assert_eq!(after(&[HOUR]), Verdict::Doubtful);
        assert_eq!(after(&[HOUR, HOUR, HOUR]), Verdict::Differs(HOUR));
        assert_eq!(after(&[-HOUR, -HOUR, -HOUR]), Verdict::Differs(-HOUR));
    }

    #[test]
    fn an_answer_that_agrees_ends_it() {
        let slow = SignedDuration::from_secs(21);

        assert_eq!(after(&[HOUR, HOUR, HOUR, slow]), Verdict::Agrees);
        assert_eq!(after(&[HOUR, HOUR, slow, HOUR]), Verdict::Doubtful);
    }

    #[test]
    fn the_sentence_says_how_far_which_way_what_harm_and_what_to_do() {
        assert_eq!(
            sentence(HOUR),
            "this machine's clock is 60 min ahead of WhatsApp's, so messages seem too old and are not answered; \
             set it (`timedatectl set-ntp true`)"
        );
        assert!(
            sentence(-HOUR * 72).starts_with("this machine's clock is 3 days behind WhatsApp's")
        );
    }
}
