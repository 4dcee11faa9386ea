//! Steps of a purchase inside a chat: the form for an address, the order to pay, and its state.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Frame, Json};

/// Message of a purchase, whose parameters are in Meta's own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkout<T = String> {
    /// Step of the purchase.
    pub step: CheckoutStep,
    /// Header, text and footer.
    #[serde(flatten)]
    pub frame: Frame<T>,
    /// `action.parameters` of the request.
    pub parameters: Json<T>,
}

/// Steps of a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStep {
    /// Form for a postal address, in India only. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/address-messages>.
    AddressMessage,
    /// Order with its price, to be paid, in India and Brazil only. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-br/orders>.
    OrderDetails,
    /// New state of an order that was sent before, described on the same page.
    OrderStatus,
}

impl CheckoutStep {
    /// Every step with Meta's name of the message and of its action.
    pub const ALL: [(&'static str, &'static str, Self); 3] = [
        ("address_message", "address_message", Self::AddressMessage),
        ("order_details", "review_and_pay", Self::OrderDetails),
        ("order_status", "review_order", Self::OrderStatus),
    ];

    /// Returns the step of a message's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let step = Self::ALL.iter().find(|(known, ..)| *known == name);
        step.map(|(.., step)| *step)
    }

    /// Returns Meta's name of the message.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns Meta's name of the action.
    #[must_use]
    pub fn action(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Whether Meta takes a number under `key` of the object `parent`.
    pub(crate) fn takes_number(self, parent: &str, key: &str) -> bool {
        match key {
            "value" | "offset" | "quantity" => self != Self::AddressMessage,
            "timestamp" => parent == "payment",
            _ => false,
        }
    }
}

impl Checkout {
    /// Returns the parameters with numbers in the places where Meta takes numbers: texts with
    /// variables come out as texts.
    #[must_use]
    pub fn wire_parameters(&self) -> Value {
        let mut parameters = json!(self.parameters);
        self.put_numbers("", &mut parameters);
        parameters
    }

    fn put_numbers(&self, parent: &str, value: &mut Value) {
        match value {
            Value::Object(keys) => {
                // What a payment service is told has keys of its own.
                let keys = keys
                    .iter_mut()
                    .filter(|(key, _)| *key != "payment_settings");
                for (key, value) in keys {
                    let number = value.as_str().and_then(whole_number);
                    match number.filter(|_| self.step.takes_number(parent, key)) {
                        Some(number) => *value = json!(number),
                        // A time that is a text, of digits.
                        None if parent == "expiration" && value.is_number() => {
                            *value = json!(value.to_string());
                        }
                        None => self.put_numbers(key, value),
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.put_numbers(parent, element);
                }
            }
            _ => {}
        }
    }
}

/// Reads a whole number as templates write it: `1250`, `1250.0`, and `2898.9999999999995` for
/// 28.99 times 100.
#[must_use]
pub fn whole_number(text: &str) -> Option<i64> {
    const NOISE: f64 = 1e-6;
    const MAX: f64 = 9e15;

    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    let whole = number.round();
    let is_whole = (number - whole).abs() < NOISE && whole.abs() < MAX;
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    is_whole.then_some(whole as i64)
}

#[cfg(test)]
mod tests {
    use super::whole_number;

    #[test]
    fn numbers_are_whole_or_nearly() {
        for (text, number) in [
            ("1250", Some(1250)),
            (" 1250.0 ", Some(1250)),
            ("2898.9999999999995", Some(2899)),
            ("-3", Some(-3)),
            ("12.5", None),
            ("1e300", None),
            ("NaN", None),
            ("inf", None),
            ("", None),
            ("€ 12", None),
        ] {
            assert_eq!(whole_number(text), number, "{text}");
        }
    }
}
