//! Senders and recipients of updates, and parts that several kinds of updates share.

use std::cell::Cell;

use serde_json::value::RawValue;

use crate::message::{GraphError, Identity, Profile, UserId, WaId};
use crate::whatsapp::bounds::ERRORS_MAX;
use crate::whatsapp::raw_json::{FieldError, Object, elements};

/// Upper bound of message ids; `WhatsApp` is known to use a few hundred bytes.
pub(crate) const WAMID_MAX_BYTES: usize = 512;
/// Upper bound of user ids: a country, a dot and up to 128 characters; parent ids are slightly
/// longer.
pub(crate) const USER_ID_MAX_BYTES: usize = 256;
/// Upper bound of phone numbers: 15 digits by E.164, and some more for other ids written like one.
const WA_ID_MAX_BYTES: usize = 32;

/// Card of `contacts[]`: ids and profile of one contact.
pub(crate) struct Card<'a> {
    /// As received.
    pub(crate) raw: &'a RawValue,
    wa_id: Option<String>,
    user_id: Option<String>,
    profile: Profile,
    is_used: Cell<bool>,
}

impl<'a> Card<'a> {
    /// Reads the parts that are readable; without its card, a message only lacks the profile.
    pub(crate) fn read(raw: &'a RawValue) -> Self {
        let card = Object::from_raw(raw);
        let card = card.as_ref();
        let profile = card.and_then(|card| card.optional_object("profile"));
        let text = |name: &str| profile.as_ref()?.optional_text(name);
        let id = |name: &str| card?.id(name, USER_ID_MAX_BYTES).ok().flatten();
        let (phone, user_id) = split(id("wa_id"), id("user_id"));
        Self {
            raw,
            is_used: Cell::new(false),
            wa_id: phone.ok().flatten(),
            user_id,
            profile: Profile {
                name: text("name"),
                username: text("username")
                    .map(|name| name.trim_start_matches('@').to_owned())
                    .filter(|name| !name.is_empty()),
            },
        }
    }

    /// Whether the card has named the contact of an update.
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.get()
    }
}

