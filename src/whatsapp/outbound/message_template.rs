//! The `template` object.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.

use serde_json::{Value, json};

use super::media::put;
use super::{interactive, media};
use crate::message::{
    Header, Localized, TemplateButton, TemplateCard, TemplateMessage, TemplateParameter,
    whole_number,
};

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
    components.extend(template.offer_expiration_ms.as_deref().map(offer));
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
        let mut part = value(parameter);
        if let Some(name) = &parameter.name {
            part["parameter_name"] = json!(name);
        }
        part
    });
    let written: Vec<Value> = written.collect();
    (!written.is_empty()).then(|| json!({ "type": "body", "parameters": written }))
}

fn value(parameter: &TemplateParameter) -> Value {
    let text = &parameter.text;
    match &parameter.localized {
        None => json!({ "type": "text", "text": text }),
        Some(Localized::Currency { code, amount_1000 }) => json!({
            "type": "currency",
            "currency": {
                "fallback_value": text, "code": code, "amount_1000": number(amount_1000),
            },
        }),
        Some(Localized::DateTime) => {
            json!({ "type": "date_time", "date_time": { "fallback_value": text } })
        }
    }
}

/// Returns the number in a text. The limits are checked before: a text without one stays a text,
/// which Meta refuses.
fn number(text: &str) -> Value {
    whole_number(text).map_or_else(|| json!(text), |number| json!(number))
}

/// Builds the end of a limited-time offer. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/limited-time-offer-templates>.
fn offer(expiration_ms: &str) -> Value {
    let end = json!({ "expiration_time_ms": number(expiration_ms) });
    let parameter = json!({ "type": "limited_time_offer", "limited_time_offer": end });
    json!({ "type": "limited_time_offer", "parameters": [parameter] })
}

fn action(action: &Value) -> Value {
    json!({ "type": "action", "action": action })
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
        TemplateButton::Form(index, token, data) => {
            let mut form = json!({ "flow_token": token });
            for (name, value) in data {
                form["flow_action_data"][name] = json!(value);
            }
            ("flow", index, action(&form))
        }
        // Meta writes this one in capitals.
        TemplateButton::Catalog(index, product) => (
            "CATALOG",
            index,
            action(&json!({ "thumbnail_product_retailer_id": product })),
        ),
        TemplateButton::Products(index, list) => {
            let sections = list.sections.iter().map(interactive::product_section);
            let shown = json!({
                "thumbnail_product_retailer_id": list.thumbnail,
                "sections": sections.collect::<Vec<_>>(),
            });
            ("mpm", index, action(&shown))
        }
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
