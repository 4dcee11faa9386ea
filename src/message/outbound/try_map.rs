//! The same message with other texts: how a rule's templates become what is sent.

use super::{
    Button, Card, CardAction, Commerce, ContactCard, Email, Form, Frame, Header, LinkButton, Media,
    MediaSource, Outbound, Phone, ProductSection, Row, Section, TemplateButton, TemplateCard,
    TemplateMessage, TemplateParameter,
};

/// Changes every text in `Self` by a function that may fail.
trait Texts<T> {
    /// The same shape over other texts.
    type Of<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Self::Of<U>, E>;
}

impl<T> Outbound<T> {
    /// Makes a message of the same shape, each text changed by `each`.
    ///
    /// # Errors
    /// The first error of `each`.
    pub fn try_map<U, E>(
        &self,
        mut each: impl FnMut(&T) -> Result<U, E>,
    ) -> Result<Outbound<U>, E> {
        self.with(&mut each)
    }
}

/// Each element of a list.
fn map_each<T, U, E, P: Texts<T>>(
    parts: &[P],
    each: &mut dyn FnMut(&T) -> Result<U, E>,
) -> Result<Vec<P::Of<U>>, E> {
    parts.iter().map(|part| part.with(each)).collect()
}

/// A part that may be left out.
fn some<T, U, E, P: Texts<T>>(
    part: Option<&P>,
    each: &mut dyn FnMut(&T) -> Result<U, E>,
) -> Result<Option<P::Of<U>>, E> {
    part.map(|part| part.with(each)).transpose()
}

/// A text that may be left out.
fn text<T, U, E>(
    text: Option<&T>,
    each: &mut dyn FnMut(&T) -> Result<U, E>,
) -> Result<Option<U>, E> {
    text.map(each).transpose()
}

impl<T> Texts<T> for Outbound<T> {
    type Of<U> = Outbound<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Outbound<U>, E> {
        Ok(match self {
            Self::Text { body, preview_url } => Outbound::Text {
                body: each(body)?,
                preview_url: *preview_url,
            },
            Self::Buttons { frame, buttons } => Outbound::Buttons {
                frame: frame.with(each)?,
                buttons: map_each(buttons, each)?,
            },
            Self::List {
                header,
                body,
                footer,
                button,
                sections,
            } => Outbound::List {
                header: text(header.as_ref(), each)?,
                body: each(body)?,
                footer: text(footer.as_ref(), each)?,
                button: each(button)?,
                sections: map_each(sections, each)?,
            },
            Self::Link { frame, link } => Outbound::Link {
                frame: frame.with(each)?,
                link: link.with(each)?,
            },
            Self::AskLocation { body } => Outbound::AskLocation { body: each(body)? },
            Self::AskContact { body } => Outbound::AskContact { body: each(body)? },
            Self::Form { frame, form } => Outbound::Form {
                frame: frame.with(each)?,
                form: form.with(each)?,
            },
            Self::Commerce(commerce) => Outbound::Commerce(commerce.with(each)?),
            Self::Carousel { body, cards } => Outbound::Carousel {
                body: each(body)?,
                cards: map_each(cards, each)?,
            },
            Self::Media(media) => Outbound::Media(media.with(each)?),
            Self::Location {
                latitude,
                longitude,
                name,
                address,
            } => Outbound::Location {
                latitude: *latitude,
                longitude: *longitude,
                name: text(name.as_ref(), each)?,
                address: text(address.as_ref(), each)?,
            },
            Self::Contacts { cards } => Outbound::Contacts {
                cards: map_each(cards, each)?,
            },
            Self::Reaction { emoji } => Outbound::Reaction {
                emoji: each(emoji)?,
            },
            Self::Template(template) => Outbound::Template(template.with(each)?),
        })
    }
}

impl<T> Texts<T> for Commerce<T> {
    type Of<U> = Commerce<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Commerce<U>, E> {
        Ok(match self {
            Self::Product {
                body,
                footer,
                catalog_id,
                product_id,
            } => Commerce::Product {
                body: text(body.as_ref(), each)?,
                footer: text(footer.as_ref(), each)?,
                catalog_id: catalog_id.clone(),
                product_id: each(product_id)?,
            },
            Self::Products {
                header,
                body,
                footer,
                catalog_id,
                sections,
            } => Commerce::Products {
                header: each(header)?,
                body: each(body)?,
                footer: text(footer.as_ref(), each)?,
                catalog_id: catalog_id.clone(),
                sections: map_each(sections, each)?,
            },
            Self::Catalog {
                body,
                footer,
                thumbnail,
            } => Commerce::Catalog {
                body: each(body)?,
                footer: text(footer.as_ref(), each)?,
                thumbnail: text(thumbnail.as_ref(), each)?,
            },
        })
    }
}

impl<T> Texts<T> for Frame<T> {
    type Of<U> = Frame<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Frame<U>, E> {
        Ok(Frame {
            header: some(self.header.as_ref(), each)?,
            body: each(&self.body)?,
            footer: text(self.footer.as_ref(), each)?,
        })
    }
}

impl<T> Texts<T> for Header<T> {
    type Of<U> = Header<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Header<U>, E> {
        Ok(match self {
            Self::Text(text) => Header::Text(each(text)?),
            Self::Media(media) => Header::Media(media.with(each)?),
            Self::Place {
                latitude,
                longitude,
                name,
                address,
            } => Header::Place {
                latitude: each(latitude)?,
                longitude: each(longitude)?,
                name: each(name)?,
                address: each(address)?,
            },
        })
    }
}

