//! Every Graph error code we know, what it means for us and what the owner can do.
//!
//! The one home of this table. Logic goes by the code only, never by HTTP status or text: Meta
//! answers "slow down" with 400. What to do with a class is decided in [`crate::workers::outbox`].

/// What an error code means for the message, the number and the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A fault of the moment: try again in seconds, later in minutes.
    Retry,
    /// As `Retry`, but with more time between tries: it may be the message itself.
    RetryWide,
    /// Too many calls of the app or account: go on in minutes.
    RetrySlow,
    /// This business number must send more slowly, or rest.
    SlowNumber,
    /// Too many messages to this person: others are not concerned.
    SlowPair,
    /// More than 24 hours since the person wrote: no free text may be sent.
    WindowClosed,
    /// This message will never be taken.
    GiveUp,
    /// Nothing can be sent until a person repairs the account or the configuration; messages wait.
    Account,
}

impl Class {
    /// Every class, so that a table over all of them can be checked.
    pub const ALL: [Self; 8] = [
        Self::Retry,
        Self::RetryWide,
        Self::RetrySlow,
        Self::SlowNumber,
        Self::SlowPair,
        Self::WindowClosed,
        Self::GiveUp,
        Self::Account,
    ];

    /// A short name for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryWide => "retry_wide",
            Self::RetrySlow => "retry_slow",
            Self::SlowNumber => "slow_number",
            Self::SlowPair => "slow_pair",
            Self::WindowClosed => "window_closed",
            Self::GiveUp => "give_up",
            Self::Account => "account",
        }
    }
}

/// A code, or a row of codes that mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code; the lowest of a row.
    pub code: i64,
    /// The highest of a row; the same as `code` for a single one.
    pub last: i64,
    /// What it means for us.
    pub class: Class,
    /// What happened, for a person.
    pub meaning: &'static str,
    /// What the owner can do.
    pub advice: &'static str,
}

/// Looks a code up; `None` for one Meta has not documented.
#[must_use]
pub fn lookup(code: i64) -> Option<&'static Code> {
    CODES
        .iter()
        .find(|entry| (entry.code..=entry.last).contains(&code))
}

macro_rules! codes {
    ($($code:literal $(..= $last:literal)? => $class:ident, $meaning:literal, $advice:literal;)*) => {
        &[$(Code {
            code: $code,
            last: codes!(@last $code $($last)?),
            class: Class::$class,
            meaning: $meaning,
            advice: $advice,
        }),*]
    };
    (@last $code:literal) => { $code };
    (@last $code:literal $last:literal) => { $last };
}

