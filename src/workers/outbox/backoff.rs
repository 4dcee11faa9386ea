//! How long to wait before the next try. Pure: chance comes from the claim's random `claim_token`.

use std::time::Duration;

/// How the tries of a message are spread over the time in which it is worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spacing {
    /// After the first failure, before chance shortens it.
    first: Duration,
    /// At the longest.
    longest: Duration,
}

/// For faults of the moment: some seconds at first, 2 minutes in the end.
pub(crate) const CLOSE: Spacing = Spacing {
    first: Duration::from_secs(2),
    longest: Duration::from_mins(2),
};
/// For faults that may be the message's own: a message that never passes costs fewer requests.
pub(crate) const WIDE: Spacing = Spacing {
    first: Duration::from_secs(10),
    longest: Duration::from_mins(5),
};
/// Nobody may make us wait longer than this.
const LONGEST_ASKED: Duration = Duration::from_mins(10);
const SHORTEST_ASKED: Duration = Duration::from_secs(1);

/// The wait after the `attempt`th failure: between half and the whole of 2 s, 4 s, 8 s … (as the
/// spacing says), so that rows which failed together do not come back together, and none comes back
/// at once.
pub(crate) fn jittered(spacing: Spacing, attempt: u32, claim_token: &str) -> Duration {
    let half = doubled(spacing.first, spacing.longest, attempt) / 2;
    half + half.mul_f64(chance(claim_token))
}

/// `first`, twice that, four times that … up to `longest`; 1 stands for the first time.
pub(crate) fn doubled(first: Duration, longest: Duration, times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times.saturating_sub(1));
    let wait = factor.and_then(|factor| first.checked_mul(factor));
    wait.map_or(longest, |wait| wait.min(longest))
}

/// The wait before the next message to a person who was sent too many: 1 s, 4 s, 16 s … 10 min.
///
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput>.
pub(crate) fn pair(attempt: u32) -> Duration {
    let seconds = 4_u64.checked_pow(attempt.saturating_sub(1));
    seconds.map_or(LONGEST_ASKED, |seconds| {
        Duration::from_secs(seconds).min(LONGEST_ASKED)
    })
}

/// `Retry-After`, within reason: 1 s to 10 min.
pub(crate) fn clamp_retry_after(retry_after: Duration) -> Duration {
    retry_after.clamp(SHORTEST_ASKED, LONGEST_ASKED)
}

/// A number from 0 to below 1 that is the same for the same `claim_token` (FNV-1a).
fn chance(claim_token: &str) -> f64 {
    let hash = claim_token.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    f64::from(hash) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_and_stop_growing() {
        let waits: Vec<u64> = [0, 1, 2, 3, 4, 40, u32::MAX]
            .map(|times| doubled(SECOND, 7 * SECOND, times).as_secs())
            .to_vec();

        assert_eq!(waits, [1, 1, 2, 4, 7, 7, 7]);
    }

    #[test]
    fn a_crowded_person_is_given_four_times_longer_each_time() {
        let waits: Vec<u64> = [1, 2, 3, 4, 5, 6, u32::MAX]
            .map(|attempt| pair(attempt).as_secs())
            .to_vec();

        assert_eq!(waits, [1, 4, 16, 64, 256, 600, 600]);
    }

    #[test]
    fn an_absurd_retry_after_is_brought_within_reason() {
        assert_eq!(clamp_retry_after(Duration::ZERO), SECOND);
        assert_eq!(clamp_retry_after(30 * SECOND), 30 * SECOND);
        assert_eq!(clamp_retry_after(Duration::MAX), LONGEST_ASKED);
    }

    #[test]
    fn different_fences_spread_over_the_whole_span() {
        let uuids = (0..1_000).map(|n| format!("{:032x}", n * 7_919));
        let chances: Vec<f64> = uuids.map(|claim_token| chance(&claim_token)).collect();

        for tenth in 0..10 {
            let from = f64::from(tenth) / 10.0;
            let inside = chances.iter().filter(|c| (from..from + 0.1).contains(*c));
            assert!((50..200).contains(&inside.count()), "{tenth}");
        }
    }

    proptest! {
        #[test]
        fn jitter_stays_between_half_and_the_whole(attempt in any::<u32>(), claim_token in ".*") {
            for spacing in [CLOSE, WIDE] {
                let whole = doubled(spacing.first, spacing.longest, attempt);
                let wait = jittered(spacing, attempt, &claim_token);

                prop_assert!(whole / 2 <= wait && wait <= whole, "{:?}", wait);
                prop_assert_eq!(jittered(spacing, attempt, &claim_token), wait);
            }
        }
    }
}
