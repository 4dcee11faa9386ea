//! `replyd templates`: the account's message templates, which may also be sent when 24 hours have
//! passed since the contact's last message.

mod show;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::session::{self, Session, checked};
use crate::cli::terminal::confirm::Consent;
use crate::cli::terminal::table::{self, coloured};
use crate::cli::terminal::{self, Hint, LITERAL, overwrite, paint};
use crate::clock::Clock;
use crate::message::{TemplateFile, counted};
use crate::whatsapp::account_api::templates::{self, Filter, Template};

/// File next to the rules that `sync` writes.
const FILE: &str = "templates.json";

pub(crate) type Arguments = session::Arguments<Action>;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// List the templates of the account.
    List {
        /// Only those with this status, such as APPROVED or REJECTED.
        #[arg(long)]
        status: Option<String>,
        /// Only those with this in their name.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show one template as a phone shows it, and what a send must give.
    Show {
        /// Its name.
        name: String,
        /// Only this language, such as `en_US`.
        #[arg(long)]
        language: Option<String>,
    },
    /// Hand a new template in for Meta's review.
    Create {
        /// TOML or JSON with name, language, category and components, as Graph's API has them.
        file: PathBuf,
    },
    /// Delete a template; its name stays blocked for 30 days.
    Delete {
        /// Its name.
        name: String,
        /// Only the language with this id; without it every language goes.
        #[arg(long)]
        id: Option<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Write templates.json beside the rules, so that rules are checked against it.
    Sync {
        /// Write over a templates.json that is another file.
        #[arg(long)]
        force: bool,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session::open(&arguments.options)?;
    match arguments.action {
        Action::List { status, name } => list(&session, Filter { status, name }).await?,
        Action::Show { name, language } => show(&session, &name, language.as_deref()).await?,
        Action::Create { file } => create(&session, &file).await?,
        Action::Delete { name, id, yes } => {
            let consent = Consent::from_flag(yes);
            delete(&session, &name, id.as_deref(), consent).await?;
        }
        Action::Sync { force } => sync(&session, Consent::from_flag(force)).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn fetch(session: &Session, filter: &Filter) -> anyhow::Result<Option<Vec<Value>>> {
    let waba = session.waba()?;
    session
        .all_rows(|after| templates::list(&waba, filter, after))
        .await
}

async fn list(session: &Session, filter: Filter) -> anyhow::Result<()> {
    let Some(rows) = fetch(session, &filter).await? else {
        return Ok(());
    };
    let header = ["name", "language", "category", "status", "quality", "id"];
    let cells = || rows.iter().map(|row| list_row(Template::read(row)));
    let table = || table::statuses(header, cells());
    let empty = "there are no such templates";
    session
        .format()
        .print_rows(&rows, Value::clone, empty, table);
    Ok(())
}

fn list_row(template: Template) -> [String; 6] {
    [
        template.name,
        template.language,
        template.category,
        template.status,
        template.quality,
        template.id,
    ]
}

async fn show(session: &Session, name: &str, language: Option<&str>) -> anyhow::Result<()> {
    let filter = Filter {
        name: Some(name.to_owned()),
        ..Filter::default()
    };
    let Some(mut rows) = fetch(session, &filter).await? else {
        return Ok(());
    };
    // The filter of Meta also matches parts of names.
    rows.retain(|row| row["name"] == name);
    let languages: Vec<String> = rows
        .iter()
        .map(|row| Template::read(row).language)
        .collect();
    rows.retain(|row| language.is_none_or(|language| row["language"] == language));
    if rows.is_empty() {
        let (message, hint) = match language.filter(|_| !languages.is_empty()) {
            Some(language) => (
                format!("template `{name}` has no language `{language}`"),
                format!("it has {}", terminal::one_line(&languages.join(", "))),
            ),
            None => (
                format!("there is no template `{name}`"),
                "`replyd templates list` shows all of them".to_owned(),
            ),
        };
        return Err(Hint::error(message, hint));
    }
    let text = || {
        let templates = rows.iter().map(|row| show::template(&Template::read(row)));
        templates.collect::<Vec<_>>().join("\n\n")
    };
    session.format().print_rows(&rows, Value::clone, "", text);
    Ok(())
}

async fn create(session: &Session, file: &Path) -> anyhow::Result<()> {
    let template = read(file)?;
    let waba = session.waba()?;
    let what = format!("`{}`", terminal::path(file));
    let call = checked(&what, templates::create(&waba, &template))?;
    let Some(answer) = session.call_for_text(&call).await? else {
        return Ok(());
    };
    // The response has some of the fields of a listed template.
    let created = Template::read(&answer);
    let name = template["name"].as_str().unwrap_or_default();
    terminal::line!(
        "handed in `{name}`: {}, id {}",
        coloured(&created.status),
        terminal::one_line(&created.id)
    );
    let wished = template["category"].as_str().unwrap_or_default();
    if !created.category.is_empty() && !created.category.eq_ignore_ascii_case(wished) {
        terminal::note!(
            "Meta made it {} and not {wished}: that has another price",
            terminal::one_line(&created.category)
        );
    }
    let show = paint!(LITERAL, "`replyd templates show {name}`");
    terminal::note!("{show} tells how the review ended");
    Ok(())
}

/// Reads a file as TOML if its extension is `toml`, else as JSON.
fn read(file: &Path) -> anyhow::Result<Value> {
    let name = terminal::path(file);
    let text = std::fs::read_to_string(file).with_context(|| format!("could not read `{name}`"))?;
    if file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
    {
        // The message of the parser has several lines and ends with an empty one.
        let table = toml::from_str::<toml::Table>(&text)
            .map_err(|error| anyhow::anyhow!("{}", error.to_string().trim_end()))
            .with_context(|| format!("`{name}` is not TOML"))?;
        return serde_json::to_value(table).with_context(|| format!("could not use `{name}`"));
    }
    // A byte-order mark, which some editors put first, is no JSON.
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).with_context(|| format!("`{name}` is not JSON"))
}

async fn delete(
    session: &Session,
    name: &str,
    id: Option<&str>,
    consent: Consent,
) -> anyhow::Result<()> {
    let call = templates::delete(&session.waba()?, name, id);
    if !session.options.dry_run {
        let which = match id {
            Some(id) => format!("language {id} of template `{name}` will be deleted"),
            None => format!("template `{name}` will be deleted in every language"),
        };
        consent.obtain(&format!(
            "{which}; an approved one's name stays blocked for 30 days"
        ))?;
    }
    if session.call_for_text(&call).await?.is_none() {
        return Ok(());
    }
    terminal::line!("deleted `{}`", terminal::one_line(name));
    terminal::note(
        "its name stays blocked for 30 days if it was approved; messages that wait still go out",
    );
    Ok(())
}

async fn sync(session: &Session, consent: Consent) -> anyhow::Result<()> {
    let Some(rows) = fetch(session, &Filter::default()).await? else {
        terminal::note(
            "and so on for each page; then templates.json would be written beside the rules",
        );
        return Ok(());
    };
    let mut shapes: Vec<_> = rows
        .iter()
        .map(|row| templates::shape(&Template::read(row)))
        .collect();
    // A stable order, so that a difference between two files is one between templates.
    shapes.sort_by(|a, b| (&a.name, &a.language).cmp(&(&b.name, &b.language)));
    let approved = shapes
        .iter()
        .filter(|shape| shape.status == "APPROVED")
        .count();
    let count = shapes.len();
    let file = TemplateFile {
        synced_at: Clock::System.now().to_string(),
        templates: shapes,
    };
    let text = serde_json::to_string_pretty(&file).context("could not write JSON")?;
    let path = session.settings.rules.file.with_file_name(FILE);
    let is_template_file = |text: &str| serde_json::from_str::<TemplateFile>(text).is_ok();
    overwrite::replace(&path, &format!("{text}\n"), is_template_file, consent)?;
    let json = json!({ "file": path, "templates": count, "approved": approved });
    let (path, templates) = (terminal::path(&path), counted(count, "template"));
    let text = format!("wrote {path}: {templates}, {approved} of them approved");
    session.format().print(&json, text);
    Ok(())
}
