//! The `interactive` object: messages with buttons, lists, links, forms and products.

use serde::Serialize;
use serde_json::{Value, json};

use super::media;
use super::media::put;
use crate::message::{
    Button, Card, CardAction, Commerce, Form, FormName, Frame, Header, LinkButton, Outbound,
    ProductSection, Section,
};

/// Version of form messages. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/guides/sendingaflow>.
const FORM_MESSAGE_VERSION: &str = "3";

/// The object, with borrowed texts.
#[derive(Serialize)]
pub(super) struct Interactive<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<HeaderPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<TextPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<TextPart<'a>>,
    action: Action<'a>,
}

#[derive(Serialize)]
struct TextPart<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum HeaderPart<'a> {
    Text {
        #[serde(rename = "type")]
        kind: &'static str,
        text: &'a str,
    },
    Media(Value),
}

/// The kinds that are sent most borrow their texts.
#[derive(Serialize)]
#[serde(untagged)]
enum Action<'a> {
    Buttons {
        buttons: Vec<ButtonPart<'a>>,
    },
    List {
        button: &'a str,
        sections: Vec<SectionPart<'a>>,
    },
    Other(Value),
}

#[derive(Serialize)]
struct ButtonPart<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    reply: &'a Button,
}

#[derive(Serialize)]
struct SectionPart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    rows: Vec<RowPart<'a>>,
}

#[derive(Serialize)]
struct RowPart<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

impl<'a> Interactive<'a> {
    /// Builds the object; `None` for messages of other types.
    pub(super) fn new(content: &'a Outbound) -> Option<Self> {
        let part = match content {
            Outbound::Buttons { frame, buttons } => {
                let kind = "reply";
                let buttons = buttons.iter().map(|reply| ButtonPart { kind, reply });
                let buttons = buttons.collect();
                Self::framed("button", frame, Action::Buttons { buttons })
            }
            Outbound::List {
                header,
                body,
                footer,
                button,
                sections,
            } => {
                let sections = sections.iter().map(section).collect();
                Self {
                    header: header.as_deref().map(header_text),
                    footer: text(footer.as_deref()),
                    ..Self::plain("list", Some(body), Action::List { button, sections })
                }
            }
            Outbound::Link { frame, link } => {
                Self::framed("cta_url", frame, Action::Other(link_action(link)))
            }
            Outbound::AskLocation { body } => Self::plain(
                "location_request_message",
                Some(body),
                Action::Other(json!({ "name": "send_location" })),
            ),
            Outbound::AskContact { body } => Self::plain(
                "request_contact_info",
                Some(body),
                Action::Other(json!({ "name": "request_contact_info" })),
            ),
            Outbound::Form { frame, form } => {
                let action = json!({ "name": "flow", "parameters": form_parameters(form) });
                Self::framed("flow", frame, Action::Other(action))
            }
            Outbound::Commerce(commerce) => commerce_part(commerce),
            Outbound::Checkout(checkout) => {
                let (step, parameters) = (checkout.step, checkout.wire_parameters());
                let action = json!({ "name": step.action(), "parameters": parameters });
                Self::framed(step.name(), &checkout.frame, Action::Other(action))
            }
            Outbound::Carousel { body, cards } => {
                let cards: Vec<Value> = cards.iter().enumerate().map(card).collect();
                Self::plain(
                    "carousel",
                    Some(body),
                    Action::Other(json!({ "cards": cards })),
                )
            }
            Outbound::Text { .. }
            | Outbound::Media(_)
            | Outbound::Location { .. }
            | Outbound::Contacts { .. }
            | Outbound::Reaction { .. }
            | Outbound::Template(_)
            | Outbound::Raw(_) => return None,
        };
        Some(part)
    }

    fn plain(kind: &'static str, body: Option<&'a str>, action: Action<'a>) -> Self {
        Self {
            kind,
            header: None,
            body: text(body),
            footer: None,
            action,
        }
    }

    fn framed(kind: &'static str, frame: &'a Frame, action: Action<'a>) -> Self {
        let Frame {
            header,
            body,
            footer,
        } = frame;
        let header = match header {
            Some(Header::Text(text)) => Some(header_text(text)),
            Some(Header::Media(file)) => Some(HeaderPart::Media(media::typed(file))),
            // Templates only; the limits are checked before.
            Some(Header::Place { .. }) | None => None,
        };
        Self {
            header,
            footer: text(footer.as_deref()),
            ..Self::plain(kind, Some(body), action)
        }
    }
}

fn text(text: Option<&str>) -> Option<TextPart<'_>> {
    text.map(|text| TextPart { text })
}

