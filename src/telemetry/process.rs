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

/// A metric with its name, help text and unit.
type Series = (
    &'static str,
    &'static str,
    Option<Unit>,
    Box<dyn EncodeMetric>,
);

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, unit, metric) in read().unwrap_or_default() {
            let kind = metric.metric_type();
            metric.encode(encoder.encode_descriptor(name, help, unit.as_ref(), kind)?)?;
        }
        Ok(())
    }
}

fn gauge(value: u64) -> Box<dyn EncodeMetric> {
    Box::new(ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
}

#[cfg(target_os = "linux")]
#[expect(
    clippy::cast_precision_loss,
    reason = "ticks since the boot are far below 2^52"
)]
fn read() -> Option<Vec<Series>> {
    use procfs::process::LimitValue;

    let process = procfs::process::Process::myself().ok()?;
    let stat = process.stat().ok()?;
    let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
    let mut series: Vec<Series> = Vec::new();
    let mut add = |name, help, unit, metric| series.push((name, help, unit, metric));
    let help = "Memory of this process that is in RAM.";
    let resident = gauge(stat.rss.checked_mul(procfs::page_size())?);
    add("process_resident_memory", help, Some(Unit::Bytes), resident);
    let help = "Addresses that this process has reserved.";
    let reserved = gauge(stat.vsize);
    add("process_virtual_memory", help, Some(Unit::Bytes), reserved);
    let help = "Processor time of this process, its own and the system's for it.";
    let cpu = Box::new(ConstCounter::new(seconds(stat.utime + stat.stime)));
    add("process_cpu", help, Some(Unit::Seconds), cpu);
    let help = "When this process was started, since 1970.";
    let since_boot = seconds(stat.starttime);
    let began = procfs::boot_time_secs().ok()? as f64 + since_boot;
    let began = Box::new(ConstGauge::new(began));
    add("process_start_time", help, Some(Unit::Seconds), began);
    if let Ok(count) = process.fd_count() {
        let help = "Files and sockets that this process holds open.";
        add("process_open_fds", help, None, gauge(count as u64));
    }
    let limits = process.limits().ok().map(|limits| limits.max_open_files);
    if let Some(LimitValue::Value(most)) = limits.map(|limit| limit.soft_limit) {
        let help = "Files and sockets that this process may hold open.";
        add("process_max_fds", help, None, gauge(most));
    }
    Some(series)
}

#[cfg(not(target_os = "linux"))]
fn read() -> Option<Vec<Series>> {
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
