//! Builds the message of `replyd send` from the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ArgGroup;
use tokio::io::AsyncReadExt as _;

use crate::cli::account::local_file::LocalFile;
use crate::cli::terminal::{self, Hint};
use crate::diagnostics::sources::SourceMap;
use crate::diagnostics::{self, Colour};
use crate::message::{
    ContactCard, Email, Header, MediaKind, MediaSource, Outbound, OutboundMedia as Media, Phone,
    TemplateFile, TemplateMessage, TemplateParameter, Wamid,
};
use crate::rules;
use crate::text::parse::read_international;

/// Content of the message, of exactly one kind; `--reply` takes every kind.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("kind").args([
    "image", "video", "audio", "document", "sticker", "location", "contact", "reaction", "template", "reply",
])))]
pub(super) struct MessageOptions {
    /// The text; below an image, video or document it is the caption.
    text: Option<String>,
    /// A picture: a file of this machine, a link, or the id of an upload.
    #[arg(long, value_name = "FILE|LINK|ID")]
    image: Option<String>,
    /// A film.
    #[arg(long, value_name = "FILE|LINK|ID")]
    video: Option<String>,
    /// A sound.
    #[arg(long, value_name = "FILE|LINK|ID", conflicts_with = "text")]
    audio: Option<String>,
    /// Any document.
    #[arg(long, value_name = "FILE|LINK|ID")]
    document: Option<String>,
    /// A sticker.
    #[arg(long, value_name = "FILE|LINK|ID", conflicts_with = "text")]
    sticker: Option<String>,
    /// Name to show for a document [default: that of the file].
    #[arg(long, value_name = "NAME", requires = "document")]
    filename: Option<String>,
    /// Send a sound as a voice message.
    #[arg(long, requires = "audio")]
    voice: bool,
    /// A place: degrees north and east.
    #[arg(
        long,
        value_name = "LATITUDE,LONGITUDE",
        conflicts_with = "text",
        allow_hyphen_values = true
    )]
    location: Option<String>,
    /// Name of the place.
    #[arg(long, value_name = "NAME", requires = "location")]
    place: Option<String>,
    /// Address of the place.
    #[arg(long, requires = "place")]
    address: Option<String>,
    /// A contact card with this name.
    #[arg(long, value_name = "NAME", conflicts_with = "text")]
    contact: Option<String>,
    /// Phone number on the card.
    #[arg(long, requires = "contact")]
    phone: Option<String>,
    /// Address on the card.
    #[arg(long, requires = "contact")]
    email: Option<String>,
    /// An emoji on the message that --quote names; empty takes it back.
    #[arg(
        long,
        value_name = "EMOJI",
        conflicts_with = "text",
        requires = "quote"
    )]
    reaction: Option<String>,
    /// A template that Meta has approved; one whose buttons or cards take values goes with --reply.
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "text",
        requires = "language"
    )]
    template: Option<String>,
    /// Language of the template.
    #[arg(long, requires = "template")]
    language: Option<String>,
    /// A value for the template's text, in order, or NAME=VALUE.
    #[arg(long = "value", value_name = "VALUE", requires = "template")]
    values: Vec<String>,
    /// A text, NAME=VALUE or the link to an image for the template's header.
    #[arg(long, value_name = "TEXT|LINK", requires = "template")]
    header: Option<String>,
    /// Any message, in the words of `reply` in rules: a TOML file, or - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    reply: Option<PathBuf>,
    /// Quote this message.
    #[arg(long, value_name = "WAMID")]
    quote: Option<String>,
    /// Show a preview of the first link.
    #[arg(long)]
    preview: bool,
}

/// Message with the local file that must be uploaded for it.
pub(super) struct Built {
    pub(super) content: Outbound,
    pub(super) attached: Option<Attached>,
}

/// Local file to upload, and how its id is put into the message.
pub(super) struct Attached {
    pub(super) local: LocalFile,
    pub(super) place: fn(Outbound, MediaSource) -> Outbound,
}

impl MessageOptions {
    /// Id of the message that is quoted or reacted to.
    pub(super) fn about(&self) -> Option<Wamid> {
        self.quote.clone().and_then(Wamid::parse)
    }

    pub(super) async fn build(&self, fetched: Option<&TemplateFile>) -> anyhow::Result<Built> {
        let files = [
            (MediaKind::Image, &self.image),
            (MediaKind::Video, &self.video),
            (MediaKind::Audio, &self.audio),
            (MediaKind::Document, &self.document),
            (MediaKind::Sticker, &self.sticker),
        ];
        for (kind, source) in files {
            if let Some(source) = source {
                return self.file(kind, source).await;
            }
        }
        let content = if let Some(location) = &self.location {
            self.location(location)?
        } else if let Some(name) = &self.contact {
            self.contact(name)
        } else if let Some(emoji) = &self.reaction {
            Outbound::Reaction {
                emoji: emoji.clone(),
            }
        } else if let (Some(name), Some(language)) = (&self.template, &self.language) {
            self.template(name, language)
        } else if let Some(file) = &self.reply {
            reply(file, fetched).await?
        } else {
            self.text()?
        };
        let attached = None;
        Ok(Built { content, attached })
    }

    fn text(&self) -> anyhow::Result<Outbound> {
        let Some(body) = self.text.clone() else {
            return Err(Hint::error(
                "nothing to send",
                "write the text behind the number, or see `replyd send --help`",
            ));
        };
        Ok(Outbound::Text {
            body,
            preview_url: self.preview,
        })
    }

