//! `replyd profile`: what people read when they tap the business's name.

use std::process::ExitCode;

use super::graph::{Options, Session};
use super::manage;
use super::ui;
use crate::whatsapp::manage::profile::{self, Changes, Profile};

/// The business profile of a number.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the profile.
    Get,
    /// Change what is named; the rest stays as it is.
    Update(Update),
}

#[derive(Debug, clap::Args)]
struct Update {
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

/// Shows or changes the profile.
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
        ui::line(ui::json(&profile::found(&answer)));
        return Ok(());
    }
    let profile = Profile::read(&answer);
    if profile == Profile::default() {
        ui::note("the profile is empty; `replyd profile update --about \"…\"` begins it");
        return Ok(());
    }
    ui::line(manage::pairs(&[
        ("about", ui::visible(&profile.about)),
        ("address", ui::visible(&profile.address)),
        ("description", ui::visible(&profile.description)),
        ("email", ui::visible(&profile.email)),
        ("websites", ui::visible(&profile.websites.join("\n"))),
        ("vertical", ui::visible(&profile.vertical)),
        ("picture", ui::visible(&profile.profile_picture_url)),
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
    let call = manage::checked("the change of the profile", call)?;
    let Some(answer) = session.call(&call).await? else {
        return Ok(());
    };
    if session.options.json {
        ui::line(ui::json(&answer));
    } else {
        ui::line(format_args!("changed the profile of {number}"));
    }
    Ok(())
}
