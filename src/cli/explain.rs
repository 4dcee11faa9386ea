//! `replyd explain`: says for every rule whether it would take a message, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use super::ui::{self, BAD, DIM, GOOD, Hint, STRONG, WARN, paint};
use crate::app::rules_files::RulesFiles;
use crate::rules::{self, Colour};
use crate::turn::Verdict;
use crate::turn::rehearsal;

/// Says for every rule whether it would take a message, and why.
///
/// The message comes from somebody who wrote before; with --first from somebody new.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What somebody writes.
    text: String,
    /// The rules file.
    #[arg(long, value_name = "FILE", default_value = "rules.toml")]
    rules: PathBuf,
    /// It is their first message.
    #[arg(long)]
    first: bool,
}

/// Explains.
#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let files = RulesFiles::read(&arguments.rules)?;
    let rules = match files.compile(None) {
        Ok(compiled) => compiled.rules,
        Err(found) => {
            ui::note(rules::render(&found, &files.sources, Colour::Styled));
            return Err(Hint {
                message: format!("the rules `{}` cannot be used", arguments.rules.display()),
                hint: "mend what is shown above".to_owned(),
            }
            .into());
        }
    };
    let now = crate::clock::Clock::System.now();
    let turn = rehearsal::ask(&rules, &arguments.text, u64::from(!arguments.first), now);
    if let Some(read) = &turn.explanation.normalised {
        ui::line(paint(
            STRONG,
            format_args!("read as: {}", ui::visible(read)),
        ));
    }
    for one in &turn.explanation.considered {
        let (mark, style) = match one.verdict {
            Verdict::Matched => ("✓", GOOD),
            Verdict::Quiet => ("–", WARN),
            Verdict::No => ("·", DIM),
        };
        let because = ui::visible(&one.because);
        ui::line(paint(style, format_args!("{mark} {}: {because}", one.rule)));
    }
    if let Some(note) = &turn.explanation.note {
        ui::line(paint(BAD, ui::visible(note)));
    }
    ui::line(format_args!("{}:", turn.decision.name()));
    for reply in &turn.replies {
        let text = reply.content.transcript_text();
        ui::line(format_args!("  {}", ui::visible(&text)));
    }
    Ok(ExitCode::SUCCESS)
}