/// Resolves the contact that two fields of an update name. The ids in the update take precedence; a
/// card that shares one of them supplies the other.
pub(crate) fn sender_or_recipient(
    update: &Object<'_>,
    phone_field: &str,
    user_field: &str,
    cards: &[Card<'_>],
) -> Result<(Identity, Profile), FieldError> {
    let phone = update.id(phone_field, USER_ID_MAX_BYTES);
    let user_id = update.id(user_field, USER_ID_MAX_BYTES);
    // An unreadable id counts only where no other one names the contact.
    let (phone, user_id) = match (phone, user_id) {
        (Ok(Some(phone)), user_id) => (Some(phone), user_id.ok().flatten()),
        (phone, Ok(Some(user_id))) => (phone.ok().flatten(), Some(user_id)),
        (phone, user_id) => (phone?, user_id?),
    };
    let (phone, user_id) = split(phone, user_id);
    let phone = match phone {
        Err(NotAPhone) if user_id.is_none() => {
            return Err(FieldError::new(phone_field, "is not a phone number"));
        }
        phone => phone.ok().flatten(),
    };
    let card = card_of(phone.as_deref(), user_id.as_deref(), cards);
    let wa_id = phone.or_else(|| card?.wa_id.clone());
    let user_id = user_id.or_else(|| card?.user_id.clone());
    let identity = identity(wa_id, user_id)
        .ok_or_else(|| FieldError::new(phone_field, "is missing, and the user id too"))?;
    let profile = card.map(|card| {
        card.is_used.set(true);
        card.profile.clone()
    });
    Ok((identity, profile.unwrap_or_default()))
}

/// Builds an identity from ids that may be missing, empty or malformed.
pub(crate) fn identity(phone: Option<String>, user_id: Option<String>) -> Option<Identity> {
    let (phone, user_id) = split(phone, user_id);
    let phone = phone.ok().flatten();
    let user_id = user_id.filter(|id| id.len() <= USER_ID_MAX_BYTES);
    Identity::from_parts(phone.and_then(WaId::parse), user_id.and_then(UserId::parse))
}

/// A field for phone numbers holds something else.
struct NotAPhone;

/// Separates the two ids of a contact. The field of the phone number may hold a user id, when the
/// contact hides the number. The field of the user id takes precedence.
fn split(
    phone: Option<String>,
    user_id: Option<String>,
) -> (Result<Option<String>, NotAPhone>, Option<String>) {
    let Some(written) = phone else {
        return (Ok(None), user_id);
    };
    if UserId::is_one(&written) {
        return (Ok(None), user_id.or(Some(written)));
    }
    let phone = phone_digits(&written);
    (phone.map(Some).ok_or(NotAPhone), user_id)
}

/// Returns the digits of a phone number: Meta writes nothing else, relays also a plus, two zeros, and
/// marks between groups of digits.
pub(crate) fn phone_digits(written: &str) -> Option<String> {
    let is_mark = |letter: char| letter.is_whitespace() || "()-./".contains(letter);
    let written = written.replace(is_mark, "");
    let international = written.strip_prefix("00").filter(|rest| !rest.is_empty());
    let digits = written.strip_prefix('+').or(international);
    let digits = digits.unwrap_or(&written);
    let is_phone = !digits.is_empty() && digits.len() <= WA_ID_MAX_BYTES && is_digits(digits);
    is_phone.then(|| digits.to_owned())
}

/// Whether a contact's number is the business number itself, which is written in any usual way and
/// spelling.
pub(crate) fn is_number_itself(sender: &Identity, display_phone_number: Option<&str>) -> bool {
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let display = display_phone_number.map(digits).and_then(WaId::parse);
    match (sender.wa_id(), display) {
        (Some(wa_id), Some(display)) => wa_id.shortest() == display.shortest(),
        _ => false,
    }
}

fn card_of<'c, 'a>(
    from: Option<&str>,
    user_id: Option<&str>,
    cards: &'c [Card<'a>],
) -> Option<&'c Card<'a>> {
    let by_user_id = || {
        let wanted = user_id?;
        let is = |card: &&Card<'_>| card.user_id.as_deref() == Some(wanted);
        cards.iter().find(is)
    };
    let by_wa_id = || {
        let wanted = WaId::parse(from?)?.shortest();
        let is_wanted = |wa_id: &str| WaId::parse(wa_id).is_some_and(|id| id.shortest() == wanted);
        // A card with another user id belongs to another contact, even with the same number.
        let is = |card: &&Card<'_>| {
            card.wa_id.as_deref().is_some_and(is_wanted)
                && (user_id.is_none()
                    || card.user_id.is_none()
                    || card.user_id.as_deref() == user_id)
        };
        cards.iter().find(is)
    };
    match (from, user_id, cards) {
        // Without any id, the only card must be the contact's.
        (None, None, [only]) => Some(only),
        _ => by_user_id().or_else(by_wa_id),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads `errors[]` up to [`ERRORS_MAX`]; unreadable elements are left out. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/errors>.
pub(crate) fn errors(update: &Object<'_>) -> Vec<GraphError> {
    let listed = update.get("errors").and_then(elements).unwrap_or_default();
    let read = listed.into_iter().filter_map(graph_error);
    read.take(ERRORS_MAX).collect()
}

fn graph_error(raw: &RawValue) -> Option<GraphError> {
    let error = Object::from_raw(raw)?;
    let title = error.optional_text("title");
    let data = error.optional_object("error_data");
    Some(GraphError {
        code: error.number("code").ok()?,
        subcode: error.number("error_subcode").ok(),
        title: title.or_else(|| error.optional_text("message")),
        details: data.and_then(|data| data.optional_text("details")),
    })
}
