//! Signs about the account and the clock, counted at each commit without a lock; they wake the
//! account monitor when they matter.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::SignedDuration;
use tokio::sync::Notify;

/// Tolerated time by which a message is ahead of server time.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);
/// Number of messages in a row that count as evidence.
const AHEAD_IN_A_ROW: u64 = 3;

/// Signs counted by the intake and read by the account monitor.
#[derive(Debug, Default)]
pub struct HealthSignals {
    too_old: AtomicU64,
    ahead: AtomicU64,
    ahead_seconds: AtomicI64,
    changed: Notify,
}

impl HealthSignals {
    /// Number of too old messages in a row that count as evidence.
    pub const TOO_OLD_IN_A_ROW: u64 = 10;

    /// Reports an account event about the account's standing.
    pub fn account_status_event(&self) {
        self.changed.notify_one();
    }

    /// Reports whether each decided message was too old.
    pub fn decided(&self, too_old: impl Iterator<Item = bool>) {
        let before = self.too_old.load(Ordering::Relaxed);
        let now = too_old.fold(
            before,
            |row, is_too_old| if is_too_old { row + 1 } else { 0 },
        );
        if now != before {
            self.too_old.store(now, Ordering::Relaxed);
        }
        let grew = now >= Self::TOO_OLD_IN_A_ROW && now > before;
        // Also at the end of the row, so that the next row is reported again.
        let broke = before >= Self::TOO_OLD_IN_A_ROW && now < before;
        if grew || broke {
            self.changed.notify_one();
        }
    }

    /// Reports the times by which new messages are ahead of server time.
    pub fn timed(&self, ahead: &[SignedDuration]) {
        let before = self.ahead.load(Ordering::Relaxed);
        let row = |row, ahead: &SignedDuration| if *ahead > AHEAD { row + 1 } else { 0 };
        let now = ahead.iter().fold(before, row);
        if now != before {
            self.ahead.store(now, Ordering::Relaxed);
        }
        if let Some(last) = ahead.last().filter(|_| now > 0) {
            self.ahead_seconds.store(last.as_secs(), Ordering::Relaxed);
        }
        // Also at the end of the row, so that the report is withdrawn.
        if now != before && (now >= AHEAD_IN_A_ROW || before >= AHEAD_IN_A_ROW) {
            self.changed.notify_one();
        }
    }

    /// Number of messages in a row that were too old.
    #[must_use]
    pub fn too_old_in_a_row(&self) -> u64 {
        self.too_old.load(Ordering::Relaxed)
    }

    /// Time by which the last messages were ahead, if several in a row were.
    #[must_use]
    pub fn ahead(&self) -> Option<SignedDuration> {
        let row = self.ahead.load(Ordering::Relaxed);
        let seconds = self.ahead_seconds.load(Ordering::Relaxed);
        (row >= AHEAD_IN_A_ROW).then(|| SignedDuration::from_secs(seconds))
    }

    /// Waits for a sign that matters.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use jiff::SignedDuration;

    use super::HealthSignals;

    fn is_woken(signals: &HealthSignals) -> bool {
        signals.changed().now_or_never().is_some()
    }

    #[test]
    fn ten_messages_in_a_row_that_were_too_old_wake_and_so_does_the_end_of_the_row() {
        let signals = HealthSignals::default();
        for (case, decided, expected) in [
            ("nine", &[true; 9][..], (9, false)),
            ("ten", &[true], (10, true)),
            ("nothing was decided", &[], (10, false)),
            ("the end of the row", &[true, false, true], (1, true)),
        ] {
            signals.decided(decided.iter().copied());
            let state = (signals.too_old_in_a_row(), is_woken(&signals));
            assert_eq!(state, expected, "{case}");
        }
    }

    #[test]
    fn three_messages_in_a_row_from_the_future_are_a_sign_and_one_of_now_ends_it() {
        let signals = HealthSignals::default();
        let (now, later) = (SignedDuration::ZERO, SignedDuration::from_mins(5));
        let tolerated = SignedDuration::from_secs(50);
        for (case, times, expected) in [
            ("two", &[later, later][..], (None, false)),
            ("three", &[later], (Some(later), true)),
            ("one of now", &[now], (None, true)),
            (
                "two and a tolerated one",
                &[later, later, tolerated],
                (None, false),
            ),
        ] {
            signals.timed(times);
            assert_eq!((signals.ahead(), is_woken(&signals)), expected, "{case}");
        }
    }
}
