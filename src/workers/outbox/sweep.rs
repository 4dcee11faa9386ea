//! Sweeps rows without a settlement: one log line for each message that is given up or held, and a
//! condition while any is held.

use std::time::Duration;

use tokio::time::Instant;

use super::{Delivery, Parts};
use crate::store::{StoreError, Swept};
use crate::telemetry::Condition;

/// Interval between sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

impl Delivery {
    /// Sweeps the outbox, if the interval is over.
    pub(crate) async fn sweep(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        if now < self.next_sweep {
            return Ok(());
        }
        let Parts {
            store,
            clock,
            settings,
            ..
        } = &self.parts;
        log(&store.sweep(clock.now(), settings.unknown_wait).await?);
        // Counted each time, because commands change the outbox too.
        let held = store.count_held().await?;
        self.parts
            .conditions
            .set(Condition::HeldSends, sentence(held));
        self.next_sweep = now + SWEEP_EVERY;
        Ok(())
    }
}

/// Formats the line of `/readyz` while messages are held.
fn sentence(held: u64) -> Option<String> {
    let subject = match held {
        0 => return None,
        1 => "1 message may or may not have been sent and waits".to_owned(),
        _ => format!("{held} messages may or may not have been sent and wait"),
    };
    Some(format!(
        "{subject} for you: look with `replyd outbox list --state held`, then retry or drop"
    ))
}

fn log(swept: &Swept) {
    for id in &swept.unknown {
        tracing::warn!(
            outbox.id = id,
            "message may have been sent, and its sender is gone: waiting for a receipt"
        );
    }
    for (id, reason) in &swept.held {
        tracing::warn!(
            outbox.id = id,
            reason,
            "message may or may not have been sent and is held: see `replyd outbox show {id}`, then retry or drop it"
        );
    }
    for expired in &swept.expired {
        tracing::warn!(
            outbox.id = expired.id,
            attempts = expired.attempts,
            waited_seconds = expired.waited.as_secs(),
            code = expired.code,
            "message was not sent in its time and is given up"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn what_is_held_is_counted_in_words() {
        assert_eq!(sentence(0), None);
        assert!(
            sentence(1)
                .unwrap()
                .starts_with("1 message may or may not have been sent and waits")
        );
        assert!(
            sentence(2)
                .unwrap()
                .starts_with("2 messages may or may not have been sent and wait ")
        );
    }
}