impl<T> Texts<T> for Media<T> {
    type Of<U> = Media<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Media<U>, E> {
        Ok(Media {
            kind: self.kind,
            source: match &self.source {
                MediaSource::Link(link) => MediaSource::Link(each(link)?),
                MediaSource::Id(id) => MediaSource::Id(each(id)?),
            },
            caption: text(self.caption.as_ref(), each)?,
            filename: text(self.filename.as_ref(), each)?,
            voice: self.voice,
        })
    }
}

impl<T> Texts<T> for Button<T> {
    type Of<U> = Button<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Button<U>, E> {
        Ok(Button {
            id: self.id.clone(),
            title: each(&self.title)?,
        })
    }
}

impl<T> Texts<T> for LinkButton<T> {
    type Of<U> = LinkButton<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<LinkButton<U>, E> {
        Ok(LinkButton {
            title: each(&self.title)?,
            url: each(&self.url)?,
        })
    }
}

impl<T> Texts<T> for Section<T> {
    type Of<U> = Section<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Section<U>, E> {
        Ok(Section {
            title: text(self.title.as_ref(), each)?,
            rows: map_each(&self.rows, each)?,
        })
    }
}

impl<T> Texts<T> for Row<T> {
    type Of<U> = Row<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Row<U>, E> {
        Ok(Row {
            id: self.id.clone(),
            title: each(&self.title)?,
            description: text(self.description.as_ref(), each)?,
        })
    }
}

impl<T> Texts<T> for ProductSection<T> {
    type Of<U> = ProductSection<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<ProductSection<U>, E> {
        Ok(ProductSection {
            title: text(self.title.as_ref(), each)?,
            products: self.products.iter().map(each).collect::<Result<_, E>>()?,
        })
    }
}

impl<T> Texts<T> for Form<T> {
    type Of<U> = Form<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Form<U>, E> {
        let data = self.data.iter();
        Ok(Form {
            form: self.form.clone(),
            button: each(&self.button)?,
            token: text(self.token.as_ref(), each)?,
            screen: self.screen.clone(),
            data: data
                .map(|(name, value)| Ok((name.clone(), each(value)?)))
                .collect::<Result<_, E>>()?,
            draft: self.draft,
        })
    }
}

impl<T> Texts<T> for Card<T> {
    type Of<U> = Card<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Card<U>, E> {
        Ok(Card {
            media: self.media.with(each)?,
            body: text(self.body.as_ref(), each)?,
            action: match &self.action {
                CardAction::Link(link) => CardAction::Link(link.with(each)?),
                CardAction::Buttons(buttons) => CardAction::Buttons(map_each(buttons, each)?),
            },
        })
    }
}

impl<T> Texts<T> for ContactCard<T> {
    type Of<U> = ContactCard<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<ContactCard<U>, E> {
        let phones = self.phones.iter().map(|phone| {
            Ok(Phone {
                phone: each(&phone.phone)?,
                kind: phone.kind.clone(),
                wa_id: text(phone.wa_id.as_ref(), each)?,
            })
        });
        let phones = phones.collect::<Result<_, E>>()?;
        let emails = self.emails.iter().map(|email| {
            Ok(Email {
                email: each(&email.email)?,
                kind: email.kind.clone(),
            })
        });
        let emails = emails.collect::<Result<_, E>>()?;
        Ok(ContactCard {
            name: each(&self.name)?,
            first_name: text(self.first_name.as_ref(), each)?,
            last_name: text(self.last_name.as_ref(), each)?,
            company: text(self.company.as_ref(), each)?,
            phones,
            emails,
            urls: self.urls.iter().map(each).collect::<Result<_, E>>()?,
        })
    }
}

impl<T> Texts<T> for TemplateMessage<T> {
    type Of<U> = TemplateMessage<U>;

    fn with<U, E>(
        &self,
        each: &mut dyn FnMut(&T) -> Result<U, E>,
    ) -> Result<TemplateMessage<U>, E> {
        Ok(TemplateMessage {
            name: self.name.clone(),
            language: self.language.clone(),
            header: some(self.header.as_ref(), each)?,
            body: map_each(&self.body, each)?,
            buttons: map_each(&self.buttons, each)?,
            cards: map_each(&self.cards, each)?,
        })
    }
}

impl<T> Texts<T> for TemplateParameter<T> {
    type Of<U> = TemplateParameter<U>;

    fn with<U, E>(
        &self,
        each: &mut dyn FnMut(&T) -> Result<U, E>,
    ) -> Result<TemplateParameter<U>, E> {
        Ok(TemplateParameter {
            name: self.name.clone(),
            text: each(&self.text)?,
        })
    }
}

impl<T> Texts<T> for TemplateButton<T> {
    type Of<U> = TemplateButton<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<TemplateButton<U>, E> {
        Ok(match self {
            Self::Payload(index, value) => TemplateButton::Payload(*index, each(value)?),
            Self::Url(index, value) => TemplateButton::Url(*index, each(value)?),
            Self::Code(index, value) => TemplateButton::Code(*index, each(value)?),
            Self::Form(index, value) => TemplateButton::Form(*index, each(value)?),
        })
    }
}

impl<T> Texts<T> for TemplateCard<T> {
    type Of<U> = TemplateCard<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<TemplateCard<U>, E> {
        Ok(TemplateCard {
            media: self.media.with(each)?,
            body: map_each(&self.body, each)?,
            buttons: map_each(&self.buttons, each)?,
        })
    }
}