fn header_text(text: &str) -> HeaderPart<'_> {
    let kind = "text";
    HeaderPart::Text { kind, text }
}

fn section(section: &Section) -> SectionPart<'_> {
    let rows = section.rows.iter().map(|row| RowPart {
        id: &row.id,
        title: &row.title,
        description: row.description.as_deref(),
    });
    SectionPart {
        title: section.title.as_deref(),
        rows: rows.collect(),
    }
}

/// Builds the action of a link. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-cta-url-messages>.
fn link_action(link: &LinkButton) -> Value {
    json!({
        "name": "cta_url",
        "parameters": { "display_text": link.title, "url": link.url },
    })
}

fn form_parameters(form: &Form) -> Value {
    let mut parameters = json!({
        "flow_message_version": FORM_MESSAGE_VERSION,
        "flow_cta": form.button,
        "mode": if form.draft { "draft" } else { "published" },
        "flow_action": if form.screen.is_some() { "navigate" } else { "data_exchange" },
    });
    let name = match &form.form {
        FormName::FlowId(id) => {
            parameters["flow_id"] = json!(id);
            id
        }
        FormName::FlowName(name) => {
            parameters["flow_name"] = json!(name);
            name
        }
    };
    // The answers do not name their form: only the token comes back with them.
    parameters["flow_token"] = json!(form.token.as_ref().unwrap_or(name));
    if let Some(screen) = &form.screen {
        let mut payload = json!({ "screen": screen });
        // Left out when empty: Meta refuses an empty object.
        for (name, value) in &form.data {
            payload["data"][name] = json!(value);
        }
        parameters["flow_action_payload"] = payload;
    }
    parameters
}

fn commerce_part(commerce: &Commerce) -> Interactive<'_> {
    match commerce {
        Commerce::Product {
            body,
            footer,
            catalog_id,
            product_id,
        } => {
            let action = json!({ "catalog_id": catalog_id, "product_retailer_id": product_id });
            Interactive {
                footer: text(footer.as_deref()),
                ..Interactive::plain("product", body.as_deref(), Action::Other(action))
            }
        }
        Commerce::Products {
            header,
            body,
            footer,
            catalog_id,
            sections,
        } => {
            let sections: Vec<Value> = sections.iter().map(product_section).collect();
            let action = json!({ "catalog_id": catalog_id, "sections": sections });
            Interactive {
                header: Some(header_text(header)),
                footer: text(footer.as_deref()),
                ..Interactive::plain("product_list", Some(body), Action::Other(action))
            }
        }
        Commerce::ProductCarousel {
            body,
            catalog_id,
            products,
        } => {
            let cards = products.iter().enumerate().map(|(index, product)| {
                let action = json!({ "product_retailer_id": product, "catalog_id": catalog_id });
                json!({ "card_index": index, "type": "product", "action": action })
            });
            let action = json!({ "cards": cards.collect::<Vec<_>>() });
            Interactive::plain("carousel", Some(body), Action::Other(action))
        }
        Commerce::Catalog {
            body,
            footer,
            thumbnail,
        } => {
            let mut action = json!({ "name": "catalog_message" });
            if let Some(product) = thumbnail {
                action["parameters"] = json!({ "thumbnail_product_retailer_id": product });
            }
            Interactive {
                footer: text(footer.as_deref()),
                ..Interactive::plain("catalog_message", Some(body), Action::Other(action))
            }
        }
    }
}

/// Builds a group of products, in messages and behind buttons of templates.
pub(super) fn product_section(section: &ProductSection) -> Value {
    let products = section.products.iter();
    let items: Vec<Value> = products
        .map(|product| json!({ "product_retailer_id": product }))
        .collect();
    let mut part = json!({ "product_items": items });
    put(&mut part, "title", section.title.as_deref());
    part
}

/// Builds a card of a carousel. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages>.
fn card((index, card): (usize, &Card)) -> Value {
    let (kind, action) = match &card.action {
        CardAction::Link(link) => ("cta_url", link_action(link)),
        CardAction::Buttons(buttons) => {
            let buttons: Vec<Value> = buttons.iter().map(quick_reply).collect();
            ("button", json!({ "buttons": buttons }))
        }
    };
    let mut part = json!({
        "card_index": index,
        "type": kind,
        "header": media::typed(&card.media),
        "action": action,
    });
    if let Some(text) = &card.body {
        part["body"] = json!({ "text": text });
    }
    part
}

fn quick_reply(button: &Button) -> Value {
    let reply = json!({ "id": button.id, "title": button.title });
    json!({ "type": "quick_reply", "quick_reply": reply })
}
