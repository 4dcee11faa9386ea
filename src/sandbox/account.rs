//! The sandbox's business account: templates, profiles and connections, as account commands see
//! and change them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The WhatsApp Business Account that every number of the sandbox belongs to.
pub const WABA: &str = "102290129340398";

/// Templates, profiles and connections, as Graph and Maton write them.
#[derive(Clone, Debug)]
pub struct Account {
    /// Every template in every language, oldest first.
    pub templates: Vec<Value>,
    /// Profile of each business number, by its id.
    pub profiles: BTreeMap<String, Value>,
    /// Maton's connections, oldest first.
    pub connections: Vec<Value>,
    /// Every request of account commands: method, path and query.
    pub calls: Vec<String>,
    created: usize,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            templates: templates(),
            profiles: BTreeMap::new(),
            connections: vec![
                connection(1, "ACTIVE", "2026-01-05T09:00:00.000000Z"),
                connection(2, "FAILED", "2026-01-06T09:30:00.000000Z"),
            ],
            calls: Vec::new(),
            created: 0,
        }
    }
}

impl Account {
    /// Returns the number of the next created object; larger than those of the initial objects.
    pub(super) fn next_number(&mut self) -> usize {
        self.created += 1;
        100 + self.created
    }
}

/// Connection as Maton writes it; its URL holds a session token.
pub(super) fn connection(number: usize, status: &str, created: &str) -> Value {
    json!({
        "connection_id": format!("21fd90f9-0000-4000-8000-{number:012}"),
        "status": status,
        "creation_time": created,
        "last_updated_time": created,
        "url": format!("https://connect.maton.ai/?session_token=sandbox-session-{number}"),
        "app": "whatsapp-business",
        "method": "OAUTH2",
        "metadata": {},
    })
}

/// Initial templates: one of each kind that differs in its parameters.
fn templates() -> Vec<Value> {
    let template = |number: usize, name: &str, status: &str, category: &str, components: Value| {
        json!({
            "id": format!("700100{number:03}"),
            "name": name,
            "language": "en_US",
            "status": status,
            "category": category,
            "parameter_format": "POSITIONAL",
            "quality_score": { "score": "UNKNOWN", "date": 1_767_000_000 },
            "rejected_reason": "NONE",
            "components": components,
        })
    };
    let order = json!([
        { "type": "HEADER", "format": "TEXT", "text": "Your order" },
        { "type": "BODY", "text": "Hi {{1}}, your order {{2}} is on its way.",
          "example": { "body_text": [["Ana", "A-17"]] } },
        { "type": "FOOTER", "text": "Luna Bakery" },
        { "type": "BUTTONS", "buttons": [
            { "type": "URL", "text": "Track it", "url": "https://bakery.example/orders/{{1}}",
              "example": ["https://bakery.example/orders/A-17"] } ] },
    ]);
    let pickup = json!([
        { "type": "HEADER", "format": "IMAGE",
          "example": { "header_handle": ["https://scontent.whatsapp.net/cake.jpg"] } },
        { "type": "BODY", "text": "Hi {{name}}, your cake is ready on {{day}} at noon.",
          "example": { "body_text_named_params": [
            { "param_name": "name", "example": "Ana" }, { "param_name": "day", "example": "Monday" } ] } },
    ]);
    let offer = json!([
        { "type": "BODY", "text": "Two croissants for the price of one, until Sunday." },
        { "type": "FOOTER", "text": "You can stop this at any time" },
        { "type": "BUTTONS", "buttons": [
            { "type": "QUICK_REPLY", "text": "Keep one for me" },
            { "type": "QUICK_REPLY", "text": "Stop offers" } ] },
    ]);
    let prize = json!([{ "type": "BODY", "text": "You have won! Write back at once." }]);
    let mut pickup = template(2, "cake_ready", "APPROVED", "UTILITY", pickup);
    pickup["parameter_format"] = json!("NAMED");
    let mut offer = template(3, "weekend_offer", "APPROVED", "MARKETING", offer);
    offer["quality_score"]["score"] = json!("GREEN");
    let mut prize = template(4, "you_have_won", "REJECTED", "MARKETING", prize);
    prize["rejected_reason"] = json!("PROMOTIONAL");
    let order = template(1, "order_update", "APPROVED", "UTILITY", order);
    vec![order, pickup, offer, prize]
}
