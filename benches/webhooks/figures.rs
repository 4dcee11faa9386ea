//! What one measurement gives, and the lines that show it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::{Load, drain};
use crate::servers::Tested;
use crate::support::percentile_ms;

/// Figures of one round, or of the median one.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Acknowledged webhooks per second.
    rate: f64,
    /// The same with the time until the last reply.
    sustained: f64,
    /// CPU of the server for 1,000 webhooks, in seconds, with all replies.
    cpu: f64,
    ack_ms: [f64; 2],
    replies: f64,
    read_marks: f64,
    reply_ms: Option<[f64; 2]>,
    /// Time from the last acknowledgement to the last request to the gateway.
    drain: Duration,
    unanswered: usize,
}

impl Figures {
    /// One round.
    pub(crate) async fn measure(server: &Tested, load: Load, time: Duration) -> Self {
        let taken = &server.traffic.gateway;
        taken.replies.take();
        taken.read_marks.take();
        let cpu = server.cpu_seconds();
        let (acks, elapsed) = load.send(server.address(), &server.traffic, time).await;
        let seconds = elapsed.as_secs_f64();
        let (drain, unanswered) = drain(&server.traffic).await;
        let cpu = server.cpu_seconds() - cpu;
        let mut latencies = taken.latencies.take();
        latencies.sort_unstable();
        let webhooks = as_float(acks.len());
        Self {
            rate: webhooks / seconds,
            sustained: webhooks / (seconds + drain.as_secs_f64()),
            cpu: cpu / webhooks * 1_000.0,
            ack_ms: percentiles(&acks),
            replies: as_float(taken.replies.get()) / webhooks,
            read_marks: as_float(taken.read_marks.get()) / webhooks,
            reply_ms: (!latencies.is_empty()).then(|| percentiles(&latencies)),
            drain,
            unanswered,
        }
    }

    /// The round with the median cost.
    pub(crate) fn median(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
        rounds[rounds.len() / 2]
    }

    /// Half of the rate that the server keeps up with.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is a positive number below a million"
    )]
    pub(crate) fn half_rate(&self) -> u32 {
        (self.sustained / 2.0) as u32
    }

    pub(crate) const HEAD: &str = "load         what            webhooks/s  to bare   CPU s/1,000  to bare   ack p50     p99 ms   replies  read marks   reply p50     p99 ms  drained s";

    /// A line of the table, compared with the bare handler under the same load.
    pub(crate) fn line(&self, load: Load, name: &str, bare: Option<&Self>) -> String {
        let ratio = |part: f64, whole: Option<f64>, decimals| match whole {
            Some(whole) => format!("{:.decimals$}", part / whole),
            None => String::new(),
        };
        let mut line = format!(
            "{:>11}  {name:<15}  {:>10.0}  {:>7}   {:>11.4}  {:>7}   {:>7.2}  {:>9.2}",
            load.to_string(),
            self.rate,
            ratio(self.rate, bare.map(|bare| bare.rate), 3),
            self.cpu,
            ratio(self.cpu, bare.map(|bare| bare.cpu), 2),
            self.ack_ms[0],
            self.ack_ms[1],
        );
        if let Some([p50, p99]) = self.reply_ms {
            let _ = write!(
                line,
                "   {:>7.2}  {:>10.2}   {p50:>9.2}  {p99:>9.2}  {:>9.2}",
                self.replies,
                self.read_marks,
                self.drain.as_secs_f64()
            );
        }
        if self.unanswered > 0 {
            let _ = write!(line, "   {} without a reply", self.unanswered);
        }
        line
    }
}

fn percentiles(sorted: &[Duration]) -> [f64; 2] {
    [50, 99].map(|percentage| percentile_ms(sorted, percentage))
}

#[expect(clippy::cast_precision_loss, reason = "a few million at most")]
fn as_float(count: usize) -> f64 {
    count as f64
}
