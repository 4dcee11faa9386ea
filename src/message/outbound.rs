//! A message we send: rendered, complete, ready to be put into Meta's words.

use serde::{Deserialize, Serialize};

/// One reply. Stored as JSON in `outbox.content`; [`crate::whatsapp::send`] makes the request of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outbound {
    /// Plain text.
    Text {
        /// 1 to 4096 characters.
        body: String,
        /// Ask WhatsApp to preview the first link.
        preview_url: bool,
    },
    /// Text with one to three reply buttons.
    Buttons {
        /// Shown above the text.
        header: Option<Header>,
        /// 1 to 1024 characters.
        body: String,
        /// Small print below.
        footer: Option<String>,
        /// In order.
        buttons: Vec<Button>,
    },
    /// Text with a button that opens a list.
    List {
        /// Shown above the text; a list takes text only.
        header: Option<String>,
        /// 1 to 1024 characters.
        body: String,
        /// Small print below.
        footer: Option<String>,
        /// Label of the button that opens the list.
        button: String,
        /// In order.
        sections: Vec<Section>,
    },
    /// A file, by link.
    Media(Media),
}

/// What stands above the text of a message with buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// A bold line.
    Text(String),
    /// An image, video or document by link.
    Media(Media),
}

/// A file Meta fetches from a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Which of Meta's types.
    pub kind: MediaKind,
    /// `https://…`; fetched by Meta, cached 10 minutes.
    pub link: String,
    /// Not for audio.
    pub caption: Option<String>,
    /// Documents only: its extension picks the icon.
    pub filename: Option<String>,
}

/// The types of file that can be sent by link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// JPEG or PNG up to 5 MB.
    Image,
    /// MP4 or 3GPP up to 16 MB.
    Video,
    /// AAC, AMR, MP3, M4A or OGG/OPUS up to 16 MB.
    Audio,
    /// Any document up to 100 MB.
    Document,
}

/// A reply button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Comes back when tapped.
    pub id: String,
    /// What the person sees.
    pub title: String,
}

/// A group of rows of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Required when there is more than one section.
    pub title: Option<String>,
    /// In order.
    pub rows: Vec<Row>,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Comes back when chosen.
    pub id: String,
    /// What the person sees.
    pub title: String,
    /// The second line.
    pub description: Option<String>,
}

impl MediaKind {
    /// Meta's word for the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }
}

impl Outbound {
    /// The name stored in `messages.kind`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Buttons { .. } => "buttons",
            Self::List { .. } => "list",
            Self::Media(media) => media.kind.name(),
        }
    }

    /// The message as a person reads it in a transcript, buttons in brackets on a line of their own.
    #[must_use]
    pub fn transcript_text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        match self {
            Self::Text { body, .. } => lines.push(body.clone()),
            Self::Buttons {
                header,
                body,
                footer,
                buttons,
            } => {
                match header {
                    Some(Header::Text(text)) => lines.push(format!("*{text}*")),
                    Some(Header::Media(media)) => lines.push(media.transcript_text()),
                    None => {}
                }
                lines.push(body.clone());
                lines.extend(footer.clone());
                let labels = buttons.iter().map(|button| format!("[{}]", button.title));
                lines.push(labels.collect::<Vec<_>>().join(" "));
            }
            Self::List {
                header,
                body,
                footer,
                button,
                sections,
            } => {
                lines.extend(header.as_ref().map(|text| format!("*{text}*")));
                lines.push(body.clone());
                lines.extend(footer.clone());
                lines.push(format!("[{button}]"));
                for section in sections {
                    lines.extend(section.title.as_ref().map(|title| format!("  {title}")));
                    lines.extend(section.rows.iter().map(Row::transcript_text));
                }
            }
            Self::Media(media) => lines.push(media.transcript_text()),
        }
        lines.join("\n")
    }
}

impl Media {
    fn transcript_text(&self) -> String {
        let name = self.filename.as_deref().unwrap_or(&self.link);
        let caption = self
            .caption
            .as_ref()
            .map(|text| format!(" · {text}"))
            .unwrap_or_default();
        format!("[{}] {name}{caption}", self.kind.name())
    }
}

impl Row {
    fn transcript_text(&self) -> String {
        let second = self
            .description
            .as_ref()
            .map(|text| format!(" · {text}"))
            .unwrap_or_default();
        format!("  - {}{second}", self.title)
    }
}
