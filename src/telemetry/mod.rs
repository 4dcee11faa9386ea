//! What the service tells of itself: logs and numbers. Never message text, names, phone numbers,
//! wamids or secrets.

mod conditions;
mod exposition;
mod lines;
mod logs;
mod metrics;
mod process;
mod signs;
mod sparing;

pub use conditions::{Condition, Conditions};
pub use exposition::Format;
pub use lines::Lines;
pub use logs::{LogError, LogFormat, check_filter, start_logs};
pub use metrics::{Metrics, OutboxLabels, SendFailure, StateLabel};
pub use signs::Signs;
pub use sparing::OncePerMinute;
