//! The `template` object.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.

use serde_json::{Value, json};

use super::media;
use super::media::put;
use crate::message::{Header, TemplateButton, TemplateCard, TemplateMessage, TemplateParameter};

/// Builds the object.
pub(crate) fn part(template: &TemplateMessage) -> Value {
    let mut components = Vec::new();
    if let Some(header) = &template.header {
        let mut parameter = header_parameter(header);
        put(
            &mut parameter,
            "parameter_name",
            template.header_name.as_deref(),
        );
        components.push(json!({ "type": "header", "parameters": [parameter] }));
    }
    components.extend(body(&template.body));
    components.extend(template.buttons.iter().map(button));
    if !template.cards.is_empty() {
        let cards: Vec<Value> = template.cards.iter().enumerate().map(card).collect();
        components.push(json!({ "type": "carousel", "cards": cards }));
    }
    let mut part = json!({
        "name": template.name,
        "language": { "code": template.language },
    });
    if !components.is_empty() {
        part["components"] = Value::Array(components);
    }
    part
}

fn header_parameter(header: &Header) -> Value {
    match header {
        Header::Text(text) => json!({ "type": "text", "text": text }),
        Header::Media(media) => media::typed(media),
        Header::Place {
            latitude,
            longitude,
            name,
            address,
        } => json!({
            "type": "location",
            "location": {
                "latitude": latitude, "longitude": longitude, "name": name, "address": address,
            },
        }),
    }
}

fn body(parameters: &[TemplateParameter]) -> Option<Value> {
    let written = parameters.iter().map(|parameter| {
        let mut part = json!({ "type": "text", "text": parameter.text });
        if let Some(name) = &parameter.name {
            part["parameter_name"] = json!(name);
        }
        part
    });
    let written: Vec<Value> = written.collect();
    (!written.is_empty()).then(|| json!({ "type": "body", "parameters": written }))
}

fn button(button: &TemplateButton) -> Value {
    let (kind, index, parameter) = match button {
        TemplateButton::Payload(index, value) => (
            "quick_reply",
            index,
            json!({ "type": "payload", "payload": value }),
        ),
        TemplateButton::Url(index, value) => {
            ("url", index, json!({ "type": "text", "text": value }))
        }
        TemplateButton::Code(index, value) => (
            "copy_code",
            index,
            json!({ "type": "coupon_code", "coupon_code": value }),
        ),
        TemplateButton::Form(index, value) => (
            "flow",
            index,
            json!({ "type": "action", "action": { "flow_token": value } }),
        ),
    };
    // Meta requires the index as a string.
    json!({
        "type": "button",
        "sub_type": kind,
        "index": index.to_string(),
        "parameters": [parameter],
    })
}

fn card((index, card): (usize, &TemplateCard)) -> Value {
    let header = json!({ "type": "header", "parameters": [media::typed(&card.media)] });
    let components: Vec<Value> = std::iter::once(header)
        .chain(body(&card.body))
        .chain(card.buttons.iter().map(button))
        .collect();
    json!({ "card_index": index, "components": components })
}
