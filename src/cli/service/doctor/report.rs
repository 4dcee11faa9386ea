//! Report of `replyd doctor`: findings, each with its health and advice.

use serde_json::{Value, json};

use crate::cli::terminal::{self, BAD, DIM, Format, GOOD, WARN, paint};

/// Health of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// Works, but needs attention.
    Doubtful,
    /// Keeps messages from being answered.
    Bad,
    /// Could not be checked.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Finding {
    health: Health,
    /// Subject of the check.
    subject: String,
    /// Result of the check.
    detail: String,
    /// `detail` with coloured excerpts of files.
    drawn: Option<String>,
    advice: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        health: Health,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.findings.push(Finding {
            health,
            subject: subject.into(),
            detail: detail.into(),
            drawn: None,
            advice: None,
        });
    }

    pub(super) fn advise(
        &mut self,
        health: Health,
        subject: impl Into<String>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(health, subject, detail);
        if let Some(finding) = self.findings.last_mut() {
            finding.advice = Some(advice.into());
        }
    }

    /// Adds a finding whose text has excerpts of files: plain, and with colours.
    pub(super) fn add_drawn(
        &mut self,
        health: Health,
        subject: &str,
        detail: String,
        drawn: String,
    ) {
        self.add(health, subject, detail);
        if let Some(finding) = self.findings.last_mut() {
            finding.drawn = Some(drawn);
        }
    }

    pub(super) fn is_bad(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.health == Health::Bad)
    }

    pub(super) fn names(&self, subject: &str) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.subject == subject)
    }

    pub(super) fn print(&self, format: Format) {
        format.print_rows(&self.findings, as_json, "", || {
            let lines = self.findings.iter().map(text);
            lines.collect::<Vec<_>>().join("\n")
        });
        if format == Format::Json {
            return;
        }
        let count = |health| {
            let findings = self.findings.iter();
            findings.filter(|finding| finding.health == health).count()
        };
        terminal::note!(
            "\n{} good, {} worth a look, {} wrong, {} not checked",
            count(Health::Good),
            count(Health::Doubtful),
            count(Health::Bad),
            count(Health::Unknown)
        );
    }
}

fn text(finding: &Finding) -> String {
    let (mark, style) = match finding.health {
        Health::Good => ("✓", GOOD),
        Health::Doubtful => ("!", WARN),
        Health::Bad => ("✗", BAD),
        Health::Unknown => ("–", DIM),
    };
    let detail = match &finding.drawn {
        Some(drawn) => terminal::drawn(drawn),
        None => terminal::visible(&finding.detail),
    };
    let detail = detail.replace('\n', "\n    ").replace("\n    \n", "\n\n");
    let subject = terminal::one_line(&finding.subject);
    let mut text = format!("{} {subject}: {detail}", paint(style, mark));
    if let Some(advice) = &finding.advice {
        let advice = format!("    {}", terminal::one_line(advice));
        text = format!("{text}\n{}", paint(DIM, advice));
    }
    text
}

fn as_json(finding: &Finding) -> Value {
    let health = match finding.health {
        Health::Good => "good",
        Health::Doubtful => "doubtful",
        Health::Bad => "bad",
        Health::Unknown => "unknown",
    };
    json!({
        "health": health,
        "subject": finding.subject,
        "detail": finding.detail,
        "advice": finding.advice,
    })
}
