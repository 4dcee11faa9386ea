//! Who a body speaks of: cards, senders, recipients. And the small parts that many updates share.

use serde_json::value::RawValue;

use super::raw_json::{Object, Wrong, elements};
use crate::message::{GraphError, Identity, Profile, UserId, WaId};
use crate::whatsapp::bounds::MOST_ERRORS;

/// Longest id `WhatsApp` is known to use is a few hundred bytes; more is not an id.
pub(crate) const LONGEST_WAMID_BYTES: usize = 512;
/// Meta's user ids are a country, a dot and up to 128 characters; parent ids a little more.
const LONGEST_USER_ID_BYTES: usize = 256;
/// E.164 ends at 15 digits; some extra for what is not a phone but written like one.
const LONGEST_WA_ID_BYTES: usize = 32;

/// A card of `contacts[]`: who the people of this body are.
pub(crate) struct Card {
    wa_id: Option<String>,
    user_id: Option<String>,
    profile: Profile,
}

impl Card {
    /// Reads what can be read; a wrong card only leaves a message without a name.
    pub(crate) fn read(raw: &RawValue) -> Option<Self> {
        let card = Object::from_raw(raw)?;
        let profile = card.optional_object("profile");
        let text = |name: &str| profile.as_ref()?.optional_text(name);
        Some(Self {
            wa_id: card.id("wa_id", LONGEST_WA_ID_BYTES).ok().flatten(),
            user_id: card.id("user_id", LONGEST_USER_ID_BYTES).ok().flatten(),
            profile: Profile {
                name: text("name"),
                username: text("username")
                    .map(|name| name.trim_start_matches('@').to_owned())
                    .filter(|name| !name.is_empty()),
            },
        })
    }
}

/// Who is named by two fields of an update. The update's own ids count; the card that shares one of
/// them fills in the other.
pub(crate) fn person(
    update: &Object<'_>,
    phone_field: &str,
    user_field: &str,
    cards: &[Card],
) -> Result<(Identity, Profile), Wrong> {
    let phone = update.id(phone_field, LONGEST_WA_ID_BYTES)?;
    let user_id = update.id(user_field, LONGEST_USER_ID_BYTES)?;
    let card = card_of(phone.as_deref(), user_id.as_deref(), cards);
    let wa_id = phone.or_else(|| card?.wa_id.clone());
    let user_id = user_id.or_else(|| card?.user_id.clone());
    if wa_id.as_deref().is_some_and(|digits| !is_digits(digits)) {
        return Err(Wrong::new(phone_field, "is not a phone number"));
    }
    let identity = identity(wa_id, user_id)
        .ok_or_else(|| Wrong::new(phone_field, "is missing, and the user id too"))?;
    let profile = card.map(|card| card.profile.clone());
    Ok((identity, profile.unwrap_or_default()))
}

/// An identity of what may be missing, empty or no phone number at all.
pub(crate) fn identity(phone: Option<String>, user_id: Option<String>) -> Option<Identity> {
    let phone = phone.filter(|phone| phone.len() <= LONGEST_WA_ID_BYTES && is_digits(phone));
    let user_id = user_id.filter(|id| id.len() <= LONGEST_USER_ID_BYTES);
    Identity::from_parts(phone.and_then(WaId::parse), user_id.and_then(UserId::parse))
}

fn card_of<'a>(from: Option<&str>, user_id: Option<&str>, cards: &'a [Card]) -> Option<&'a Card> {
    let by_user_id = || {
        let wanted = user_id?;
        let is = |card: &&Card| card.user_id.as_deref() == Some(wanted);
        cards.iter().find(is)
    };
    let by_wa_id = || {
        let wanted = from?;
        // A card of another user id is another person, whatever its number.
        let is = |card: &&Card| {
            card.wa_id.as_deref() == Some(wanted)
                && (user_id.is_none()
                    || card.user_id.is_none()
                    || card.user_id.as_deref() == user_id)
        };
        cards.iter().find(is)
    };
    match (from, user_id, cards) {
        // Nothing to match by, and nobody else it could be.
        (None, None, [only]) => Some(only),
        _ => by_user_id().or_else(by_wa_id),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads `errors[]`; what cannot be read is left out, and so is what comes after [`MOST_ERRORS`].
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/errors>.
pub(crate) fn errors(update: &Object<'_>) -> Vec<GraphError> {
    let listed = update.get("errors").and_then(elements).unwrap_or_default();
    let read = listed.into_iter().filter_map(graph_error);
    read.take(MOST_ERRORS).collect()
}

fn graph_error(raw: &RawValue) -> Option<GraphError> {
    let error = Object::from_raw(raw)?;
    Some(GraphError {
        code: error.number("code").ok()?,
        title: error
            .optional_text("title")
            .or_else(|| error.optional_text("message")),
        details: error
            .optional_object("error_data")
            .and_then(|extra| extra.optional_text("details")),
    })
}
