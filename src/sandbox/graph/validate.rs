//! Graph's checks of a message.
//!
//! Written from Meta's documentation and not with [`crate::message::limits`], so that a mistake
//! there shows here. See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.

use serde_json::{Value, json};

use super::request::{options, recipient};
use super::response::Refusal;
use crate::sandbox::state::State;

type Checked = Result<(), Refusal>;

/// Checks a message as Graph does. `number` is the sending business number.
pub(super) fn validate(body: &Value, number: &str, state: &State) -> Checked {
    if body["messaging_product"] != "whatsapp" {
        return Err(Refusal::missing("messaging_product"));
    }
    if recipient(body).is_none_or(str::is_empty) {
        return Err(Refusal::new(131_008, "The parameter to is required."));
    }
    let kind = body["type"].as_str().unwrap_or("text");
    let content = &body[kind];
    if !content.is_object() && !content.is_array() {
        return Err(required(kind));
    }
    match kind {
        "text" => within(&content["body"], 4096, "text.body"),
        "interactive" => interactive(content, number, state),
        "image" | "video" | "audio" | "document" | "sticker" => {
            file(content, kind, number, state)?;
            optional(&content["caption"], 1024, "caption")
        }
        "location" => {
            coordinate(&content["latitude"], 90.0, "latitude")?;
            coordinate(&content["longitude"], 180.0, "longitude")
        }
        "contacts" => contacts(content),
        "reaction" => reaction(content, state),
        "template" => template(content, state),
        // Of a type that came later, only the object that it names is known.
        _ => Ok(()),
    }
}

fn invalid(details: impl Into<String>) -> Checked {
    Err(Refusal::new(131_009, details))
}

fn required(name: &str) -> Refusal {
    Refusal::new(131_008, format!("The parameter {name} is required."))
}

fn within(text: &Value, max: usize, name: &str) -> Checked {
    match text.as_str() {
        Some(text) if (1..=max).contains(&text.encode_utf16().count()) => Ok(()),
        _ => invalid(format!("{name} must have 1 to {max} characters.")),
    }
}

fn optional(text: &Value, max: usize, name: &str) -> Checked {
    if text.is_null() {
        Ok(())
    } else {
        within(text, max, name)
    }
}

fn count(list: &Value, min: usize, max: usize, name: &str) -> Checked {
    match list.as_array().map(Vec::len) {
        Some(count) if (min..=max).contains(&count) => Ok(()),
        _ => invalid(format!("There must be {min} to {max} {name}.")),
    }
}

/// Requires either `link` or `id`; an id must belong to a file of this number.
fn file(content: &Value, kind: &str, number: &str, state: &State) -> Checked {
    match (content["link"].as_str(), content["id"].as_str()) {
        (Some(link), None) if link.starts_with("https://") => Ok(()),
        (Some(_), None) => invalid(format!("{kind}.link is not https.")),
        (None, Some(id)) => {
            let known = state.file(id);
            let is_own = known.is_some_and(|file| file.phone_number_id == number);
            is_own.then_some(()).ok_or_else(Refusal::no_object)
        }
        _ => Err(required(&format!("{kind}.link or {kind}.id"))),
    }
}

fn interactive(content: &Value, number: &str, state: &State) -> Checked {
    let kind = content["type"].as_str().unwrap_or_default();
    let action = &content["action"];
    let header = &content["header"];
    match header["type"].as_str() {
        Some("text") => within(&header["text"], 60, "header.text")?,
        Some(media @ ("image" | "video" | "document")) => {
            if !matches!(kind, "button" | "cta_url" | "flow") {
                return invalid("The header must be a text.");
            }
            file(&header[media], media, number, state)?;
        }
        Some(_) => return invalid("The header type is not supported."),
        None => {}
    }
    if kind != "product" {
        within(&content["body"]["text"], 1024, "body.text")?;
    }
    optional(&content["footer"]["text"], 60, "footer.text")?;
    match kind {
        "button" => {
            count(&action["buttons"], 1, 3, "buttons")?;
            titles(content, 20)
        }
        "list" => {
            count(&action["sections"], 1, 10, "sections")?;
            within(&action["button"], 20, "action.button")?;
            titles(content, 24)?;
            count(&json!(vec![0; options(content, "").len()]), 1, 10, "rows")
        }
        "cta_url" => {
            let parameters = &action["parameters"];
            within(&parameters["display_text"], 20, "display_text")?;
            within(&parameters["url"], 2048, "url")
        }
        "location_request_message" => named(action, "send_location"),
        "request_contact_info" => named(action, "request_contact_info"),
        "flow" => form(&action["parameters"]),
        "product" => {
            within(&action["catalog_id"], 200, "catalog_id")?;
            within(&action["product_retailer_id"], 200, "product_retailer_id")
        }
        "product_list" => {
            within(&action["catalog_id"], 200, "catalog_id")?;
            within(&header["text"], 60, "header.text")?;
            count(&action["sections"], 1, 10, "sections")
        }
        "catalog_message" => named(action, "catalog_message"),
        "carousel" => carousel(&action["cards"], number, state),
        "" => invalid("interactive.type is required."),
        // Of a type that came later, only the parts that all have are known.
        _ => Ok(()),
    }
}

