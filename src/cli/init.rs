//! `replyd init`: a configuration and rules to start from.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::ui::{self, Hint, LITERAL, STRONG, paint};
use crate::rules;

const CONFIG: &str = "replyd.toml";
const RULES: &str = "rules.toml";
/// The first line of the rules names it, so that editors complete and check them.
const SCHEMA: &str = "rules.schema.json";

/// What is written: each file with its text.
fn files() -> [(&'static str, String); 3] {
    [
        (CONFIG, include_str!("init/replyd.toml").to_owned()),
        (RULES, include_str!("init/rules.toml").to_owned()),
        (SCHEMA, format!("{:#}\n", rules::schema())),
    ]
}

/// Never writes over a file that is there.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to write them; made when it is missing.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// Writes the files and says how to go on.
#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let folder = arguments.folder;
    refuse_to_overwrite(&folder)?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("could not make folder `{}`", ui::path(&folder)))?;
    for (name, text) in files() {
        let path = folder.join(name);
        write_new(&path, &text)
            .with_context(|| format!("could not write `{}`", ui::path(&path)))?;
    }
    ui::line(next_steps(&folder));
    Ok(ExitCode::SUCCESS)
}

/// Looks at all of them first, so that a refusal leaves nothing half done.
fn refuse_to_overwrite(folder: &Path) -> anyhow::Result<()> {
    let there = [CONFIG, RULES, SCHEMA]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.exists());
    match there {
        None => Ok(()),
        Some(path) => Err(Hint {
            message: format!("`{}` is there already", path.display()),
            hint: "nothing is ever written over; name another folder: `replyd init DIR`".to_owned(),
        }
        .into()),
    }
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(text.as_bytes())
}

fn next_steps(folder: &Path) -> String {
    let [config, rules, schema] = [CONFIG, RULES, SCHEMA].map(|name| ui::path(&folder.join(name)));
    let heading = paint(STRONG, "Next:");
    let check = paint(LITERAL, format_args!("replyd check {rules}"));
    let chat = paint(LITERAL, format_args!("replyd chat {rules}"));
    let serve = paint(LITERAL, format_args!("replyd serve --config {config}"));
    format!(
        "wrote {config} and {rules}, and {schema} for editors that know TOML

{heading}
  1. Write your answers into {rules}; look them over with
       {check}
       {chat}
  2. Set the three secrets that {config} names: REPLYD_APP_SECRET, REPLYD_VERIFY_TOKEN, MATON_API_KEY.
  3. Run it, and give Meta the callback URL https://<your host>/webhook:
       {serve}"
    )
}
