//! What the service tells of itself: logs and numbers. Never message text, names, phone numbers, wamids or secrets.

mod conditions;
mod exposition;
mod logs;
mod metrics;
mod process;

pub use conditions::{Condition, Conditions};
pub use exposition::Format;
pub use logs::{LogError, LogFormat, check_filter, start_logs};
pub use metrics::Metrics;
