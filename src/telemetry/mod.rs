//! What the service tells of itself: logs and numbers. Never message text, names, phone numbers, wamids or secrets.

mod conditions;
mod logs;
mod metrics;
mod sparing;

pub use conditions::{Condition, Conditions};
pub use logs::{LogError, LogFormat, check_filter, start_logs};
pub use metrics::Metrics;
pub use sparing::OncePerMinute;
