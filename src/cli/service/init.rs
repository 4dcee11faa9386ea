//! `replyd init`: writes a configuration and rules to start from.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::terminal::overwrite::not_written;
use crate::cli::terminal::{self, Hint, LITERAL, STRONG, paint};
use crate::files::{Access, WriteError, create, make_folder};
use crate::rules;

const CONFIG: &str = "replyd.toml";
const RULES: &str = "rules.toml";
/// Named in the first line of the rules, so that editors complete and check them.
const SCHEMA: &str = "rules.schema.json";

/// First line of the rules.
const SCHEMA_LINE: &str = "#:schema ./rules.schema.json";

/// A whole set of rules with its tests.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Example {
    /// Orders of cakes: a list, a flow, opening hours.
    Bakery,
    /// Appointments: a lunch break, holidays, reminders, emergencies, opt-out.
    Clinic,
    /// Tickets in two languages: calls to a shop, tags, colleagues who take over.
    Support,
}

impl Example {
    /// Text of the rules; their first comment names the file that they become.
    fn rules(self) -> String {
        let (name, rules) = match self {
            Self::Bakery => ("bakery", include_str!("../../../examples/bakery.toml")),
            Self::Clinic => ("clinic", include_str!("../../../examples/clinic.toml")),
            Self::Support => ("support", include_str!("../../../examples/support.toml")),
        };
        let rules = rules.replace(&format!("examples/{name}.toml"), RULES);
        format!("{SCHEMA_LINE}\n{rules}")
    }

    /// Settings that the rules need beside the usual ones.
    fn settings(self) -> &'static str {
        match self {
            Self::Bakery | Self::Clinic => "",
            Self::Support => {
                "\n[actions]\n# The hosts that the rules call.\nhosts = [\"shop.example\", \"desk.example\"]\n"
            }
        }
    }
}

/// Files to write, with their texts.
fn files(example: Option<Example>) -> [(&'static str, String, Access); 3] {
    let settings = example.map_or("", Example::settings);
    let config = format!("{}{settings}", include_str!("init/replyd.toml"));
    let rules = example.map_or_else(
        || include_str!("init/rules.toml").to_owned(),
        Example::rules,
    );
    [
        // The owner may put secrets into it.
        (CONFIG, config, Access::Private),
        (RULES, rules, Access::Umask),
        (SCHEMA, format!("{:#}\n", rules::schema()), Access::Umask),
    ]
}

/// Never writes over a file that is there.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to write them; made when it is missing.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Begin with a whole set of rules and their tests; without it, with a small menu.
    #[arg(long, value_enum, value_name = "NAME")]
    example: Option<Example>,
}

#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let folder = arguments.folder;
    refuse_to_overwrite(&folder)?;
    make_folder(&folder).map_err(|error| not_written(&error))?;
    write_all(&folder, arguments.example).map_err(|error| not_written(&error))?;
    terminal::line(next_steps(&folder));
    Ok(ExitCode::SUCCESS)
}

/// Checks all files first, so that a refusal leaves nothing half done.
fn refuse_to_overwrite(folder: &Path) -> anyhow::Result<()> {
    let there = [CONFIG, RULES, SCHEMA]
        .iter()
        .map(|name| folder.join(name))
        // A dangling link counts as existing.
        .find(|path| path.symlink_metadata().is_ok());
    match there {
        None => Ok(()),
        Some(path) => Err(Hint::error(
            format!("`{}` is there already", path.display()),
            "nothing is ever written over; name another folder: `replyd init DIR`",
        )),
    }
}

/// Writes all files, or none if one cannot be written.
fn write_all(folder: &Path, example: Option<Example>) -> Result<(), WriteError> {
    let mut written = Vec::new();
    for (name, text, access) in files(example) {
        let path = folder.join(name);
        if let Err(error) = create(&path, &text, access) {
            for path in written {
                // The first error is reported.
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
        written.push(path);
    }
    Ok(())
}

fn next_steps(folder: &Path) -> String {
    let [config, rules, schema] =
        [CONFIG, RULES, SCHEMA].map(|name| terminal::path(&folder.join(name)));
    let heading = paint(STRONG, "Next:");
    let check = paint!(LITERAL, "replyd check {rules}");
    let test = paint!(LITERAL, "replyd test {rules}");
    let chat = paint!(LITERAL, "replyd chat {rules}");
    let serve = paint!(LITERAL, "replyd serve --config {config}");
    format!(
        "wrote {config} and {rules}, and {schema} for editors that know TOML

{heading}
  1. Write your answers into {rules}; look them over with
       {check}
       {test}
       {chat}
  2. Set the three secrets that {config} names: REPLYD_APP_SECRET, REPLYD_VERIFY_TOKEN, MATON_API_KEY.
  3. Run it, and give Meta the callback URL https://<your host>/webhook:
       {serve}"
    )
}
