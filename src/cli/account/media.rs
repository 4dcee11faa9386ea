//! `replyd media`: files at WhatsApp, to be sent by their id or fetched from there. Each belongs to
//! one business number: the one it was uploaded for or sent to.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::local_file::{LocalFile, WRONG_PARAMETER};
use super::session::{self, Session, explain};
use crate::cli::terminal::confirm::{Answer, Consent};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{self, DIM, GOOD, Hint, LITERAL, WARN, paint};
use crate::files::Existing;
use crate::gateway::{DownloadError, DownloadLimits, Downloader, Hosts, Target};
use crate::message::media_file::{self, FORMATS, readable};
use crate::message::{hex, is_id};
use crate::shutdown::Shutdown;
use crate::whatsapp::api_call::Call;
use crate::whatsapp::media::{self, Media, UPLOAD_DAYS};

pub(crate) type Arguments = session::Arguments<Action>;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Upload a file and print the id to send it by, good for 30 days.
    Upload {
        /// Checked first: type, content and size.
        file: PathBuf,
        /// MIME type to upload it as [default: by its content and its extension].
        #[arg(long, value_name = "TYPE")]
        mime: Option<String>,
    },
    /// Show what WhatsApp knows of a file.
    Info {
        /// Media id.
        id: String,
    },
    /// Fetch a file to this machine.
    Download {
        /// Media id.
        id: String,
        /// File to write, or folder to write into [default: here, named by the id].
        #[arg(long, value_name = "FILE|DIR")]
        output: Option<PathBuf>,
    },
    /// Delete a file at WhatsApp.
    Delete {
        /// Media id.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session::open(&arguments.options)?;
    match arguments.action {
        Action::Upload { file, mime } => upload(&session, &file, mime.as_deref()).await?,
        Action::Info { id } => show(&session, checked(&id)?).await?,
        Action::Download { id, output } => {
            download(&session, checked(&id)?, output.as_deref()).await?;
        }
        Action::Delete { id, yes } => {
            let id = checked(&id)?;
            let consent = Consent::from_flag(yes || session.options.dry_run);
            match consent.ask(&format!("delete file {id} for good"))? {
                Answer::Yes => delete(&session, id).await?,
                Answer::No => terminal::note("nothing was deleted"),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn upload(session: &Session, path: &Path, mime_type: Option<&str>) -> anyhow::Result<()> {
    let local = LocalFile::open(path, mime_type).await?;
    let described = local.described.clone();
    let size = local.size;
    if !FORMATS
        .iter()
        .any(|format| format.mime_type == described.mime_type)
    {
        let mime_type = &described.mime_type;
        terminal::note!(
            "{} {mime_type} is not among the types that WhatsApp promises to take",
            paint(WARN, "warning:")
        );
    }
    let number = session.number()?;
    let Some(id) = local.upload(session, &number).await? else {
        return Ok(());
    };
    if session.options.json {
        terminal::json_line(&json!({
            "id": id,
            "kind": described.kind.name(),
            "mime_type": described.mime_type,
            "filename": described.filename,
            "bytes": size,
            "good_for_days": UPLOAD_DAYS,
        }));
        return Ok(());
    }
    terminal::line(&id);
    terminal::note!(
        "{} {} · {} · {}\nnumber {number} can send it as {} by this id for {UPLOAD_DAYS} days",
        paint(GOOD, "uploaded"),
        terminal::one_line(&described.filename),
        described.mime_type,
        readable(size),
        described.kind.name()
    );
    Ok(())
}

async fn show(session: &Session, id: &str) -> anyhow::Result<()> {
    let Some(media) = look_up(session, id).await? else {
        return Ok(());
    };
    if session.options.json {
        terminal::json_line(&json!({
            "id": id,
            "mime_type": media.mime_type,
            "bytes": media.file_size,
            "sha256": media.sha256.map(|sha256| hex(&sha256)),
            "url": media.url,
        }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    let unknown = || paint(DIM, "not reported");
    let foreign = |text: &Option<String>| text.as_deref().map_or_else(unknown, terminal::visible);
    let size = media
        .file_size
        .map_or_else(unknown, |bytes| match readable(bytes) {
            exact if bytes < 1024 => exact,
            rounded => format!("{rounded} ({bytes} bytes)"),
        });
    let sha256 = media.sha256.map_or_else(unknown, |sha256| hex(&sha256));
    for (name, value) in [
        ("id", id.to_owned()),
        ("type", foreign(&media.mime_type)),
        ("size", size),
        ("sha256", sha256),
        ("address", foreign(&media.url)),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    terminal::line(table.trim_fmt());
    terminal::note!(
        "the address lives for five minutes and wants Meta's token: {}",
        paint!(LITERAL, "replyd media download {id}")
    );
    Ok(())
}

async fn download(session: &Session, id: &str, output: Option<&Path>) -> anyhow::Result<()> {
    let Some(media) = look_up(session, id).await? else {
        terminal::note("then the file is fetched from the reported address, with Meta's token");
        return Ok(());
    };
    let token = token(session)?;
    let mime_type = media.mime_type.clone().unwrap_or_default();
    let target = target(output, &media_file::file_name(id, &mime_type))?;
    let url = media.url.as_deref().ok_or_else(|| {
        Hint::new(
            format!("WhatsApp tells no address of file {id}"),
            "look at it with `replyd media info`; it may be too old",
        )
    })?;
    let limits = DownloadLimits {
        max_bytes: session.settings.media.max_bytes,
        sha256: media.sha256,
    };
    if media.file_size.is_some_and(|size| size > limits.max_bytes) {
        return Err(explained_download(&DownloadError::TooLarge {
            max_bytes: limits.max_bytes,
        })
        .into());
    }
    let gateway = &session.settings.gateway;
    let files = Downloader::new(
        Some(token),
        Hosts::beside(&gateway.base_url),
        gateway.timeout,
    )?;
    let progress = Progress::new("fetching", media.file_size);
    let into = Target {
        path: &target,
        existing: Existing::Kept,
    };
    let shutdown = Shutdown::on_signals().context("could not listen for signals")?;
    // The bytes received so far are discarded with the download.
    let download = files.download(url, into, &limits, |bytes| progress.at(bytes));
    let downloaded = shutdown.run(download).await;
    progress.done();
    let downloaded = downloaded.context("stopped; nothing is left of the file")?;
    let downloaded = downloaded.map_err(|error| explained_download(&error))?;
    if session.options.json {
        terminal::json_line(&json!({
            "id": id,
            "file": target.display().to_string(),
            "mime_type": media.mime_type,
            "bytes": downloaded.bytes,
            "sha256": hex(&downloaded.sha256),
            "verified": media.sha256.is_some(),
        }));
        return Ok(());
    }
    terminal::line(terminal::path(&target));
    let hash = match media.sha256 {
        Some(_) => "its SHA-256 matches the one from WhatsApp",
        None => "WhatsApp gave no SHA-256 to compare with",
    };
    terminal::note!(
        "{} {} · {} · {hash}",
        paint(GOOD, "fetched"),
        terminal::one_line(&mime_type),
        readable(downloaded.bytes)
    );
    Ok(())
}

async fn delete(session: &Session, id: &str) -> anyhow::Result<()> {
    let call = media::delete(id, session.number().ok().as_ref());
    let Some(answer) = ask_for(session, &call).await? else {
        return Ok(());
    };
    if answer["success"] == false {
        return Err(Hint::error(
            format!("WhatsApp did not delete file {id}, and gave no reason"),
            format!("`replyd media info {id}` shows whether it is there still"),
        ));
    }
    let json = json!({ "id": id, "deleted": true });
    session.format().print(&json, format_args!("deleted {id}"));
    Ok(())
}

async fn look_up(session: &Session, id: &str) -> anyhow::Result<Option<Media>> {
    let call = media::look_up(id, session.number().ok().as_ref());
    let answer = ask_for(session, &call).await?;
    Ok(answer.as_ref().map(media::read))
}

/// As [`Session::call`], with advice for an unknown media id.
async fn ask_for(session: &Session, call: &Call) -> anyhow::Result<Option<Value>> {
    if session.options.dry_run {
        session.show(call);
        return Ok(None);
    }
    session.gateway.call(call).await.map(Some).map_err(|error| {
        let explained = explain(call, &error);
        if error.code() != Some(WRONG_PARAMETER) {
            return explained;
        }
        Hint::error(explained.to_string(), "check the id and --number: a file belongs to one number, lives for 30 days when it was uploaded, \
                   and for 7 when a person sent it")
    })
}

fn checked(id: &str) -> anyhow::Result<&str> {
    if is_id(id) {
        return Ok(id);
    }
    Err(Hint::error(
        format!("`{}` is no media id", terminal::one_line(id)),
        "it is a long number: `replyd media upload` prints it, and a message with a file carries it",
    ))
}

fn token(session: &Session) -> anyhow::Result<&SecretString> {
    session.settings.media.token.as_ref().ok_or_else(|| {
        Hint::error(
            "there is no token for Meta's file host; Maton's key does not open it",
            "set media.token to a token of your own Meta app",
        )
    })
}

/// Path of the downloaded file. An existing file is an error.
fn target(output: Option<&Path>, name: &str) -> anyhow::Result<PathBuf> {
    let target = match output {
        None => PathBuf::from(name),
        Some(folder) if folder.is_dir() => folder.join(name),
        Some(file) => file.to_owned(),
    };
    // A dangling link counts as existing.
    if target.symlink_metadata().is_err() {
        return Ok(target);
    }
    Err(Hint::error(
        format!("`{}` is there already", terminal::path(&target)),
        "nothing is ever written over; name another file with --output",
    ))
}

fn explained_download(error: &DownloadError) -> Hint {
    Hint::new(
        terminal::one_line(&error.to_string()),
        error.advice().to_owned(),
    )
}
