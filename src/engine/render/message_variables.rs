//! Groups of variables that come from one message alone.

use serde::Serialize;

use crate::message::{
    ContactCard, Content, Forwarded, Inbound, Kind, OrderItem, Referral, ReferredProduct, Wamid,
};
use crate::rules::button_id;

groups! {
    Message<'a> {
        r#type: &'a str, forwarded: bool;
        text: &'a str, filename: &'a str, mime_type: &'a str, emoji: &'a str
    }
    Button<'a> { id: &'a str, title: &'a str; }
    Place<'a> { latitude: f64, longitude: f64; name: &'a str, address: &'a str }
    Card<'a> { name: &'a str; phone: &'a str, email: &'a str, company: &'a str }
    Order<'a> {
        items: Vec<Item<'a>>;
        text: &'a str, catalog: &'a str, total: String, currency: &'a str
    }
    Item<'a> { ; product: &'a str, quantity: String, price: String, currency: &'a str }
    Quoted<'a> { id: &'a str; text: &'a str, by: &'static str }
    Ad<'a> {
        ;
        id: &'a str, r#type: &'a str, headline: &'a str, text: &'a str, link: &'a str,
        media: &'a str, media_type: &'a str, ctwa_clid: &'a str
    }
    Product<'a> { id: &'a str; catalog: &'a str }
    Error<'a> { code: i64; title: &'a str, details: &'a str }
}

pub(crate) fn message(inbound: &Inbound) -> Message<'_> {
    let content = &inbound.content;
    Message {
        text: content.text_or_label(),
        r#type: content.kind().map_or("other", Kind::name),
        forwarded: inbound.context.forwarded != Forwarded::No,
        filename: match content {
            Content::Document { filename, .. } => filename.as_deref(),
            _ => None,
        },
        mime_type: content.media().and_then(|media| media.mime_type.as_deref()),
        emoji: match content {
            Content::Reaction { emoji, .. } => emoji.as_deref(),
            _ => None,
        },
    }
}

pub(crate) fn button(content: &Content) -> Option<Button<'_>> {
    Some(Button {
        id: button_id::owner_id(content.button()?),
        title: content.text_or_label().unwrap_or_default(),
    })
}

pub(crate) fn ad(ad: &Referral) -> Ad<'_> {
    Ad {
        id: ad.source_id.as_deref(),
        r#type: ad.source_type.as_deref(),
        headline: ad.headline.as_deref(),
        text: ad.body.as_deref(),
        link: ad.source_url.as_deref(),
        media: ad.media_url.as_deref(),
        media_type: ad.media_type.as_deref(),
        ctwa_clid: ad.ctwa_clid.as_deref(),
    }
}

/// Quoted message; of one that is older than the database only the id is known.
pub(crate) fn quoted(inbound: &Inbound) -> Option<Quoted<'_>> {
    let stored = inbound.context.quoted_message.as_ref();
    Some(Quoted {
        id: inbound.target().map(Wamid::as_str)?,
        text: stored.map(|quoted| quoted.text.as_str()),
        by: stored.map(|quoted| match quoted.origin.as_str() {
            "contact" => "contact",
            "bot" => "bot",
            _ => "colleague",
        }),
    })
}

pub(crate) fn product(product: &ReferredProduct) -> Product<'_> {
    Product {
        id: &product.product_id,
        catalog: product.catalog_id.as_deref(),
    }
}

pub(crate) fn place(content: &Content) -> Option<Place<'_>> {
    match content {
        Content::Location {
            latitude,
            longitude,
            name,
            address,
        } => Some(Place {
            latitude: *latitude,
            longitude: *longitude,
            name: name.as_deref(),
            address: address.as_deref(),
        }),
        _ => None,
    }
}

pub(crate) fn cards(content: &Content) -> Vec<Card<'_>> {
    let Content::Contacts { cards } = content else {
        return Vec::new();
    };
    cards.iter().map(card).collect()
}

fn card(card: &ContactCard) -> Card<'_> {
    Card {
        name: &card.name,
        phone: card.phones.first().map(|phone| phone.phone.as_str()),
        email: card.emails.first().map(|email| email.email.as_str()),
        company: card.company.as_deref(),
    }
}

pub(crate) fn order(content: &Content) -> Option<Order<'_>> {
    let Content::Order(order) = content else {
        return None;
    };
    let first = order.items.first();
    Some(Order {
        items: order.items.iter().map(item).collect(),
        text: order.text.as_deref(),
        catalog: order.catalog_id.as_deref(),
        total: total(&order.items).map(money),
        currency: first.and_then(|item| item.currency.as_deref()),
    })
}

fn item(item: &OrderItem) -> Item<'_> {
    Item {
        product: item.product_id.as_deref(),
        // Written without a fraction when it has none.
        quantity: item.quantity.map(|quantity| quantity.to_string()),
        price: item.price.map(money),
        currency: item.currency.as_deref(),
    }
}

/// Adds up an order; `None` when a price or a quantity is missing or the currencies differ.
fn total(items: &[OrderItem]) -> Option<f64> {
    let currency = &items.first()?.currency;
    let mut sum = 0.0;
    for item in items {
        if item.currency != *currency {
            return None;
        }
        sum += item.price? * item.quantity?;
    }
    Some(sum)
}

fn money(amount: f64) -> String {
    format!("{amount:.2}")
}

/// Error that Meta reports for a message it could not pass on.
pub(crate) fn error(inbound: &Inbound) -> Option<Error<'_>> {
    let error = inbound.errors.first()?;
    Some(Error {
        code: error.code,
        title: error.title.as_deref(),
        details: error.details.as_deref(),
    })
}
