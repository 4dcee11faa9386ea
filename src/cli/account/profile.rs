//! `replyd profile`: the business profile, which contacts see when they tap the business's name.

use std::process::ExitCode;

use super::session::{self, Session, checked};
use crate::cli::terminal::{self, table};
use crate::whatsapp::account_api::profile::{self, Changes, Profile};

pub(crate) type Arguments = session::Arguments<Action>;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Show the profile.
    Get,
    /// Change what is named; the rest stays as it is.
    Update(Update),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Update {
    /// The line under the name, 1 to 139 characters.
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,
    /// Where the business is, up to 256 characters.
    #[arg(long, value_name = "TEXT")]
    address: Option<String>,
    /// What the business does, up to 512 characters; 256 are safe.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whom to write to.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A website, up to two; they replace the ones that are there.
    #[arg(long = "website", value_name = "URL")]
    websites: Vec<String>,
    /// The trade: RETAIL, RESTAURANT, HEALTH and more.
    #[arg(long, value_name = "WORD")]
    vertical: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session::open(&arguments.options)?;
    match arguments.action {
        Action::Get => get(&session).await?,
        Action::Update(update) => change(&session, update).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn get(session: &Session) -> anyhow::Result<()> {
    let number = session.number()?;
    let Some(answer) = session.call(&profile::get(number.as_str())).await? else {
        return Ok(());
    };
    if session.options.json {
        terminal::json_line(&profile::profile_object(&answer));
        return Ok(());
    }
    let profile = Profile::read(&answer);
    if profile == Profile::default() {
        terminal::note("the profile is empty; `replyd profile update --about \"…\"` begins it");
        return Ok(());
    }
    terminal::line(table::pairs(&[
        ("about", terminal::visible(&profile.about)),
        ("address", terminal::visible(&profile.address)),
        ("description", terminal::visible(&profile.description)),
        ("email", terminal::visible(&profile.email)),
        ("websites", terminal::visible(&profile.websites.join("\n"))),
        ("vertical", terminal::visible(&profile.vertical)),
        ("picture", terminal::visible(&profile.profile_picture_url)),
    ]));
    Ok(())
}

async fn change(session: &Session, update: Update) -> anyhow::Result<()> {
    let changes = Changes {
        about: update.about,
        address: update.address,
        description: update.description,
        email: update.email,
        websites: update.websites,
        vertical: update.vertical,
    };
    let number = session.number()?;
    let call = profile::update(number.as_str(), &changes);
    let call = checked("the change of the profile", call)?;
    if session.call_for_text(&call).await?.is_some() {
        terminal::line!("changed the profile of {number}");
    }
    Ok(())
}
