//! Answers of language models, made fit for a chat: without what the model thought to itself, ending
//! with a whole sentence, in WhatsApp's own marks.

use super::markdown;

/// Tags around what a model thinks, each with the brackets of some model, in small letters.
const THOUGHTS: [(&str, &str); 16] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<seed:think>", "</seed:think>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<thoughts>", "</thoughts>"),
    ("<analysis>", "</analysis>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|start_thinking|>", "<|end_thinking|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|channel>thought", "<channel|>"),
    ("<unused94>", "<unused95>"),
];
/// Tags around the answer itself.
const ANSWERS: [&str; 10] = [
    "<answer>",
    "</answer>",
    "<final>",
    "</final>",
    "<response>",
    "</response>",
    "<|begin_of_solution|>",
    "<|end_of_solution|>",
    "<|start_response|>",
    "<|end_response|>",
];
/// Beginning of the answer among the channels of `gpt-oss`. See
/// <https://cookbook.openai.com/articles/openai-harmony>.
const FINAL: &str = "<|channel|>final<|message|>";
/// What is left of the channels where a service removes the special tokens alone.
const BARE_CHANNELS: (&str, &str) = ("analysis", "assistantfinal");
/// Signs that end a sentence when a space or the end follows.
const ENDS: [char; 4] = ['.', '!', '?', '…'];
/// Signs that end a sentence wherever they stand.
const WIDE_ENDS: [char; 4] = ['。', '！', '？', '।'];
/// Signs that may stand behind the end of a sentence.
const CLOSING: [char; 9] = ['"', '\'', '”', '’', '»', ')', ']', '*', '_'];
/// Words that end with a full stop in the middle of a sentence.
const ABBREVIATIONS: [&str; 10] = [
    "mr", "mrs", "ms", "dr", "st", "no", "nr", "vs", "approx", "ca",
];

/// Makes the text that is sent of what a model wrote.
#[must_use]
pub fn to_whatsapp(answer: &str) -> String {
    markdown::to_whatsapp(answer)
}

/// Leaves out what a model thought to itself before and within its answer.
#[must_use]
pub fn without_thoughts(answer: &str) -> String {
    let answer = answer.rsplit_once(FINAL).map_or(answer, |(_, last)| last);
    let bare = answer
        .split_once(BARE_CHANNELS.1)
        .filter(|(thoughts, _)| thoughts.starts_with(BARE_CHANNELS.0));
    let mut text = bare.map_or(answer, |(_, last)| last).to_owned();
    for (open, close) in THOUGHTS {
        while let Some(end) = find(&text, close) {
            // Without a beginning, it stands in the prompt of the model.
            let start = find(&text[..end], open).unwrap_or(0);
            text.replace_range(start..end + close.len(), "");
        }
        if let Some(start) = find(&text, open) {
            text.truncate(start);
        }
    }
    for tag in ANSWERS {
        while let Some(start) = find(&text, tag) {
            text.replace_range(start..start + tag.len(), "");
        }
    }
    let end = text.find("<|").unwrap_or(text.len());
    text.truncate(end);
    text.trim().to_owned()
}

/// Finds a tag, in letters of any case.
fn find(text: &str, tag: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(tag)
}

/// Takes an answer that was cut off up to its last whole sentence or element of a list; `None`
/// without one.
#[must_use]
pub fn whole_sentences(answer: &str) -> Option<&str> {
    let mut end = 0;
    let mut line = 0;
    for (place, character) in answer.char_indices() {
        let next = place + character.len_utf8();
        if character == '\n' {
            if is_element(&answer[line..place]) {
                end = end.max(place);
            }
            line = next;
        } else if WIDE_ENDS.contains(&character)
            || ENDS.contains(&character) && !is_short(&answer[line..place], character)
        {
            let rest = answer[next..].trim_start_matches(CLOSING);
            let is_wide = WIDE_ENDS.contains(&character);
            if is_wide || rest.is_empty() || rest.starts_with(char::is_whitespace) {
                end = answer.len() - rest.len();
            }
        }
    }
    let whole = answer[..end].trim();
    (!whole.is_empty()).then_some(whole)
}

