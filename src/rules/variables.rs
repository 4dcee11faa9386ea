//! What a text can say of one message: the names behind `{{ … }}`.
//!
//! Which names exist is fixed here, so that a wrong one is found when the rules are loaded. What people sent is only
//! ever a value.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::message::{
    Contact, ContactCard, Content, Forwarded, Inbound, Order, OrderItem, Referral, ReferredProduct,
};

/// Every variable that is there without a pattern's named groups.
pub const NAMES: [&str; 36] = [
    "bot.name",
    "contact.name",
    "contact.first_name",
    "contact.phone",
    "contact.username",
    "message.text",
    "message.type",
    "message.filename",
    "message.mime_type",
    "message.forwarded",
    "message.emoji",
    "button.id",
    "button.title",
    "location.latitude",
    "location.longitude",
    "location.name",
    "location.address",
    "card.name",
    "card.phone",
    "card.email",
    "card.company",
    "order.items",
    "order.text",
    "order.catalog",
    "order.total",
    "order.currency",
    "ad.id",
    "ad.type",
    "ad.headline",
    "ad.text",
    "ad.link",
    "product.id",
    "product.catalog",
    "error.code",
    "error.title",
    "error.details",
];

/// Variables whose parts nobody can know before: the answers of a form, and lists.
pub const OPEN: [&str; 3] = ["form", "cards", "order.items"];

/// Whether a name may stand in a text. A whole group (`order`) may: texts ask whether it is there.
pub(super) fn is_known(name: &str, captures: &[String]) -> bool {
    let below = |group: &str, name: &str| {
        name.strip_prefix(group)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    NAMES.iter().any(|known| below(name, known))
        || OPEN.iter().any(|open| below(open, name))
        || name
            .strip_prefix("match.")
            .is_some_and(|group| captures.iter().any(|capture| capture == group))
}

/// What a text can say of one message. Parts that are not known are left out, so that `default(…)` and `{% if %}` work
/// on them.
#[derive(Debug, Serialize)]
pub struct Variables<'a> {
    bot: Bot<'a>,
    contact: Person<'a>,
    message: Message<'a>,
    r#match: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<Button<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<Card<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<Card<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'a serde_json::Map<String, serde_json::Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ad: Option<Ad<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<Product<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error<'a>>,
}

#[derive(Debug, Serialize)]
struct Bot<'a> {
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct Person<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Message<'a> {
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
struct Button<'a> {
    id: &'a str,
    title: &'a str,
}

#[derive(Debug, Serialize)]
struct Place<'a> {
    latitude: f64,
    longitude: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
}

#[derive(Clone, Debug, Serialize)]
struct Card<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OrderPart<'a> {
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
struct Item<'a> {
    product: &'a str,
    quantity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Ad<'a> {
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
struct Product<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Error<'a> {
    code: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

impl<'a> Variables<'a> {
    /// Gathers what texts may say; nothing of any other conversation is in here.
    #[must_use]
    pub fn new(
        bot_name: &'a str,
        contact: &'a Contact,
        inbound: &'a Inbound,
        captures: BTreeMap<String, String>,
    ) -> Self {
        let content = &inbound.content;
        let cards = cards(content);
        Self {
            bot: Bot { name: bot_name },
            contact: Person::of(contact),
            message: Message::of(inbound),
            r#match: captures,
            button: content.button().map(|id| Button {
                id,
                title: content.said().unwrap_or_default(),
            }),
            location: place(content),
            card: cards.first().cloned(),
            cards,
            order: order(content),
            form: match content {
                Content::Form { answers, .. } => Some(answers),
                _ => None,
            },
            ad: inbound.ad.as_ref().map(Ad::of),
            product: inbound.context.product.as_ref().map(Product::of),
            error: error(inbound),
        }
    }
}

impl<'a> Person<'a> {
    fn of(contact: &'a Contact) -> Self {
        let name = contact
            .name
            .as_deref()
            .map(str::trim)
            .filter(|name| !name.is_empty());
        Self {
            name,
            first_name: name.and_then(|name| name.split_whitespace().next()),
            phone: contact
                .identity
                .wa_id()
                .map(|digits| format!("+{}", digits.as_str())),
            username: contact.username.as_deref(),
        }
    }
}

impl<'a> Message<'a> {
    fn of(inbound: &'a Inbound) -> Self {
        let content = &inbound.content;
        Self {
            text: content.said(),
            r#type: content.kind().map_or("other", crate::message::Kind::name),
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

impl<'a> Ad<'a> {
    fn of(ad: &'a Referral) -> Self {
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
    fn of(product: &'a ReferredProduct) -> Self {
        Self {
            id: &product.product_id,
            catalog: product.catalog_id.as_deref(),
        }
    }
}

fn place(content: &Content) -> Option<Place<'_>> {
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

fn cards(content: &Content) -> Vec<Card<'_>> {
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

fn order(content: &Content) -> Option<OrderPart<'_>> {
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
fn error(inbound: &Inbound) -> Option<Error<'_>> {
    let error = inbound.errors.first()?;
    Some(Error {
        code: error.code,
        title: error.title.as_deref(),
        details: error.details.as_deref(),
    })
}
