//! Makes a message of a reply's templates.

use super::set::{HeaderTemplate, MediaTemplate, ReplyTemplate, RowTemplate, SectionTemplate};
use super::template::{RenderError, Template, Variables};
use crate::message::{Button, Header, Outbound, OutboundMedia, Row, Section};

impl ReplyTemplate {
    /// Fills every text in.
    ///
    /// # Errors
    /// The first text that could not be filled in.
    pub fn fill(&self, variables: &Variables<'_>) -> Result<Outbound, RenderError> {
        Ok(match self {
            Self::Text { body, preview_url } => Outbound::Text {
                body: body.render(variables)?,
                preview_url: *preview_url,
            },
            Self::Buttons {
                header,
                body,
                footer,
                buttons,
            } => Outbound::Buttons {
                header: header
                    .as_ref()
                    .map(|header| header.fill(variables))
                    .transpose()?,
                body: body.render(variables)?,
                footer: optional(footer.as_ref(), variables)?,
                buttons: buttons
                    .iter()
                    .map(|button| {
                        let title = button.title.render(variables)?;
                        Ok(Button {
                            id: button.id.clone(),
                            title,
                        })
                    })
                    .collect::<Result<_, RenderError>>()?,
            },
            Self::List {
                header,
                body,
                footer,
                button,
                sections,
            } => Outbound::List {
                header: optional(header.as_ref(), variables)?,
                body: body.render(variables)?,
                footer: optional(footer.as_ref(), variables)?,
                button: button.render(variables)?,
                sections: sections
                    .iter()
                    .map(|section| section.fill(variables))
                    .collect::<Result<_, _>>()?,
            },
            Self::Media(media) => Outbound::Media(media.fill(variables)?),
        })
    }
}

impl HeaderTemplate {
    fn fill(&self, variables: &Variables<'_>) -> Result<Header, RenderError> {
        Ok(match self {
            Self::Text(text) => Header::Text(text.render(variables)?),
            Self::Media(media) => Header::Media(media.fill(variables)?),
        })
    }
}

impl MediaTemplate {
    fn fill(&self, variables: &Variables<'_>) -> Result<OutboundMedia, RenderError> {
        Ok(OutboundMedia {
            kind: self.kind,
            link: self.link.render(variables)?,
            caption: optional(self.caption.as_ref(), variables)?,
            filename: optional(self.filename.as_ref(), variables)?,
        })
    }
}

impl SectionTemplate {
    fn fill(&self, variables: &Variables<'_>) -> Result<Section, RenderError> {
        Ok(Section {
            title: optional(self.title.as_ref(), variables)?,
            rows: self
                .rows
                .iter()
                .map(|row| row.fill(variables))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl RowTemplate {
    fn fill(&self, variables: &Variables<'_>) -> Result<Row, RenderError> {
        Ok(Row {
            id: self.id.clone(),
            title: self.title.render(variables)?,
            description: optional(self.description.as_ref(), variables)?,
        })
    }
}

/// An optional text that comes out empty is left out: WhatsApp refuses empty footers and the like.
fn optional(
    template: Option<&Template>,
    variables: &Variables<'_>,
) -> Result<Option<String>, RenderError> {
    let text = template
        .map(|template| template.render(variables))
        .transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

impl ReplyTemplate {
    /// The message as far as it is known without a conversation: texts with variables become a short stand-in that
    /// breaks no limit, so that what is left to find is really wrong.
    #[must_use]
    pub(super) fn known_now(&self) -> Outbound {
        let mut stand_ins = 0;
        let mut known = |template: &Template| {
            template.literal().map_or_else(
                || {
                    stand_ins += 1; // different ones, because titles must differ
                    format!("x{stand_ins}")
                },
                str::to_owned,
            )
        };
        match self {
            Self::Text { body, preview_url } => Outbound::Text {
                body: known(body),
                preview_url: *preview_url,
            },
            Self::Buttons {
                header,
                body,
                footer,
                buttons,
            } => Outbound::Buttons {
                header: header.as_ref().map(|header| match header {
                    HeaderTemplate::Text(text) => Header::Text(known(text)),
                    HeaderTemplate::Media(media) => Header::Media(media.known_now(&mut known)),
                }),
                body: known(body),
                footer: footer.as_ref().map(&mut known),
                buttons: buttons
                    .iter()
                    .map(|button| Button {
                        id: button.id.clone(),
                        title: known(&button.title),
                    })
                    .collect(),
            },
            Self::List {
                header,
                body,
                footer,
                button,
                sections,
            } => Outbound::List {
                header: header.as_ref().map(&mut known),
                body: known(body),
                footer: footer.as_ref().map(&mut known),
                button: known(button),
                sections: sections
                    .iter()
                    .map(|section| section.known_now(&mut known))
                    .collect(),
            },
            Self::Media(media) => Outbound::Media(media.known_now(&mut known)),
        }
    }
}

impl MediaTemplate {
    fn known_now(&self, known: &mut impl FnMut(&Template) -> String) -> OutboundMedia {
        OutboundMedia {
            kind: self.kind,
            link: self.link.literal().unwrap_or("https://x").to_owned(),
            caption: self.caption.as_ref().map(&mut *known),
            filename: self.filename.as_ref().map(known),
        }
    }
}

impl SectionTemplate {
    fn known_now(&self, known: &mut impl FnMut(&Template) -> String) -> Section {
        Section {
            title: self.title.as_ref().map(&mut *known),
            rows: self
                .rows
                .iter()
                .map(|row| Row {
                    id: row.id.clone(),
                    title: known(&row.title),
                    description: row.description.as_ref().map(&mut *known),
                })
                .collect(),
        }
    }
}