fn named(action: &Value, name: &str) -> Checked {
    if action["name"] == name {
        Ok(())
    } else {
        invalid(format!("action.name must be {name}."))
    }
}

fn titles(content: &Value, max: usize) -> Checked {
    for option in options(content, "") {
        within(&json!(option.title), max, "title")?;
    }
    Ok(())
}

fn form(parameters: &Value) -> Checked {
    if parameters["flow_message_version"] != "3" {
        return invalid("flow_message_version must be 3.");
    }
    if parameters["flow_id"].is_string() == parameters["flow_name"].is_string() {
        return invalid("One of flow_id and flow_name is required.");
    }
    let data = &parameters["flow_action_payload"]["data"];
    if data.as_object().is_some_and(serde_json::Map::is_empty) {
        return invalid("flow_action_payload.data must not be empty.");
    }
    within(&parameters["flow_cta"], 30, "flow_cta")
}

fn carousel(cards: &Value, number: &str, state: &State) -> Checked {
    count(cards, 2, 10, "cards")?;
    for (index, card) in cards.as_array().into_iter().flatten().enumerate() {
        if card["card_index"] != index {
            return invalid("card_index must count from 0.");
        }
        let header = &card["header"];
        match header["type"].as_str() {
            Some(media @ ("image" | "video")) => file(&header[media], media, number, state)?,
            _ => return Err(required("header")),
        }
        optional(&card["body"]["text"], 160, "body.text")?;
    }
    Ok(())
}

fn coordinate(value: &Value, max: f64, name: &str) -> Checked {
    let parsed = || value.as_str().and_then(|text| text.parse().ok());
    match value.as_f64().or_else(parsed) {
        Some(number) if number.abs() <= max => Ok(()),
        _ => invalid(format!("{name} is not valid.")),
    }
}

fn contacts(cards: &Value) -> Checked {
    count(cards, 1, 5, "contacts")?;
    for card in cards.as_array().into_iter().flatten() {
        within(&card["name"]["formatted_name"], 1000, "formatted_name")?;
        let parts = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
        if parts.iter().all(|part| card["name"][part].is_null()) {
            return Err(required("contacts.name.first_name"));
        }
    }
    Ok(())
}

fn reaction(content: &Value, state: &State) -> Checked {
    let message = content["message_id"].as_str().unwrap_or_default();
    if !state.knows(message) {
        return invalid("There is no such message.");
    }
    match content["emoji"].as_str() {
        Some(_) => Ok(()),
        None => Err(required("reaction.emoji")),
    }
}

/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
fn template(content: &Value, state: &State) -> Checked {
    within(&content["name"], 512, "template.name")?;
    within(&content["language"]["code"], 16, "template.language.code")?;
    let approved = state.account.templates.iter().find(|template| {
        template["name"] == content["name"]
            && template["language"] == content["language"]["code"]
            && template["status"] == "APPROVED"
    });
    let Some(approved) = approved else {
        let details = "Template name does not exist in the translation, or is not approved.";
        return Err(Refusal::new(132_001, details));
    };
    let part = |list: &Value, kind: &str| {
        let parts = list.as_array().into_iter().flatten();
        let mut of_kind = parts.filter(|part| part["type"] == kind);
        of_kind.next().cloned().unwrap_or_default()
    };
    let body = part(&approved["components"], "BODY");
    let text = body["text"].as_str().unwrap_or_default();
    let expected = text.matches("{{").count();
    let given = part(&content["components"], "body");
    let given = given["parameters"].as_array().map_or(0, Vec::len);
    if expected == given {
        return Ok(());
    }
    let details = format!(
        "body: number of localizable_params ({given}) does not match the expected number of params ({expected})"
    );
    Err(Refusal::new(132_000, details))
}