/// Takes out the last mark of bold text that has no end, as where an answer was cut off.
#[must_use]
pub fn without_open_mark(answer: &str) -> String {
    const BOLD: &str = "**";

    let last = answer.rfind(BOLD);
    match last.filter(|_| answer.matches(BOLD).count() % 2 == 1) {
        Some(place) => answer[..place].to_owned() + &answer[place + BOLD.len()..],
        None => answer.to_owned(),
    }
}

/// Whether a line is an element of a list or a row of a table.
fn is_element(line: &str) -> bool {
    let line = line.trim_start();
    let numbered = line.trim_start_matches(|character: char| character.is_ascii_digit());
    let is_numbered = numbered.len() < line.len() && numbered.starts_with([' ', '.', ')']);
    is_numbered
        || ["- ", "* ", "+ ", "• ", "|"]
            .iter()
            .any(|mark| line.starts_with(mark))
}

/// Whether a full stop belongs to the number of an element or to a short word.
fn is_short(line: &str, end: char) -> bool {
    let word = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_first = line.trim_start().len() == word.len();
    let word = word.trim_start_matches(|character: char| !character.is_alphanumeric());
    let word = word.rsplit('.').next().unwrap_or_default();
    let is_letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let is_known = ABBREVIATIONS.contains(&word.to_lowercase().as_str());
    end == '.' && (is_number && is_first || is_letter || is_known)
}

#[cfg(test)]
mod tests {
    use super::{whole_sentences, without_open_mark, without_thoughts};

    #[test]
    fn thoughts_are_left_out_wherever_they_stand() {
        for (answer, expected) in [
            (
                "<think>The contact\nwants cake.</think>\n\nWe open at 8.",
                "We open at 8.",
            ),
            ("We <THINKING>hm</THINKING>open at 8.", "We open at 8."),
            (
                "the contact wants cake</think>We open at 8.",
                "We open at 8.",
            ),
            ("We open at 8.<think>Should I say", "We open at 8."),
            ("<think>cut off", ""),
            (
                "<think>a</think><think>b</think><answer>Yes</answer>",
                "Yes",
            ),
            ("[THINK]a[/THINK]Yes", "Yes"),
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>",
                "Yes",
            ),
            (
                "<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>Yes<|end_of_solution|>",
                "Yes",
            ),
            (
                "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Yes<|END_RESPONSE|>",
                "Yes",
            ),
            ("<think>hm</think><response>Yes</response>", "Yes"),
            ("<|channel>thought\nhm<channel|>Yes", "Yes"),
            ("<unused94>thought\nhm<unused95>Yes", "Yes"),
            ("analysisThey ask.assistantfinalYes", "Yes"),
            (
                "An analysis of assistantfinal",
                "An analysis of assistantfinal",
            ),
            ("I think 3 < 5.", "I think 3 < 5."),
            ("İ<think>x</think>é", "İé"),
        ] {
            assert_eq!(without_thoughts(answer), expected, "{answer}");
        }
    }

    #[test]
    fn a_bold_text_that_was_cut_off_is_plain() {
        for (answer, expected) in [
            ("**We open at 8.", "We open at 8."),
            ("**Hours** are **8 to 6.", "**Hours** are 8 to 6."),
            ("**Hours**", "**Hours**"),
            ("", ""),
        ] {
            assert_eq!(without_open_mark(answer), expected, "{answer}");
        }
    }

    #[test]
    fn an_answer_that_was_cut_off_ends_with_a_sentence() {
        for (answer, expected) in [
            ("We open at 8. On Sunday we", Some("We open at 8.")),
            ("Really? \"Yes!\" he sa", Some("Really? \"Yes!\"")),
            ("A cake is 3.50 and", None),
            ("Ask Dr. Lima, e.g. on", None),
            (
                "Cakes:\n- lemon\n- plum\n- wal",
                Some("Cakes:\n- lemon\n- plum"),
            ),
            ("1. Bake it.\n2. Eat", Some("1. Bake it.")),
            ("Whole. All of it.", Some("Whole. All of it.")),
            ("我们八点开门。周日", Some("我们八点开门。")),
            ("**We open at 8.** And", Some("**We open at 8.**")),
            ("", None),
        ] {
            assert_eq!(whole_sentences(answer), expected, "{answer}");
        }
    }
}
