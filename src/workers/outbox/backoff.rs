//! Waits before the next attempt. Pure: randomness comes from the claim's random `claim_token`.

use std::time::Duration;

/// Distribution of a message's attempts over its lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spacing {
    /// Wait after the first failure, before it is shortened at random.
    first: Duration,
    /// Upper bound of the wait.
    longest: Duration,
}

/// For short faults: some seconds at first, 2 minutes in the end.
pub(crate) const CLOSE: Spacing = Spacing {
    first: Duration::from_secs(2),
    longest: Duration::from_mins(2),
};
/// For faults that the message may cause itself: one that never succeeds costs fewer requests.
pub(crate) const WIDE: Spacing = Spacing {
    first: Duration::from_secs(10),
    longest: Duration::from_mins(5),
};
/// Upper bound of a wait that the gateway asks for.
const LONGEST_ASKED: Duration = Duration::from_mins(10);
const SHORTEST_ASKED: Duration = Duration::from_secs(1);

/// Wait after the `attempt`th failure: at random between half and the whole of 2 s, 4 s, 8 s … (as
/// the spacing says), so that rows that failed together do not return together, and none returns at
/// once.
pub(crate) fn jittered(spacing: Spacing, attempt: u32, claim_token: &str) -> Duration {
    let half = doubled(spacing.first, spacing.longest, attempt) / 2;
    half + half.mul_f64(chance(claim_token))
}

/// Doubles `first` with each failure up to `longest`; `times` is 1 for the first failure.
pub(crate) fn doubled(first: Duration, longest: Duration, times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times.saturating_sub(1));
    let wait = factor.and_then(|factor| first.checked_mul(factor));
    wait.map_or(longest, |wait| wait.min(longest))
}

/// Wait before the next message to a contact who was sent too many: 1 s, 4 s, 16 s … 10 min.
///
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput>.
pub(crate) fn pair(attempt: u32) -> Duration {
    let seconds = 4_u64.checked_pow(attempt.saturating_sub(1));
    seconds.map_or(LONGEST_ASKED, |seconds| {
        Duration::from_secs(seconds).min(LONGEST_ASKED)
    })
}

/// Clamps `Retry-After` to 1 s to 10 min.
pub(crate) fn clamp_retry_after(retry_after: Duration) -> Duration {
    retry_after.clamp(SHORTEST_ASKED, LONGEST_ASKED)
}

/// Number from 0 to below 1 that depends on the `claim_token` alone (FNV-1a).
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
