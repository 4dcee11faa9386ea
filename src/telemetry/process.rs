//! Metrics of the process, under the names of all Prometheus clients. See
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::stderr_queue;

/// Collector that reads the system at each scrape. Unknown values are left out.
#[derive(Debug)]
pub(super) struct Process;

/// Usage of resources.
struct Usage {
    resident_bytes: u64,
    virtual_bytes: u64,
    cpu_seconds: f64,
    start_seconds: f64,
    open_descriptors: Option<u64>,
    most_descriptors: Option<u64>,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(usage) = read() else {
            return Ok(());
        };
        let mut show = |name: &str, help: &str, unit: Option<&Unit>, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, unit, metric.metric_type())?)
        };
        show(
            "process_resident_memory",
            "Memory of this process that is in RAM.",
            Some(&Unit::Bytes),
            &gauge(usage.resident_bytes),
        )?;
        show(
            "process_virtual_memory",
            "Addresses that this process has reserved.",
            Some(&Unit::Bytes),
            &gauge(usage.virtual_bytes),
        )?;
        show(
            "process_cpu",
            "Processor time of this process, its own and the system's for it.",
            Some(&Unit::Seconds),
            &ConstCounter::new(usage.cpu_seconds),
        )?;
        show(
            "process_start_time",
            "When this process was started, since 1970.",
            Some(&Unit::Seconds),
            &ConstGauge::new(usage.start_seconds),
        )?;
        if let Some(count) = usage.open_descriptors {
            let help = "Files and sockets that this process holds open.";
            show("process_open_fds", help, None, &gauge(count))?;
        }
        if let Some(count) = usage.most_descriptors {
            let help = "Files and sockets that this process may hold open.";
            show("process_max_fds", help, None, &gauge(count))?;
        }
        Ok(())
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(target_os = "linux")]
#[expect(
    clippy::cast_precision_loss,
    reason = "ticks since the boot are far below 2^52"
)]
fn read() -> Option<Usage> {
    use procfs::process::{LimitValue, Process};

    let process = Process::myself().ok()?;
    let stat = process.stat().ok()?;
    let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
    let limits = process.limits().ok();
    Some(Usage {
        resident_bytes: stat.rss.checked_mul(procfs::page_size())?,
        virtual_bytes: stat.vsize,
        cpu_seconds: seconds(stat.utime + stat.stime),
        start_seconds: procfs::boot_time_secs().ok()? as f64 + seconds(stat.starttime),
        open_descriptors: process.fd_count().ok().map(|count| count as u64),
        most_descriptors: limits.and_then(|limits| match limits.max_open_files.soft_limit {
            LimitValue::Value(most) => Some(most),
            LimitValue::Unlimited => None,
        }),
    })
}

#[cfg(not(target_os = "linux"))]
fn read() -> Option<Usage> {
    None
}

/// Collector of the lost log lines, which belong to the process like standard error.
#[derive(Debug)]
pub(super) struct LostLines;

impl Collector for LostLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lost = ConstCounter::new(stderr_queue::lost());
        let help = "Log lines that standard error did not take.";
        let metric = encoder.encode_descriptor("log_lines_lost", help, None, lost.metric_type())?;
        lost.encode(metric)
    }
}
