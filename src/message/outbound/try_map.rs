//! Fallible mapping of all texts of a message: turns a rule's templates into the message that is
//! sent.

use super::{
    Address, Button, Card, CardAction, Checkout, Commerce, ContactCard, Email, Form, Frame, Header,
    Json, LinkButton, Localized, Media, MediaSource, Outbound, Phone, ProductList, ProductSection,
    Raw, Row, Section, TemplateButton, TemplateCard, TemplateMessage, TemplateParameter,
};

/// Shape whose texts can be mapped by a fallible function.
trait Texts<T> {
    /// Same shape with texts of another type.
    type Of<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Self::Of<U>, E>;
}

impl<T> Outbound<T> {
    /// Maps each text by `each` and keeps the shape.
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

/// Implements [`Texts`] from the list of a type's fields. A field is `same` (copied), `text`,
/// `part` (contains texts), a `Vec` of them (`texts`, `parts`), an `Option` of one (`maybe_text`,
/// `maybe_part`), or a list of names and texts (`named_texts`).
macro_rules! texts {
    ($name:ident { $($field:ident: $kind:ident),* $(,)? }) => {
        impl<T> Texts<T> for $name<T> {
            type Of<U> = $name<U>;

            fn with<U, E>(
                &self,
                each: &mut dyn FnMut(&T) -> Result<U, E>,
            ) -> Result<$name<U>, E> {
                Ok($name { $($field: changed!($kind, &self.$field, each)),* })
            }
        }
    };
    ($name:ident: $(
        $variant:ident $({ $($field:ident: $kind:ident),* })? $(($($place:ident: $place_kind:ident),*))?
    ),* $(,)?) => {
        impl<T> Texts<T> for $name<T> {
            type Of<U> = $name<U>;

            fn with<U, E>(
                &self,
                each: &mut dyn FnMut(&T) -> Result<U, E>,
            ) -> Result<$name<U>, E> {
                Ok(match self {
                    $(Self::$variant $({ $($field),* })? $(($($place),*))? =>
                        $name::$variant
                            $({ $($field: changed!($kind, $field, each)),* })?
                            $(($(changed!($place_kind, $place, each)),*))?
                    ),*
                })
            }
        }
    };
}

macro_rules! changed {
    (same, $value:expr, $each:ident) => {
        $value.clone()
    };
    (text, $value:expr, $each:ident) => {
        $each($value)?
    };
    (texts, $value:expr, $each:ident) => {
        $value.iter().map(&mut *$each).collect::<Result<_, E>>()?
    };
    (maybe_text, $value:expr, $each:ident) => {
        $value.as_ref().map(&mut *$each).transpose()?
    };
    (part, $value:expr, $each:ident) => {
        $value.with($each)?
    };
    (parts, $value:expr, $each:ident) => {
        $value
            .iter()
            .map(|part| part.with($each))
            .collect::<Result<_, E>>()?
    };
    (maybe_part, $value:expr, $each:ident) => {
        $value.as_ref().map(|part| part.with($each)).transpose()?
    };
    (named_texts, $value:expr, $each:ident) => {
        $value
            .iter()
            .map(|(name, text)| Ok((name.clone(), $each(text)?)))
            .collect::<Result<_, E>>()?
    };
}

texts! { Outbound:
    Text { body: text, preview_url: same },
    Buttons { frame: part, buttons: parts },
    List { header: maybe_text, body: text, footer: maybe_text, button: text, sections: parts },
    Link { frame: part, link: part },
    AskLocation { body: text },
    AskContact { body: text },
    Form { frame: part, form: part },
    Commerce(commerce: part),
    Checkout(checkout: part),
    Carousel { body: text, cards: parts },
    Media(media: part),
    Location { latitude: same, longitude: same, name: maybe_text, address: maybe_text },
    Contacts { cards: parts },
    Reaction { emoji: text },
    Template(template: part),
    Raw(raw: part),
}
texts! { Raw { kind: same, keys: part } }
texts! { Checkout { step: same, frame: part, parameters: part } }

impl<T> Texts<T> for Json<T> {
    type Of<U> = Json<U>;

    fn with<U, E>(&self, each: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Json<U>, E> {
        Ok(match self {
            Self::Text(text) => Json::Text(each(text)?),
            Self::Plain(value) => Json::Plain(value.clone()),
            Self::List(list) => {
                let list = list.iter().map(|element| element.with(each));
                Json::List(list.collect::<Result<_, E>>()?)
            }
            Self::Object(keys) => {
                let keys = keys.iter();
                let keys = keys.map(|(name, value)| Ok((name.clone(), value.with(each)?)));
                Json::Object(keys.collect::<Result<_, E>>()?)
            }
        })
    }
}

texts! { Commerce:
    Product { body: maybe_text, footer: maybe_text, catalog_id: same, product_id: text },
    Products { header: text, body: text, footer: maybe_text, catalog_id: same, sections: parts },
    ProductCarousel { body: text, catalog_id: same, products: texts },
    Catalog { body: text, footer: maybe_text, thumbnail: maybe_text },
}
texts! { Frame { header: maybe_part, body: text, footer: maybe_text } }
texts! { Header:
    Text(text: text),
    Media(media: part),
    Place { latitude: text, longitude: text, name: text, address: text },
}
texts! { Media { kind: same, source: part, caption: maybe_text, filename: maybe_text, voice: same } }
texts! { MediaSource: Link(link: text), Id(id: text) }
texts! { Button { id: same, title: text } }
texts! { LinkButton { title: text, url: text } }
texts! { Section { title: maybe_text, rows: parts } }
texts! { Row { id: same, title: text, description: maybe_text } }
texts! { ProductSection { title: maybe_text, products: texts } }
texts! { Form {
    form: same, button: text, token: maybe_text, screen: same, data: named_texts, draft: same,
} }
texts! { Card { media: part, body: maybe_text, action: part } }
texts! { CardAction: Link(link: part), Buttons(buttons: parts) }
texts! { ContactCard {
    name: text, first_name: maybe_text, last_name: maybe_text, middle_name: maybe_text,
    prefix: maybe_text, suffix: maybe_text, company: maybe_text, department: maybe_text,
    title: maybe_text, birthday: maybe_text, phones: parts, emails: parts, urls: texts,
    addresses: parts,
} }
texts! { Address {
    street: maybe_text, city: maybe_text, state: maybe_text, zip: maybe_text, country: maybe_text,
    country_code: maybe_text, kind: same,
} }
texts! { Phone { phone: text, kind: same, wa_id: maybe_text } }
texts! { Email { email: text, kind: same } }
texts! { TemplateMessage {
    name: same, language: same, header: maybe_part, header_name: same, body: parts,
    buttons: parts, cards: parts, offer_expiration_ms: maybe_text, authentication: same,
} }
texts! { TemplateParameter { name: same, text: text, localized: maybe_part } }
texts! { Localized: Currency { code: text, amount_1000: text }, DateTime }
texts! { ProductList { thumbnail: text, sections: parts } }
texts! { TemplateButton:
    Payload(index: same, value: text),
    Url(index: same, value: text),
    Code(index: same, value: text),
    Form(index: same, value: text, data: named_texts),
    Catalog(index: same, product: text),
    Products(index: same, products: part),
}
texts! { TemplateCard { media: part, body: parts, buttons: parts } }
