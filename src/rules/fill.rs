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
