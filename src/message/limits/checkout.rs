//! Limits of purchases inside a chat: addresses, orders to pay and their states.
//!
//! Each step has a table of places with what Meta takes there; keys that no table names are passed
//! on unchecked. See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-br/orders>,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-in/pg>
//! and
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/address-messages>.

use serde_json::Value;

use super::ViolationKind::{Misplaced, Missing, TooMuch};
use super::{Checker, length};
use crate::message::{Checkout, CheckoutStep};

/// Characters of the reference of an order in India, and of that in Brazil.
const REFERENCE_MAX: usize = 35;
const REFERENCE_MAX_BRAZIL: usize = 60;

/// What Meta takes in one place.
enum Takes {
    /// Object.
    Table,
    /// List.
    List,
    /// Text of at most this many characters.
    Text(usize),
    /// One of some words.
    Word(&'static [&'static str]),
    /// This many capital letters.
    Capitals(usize),
    /// Whole number from this one on.
    Number(i64),
    /// Text of digits: a time in seconds since 1970.
    Digits,
    /// Letters, digits, `_`, `-` and `.`.
    Reference,
}

/// Whether a place must be filled where the object around it is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

use Presence::{Optional, Required};
use Takes::{Capitals, Digits, List, Number, Reference, Table, Text, Word};

/// Place in the parameters, its keys with dots between, `[]` for each element of a list.
type Place = (&'static str, Presence, Takes);

const ADDRESS: &[Place] = &[
    ("country", Required, Capitals(2)),
    ("values", Optional, Table),
    ("validation_errors", Optional, Table),
    ("saved_addresses", Optional, List),
    ("values.in_pin_code", Optional, Text(6)),
    ("saved_addresses[].id", Required, Text(256)),
    ("saved_addresses[].value", Required, Table),
    ("saved_addresses[].value.in_pin_code", Optional, Text(6)),
];
const ORDER: &[Place] = &[
    ("reference_id", Required, Reference),
    ("type", Required, Word(&["digital-goods", "physical-goods"])),
    ("currency", Required, Capitals(3)),
    ("total_amount", Required, Table),
    ("total_amount.value", Required, Number(1)),
    ("total_amount.offset", Required, Number(1)),
    ("payment_type", Optional, Text(60)),
    ("payment_configuration", Optional, Text(60)),
    ("payment_settings", Optional, List),
    ("beneficiaries", Optional, List),
    ("order", Optional, Table),
    ("order.status", Required, Word(&["pending"])),
    ("order.items", Required, List),
    ("order.items[].name", Required, Text(60)),
    ("order.items[].quantity", Required, Number(1)),
    ("order.items[].amount", Required, Table),
    ("order.items[].amount.value", Required, Number(0)),
    ("order.items[].amount.offset", Required, Number(1)),
    ("order.items[].sale_amount.value", Required, Number(0)),
    ("order.items[].sale_amount.offset", Required, Number(1)),
    ("order.subtotal", Required, Table),
    ("order.subtotal.value", Required, Number(0)),
    ("order.subtotal.offset", Required, Number(1)),
    ("order.tax.value", Required, Number(0)),
    ("order.tax.offset", Required, Number(1)),
    ("order.tax.description", Optional, Text(60)),
    ("order.shipping.value", Required, Number(0)),
    ("order.shipping.offset", Required, Number(1)),
    ("order.shipping.description", Optional, Text(60)),
    ("order.discount.value", Required, Number(0)),
    ("order.discount.offset", Required, Number(1)),
    ("order.discount.description", Optional, Text(60)),
    ("order.discount.discount_program_name", Optional, Text(60)),
    ("order.expiration.timestamp", Required, Digits),
    ("order.expiration.description", Required, Text(120)),
];
const STATUS: &[Place] = &[
    ("reference_id", Required, Reference),
    ("order", Optional, Table),
    ("payment", Optional, Table),
    (
        "order.status",
        Required,
        Word(&[
            "pending",
            "processing",
            "partially_shipped",
            "shipped",
            "completed",
            "canceled",
        ]),
    ),
    ("order.description", Optional, Text(120)),
    (
        "payment.status",
        Required,
        Word(&["pending", "captured", "failed"]),
    ),
    ("payment.timestamp", Optional, Number(0)),
];

impl Checker {
    pub(super) fn checkout(&mut self, checkout: &Checkout) {
        let (name, places) = match checkout.step {
            CheckoutStep::AddressMessage => ("text above an address", ADDRESS),
            CheckoutStep::OrderDetails => ("text above an order", ORDER),
            CheckoutStep::OrderStatus => ("text above the state of an order", STATUS),
        };
        self.frame(&checkout.frame, name);
        let step = checkout.step.name();
        let parameters = checkout.wire_parameters();
        for (path, presence, takes) in places {
            visit(&parameters, path, step, &mut |part, value| {
                self.place_in_order(part, value, (*presence, takes));
            });
        }
        if checkout.step == CheckoutStep::OrderDetails {
            let is_brazil = parameters["payment_type"] == "br";
            let max = if is_brazil {
                REFERENCE_MAX_BRAZIL
            } else {
                REFERENCE_MAX
            };
            let reference = parameters["reference_id"].as_str().unwrap_or_default();
            self.at_most_characters(format!("{step}.reference_id"), reference, max);
            self.sums(&parameters);
        }
    }

    /// Checks what stands in one place; null is nothing.
    fn place_in_order(
        &mut self,
        part: String,
        value: &Value,
        (presence, takes): (Presence, &Takes),
    ) {
        let key = part.rsplit('.').next().unwrap_or_default().to_owned();
        if value.is_null() {
            if presence == Required {
                self.report(Missing, part, format!("`{key}` is missing"));
            }
            return;
        }
        let expected = match takes {
            Table if value.is_object() => return,
            Table => "a table".to_owned(),
            List if value.is_array() => return,
            List => "a list".to_owned(),
            Text(max) => match value.as_str() {
                Some(text) => return self.at_most_characters(part, text, *max),
                None => "a text".to_owned(),
            },
            Word(words) if value.as_str().is_some_and(|word| words.contains(&word)) => return,
            Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                words.join(" or ")
            }
            Capitals(count) if value.as_str().is_some_and(|code| is_code(code, *count)) => return,
            Capitals(count) => format!("{count} capital letters"),
            Number(min) if value.as_i64().is_some_and(|number| number >= *min) => return,
            Number(min) => format!("a whole number from {min} on"),
            Digits if value.as_str().is_some_and(is_digits) => return,
            Digits => "a time in seconds since 1970".to_owned(),
            Reference => match value.as_str() {
                Some(text) if is_reference(text) => {
                    return self.at_most_characters(part, text, REFERENCE_MAX_BRAZIL);
                }
                _ => "letters a-z, digits, `_`, `-` and `.`".to_owned(),
            },
        };
        self.report(Misplaced, part, format!("`{key}` takes {expected}"));
    }

    fn at_most_characters(&mut self, part: String, text: &str, max: usize) {
        let length = length(text);
        if length > max {
            let key = part.rsplit('.').next().unwrap_or_default();
            let message =
                format!("`{key}` has {length} characters, but WhatsApp takes at most {max}");
            self.report(TooMuch, part, message);
        }
    }

    /// Checks that the amounts add up, where all of them are numbers.
    fn sums(&mut self, parameters: &Value) {
        const PART: &str = "order_details.total_amount";

        let order = &parameters["order"];
        let amount = |name: &str| match &order[name] {
            Value::Null => Some(0),
            amount => amount["value"].as_i64(),
        };
        let Some(subtotal) = order["subtotal"]["value"].as_i64() else {
            return;
        };
        if let Some(items) = order["items"].as_array() {
            let of_items = items.iter().try_fold(0_i64, |sum, item| {
                let price = item.get("sale_amount").unwrap_or(&item["amount"]);
                let price = price["value"].as_i64()?;
                sum.checked_add(price.checked_mul(item["quantity"].as_i64()?)?)
            });
            if of_items.is_some_and(|sum| sum != subtotal) {
                let message = "`subtotal` is not the sum of the items";
                let help =
                    Some("each item counts with its `sale_amount` or `amount`, times `quantity`");
                self.report_with_help(Misplaced, PART, message, help);
            }
        }
        let parts = (amount("tax"), amount("shipping"), amount("discount"));
        if let (Some(tax), Some(shipping), Some(discount)) = parts
            && let Some(total) = parameters["total_amount"]["value"].as_i64()
            && i128::from(total)
                != i128::from(subtotal) + i128::from(tax) + i128::from(shipping)
                    - i128::from(discount)
        {
            let message = "`total_amount` is not `subtotal` + `tax` + `shipping` - `discount`";
            self.report(Misplaced, PART, message);
        }
    }
}

