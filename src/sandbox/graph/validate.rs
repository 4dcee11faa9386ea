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
            if is_own {
                Ok(())
            } else {
                invalid(format!("{kind}.id is no file of this number."))
            }
        }
        _ => Err(required(&format!("{kind}.link or {kind}.id"))),
    }
}

/// Types of interactive messages that may have a file above their text.
const WITH_FILE: [&str; 6] = [
    "button",
    "cta_url",
    "flow",
    "address_message",
    "order_details",
    "order_status",
];

fn interactive(content: &Value, number: &str, state: &State) -> Checked {
    let kind = content["type"].as_str().unwrap_or_default();
    let action = &content["action"];
    let header = &content["header"];
    match header["type"].as_str() {
        Some("text") => within(&header["text"], 60, "header.text")?,
        Some(media @ ("image" | "video" | "document")) => {
            if !WITH_FILE.contains(&kind) {
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
        "address_message" => {
            named(action, "address_message")?;
            within(&action["parameters"]["country"], 2, "country")
        }
        "order_details" => {
            named(action, "review_and_pay")?;
            order_details(&action["parameters"])
        }
        "order_status" => {
            named(action, "review_order")?;
            order_status(&action["parameters"])
        }
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
        if card["type"] == "product" {
            product_card(&card["action"], &cards[0]["action"])?;
            continue;
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

/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/interactive-product-carousel-messages>.
fn product_card(action: &Value, first: &Value) -> Checked {
    within(&action["product_retailer_id"], 200, "product_retailer_id")?;
    within(&action["catalog_id"], 200, "catalog_id")?;
    if action["catalog_id"] == first["catalog_id"] {
        Ok(())
    } else {
        invalid("All cards must have the same catalog_id.")
    }
}

/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-br/orders>.
fn order_details(parameters: &Value) -> Checked {
    within(&parameters["reference_id"], 60, "reference_id")?;
    within(&parameters["currency"], 3, "currency")?;
    one_of(
        &parameters["type"],
        &["digital-goods", "physical-goods"],
        "type",
    )?;
    amount(&parameters["total_amount"], "total_amount")?;
    let order = &parameters["order"];
    if order.is_null() {
        return Ok(());
    }
    one_of(&order["status"], &["pending"], "order.status")?;
    amount(&order["subtotal"], "order.subtotal")?;
    for item in order["items"].as_array().into_iter().flatten() {
        within(&item["name"], 60, "items.name")?;
        amount(&item["amount"], "items.amount")?;
        if !item["quantity"].is_i64() {
            return Err(required("items.quantity"));
        }
    }
    let part = |name: &str| order[name]["value"].as_i64().unwrap_or_default();
    let sum = part("subtotal") + part("tax") + part("shipping") - part("discount");
    if parameters["total_amount"]["value"] == sum {
        Ok(())
    } else {
        invalid("total_amount does not match the sum of the order.")
    }
}

fn order_status(parameters: &Value) -> Checked {
    const STATES: [&str; 6] = [
        "pending",
        "processing",
        "partially_shipped",
        "shipped",
        "completed",
        "canceled",
    ];
    within(&parameters["reference_id"], 60, "reference_id")?;
    if let Some(order) = parameters.get("order") {
        one_of(&order["status"], &STATES, "order.status")?;
        optional(&order["description"], 120, "order.description")?;
    }
    if let Some(payment) = parameters.get("payment") {
        let states = ["pending", "captured", "failed"];
        one_of(&payment["status"], &states, "payment.status")?;
    }
    Ok(())
}

fn amount(amount: &Value, name: &str) -> Checked {
    if amount["value"].is_i64() && amount["offset"].is_i64() {
        Ok(())
    } else {
        Err(required(name))
    }
}

fn one_of(value: &Value, words: &[&str], name: &str) -> Checked {
    match value.as_str() {
        Some(word) if words.contains(&word) => Ok(()),
        _ => invalid(format!("{name} must be one of {}.", words.join(", "))),
    }
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
    for component in content["components"].as_array().into_iter().flatten() {
        component_parameters(component)?;
        for card in component["cards"].as_array().into_iter().flatten() {
            for component in card["components"].as_array().into_iter().flatten() {
                component_parameters(component)?;
            }
        }
    }
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

/// Checks the values of one part of a template.
fn component_parameters(component: &Value) -> Checked {
    for parameter in component["parameters"].as_array().into_iter().flatten() {
        let kind = parameter["type"].as_str().unwrap_or_default();
        let value = &parameter[kind];
        let is_button = component["type"] == "button";
        let text = match kind {
            "currency" | "date_time" => &value["fallback_value"],
            "text" => value,
            "limited_time_offer" if value["expiration_time_ms"].is_i64() => continue,
            "limited_time_offer" => return Err(required("expiration_time_ms")),
            "action" if component["sub_type"] == "mpm" => {
                within(&value["thumbnail_product_retailer_id"], 200, "thumbnail")?;
                count(&value["sections"], 1, 10, "sections")?;
                continue;
            }
            _ => continue,
        };
        within(text, if is_button { 2048 } else { 1024 }, "parameter")?;
        let text = text.as_str().unwrap_or_default();
        if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
            let details =
                "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
            return Err(Refusal::new(132_018, details));
        }
        if kind == "currency" && !value["amount_1000"].is_i64() {
            return Err(required("currency.amount_1000"));
        }
    }
    Ok(())
}
