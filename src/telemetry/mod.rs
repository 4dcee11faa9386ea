//! Logs and metrics of the service. Never message text, names, phone numbers, wamids or secrets.

mod conditions;
mod exposition;
mod health_signals;
mod logs;
mod metrics;
mod process;
mod rate_limited_log;
mod stderr_queue;

pub use conditions::{Condition, Conditions};
pub use exposition::Format;
pub use health_signals::HealthSignals;
pub use logs::{LogError, LogFormat, check_filter, start_logs};
pub use metrics::{Metrics, OutboxLabels, SendFailure, StateLabel};
pub use rate_limited_log::RateLimitedLog;
pub use stderr_queue::StderrQueue;
