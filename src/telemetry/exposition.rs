//! Formats for scrapers: `OpenMetrics` and Prometheus' older text format.
//!
//! They name counters differently: an `OpenMetrics` family `replyd_sends` has the sample
//! `replyd_sends_total`, while the older format needs help and type under the name of the sample.
//! See <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;

/// Format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4, which all other scrapers read.
    Text,
}

const OPENMETRICS: &str = "application/openmetrics-text";
/// Versions whose rules the output follows.
const OPENMETRICS_VERSIONS: [&str; 2] = ["1.0.0", "0.0.1"];

impl Format {
    /// Format that an `Accept` header prefers; the older one unless `OpenMetrics` is named.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let (mut open, mut text) = (0.0_f32, 0.0_f32);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let (mut weight, mut version) = (1.0, None);
            for (key, value) in parts.filter_map(|part| part.split_once('=')) {
                match key.trim_end() {
                    "q" => weight = value.trim().parse().unwrap_or(0.0),
                    "version" => version = Some(value.trim().trim_matches('"')),
                    _ => {}
                }
            }
            if name.eq_ignore_ascii_case(OPENMETRICS) {
                if version.is_none_or(|version| OPENMETRICS_VERSIONS.contains(&version)) {
                    open = open.max(weight);
                }
            } else if ["text/plain", "text/*", "*/*"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            {
                text = text.max(weight);
            }
        }
        if open > 0.0 && open >= text {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// `Content-Type` of a response.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Rewrites `OpenMetrics` as the older format.
pub(super) fn as_text(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help = "";
    for line in open.lines() {
        if let Some(description) = line.strip_prefix("# HELP ") {
            help = description.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|description| description.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            let _ = writeln!(text, "# HELP {name}{suffix} {help}");
            let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn openmetrics_is_for_those_who_name_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.2";
        let cases = [
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "text/plain, Application/OpenMetrics-Text",
                Format::OpenMetrics,
            ),
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain;version=0.0.4", Format::Text),
            ("text/html, application/json;q=0.9", Format::Text),
            (
                "application/openmetrics-text;q=0.2, text/plain;q=0.8",
                Format::Text,
            ),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
        ];
        for (accept, format) in cases {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }
}
