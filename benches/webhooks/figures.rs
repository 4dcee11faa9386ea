//! What one measurement gives, and the lines that show it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::load;
use crate::servers::Tested;
use crate::support::percentile_ms;

/// Figures of one round, or of the median one.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Acknowledged webhooks per second.
    pub(crate) rate: f64,
    /// CPU of the server for 1,000 webhooks, in seconds, with all replies.
    cpu: f64,
    ack_ms: [f64; 2],
    replies: f64,
    read_marks: f64,
    reply_ms: Option<[f64; 2]>,
    /// Time from the last acknowledgement to the last request to the gateway.
    drain: Duration,
    pub(crate) unanswered: usize,
}

impl Figures {
    /// One round of the closed loop.
    pub(crate) async fn closed_loop(server: &Tested, connections: usize, time: Duration) -> Self {
        let taken = &server.traffic.gateway;
        taken.replies.take();
        taken.read_marks.take();
        let cpu = server.cpu_seconds();
        let start = Instant::now();
        let acks = load::closed_loop(server.address(), &server.traffic, connections, time).await;
        let seconds = start.elapsed().as_secs_f64();
        let (drain, unanswered) = load::drain(&server.traffic).await;
        let cpu = server.cpu_seconds() - cpu;
        let mut latencies = taken.latencies.take();
        latencies.sort_unstable();
        let webhooks = as_float(acks.len());
        Self {
            rate: webhooks / seconds,
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

    pub(crate) const HEAD: &str = "connections  what           webhooks/s  to bare   CPU s/1,000  to bare   ack p50     p99 ms   replies  read marks   reply p50     p99 ms  drained s";

    /// A line of the table, compared with the bare handler.
    pub(crate) fn line(&self, load: &str, name: &str, bare: &Self) -> String {
        let mut line = format!(
            "{load:>11}  {name:<13}  {:>10.0}  {:>7.3}   {:>11.4}  {:>7.2}   {:>7.2}  {:>9.2}",
            self.rate,
            self.rate / bare.rate,
            self.cpu,
            self.cpu / bare.cpu,
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