    async fn file(&self, kind: MediaKind, source: &str) -> anyhow::Result<Built> {
        let link_or_id = if source.contains("://") {
            Some(MediaSource::Link(source.to_owned()))
        } else if !source.is_empty() && source.bytes().all(|byte| byte.is_ascii_digit()) {
            Some(MediaSource::Id(source.to_owned()))
        } else {
            None
        };
        let (source, local) = if let Some(source) = link_or_id {
            (source, None)
        } else {
            let local = LocalFile::open(Path::new(source), None).await?;
            // A placeholder until the upload gives an id.
            (MediaSource::Id("0".to_owned()), Some(fits(local, kind)?))
        };
        let filename = (kind == MediaKind::Document)
            .then(|| {
                let local_name = local.as_ref().map(|local| local.described.filename.clone());
                self.filename.clone().or(local_name)
            })
            .flatten();
        let content = Outbound::Media(Media {
            caption: self.text.clone(),
            filename,
            voice: self.voice,
            ..Media::new(kind, source)
        });
        let place = |content, source| match content {
            Outbound::Media(media) => Outbound::Media(Media { source, ..media }),
            other => other,
        };
        Ok(Built {
            content,
            attached: local.map(|local| Attached { local, place }),
        })
    }

    fn location(&self, point: &str) -> anyhow::Result<Outbound> {
        let degrees = point
            .split_once(',')
            .and_then(|(north, east)| Some((number(north)?, number(east)?)));
        let Some((latitude, longitude)) = degrees else {
            return Err(Hint::error(
                "--location takes two numbers",
                "write it like --location 40.71,-74.00",
            ));
        };
        Ok(Outbound::Location {
            latitude,
            longitude,
            name: self.place.clone(),
            address: self.address.clone(),
        })
    }

    fn contact(&self, name: &str) -> Outbound {
        let phone = self.phone.as_ref().map(|phone| Phone {
            // Makes a "Message" button; a number dialled at home is only shown.
            wa_id: read_international(phone).ok(),
            kind: None,
            phone: phone.clone(),
        });
        let email = self.email.as_ref().map(|email| Email {
            email: email.clone(),
            kind: None,
        });
        Outbound::Contacts {
            cards: vec![ContactCard {
                name: name.to_owned(),
                phones: phone.into_iter().collect(),
                emails: email.into_iter().collect(),
                ..ContactCard::default()
            }],
        }
    }

    fn template(&self, name: &str, language: &str) -> Outbound {
        let value = |value: &String| {
            let named = value.split_once('=').filter(|(name, _)| is_name(name));
            TemplateParameter {
                name: named.map(|(name, _)| name.to_owned()),
                text: named.map_or(value.as_str(), |(_, text)| text).to_owned(),
                localized: None,
            }
        };
        let mut header_name = None;
        let header = self.header.as_ref().map(|header| {
            // A text may have a link in it, and a named value may be one.
            let scheme = header.split_once("://").map(|(scheme, _)| scheme);
            if scheme.is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphabetic())) {
                let link = MediaSource::Link(header.clone());
                Header::Media(Media::new(MediaKind::Image, link))
            } else {
                let TemplateParameter { name, text, .. } = value(header);
                header_name = name;
                Header::Text(text)
            }
        });
        Outbound::Template(TemplateMessage {
            name: name.to_owned(),
            language: language.to_owned(),
            header,
            header_name,
            offer_expiration_ms: None,
            authentication: false,
            body: self.values.iter().map(value).collect(),
            buttons: Vec::new(),
            cards: Vec::new(),
        })
    }
}

/// Whether a text is the name of a template's variable: lower-case letters, digits, underscores.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(plain)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Refuses a file of another kind than `kind`; every file may be sent as a document.
fn fits(local: LocalFile, kind: MediaKind) -> anyhow::Result<LocalFile> {
    let is = local.described.kind.name();
    if kind == MediaKind::Document || is == kind.name() {
        return Ok(local);
    }
    let name = terminal::one_line(&local.described.filename);
    let hint = if is == "document" {
        "send it with --document".to_owned()
    } else {
        format!("send it with --{is}, or as it is with --document")
    };
    let message = format!("`{name}` is a file of kind {is}, not {}", kind.name());
    Err(Hint::error(message, hint))
}

/// Reads a message written like the `reply` of a rule.
async fn reply(file: &Path, fetched: Option<&TemplateFile>) -> anyhow::Result<Outbound> {
    let name = terminal::path(file);
    let text = if file == Path::new("-") {
        let mut text = String::new();
        let read = tokio::io::stdin().read_to_string(&mut text).await;
        read.context("could not read standard input")?;
        text
    } else {
        let read = tokio::fs::read_to_string(file).await;
        read.with_context(|| format!("could not read `{name}`"))?
    };
    let (message, diagnostics) = match rules::compile_reply(&text, fetched) {
        Ok((message, warnings)) => (Some(message), warnings),
        Err(diagnostics) => (None, diagnostics),
    };
    if !diagnostics.is_empty() {
        let sources = SourceMap::new(name.as_str(), &text);
        let drawn = diagnostics::render(&diagnostics, &sources, Colour::Styled);
        terminal::note(terminal::drawn(&drawn));
        terminal::note("");
    }
    message.ok_or_else(|| {
        Hint {
            message: format!("the message in `{name}` cannot be used"),
            hint: "mend what is shown above".to_owned(),
        }
        .into()
    })
}
