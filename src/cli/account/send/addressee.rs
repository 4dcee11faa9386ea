//! Recipient of `replyd send`, as it is typed.

use anyhow::Context as _;

use crate::cli::phone_number;
use crate::cli::terminal::Hint;
use crate::message::{PhoneNumberId, Recipient, UserId, WaId};
use crate::store::Store;
use crate::text::parse::{PhoneError, dialled_digits, read_international};

/// Recipient named on the command line.
pub(super) enum Addressee {
    /// A user id, or a phone number with its country code.
    Certain(Recipient),
    /// Digits that are a phone number only if a contact has exactly these; otherwise the reason for
    /// which they are refused.
    OnlyContact(Recipient, PhoneError),
}

impl Addressee {
    /// Reads a phone number, or a user id, which has a dot after its country code.
    pub(super) fn parse(to: &str) -> anyhow::Result<Self> {
        if UserId::is_one(to)
            && let Some(user_id) = UserId::parse(to)
        {
            return Ok(Self::Certain(Recipient::UserId(user_id)));
        }
        let wa_id = |digits: String| WaId::parse(digits).map(Recipient::Phone);
        match read_international(to) {
            Ok(digits) => wa_id(digits).map(Self::Certain),
            Err(PhoneError::NotANumber) => None,
            Err(error) => {
                let digits = dialled_digits(to);
                let recipient = digits.and_then(wa_id);
                recipient.map(|recipient| Self::OnlyContact(recipient, error))
            }
        }
        .ok_or_else(|| {
            Hint::error(
                "this is neither a phone number nor a user id",
                format!(
                    "write the number with its country code, like {}",
                    phone_number::EXAMPLE
                ),
            )
        })
    }

    /// Returns the recipient; digits whose country is not certain must be those of a contact.
    pub(super) async fn resolve(
        self,
        store: Option<&Store>,
        number: &PhoneNumberId,
    ) -> anyhow::Result<Recipient> {
        match self {
            Self::Certain(recipient) => Ok(recipient),
            Self::OnlyContact(recipient, error) => {
                let known = match store {
                    Some(store) => store.send_eligibility(number, &recipient).await,
                    None => Ok(None),
                };
                let known = known.context("could not look the contact up")?;
                known
                    .map(|_| recipient)
                    .ok_or_else(|| phone_number::refusal(&error))
            }
        }
    }
}
