//! Log lines that any client can trigger any number of times.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const PAUSE: Duration = Duration::from_mins(1);

/// Lets a log line through at most once a minute, with the number of lines left out since.
#[derive(Debug, Default)]
pub struct RateLimitedLog(Mutex<Suppression>);

#[derive(Debug, Default)]
struct Suppression {
    last: Option<Instant>,
    left_out: u64,
}

impl RateLimitedLog {
    /// Calls `line` with the number of lines left out before it, or leaves this one out.
    pub fn log(&self, line: impl FnOnce(u64)) {
        let now = Instant::now();
        let left_out = {
            let mut suppression = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if suppression.last.is_some_and(|last| now - last < PAUSE) {
                suppression.left_out += 1;
                return;
            }
            suppression.last = Some(now);
            std::mem::take(&mut suppression.left_out)
        };
        line(left_out);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PAUSE, RateLimitedLog};

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_one_line_a_minute_with_the_count_of_the_rest() {
        let line = RateLimitedLog::default();
        let mut lines = Vec::new();

        for _ in 0..3 {
            for _ in 0..1_000 {
                line.log(|left_out| lines.push(left_out));
            }
            tokio::time::advance(PAUSE).await;
        }
        tokio::time::advance(Duration::from_hours(1)).await;
        line.log(|left_out| lines.push(left_out));

        assert_eq!(lines, [0, 999, 999, 999]);
    }
}
