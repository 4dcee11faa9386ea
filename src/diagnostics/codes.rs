//! The diagnostic codes of the rule language: stable names that a person can look up in
//! `docs/diagnostics.md`.
//!
//! A code is never given a second meaning. Next: [`super::Diagnostic`], which carries them.

/// The text is not TOML.
pub const SYNTAX: &str = "R0101";
/// A key that the language does not know in this place.
pub const UNKNOWN_KEY: &str = "R0102";
/// A key that has to be there is not.
pub const MISSING_KEY: &str = "R0103";
/// A value of another type than the key takes.
pub const WRONG_TYPE: &str = "R0104";
/// `version` is missing or names a language this program does not read.
pub const VERSION: &str = "R0105";
/// A length of time that cannot be read.
pub const DURATION: &str = "R0106";
/// No such time zone.
pub const TIMEZONE: &str = "R0107";
/// A value of the right type that is not allowed in this place.
pub const VALUE: &str = "R0108";
/// A file that is to be included and cannot be.
pub const INCLUDE: &str = "R0109";
/// Two rules with one id.
pub const DUPLICATE_ID: &str = "R0201";
/// A rule id with characters that ids do not have.
pub const ODD_ID: &str = "R0202";
/// A condition, or a part of one, that says nothing.
pub const EMPTY_CONDITION: &str = "R0203";
/// A regular expression that cannot be read, or is too big.
pub const REGEX: &str = "R0204";
/// No such type of message.
pub const MESSAGE_TYPE: &str = "R0205";
/// A name of something that is not there: a flow, a step, a rule, a field.
pub const UNKNOWN_NAME: &str = "R0206";
/// Steps that go round and round without a question.
pub const CIRCLE: &str = "R0207";
/// A keyword of which one letter is left without its signs.
pub const LONE_LETTER: &str = "R0208";
/// A rule that a model cannot choose, or chooses in vain.
pub const CHOICE: &str = "R0209";
/// Parts of a reply that do not go together.
pub const MIXED_REPLY: &str = "R0301";
/// A part of a reply that is missing or empty.
pub const EMPTY_REPLY: &str = "R0302";
/// More, or longer, than WhatsApp takes.
pub const TOO_MUCH: &str = "R0303";
/// The same id or title twice in one message.
pub const DUPLICATE_CHOICE: &str = "R0304";
/// A link that WhatsApp cannot fetch.
pub const LINK: &str = "R0305";
/// A message template that is not there, or takes other values.
pub const MESSAGE_TEMPLATE: &str = "R0306";
/// A text whose `{{ variables }}` are wrong.
pub const TEMPLATE: &str = "R0401";
/// A rule that can never answer because one above it always does.
pub const UNREACHABLE: &str = "R0501";
/// A condition on a button that no reply offers.
pub const NEVER_OFFERED: &str = "R0502";
/// A button or row that no rule answers.
pub const NEVER_ANSWERED: &str = "R0503";
/// A file without rules.
pub const NO_RULES: &str = "R0504";
/// A message template that could not be checked, or is not in use at Meta now.
pub const DOUBTFUL_TEMPLATE: &str = "R0505";
/// A rule whose words an earlier rule takes already.
pub const SHADOWED: &str = "R0506";
/// A step that nothing leads to.
pub const UNREACHABLE_STEP: &str = "R0507";
/// A flow that nothing starts.
pub const UNUSED_FLOW: &str = "R0508";
/// A flow out of which no way leads.
pub const ENDLESS_FLOW: &str = "R0509";
/// A choice between one.
pub const ONE_VARIANT: &str = "R0510";
/// A text that is not there in every language.
pub const MISSING_TRANSLATION: &str = "R0511";
/// A text that variables will probably make too long.
pub const NEAR_LIMIT: &str = "R0512";
/// Two patterns for buttons that mean the same one.
pub const OVERLAPPING_IDS: &str = "R0513";
/// A condition on hours in rules that have none.
pub const NO_HOURS: &str = "R0514";
/// A pattern for files to include that no file fits.
pub const NO_INCLUDE: &str = "R0515";
/// A day that is not there.
pub const DAY: &str = "R0601";
/// Hours that cannot be read.
pub const SPAN: &str = "R0602";
/// Hours that lie over each other.
pub const OVERLAPPING_HOURS: &str = "R0603";
/// A date that cannot be read, or is no date.
pub const DATE: &str = "R0604";
/// A holiday that is over.
pub const PAST_HOLIDAY: &str = "R0605";
/// A day that is named by two holidays, none of them narrower.
pub const HOLIDAY_TWICE: &str = "R0606";
/// Hours without a minute in them.
pub const NEVER_OPEN: &str = "R0607";

/// Every code, in the order of the documentation.
pub const ALL: [&str; 47] = [
    SYNTAX,
    UNKNOWN_KEY,
    MISSING_KEY,
    WRONG_TYPE,
    VERSION,
    DURATION,
    TIMEZONE,
    VALUE,
    INCLUDE,
    DUPLICATE_ID,
    ODD_ID,
    EMPTY_CONDITION,
    REGEX,
    MESSAGE_TYPE,
    UNKNOWN_NAME,
    CIRCLE,
    LONE_LETTER,
    CHOICE,
    MIXED_REPLY,
    EMPTY_REPLY,
    TOO_MUCH,
    DUPLICATE_CHOICE,
    LINK,
    MESSAGE_TEMPLATE,
    TEMPLATE,
    UNREACHABLE,
    NEVER_OFFERED,
    NEVER_ANSWERED,
    NO_RULES,
    DOUBTFUL_TEMPLATE,
    SHADOWED,
    UNREACHABLE_STEP,
    UNUSED_FLOW,
    ENDLESS_FLOW,
    ONE_VARIANT,
    MISSING_TRANSLATION,
    NEAR_LIMIT,
    OVERLAPPING_IDS,
    NO_HOURS,
    NO_INCLUDE,
    DAY,
    SPAN,
    OVERLAPPING_HOURS,
    DATE,
    PAST_HOLIDAY,
    HOLIDAY_TWICE,
    NEVER_OPEN,
];
