//! Explanations as commands show them: the normalized text, and a verdict on each rule.

use anstyle::Style;

use crate::cli::terminal::{self, BAD, DIM, GOOD, STRONG, WARN, paint};
use crate::engine::{Considered, Explanation, Verdict};

/// Shows an explanation: the normalized text, and the verdict on each rule.
pub(crate) fn show(explanation: &Explanation) {
    if let Some(read) = &explanation.normalized {
        terminal::line(paint!(STRONG, "read as: {}", terminal::one_line(read)));
    }
    for considered in &explanation.considered {
        terminal::line(verdict(considered));
    }
    if explanation.unlisted > 0 {
        let others = explanation.unlisted;
        terminal::line(paint!(DIM, "· {others} more could not match"));
    }
    if let Some(note) = &explanation.note {
        terminal::line(paint(BAD, terminal::one_line(note)));
    }
    show_behind(explanation);
}

pub(crate) fn mark(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Matched => ("✓", GOOD),
        Verdict::Quiet => ("–", WARN),
        Verdict::No => ("·", DIM),
    }
}

pub(crate) fn verdict(considered: &Considered) -> String {
    let (mark, style) = mark(considered.verdict);
    let rule = terminal::name(considered.rule.as_str());
    let because = terminal::one_line(&considered.because);
    paint!(style, "{mark} {rule}: {because}")
}

/// Shows the rules that were not evaluated, because an earlier one answered.
fn show_behind(explanation: &Explanation) {
    if explanation.behind.is_empty() {
        return;
    }
    let (why, would) = match answering(&explanation.considered) {
        Some(last) => (
            format!(
                "not looked at any more, because `{}` answers:",
                terminal::name(last.rule.as_str())
            ),
            "would match too",
        ),
        None => ("not looked at:".to_owned(), "would match"),
    };
    terminal::line(paint(STRONG, why));
    for rule in &explanation.behind {
        let (mark, style, verdict) = match rule.verdict {
            Verdict::Matched => ("+", WARN, would),
            Verdict::Quiet => ("–", DIM, "would stay quiet"),
            Verdict::No => ("·", DIM, "no"),
        };
        let (id, because) = (
            terminal::name(rule.rule.as_str()),
            terminal::one_line(&rule.because),
        );
        terminal::line(paint!(style, "{mark} {id}: {verdict}: {because}"));
    }
}

/// Finds the rule that ended the search, or the flow step that read the message as an answer, valid
/// or not.
fn answering(considered: &[Considered]) -> Option<&Considered> {
    let matched = |rule: &&Considered| rule.verdict == Verdict::Matched;
    let is_step = |rule: &&Considered| rule.rule.as_str().contains('/');
    let last = considered.iter().rfind(matched);
    last.or_else(|| considered.iter().rfind(is_step))
}

/// Lists why a simulated turn came out as it did, as plain text.
pub(crate) fn reasons(explanation: &Explanation) -> Vec<String> {
    let normalized = explanation.normalized.iter();
    let normalized = normalized.map(|text| format!("read as: {text}"));
    let verdicts = explanation.considered.iter().map(|considered| {
        let (mark, _) = mark(considered.verdict);
        format!("{mark} {}: {}", considered.rule, considered.because)
    });
    let note = explanation.note.iter().cloned();
    normalized.chain(verdicts).chain(note).collect()
}
