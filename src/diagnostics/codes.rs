//! Diagnostic codes of the rule language: stable names, explained in `docs/diagnostics.md`.
//!
//! A code is never given a second meaning. Next: [`super::Diagnostic`], which carries them.

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $code:literal,)+) => {
        $($(#[$doc])+ pub const $name: &str = $code;)+

        /// Every code, in the order of the documentation.
        pub const ALL: &[&str] = &[$($name),+];
    };
}

codes! {
    /// The text is not TOML.
    SYNTAX = "R0101",
    /// A key that the language does not know in this place.
    UNKNOWN_KEY = "R0102",
    /// A key that has to be there is not.
    MISSING_KEY = "R0103",
    /// A value of another type than the key takes.
    WRONG_TYPE = "R0104",
    /// `version` is missing or names a language this program does not read.
    VERSION = "R0105",
    /// A length of time that cannot be read.
    DURATION = "R0106",
    /// No such time zone.
    TIMEZONE = "R0107",
    /// A value of the right type that is not allowed in this place.
    VALUE = "R0108",
    /// A file that is to be included and cannot be.
    INCLUDE = "R0109",
    /// Two rules with one id.
    DUPLICATE_ID = "R0201",
    /// A rule id with characters that ids do not have.
    ODD_ID = "R0202",
    /// A condition, or a part of one, that says nothing.
    EMPTY_CONDITION = "R0203",
    /// A regular expression that cannot be read, or is too big.
    REGEX = "R0204",
    /// No such type of message.
    MESSAGE_TYPE = "R0205",
    /// A name of something that is not there: a flow, a step, a rule, a field.
    UNKNOWN_NAME = "R0206",
    /// Steps that go round and round without a question.
    CIRCLE = "R0207",
    /// A keyword of which one letter is left without its signs.
    LONE_LETTER = "R0208",
    /// A rule that a model cannot choose, or chooses in vain.
    CHOICE = "R0209",
    /// Parts of a reply that do not go together.
    MIXED_REPLY = "R0301",
    /// A part of a reply that is missing or empty.
    EMPTY_REPLY = "R0302",
    /// More, or longer, than WhatsApp takes.
    TOO_MUCH = "R0303",
    /// The same id or title twice in one message.
    DUPLICATE_CHOICE = "R0304",
    /// A link that WhatsApp cannot fetch.
    LINK = "R0305",
    /// A message template that is not there, or takes other values.
    MESSAGE_TEMPLATE = "R0306",
    /// A text whose `{{ variables }}` are wrong.
    TEMPLATE = "R0401",
    /// A rule that can never answer because one above it always does.
    UNREACHABLE = "R0501",
    /// A condition on a button that no reply offers.
    NEVER_OFFERED = "R0502",
    /// A button or row that no rule answers.
    NEVER_ANSWERED = "R0503",
    /// A file without rules.
    NO_RULES = "R0504",
    /// A message template that could not be checked, or is not in use at Meta now.
    DOUBTFUL_TEMPLATE = "R0505",
    /// A rule whose words an earlier rule takes already.
    SHADOWED = "R0506",
    /// A step that nothing leads to.
    UNREACHABLE_STEP = "R0507",
    /// A flow that nothing starts.
    UNUSED_FLOW = "R0508",
    /// A flow out of which no way leads.
    ENDLESS_FLOW = "R0509",
    /// A choice between one.
    ONE_VARIANT = "R0510",
    /// A text that is not there in every language.
    MISSING_TRANSLATION = "R0511",
    /// A text that variables will probably make too long.
    NEAR_LIMIT = "R0512",
    /// Two patterns for buttons that mean the same one.
    OVERLAPPING_IDS = "R0513",
    /// A condition on hours in rules that have none.
    NO_HOURS = "R0514",
    /// A pattern for files to include that no file fits.
    NO_INCLUDE = "R0515",
    /// A condition on a form that no reply sends.
    NEVER_SENT = "R0516",
    /// A text of words that looks like a list or a pattern.
    LOOSE_WORDS = "R0517",
    /// A condition of which two parts exclude each other.
    CONTRADICTION = "R0518",
    /// A pattern that matches every text.
    MATCHES_ALL = "R0519",
    /// A link to a file of another kind.
    FILE_KIND = "R0520",
    /// A flow that ends without a word.
    SILENT_END = "R0521",
    /// An answer that is used before it is asked.
    ASKED_LATER = "R0522",
    /// A word that `[opt_out]` takes before a rule sees it.
    TAKEN_BY_OPT_OUT = "R0523",
    /// A call after whose failure nothing is sent.
    NO_ON_ERROR = "R0524",
    /// A call to a host that may not be called.
    FORBIDDEN_HOST = "R0525",
    /// Marks of other programs in a text.
    FOREIGN_MARKS = "R0526",
    /// A day that is not there.
    DAY = "R0601",
    /// Hours that cannot be read.
    SPAN = "R0602",
    /// Hours that lie over each other.
    OVERLAPPING_HOURS = "R0603",
    /// A date that cannot be read, or is no date.
    DATE = "R0604",
    /// A holiday that is over.
    PAST_HOLIDAY = "R0605",
    /// A day that is named by two holidays, none of them narrower.
    HOLIDAY_TWICE = "R0606",
    /// Hours without a minute in them.
    NEVER_OPEN = "R0607",
}
