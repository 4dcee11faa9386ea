//! Arithmetic on times that cannot overflow, and lengths of time for people.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Files that come this soon after another one, or after the answer to it, belong to its album.
pub(crate) const ALBUM_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// Adds a duration to a time.
pub(crate) fn after(start: Timestamp, by: Duration) -> Timestamp {
    start.saturating_add(signed(by)).unwrap_or(Timestamp::MAX)
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// Writes a length of time in its largest useful unit.
pub(crate) fn rough(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
