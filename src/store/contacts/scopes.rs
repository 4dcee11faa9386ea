//! Scopes of user ids: the business account of each number.

use std::collections::HashMap;

use crate::message::PhoneNumberId;

/// Accounts of business numbers, by number.
pub(in crate::store) struct Scopes {
    accounts: HashMap<String, String>,
    changed: HashMap<String, String>,
}

/// A row of `business_numbers`.
pub(in crate::store) struct NumberRow {
    pub(super) phone_number_id: String,
    pub(super) waba_id: String,
}

impl Scopes {
    /// Starts from the accounts that are stored.
    pub(in crate::store) fn new(accounts: HashMap<String, String>) -> Self {
        Self {
            accounts,
            changed: HashMap::new(),
        }
    }

    /// The scope of the user ids that a number sees: its account, or the number itself while no
    /// webhook has named the account.
    pub(in crate::store) fn of_number<'a>(&'a self, number: &'a PhoneNumberId) -> &'a str {
        let account = self.accounts.get(number.as_str());
        account.map_or(number.as_str(), String::as_str)
    }

    /// Takes the account that a webhook names for a number.
    pub(in crate::store) fn learn(&mut self, number: &PhoneNumberId, account: Option<&str>) {
        let Some(account) = account else {
            return;
        };
        let number = number.as_str();
        if self.accounts.get(number).map(String::as_str) != Some(account) {
            self.accounts.insert(number.to_owned(), account.to_owned());
            self.changed.insert(number.to_owned(), account.to_owned());
        }
    }

    /// Rows to write.
    pub(in crate::store) fn into_changed(self) -> Vec<NumberRow> {
        let row = |(phone_number_id, waba_id)| NumberRow {
            phone_number_id,
            waba_id,
        };
        self.changed.into_iter().map(row).collect()
    }
}