/// In ascending order.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.
const CODES: &[Code] = codes! {
    0 => Account, "the gateway's login at Meta has expired",
        "renew the connection (or token), then sending goes on by itself";
    1 => RetryWide, "Meta could not say what went wrong",
        "nothing, unless it stays: then look at the request and at Meta's status page";
    2 => Retry, "Meta's API is down for a moment",
        "nothing: it is tried again";
    3 => Account, "the app lacks a capability or permission",
        "grant whatsapp_business_messaging to the app or connection";
    4 => RetrySlow, "the app has made too many calls",
        "nothing: sending goes on in some minutes";
    10 => Account, "a permission is missing or was taken away",
        "grant whatsapp_business_messaging to the app or connection";
    17 => RetrySlow, "the app's user has made too many calls",
        "nothing: sending goes on in some minutes";
    32 => RetrySlow, "the page has made too many calls",
        "nothing: sending goes on in some minutes";
    33 => Account, "the business number was deleted or its id is wrong",
        "check phone_number_id";
    100 => GiveUp, "a parameter is wrong or not supported",
        "report the rule that sent it: it should not have passed the check";
    190 => Account, "the access token has expired",
        "renew the connection (or token), then sending goes on by itself";
    200..=299 => Account, "a permission is missing",
        "grant whatsapp_business_messaging to the app or connection";
    368 => Account, "the account is blocked for breaking a policy",
        "open WhatsApp Manager and read the policy notice";
    613 => RetrySlow, "too many calls of this kind",
        "nothing: sending goes on in some minutes";
    80007 => RetrySlow, "the business account has made too many calls",
        "nothing: sending goes on in some minutes";
    130_403 => GiveUp, "the person has blocked the business, or the business them",
        "nothing";
    130_429 => SlowNumber, "the number sends faster than WhatsApp allows",
        "lower delivery.messages_per_second if this happens often";
    130_472 => GiveUp, "the person is part of an experiment of Meta's",
        "nothing";
    130_497 => GiveUp, "the business may not write to this country",
        "see the countries your account may reach";
    131_000 => RetryWide, "Meta failed for an unknown reason",
        "nothing, unless it stays";
    131_005 => Account, "access is denied",
        "grant whatsapp_business_messaging to the app or connection";
    131_008 => GiveUp, "a required parameter is missing",
        "report the rule that sent it: it should not have passed the check";
    131_009 => GiveUp, "a value is wrong, or the message it names is unknown or too old",
        "report the rule that sent it, unless it was a read mark";
    131_016 => Retry, "WhatsApp is overloaded",
        "nothing: it is tried again";
    131_021 => GiveUp, "sender and recipient are the same number",
        "nothing";
    131_026 => GiveUp, "the person cannot receive it: no WhatsApp, an old version, terms not accepted, or a block",
        "nothing";
    131_031 => Account, "the account is locked",
        "open WhatsApp Manager";
    131_037 => Account, "the number's display name is not approved",
        "get the display name approved in WhatsApp Manager";
    131_042 => Account, "there is a problem with the payment method",
        "check billing in WhatsApp Manager";
    131_045 => Account, "the number is not registered",
        "register the number";
    131_047 => WindowClosed, "more than 24 hours have passed since the person wrote",
        "nothing: only a template may be sent now";
    131_048 => Account, "too many people have blocked or reported this number",
        "send less and look at the quality rating in WhatsApp Manager";
    131_049 => GiveUp, "Meta chose not to deliver it, to protect the person",
        "do not send the same within 24 hours";
    131_050 => GiveUp, "the person has stopped marketing messages",
        "respect it";
    131_051 => GiveUp, "this type of message is not supported",
        "report the rule that sent it";
    131_052 => RetryWide, "Meta could not fetch the file behind the link",
        "check that the link opens without login";
    131_053 => GiveUp, "Meta could not take the file: its type, size or link",
        "check the type and size of the file";
    131_055 => GiveUp, "the method is not allowed",
        "report it";
    131_056 => SlowPair, "too many messages to this one person",
        "nothing: it is tried again later";
    131_057 => SlowNumber, "the number is being upgraded",
        "nothing: sending goes on in some minutes";
    131_060 => GiveUp, "the message is not available",
        "nothing";
    131_062 => GiveUp, "this message cannot go to a user id",
        "nothing: the person hides the phone number";
    131_063 => GiveUp, "marketing is not allowed for this account here",
        "nothing";
    131_064 => Account, "the account is limited for wrong template categories",
        "open WhatsApp Manager";
    132_000 => GiveUp, "the number of template parameters is wrong",
        "compare with the template";
    132_001 => GiveUp, "the template or its language does not exist or is not approved",
        "check the template's name and language";
    132_005 => GiveUp, "the template's text got too long",
        "shorten the values";
    132_007 => GiveUp, "the template breaks a policy",
        "change the template";
    132_012 => GiveUp, "a template parameter has the wrong format",
        "compare with the template";
    132_015 => GiveUp, "the template is paused for low quality",
        "change the template";
    132_016 => GiveUp, "the template is disabled for low quality",
        "make another template";
    132_018 => GiveUp, "a template parameter is not allowed",
        "no new lines, tabs or rows of spaces in values";
    132_068 => GiveUp, "the flow is blocked",
        "open WhatsApp Manager";
    132_069 => RetrySlow, "the flow is slowed down",
        "nothing: it is tried again";
    133_000 => Account, "an earlier removal of the number was not finished",
        "remove and register the number again";
    133_004 => Retry, "WhatsApp's server is not available for a moment",
        "nothing: it is tried again";
    133_005..=133_006 => Account, "the number is not verified, or the PIN is wrong",
        "verify the number in WhatsApp Manager";
    133_008..=133_009 => Account, "the PIN was tried too often",
        "wait as long as WhatsApp Manager says";
    133_010 => Account, "the number is not registered",
        "register the number";
    133_015 => Account, "the number was deleted a moment ago",
        "wait five minutes, then register it";
    133_016 => Account, "the number was registered too often",
        "wait 72 hours";
    134_011 => GiveUp, "terms for payments were not accepted",
        "accept them in WhatsApp Manager";
    134_100..=134_102 => GiveUp, "this feature is not open to the account",
        "nothing";
    135_000 => GiveUp, "Meta could not use the message",
        "report the rule that sent it";
    137_000 => GiveUp, "the person's identity key has changed",
        "nothing";
    147_001..=147_005 => GiveUp, "the username request was refused",
        "nothing";
    2_388_019..=2_388_299 => GiveUp, "the template could not be made",
        "change the template";
    2_494_100 => SlowNumber, "the number is under maintenance",
        "nothing: sending goes on in some minutes";
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_no_two_rows_overlap() {
        for pair in CODES.windows(2) {
            assert!(pair[0].last < pair[1].code, "{pair:?}");
        }
        assert!(CODES.iter().all(|entry| entry.code <= entry.last));
    }

    #[test]
    fn every_documented_code_has_its_class() {
        let table: Vec<(Class, Vec<i64>)> = vec![
            (Class::Retry, vec![2, 131_016, 133_004]),
            (Class::RetryWide, vec![1, 131_000, 131_052]),
            (Class::RetrySlow, vec![4, 17, 32, 613, 80_007, 132_069]),
            (Class::SlowNumber, vec![130_429, 131_057, 2_494_100]),
            (Class::SlowPair, vec![131_056]),
            (Class::WindowClosed, vec![131_047]),
            (
                Class::GiveUp,
                vec![
                    100, 130_403, 130_472, 130_497, 131_008, 131_009, 131_021, 131_026, 131_049,
                    131_050, 131_051, 131_053, 131_055, 131_060, 131_062, 131_063, 132_000,
                    132_001, 132_005, 132_007, 132_012, 132_015, 132_016, 132_018, 132_068,
                    134_011, 134_100, 134_102, 135_000, 137_000, 147_001, 147_005, 2_388_019,
                    2_388_299,
                ],
            ),
            (
                Class::Account,
                vec![
                    0, 3, 10, 33, 190, 200, 250, 299, 368, 131_005, 131_031, 131_037, 131_042,
                    131_045, 131_048, 131_064, 133_000, 133_005, 133_006, 133_008, 133_009,
                    133_010, 133_015, 133_016,
                ],
            ),
        ];

        assert_eq!(table.len(), Class::ALL.len());
        for (class, codes) in table {
            for code in codes {
                assert_eq!(lookup(code).map(|entry| entry.class), Some(class), "{code}");
            }
        }
    }

    #[test]
    fn codes_nobody_has_documented_are_not_guessed() {
        for code in [-1, 5, 199, 300, 131_047_000, i64::MAX] {
            assert_eq!(lookup(code), None, "{code}");
        }
    }

    #[test]
    fn every_code_says_what_happened_and_what_to_do() {
        for entry in CODES {
            for text in [entry.meaning, entry.advice] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}", entry.code);
            }
        }
    }
}
