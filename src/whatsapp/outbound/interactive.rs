//! The `interactive` object: messages with buttons, lists, links, forms and products.

use serde_json::{Value, json};

use super::media;
use super::media::put;
use crate::message::{
    Button, Card, CardAction, Commerce, Form, FormName, Frame, Header, LinkButton, Outbound,
    ProductSection, Row, Section,
};

/// Version of form messages. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/guides/sendingaflow>.
const FORM_MESSAGE_VERSION: &str = "3";

/// Builds the object; null for messages of other types.
pub(crate) fn part(content: &Outbound) -> Value {
    match content {
        Outbound::Buttons { frame, buttons } => object(
            "button",
            texts(frame),
            &json!({ "buttons": buttons.iter().map(button).collect::<Vec<_>>() }),
        ),
        Outbound::List {
            header,
            body,
            footer,
            button,
            sections,
        } => {
            let sections: Vec<Value> = sections.iter().map(section).collect();
            let action = json!({ "button": button, "sections": sections });
            let mut part = object("list", (None, Some(body), footer.as_ref()), &action);
            put_header_text(&mut part, header.as_deref());
            part
        }
        Outbound::Link { frame, link } => object("cta_url", texts(frame), &link_action(link)),
        Outbound::AskLocation { body } => object(
            "location_request_message",
            (None, Some(body), None),
            &json!({ "name": "send_location" }),
        ),
        Outbound::AskContact { body } => object(
            "request_contact_info",
            (None, Some(body), None),
            &json!({ "name": "request_contact_info" }),
        ),
        Outbound::Form { frame, form } => object(
            "flow",
            texts(frame),
            &json!({ "name": "flow", "parameters": form_parameters(form) }),
        ),
        Outbound::Commerce(commerce) => commerce_part(commerce),
        Outbound::Checkout(checkout) => object(
            checkout.step.name(),
            texts(&checkout.frame),
            &json!({ "name": checkout.step.action(), "parameters": checkout.wire_parameters() }),
        ),
        Outbound::Carousel { body, cards } => {
            let cards: Vec<Value> = cards.iter().enumerate().map(card).collect();
            let action = json!({ "cards": cards });
            object("carousel", (None, Some(body), None), &action)
        }
        Outbound::Text { .. }
        | Outbound::Media(_)
        | Outbound::Location { .. }
        | Outbound::Contacts { .. }
        | Outbound::Reaction { .. }
        | Outbound::Template(_)
        | Outbound::Raw(_) => Value::Null,
    }
}

/// Header, text and footer.
type Texts<'a> = (Option<&'a Header>, Option<&'a String>, Option<&'a String>);

fn texts(
    Frame {
        header,
        body,
        footer,
    }: &Frame,
) -> Texts<'_> {
    (header.as_ref(), Some(body), footer.as_ref())
}

fn object(kind: &str, (header, body, footer): Texts<'_>, action: &Value) -> Value {
    let mut part = json!({ "type": kind, "action": action });
    match header {
        Some(Header::Text(text)) => put_header_text(&mut part, Some(text)),
        Some(Header::Media(media)) => part["header"] = media::typed(media),
        // Templates only; the limits are checked before.
        Some(Header::Place { .. }) | None => {}
    }
    if let Some(text) = body {
        part["body"] = json!({ "text": text });
    }
    if let Some(text) = footer {
        part["footer"] = json!({ "text": text });
    }
    part
}

fn put_header_text(part: &mut Value, text: Option<&str>) {
    if let Some(text) = text {
        part["header"] = json!({ "type": "text", "text": text });
    }
}

fn button(button: &Button) -> Value {
    json!({ "type": "reply", "reply": { "id": button.id, "title": button.title } })
}

fn section(section: &Section) -> Value {
    let rows: Vec<Value> = section.rows.iter().map(row).collect();
    let mut part = json!({ "rows": rows });
    put(&mut part, "title", section.title.as_deref());
    part
}

fn row(row: &Row) -> Value {
    let mut part = json!({ "id": row.id, "title": row.title });
    put(&mut part, "description", row.description.as_deref());
    part
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

fn commerce_part(commerce: &Commerce) -> Value {
    match commerce {
        Commerce::Product {
            body,
            footer,
            catalog_id,
            product_id,
        } => object(
            "product",
            (None, body.as_ref(), footer.as_ref()),
            &json!({ "catalog_id": catalog_id, "product_retailer_id": product_id }),
        ),
        Commerce::Products {
            header,
            body,
            footer,
            catalog_id,
            sections,
        } => {
            let sections: Vec<Value> = sections.iter().map(product_section).collect();
            let action = json!({ "catalog_id": catalog_id, "sections": sections });
            let texts = (None, Some(body), footer.as_ref());
            let mut part = object("product_list", texts, &action);
            put_header_text(&mut part, Some(header));
            part
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
            object("carousel", (None, Some(body), None), &action)
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
            object(
                "catalog_message",
                (None, Some(body), footer.as_ref()),
                &action,
            )
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
