//! The groups of variables that come from one message alone.

use serde::Serialize;

use crate::message::{
    ContactCard, Content, Forwarded, Inbound, Kind, Order, OrderItem, Referral, ReferredProduct,
};
use crate::rules::button_id;

#[derive(Debug, Serialize)]
pub(crate) struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    r#type: &'a str,
    forwarded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Button<'a> {
    id: &'a str,
    title: &'a str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Place<'a> {
    latitude: f64,
    longitude: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Card<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct OrderPart<'a> {
    items: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Item<'a> {
    product: &'a str,
    quantity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Ad<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headline: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Product<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Error<'a> {
    code: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

impl<'a> Message<'a> {
    pub(crate) fn of(inbound: &'a Inbound) -> Self {
        let content = &inbound.content;
        Self {
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
}

impl<'a> Button<'a> {
    pub(crate) fn of(content: &'a Content) -> Option<Self> {
        Some(Self {
            id: button_id::owner_id(content.button()?),
            title: content.text_or_label().unwrap_or_default(),
        })
    }
}

impl<'a> Ad<'a> {
    pub(crate) fn of(ad: &'a Referral) -> Self {
        Self {
            id: ad.source_id.as_deref(),
            r#type: ad.source_type.as_deref(),
            headline: ad.headline.as_deref(),
            text: ad.body.as_deref(),
            link: ad.source_url.as_deref(),
        }
    }
}

impl<'a> Product<'a> {
    pub(crate) fn of(product: &'a ReferredProduct) -> Self {
        Self {
            id: &product.product_id,
            catalog: product.catalog_id.as_deref(),
        }
    }
}

pub(crate) fn place(content: &Content) -> Option<Place<'_>> {
    let Content::Location {
        latitude,
        longitude,
        name,
        address,
    } = content
    else {
        return None;
    };
    Some(Place {
        latitude: *latitude,
        longitude: *longitude,
        name: name.as_deref(),
        address: address.as_deref(),
    })
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

pub(crate) fn order(content: &Content) -> Option<OrderPart<'_>> {
    let Content::Order(order) = content else {
        return None;
    };
    Some(OrderPart {
        items: order.items.iter().map(item).collect(),
        text: order.text.as_deref(),
        catalog: order.catalog_id.as_deref(),
        total: total(order).map(money),
        currency: order
            .items
            .first()
            .and_then(|item| item.currency.as_deref()),
    })
}

fn item(item: &OrderItem) -> Item<'_> {
    Item {
        product: &item.product_id,
        // Written without a fraction when it has none.
        quantity: item.quantity.to_string(),
        price: item.price.map(money),
        currency: item.currency.as_deref(),
    }
}

/// The sum; `None` when a price is missing or the currencies differ.
fn total(order: &Order) -> Option<f64> {
    let currency = &order.items.first()?.currency;
    let mut sum = 0.0;
    for item in &order.items {
        if item.currency != *currency {
            return None;
        }
        sum += item.price? * item.quantity;
    }
    Some(sum)
}

fn money(amount: f64) -> String {
    format!("{amount:.2}")
}

/// What Meta says of a message it could not pass on.
pub(crate) fn error(inbound: &Inbound) -> Option<Error<'_>> {
    let error = inbound.errors.first()?;
    Some(Error {
        code: error.code,
        title: error.title.as_deref(),
        details: error.details.as_deref(),
    })
}
