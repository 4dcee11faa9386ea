//! Contact cards, inbound and outbound.

use serde::{Deserialize, Serialize};

/// Entry of an address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCard<T = String> {
    /// Displayed name.
    pub name: T,
    /// First name. Meta requires at least one part of the name.
    pub first_name: Option<T>,
    /// Last name.
    pub last_name: Option<T>,
    /// Middle name.
    pub middle_name: Option<T>,
    /// Title before the name: "Dr".
    pub prefix: Option<T>,
    /// Addition behind the name: "Jr".
    pub suffix: Option<T>,
    /// Employer.
    pub company: Option<T>,
    /// Department of the employer.
    pub department: Option<T>,
    /// Position at the employer.
    pub title: Option<T>,
    /// Birthday, `2026-12-31`.
    pub birthday: Option<T>,
    /// Phone numbers, in order.
    pub phones: Vec<Phone<T>>,
    /// Email addresses, in order.
    pub emails: Vec<Email<T>>,
    /// Web pages, in order.
    pub urls: Vec<T>,
    /// Postal addresses, in order.
    #[serde(default = "Vec::new")]
    pub addresses: Vec<Address<T>>,
}

/// Postal address on a card. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/contacts-messages>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address<T = String> {
    /// Street and number.
    pub street: Option<T>,
    /// City.
    pub city: Option<T>,
    /// State or region.
    pub state: Option<T>,
    /// Postal code.
    pub zip: Option<T>,
    /// Country.
    pub country: Option<T>,
    /// Country in two letters.
    pub country_code: Option<T>,
    /// `WORK`, `HOME` and the like.
    pub kind: Option<String>,
}

impl ContactCard {
    /// Puts a missing whole name together of its parts:
    /// phones send cards without a whole name.
    #[must_use]
    pub fn with_name(mut self) -> Self {
        if self.name.trim().is_empty() {
            let parts = [
                &self.prefix,
                &self.first_name,
                &self.middle_name,
                &self.last_name,
                &self.suffix,
            ];
            let parts = parts.into_iter().flatten().map(|part| part.trim());
            let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
            self.name = parts.join(" ");
        }
        self
    }
}

/// Phone number on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone<T = String> {
    /// Displayed number.
    pub phone: T,
    /// `CELL`, `WORK` and the like.
    pub kind: Option<String>,
    /// Digits of the `WhatsApp` account; they change the button "Invite" into "Message".
    pub wa_id: Option<T>,
}

/// Email address on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email<T = String> {
    /// Displayed address.
    pub email: T,
    /// `WORK`, `HOME` and the like.
    pub kind: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::ContactCard;

    #[test]
    fn a_card_is_called_by_the_parts_of_its_name_when_it_has_no_whole_one() {
        let text = |text: &str| Some(text.to_owned());
        let parts = ContactCard {
            prefix: text("Dr"),
            last_name: text("Li"),
            middle_name: text(" "),
            ..ContactCard::default()
        };
        let whole = ContactCard {
            name: "Bo".to_owned(),
            ..parts.clone()
        };

        assert_eq!(parts.with_name().line(), "[contact] Dr Li");
        assert_eq!(whole.with_name().name, "Bo");
    }
}
