//! The only place that reads the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time: the system's, or one set by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Stands still until it is moved; milliseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start` until it is moved.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// The time, to the millisecond: finer parts would be lost in the database.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let milliseconds = match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
            Self::System => Timestamp::now().as_millisecond(),
            Self::Manual(at) => at.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(milliseconds).expect("a clock is within jiff's 19,998 years")
    }

    /// Moves a manual clock on; the system's clock takes no orders.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            let by = i64::try_from(by.as_millis()).expect("a test moves by less than 292 My");
            at.fetch_add(by, Ordering::SeqCst);
        }
    }
}