/// Calls `found` with each value under a path, null if it is missing; nothing if the object around
/// it is missing.
fn visit(value: &Value, path: &str, part: &str, found: &mut dyn FnMut(String, &Value)) {
    let (step, rest) = match path.split_once('.') {
        Some((step, rest)) => (step, Some(rest)),
        None => (path, None),
    };
    let key = step.trim_end_matches("[]");
    let child = &value[key];
    let part = format!("{part}.{key}");
    match rest {
        None => found(part, child),
        Some(rest) if key == step => {
            if child.is_object() {
                visit(child, rest, &part, found);
            }
        }
        Some(rest) => {
            for (index, element) in child.as_array().into_iter().flatten().enumerate() {
                visit(element, rest, &format!("{part}[{index}]"), found);
            }
        }
    }
}

fn is_code(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_reference(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::message::Outbound;
    use crate::message::limits::violations;

    /// Parts of a step of a purchase that break a limit.
    fn broken(step: &str, parameters: &Value) -> Vec<String> {
        let message = json!({ "checkout": {
            "step": step, "header": null, "body": "Text", "footer": null, "parameters": parameters,
        } });
        let message: Outbound = serde_json::from_value(message).unwrap();
        let violations = violations(&message).into_iter();
        violations
            .map(|violation| format!("{} {:?}", violation.part, violation.kind))
            .collect()
    }

    fn order() -> Value {
        json!({ "reference_id": "a", "type": "digital-goods", "currency": "INR",
            "total_amount": { "value": "90", "offset": 100 },
            "order": { "status": "pending", "subtotal": { "value": 100, "offset": 100 },
                "tax": { "value": 5, "offset": 100 }, "discount": { "value": 15, "offset": 100 },
                "items": [{ "name": "Cake", "quantity": "2", "amount": { "value": 60, "offset": 100 },
                    "sale_amount": { "value": 50, "offset": 100 } }] } })
    }

    #[test]
    fn an_order_is_as_meta_takes_it() {
        assert_eq!(broken("order_details", &order()), Vec::<String>::new());
        for (place, value, expected) in [
            ("/reference_id", json!("x".repeat(35)), None),
            (
                "/reference_id",
                json!("x".repeat(36)),
                Some("reference_id TooMuch"),
            ),
            ("/reference_id", json!("é"), Some("reference_id Misplaced")),
            ("/reference_id", Value::Null, Some("reference_id Missing")),
            ("/currency", json!("inr"), Some("currency Misplaced")),
            (
                "/total_amount/value",
                json!(91),
                Some("total_amount Misplaced"),
            ),
            (
                "/total_amount/value",
                json!("9x"),
                Some("total_amount.value Misplaced"),
            ),
            (
                "/order/items/0/quantity",
                json!(3),
                Some("total_amount Misplaced"),
            ),
            (
                "/order/items/0/name",
                json!("x".repeat(61)),
                Some("order.items[0].name TooMuch"),
            ),
            ("/order/items", json!({}), Some("order.items Misplaced")),
            ("/order", Value::Null, None),
        ] {
            let mut order = order();
            *order.pointer_mut(place).unwrap() = value;
            let expected: Vec<String> = expected
                .map(|part| format!("order_details.{part}"))
                .into_iter()
                .collect();
            assert_eq!(broken("order_details", &order), expected, "{place}");
        }
        let mut brazil = order();
        brazil["payment_type"] = json!("br");
        brazil["reference_id"] = json!("x".repeat(60));
        assert_eq!(broken("order_details", &brazil), Vec::<String>::new());
    }

    #[test]
    fn states_and_addresses_are_as_meta_takes_them() {
        for (step, parameters, expected) in [
            (
                "order_status",
                json!({ "reference_id": "a", "payment": { "status": "captured", "timestamp": "17" } }),
                "",
            ),
            (
                "order_status",
                json!({ "reference_id": "a", "order": { "status": "lost" } }),
                "order_status.order.status Misplaced",
            ),
            (
                "order_status",
                json!({ "order": { "status": "shipped" } }),
                "order_status.reference_id Missing",
            ),
            (
                "address_message",
                json!({ "country": "IN", "values": { "in_pin_code": "400063" } }),
                "",
            ),
            (
                "address_message",
                json!({ "country": "IN", "values": { "in_pin_code": "4000631" } }),
                "address_message.values.in_pin_code TooMuch",
            ),
            (
                "address_message",
                json!({ "country": "IN", "saved_addresses": [{ "id": "a" }] }),
                "address_message.saved_addresses[0].value Missing",
            ),
        ] {
            assert_eq!(broken(step, &parameters).join(" "), expected);
        }
    }
}
