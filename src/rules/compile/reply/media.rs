//! Reads files: as messages, above buttons, on cards, in templates.

use super::ReplyReader;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::optional;
use crate::diagnostics::toml_reader::{Field, Table};
use crate::message::{Header, MediaKind, MediaSource, Outbound, OutboundMedia as Media};
use crate::rules::compile::text;
use crate::template::Template;

/// Kinds of file that a header can hold.
pub(super) const HEADERS: [&str; 3] = ["image", "video", "document"];
/// Keys of a file that is a message.
const FILE_KEYS: [&str; 5] = ["link", "id", "caption", "filename", "voice"];

impl<'d> ReplyReader<'_, '_, 'd> {
    /// A text, or one of `image`, `video`, `document`.
    pub(crate) fn header(&mut self, field: &Field<'d>) -> Option<Header<Template>> {
        if field.is_string() || text::is_in_languages(field, &HEADERS) {
            return self.template("header", field).map(Header::Text);
        }
        let table = self.reader.table(field, &HEADERS)?;
        if HEADERS.iter().all(|key| table.get(key).is_none()) && !table.has_unknown() {
            let message = "the header is empty";
            let help = "give it a text, or one of `image`, `video`, `document`";
            return self
                .reader
                .refuse(codes::EMPTY_REPLY, &table.span, message, help);
        }
        self.one_file(&table, &HEADERS, "a header")
            .map(Header::Media)
    }

    /// The one file among some keys of a table.
    pub(crate) fn one_file(
        &mut self,
        table: &Table<'d>,
        keys: &[&str],
        what: &str,
    ) -> Option<Media<Template>> {
        let files: Vec<Field<'d>> = keys.iter().filter_map(|key| table.get(key)).collect();
        match files.as_slice() {
            [file] => {
                let kind = kind_of(file.name)?;
                self.file_kind(file);
                let source = self.source("header", file, &["filename"])?;
                Some(Media {
                    filename: source.1,
                    ..Media::new(kind, source.0)
                })
            }
            [first, second, ..] => {
                self.mixed(first, second);
                None
            }
            [] if table.has_unknown() => None,
            [] => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                let message = format!("{what} needs {}", keys.join(" or "));
                let error = Diagnostic::error(codes::EMPTY_REPLY, table.span.clone(), message);
                self.reader.report(error);
                None
            }
        }
    }

    /// A link in quotes, or a table with `link` or `id` and a file name where one is allowed.
    fn source(
        &mut self,
        part: &str,
        field: &Field<'d>,
        more: &[&'static str],
    ) -> Option<(MediaSource<Template>, Option<Template>)> {
        let mut keys = vec!["link", "id"];
        keys.extend(more);
        if field.is_string() || text::is_in_languages(field, &keys) {
            let link = self.link_template(part, field)?;
            return Some((MediaSource::Link(link), None));
        }
        let table = self.reader.table(field, &keys)?;
        let source = self.link_or_id(part, &table);
        let filename = self.optional_template(&table, "filename", "filename");
        Some((source?, filename.ok()?))
    }

    /// Warns of links whose files are probably of another kind than the key says.
    fn file_kind(&mut self, file: &Field<'d>) {
        let links = file.entries().into_iter();
        let links = links.filter(|entry| !["id", "caption", "filename"].contains(&entry.name));
        for link in links.chain([file.clone()]) {
            let ending = link.text().and_then(ending);
            let Some((ending, kinds)) = ending.filter(|(_, kinds)| !kinds.contains(&file.name))
            else {
                continue;
            };
            if file.name == "document" {
                continue;
            }
            let help = match (kinds.first(), file.name) {
                (Some(&"sticker") | None, "image") => "save it as JPEG or PNG".to_owned(),
                (Some(&"image"), "sticker") => "save it as WebP".to_owned(),
                (Some(kind), _) => format!("send it as `{kind}`"),
                (None, "video") => "save it as MP4".to_owned(),
                (None, _) => "save it as MP3 or OGG".to_owned(),
            };
            let message = format!("WhatsApp takes no `.{ending}` file as `{}`", file.name);
            let warning = Diagnostic::warning(codes::FILE_KIND, link.span, message);
            self.reader.report(warning.help(help));
        }
    }

    fn link_or_id(&mut self, part: &str, table: &Table<'d>) -> Option<MediaSource<Template>> {
        match (table.get("link"), table.get("id")) {
            (Some(link), None) => self.link_template(part, &link).map(MediaSource::Link),
            (None, Some(id)) => self.template(part, &id).map(MediaSource::Id),
            (Some(link), Some(id)) => {
                self.mixed(&link, &id);
                None
            }
            (None, None) => {
                self.reader.required(table, "link");
                None
            }
        }
    }

    pub(crate) fn file(
        &mut self,
        table: &Table<'d>,
        content: &Field<'d>,
    ) -> Option<Outbound<Template>> {
        let kind = kind_of(content.name)?;
        self.file_kind(content);
        let beside = table.get("text");
        if content.is_string() || text::is_in_languages(content, &FILE_KEYS) {
            let link = self.link_template("link", content);
            let caption = optional(beside, |field| self.template("caption", &field));
            return Some(Outbound::Media(Media {
                caption: caption.ok()?,
                ..Media::new(kind, MediaSource::Link(link?))
            }));
        }
        let file = self.reader.table(content, &FILE_KEYS)?;
        let source = self.link_or_id("link", &file);
        let below = file.get("caption");
        if let (Some(beside), Some(below)) = (&beside, &below) {
            self.mixed(beside, below);
            return None;
        }
        let caption = optional(below.or(beside), |field| self.template("caption", &field));
        let filename = self.optional_template(&file, "filename", "filename");
        let voice = optional(file.get("voice"), |field| self.reader.boolean(&field));
        Some(Outbound::Media(Media {
            kind,
            source: source?,
            caption: caption.ok()?,
            filename: filename.ok()?,
            voice: voice.ok()?.unwrap_or(false),
        }))
    }
}

/// The ending of the name of a linked file, with the keys that such a file may be sent by: those of
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
/// None for an ending that says nothing about the file.
fn ending(link: &str) -> Option<(String, &'static [&'static str])> {
    let path = link.split(['?', '#']).next()?;
    let (before, ending) = path.rsplit_once('.')?;
    if path.contains("}}") && ending.contains('}') || !before.contains("://") {
        return None;
    }
    let ending = ending.to_lowercase();
    let kinds: &[&str] = match ending.as_str() {
        "jpg" | "jpeg" | "png" => &["image"],
        "mp4" | "3gp" => &["video"],
        "aac" | "amr" | "mp3" | "m4a" | "ogg" | "opus" => &["audio"],
        "webp" => &["sticker"],
        "pdf" | "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "txt" | "csv" | "zip" => {
            &["document"]
        }
        "gif" | "bmp" | "svg" | "tif" | "tiff" | "heic" | "avif" | "mov" | "avi" | "webm"
        | "mkv" | "wav" | "flac" => &[],
        _ => return None,
    };
    Some((ending, kinds))
}

fn kind_of(name: &str) -> Option<MediaKind> {
    let entry = MediaKind::ALL.iter().find(|(known, _)| *known == name);
    entry.map(|(_, kind)| *kind)
}
