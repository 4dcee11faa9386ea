//! The chat completion API of `OpenAI`, which every service of language models offers.
//!
//! A model is asked to choose one of several rules, or to write a text. Its reply is a value like
//! any other: it is never read as a rule or a template.
//!
//! See <https://platform.openai.com/docs/api-reference/chat/create>.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::config::Model;
use crate::message::{ModelCall, Speaker};
use crate::text::model_answer;

/// Reply of the model if no rule fits.
const NONE: &str = "none";

/// Values of `finish_reason` of a reply that reached its limit, in letters of any case: of `OpenAI`,
/// of Anthropic and Gemini behind a gateway that passes their words on, and of Mistral.
const CUT_OFF: [&str; 5] = [
    "length",
    "max_tokens",
    "max_output_tokens",
    "model_length",
    "model_context_window_exceeded",
];

/// Builds the body of the request.
pub(super) fn request(model: &Model, call: &ModelCall) -> Value {
    let mut messages = vec![json!({"role": "system", "content": instructions(call)})];
    messages.extend(
        call.turns
            .iter()
            .filter(|turn| !turn.text.is_empty())
            .map(|turn| {
                let role = match turn.speaker {
                    Speaker::Contact => "user",
                    Speaker::Business => "assistant",
                };
                json!({"role": role, "content": turn.text})
            }),
    );
    let mut request = json!({
        "model": model.name,
        "messages": messages,
        (model.limit_key.name()): call.max_tokens,
    });
    // Newer models reject any temperature.
    if let Some(temperature) = model.temperature {
        request["temperature"] = json!(temperature);
    }
    request
}

fn instructions(call: &ModelCall) -> String {
    let mut system_prompt = call.instructions.clone();
    if call.choose.is_empty() {
        return system_prompt;
    }
    if !system_prompt.is_empty() {
        system_prompt.push_str("\n\n");
    }
    system_prompt.push_str(
        "Which of these answers fits what the person wrote last? \
         Reply with its name and nothing else, or with `none` when no answer fits.\n",
    );
    for choice in &call.choose {
        let _ = write!(system_prompt, "\n{}: {}", choice.id, choice.description);
    }
    system_prompt
}

/// Reads the reply of the model: `{"text": …}`, or `{"choice": …}` with the id of a rule or null.
///
/// What the model thought to itself is left out, and a text has `WhatsApp`'s marks. One that was cut
/// off by `max_tokens` ends with its last whole sentence, or else is a failure.
pub(super) fn answer(answer: &Value, call: &ModelCall) -> Result<Value, String> {
    let content = answer.pointer("/choices/0/message/content");
    let reply = model_answer::without_thoughts(&content.map(text_of).unwrap_or_default());
    let reply = reply.as_str();
    let reason = answer.pointer("/choices/0/finish_reason");
    let is_cut_off = reason
        .and_then(Value::as_str)
        .is_some_and(|reason| CUT_OFF.iter().any(|word| word.eq_ignore_ascii_case(reason)));
    if reply.is_empty() && is_cut_off {
        return Err(format!(
            "the model gave no answer within `max_tokens = {}`",
            call.max_tokens
        ));
    }
    if reply.is_empty() {
        return Err("the model gave no answer".to_owned());
    }
    if call.choose.is_empty() {
        let whole = if is_cut_off {
            model_answer::whole_sentences(reply).map(model_answer::without_open_mark)
        } else {
            Some(reply.to_owned())
        };
        let text = whole.map(|text| model_answer::to_whatsapp(&text));
        let text = text.unwrap_or_default();
        if text.is_empty() {
            let max = call.max_tokens;
            return Err(format!(
                "the model gave no whole sentence within `max_tokens = {max}`"
            ));
        }
        return Ok(json!({ "text": text }));
    }
    // Models often add punctuation to a name: `"order".`
    let bare = |text: &str| {
        let bare = text.trim_matches(|character: char| !character.is_alphanumeric());
        bare.to_lowercase()
    };
    let named = bare(reply);
    if named == NONE {
        return Ok(json!({ "choice": null }));
    }
    let exact = call.choose.iter().find(|choice| choice.id == reply);
    let chosen = exact.or_else(|| call.choose.iter().find(|choice| bare(&choice.id) == named));
    match chosen {
        Some(choice) => Ok(json!({ "choice": choice.id })),
        None => Err("the model chose none of the rules it was given".to_owned()),
    }
}

/// Text of a message: a text, or a list of parts, of which those of other types are thoughts.
fn text_of(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten();
    let texts = parts.filter(|part| part["type"] == "text");
    let texts = texts.filter_map(|part| part["text"].as_str());
    content
        .as_str()
        .map_or_else(|| texts.collect(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::answer;
    use crate::message::{ModelCall, ModelChoice};

    /// What becomes of a message of a model that stopped for a reason.
    fn answered(content: &Value, reason: &str, choose: &[&str]) -> Result<Value, String> {
        let choices = choose.iter().map(|id| ModelChoice {
            id: (*id).to_owned(),
            description: String::new(),
        });
        let call = ModelCall {
            instructions: String::new(),
            turns: Vec::new(),
            choose: choices.collect(),
            max_tokens: 50,
            timeout: Duration::from_secs(1),
        };
        let body =
            json!({ "choices": [{ "finish_reason": reason, "message": { "content": content } }] });
        answer(&body, &call)
    }

    #[test]
    fn a_text_is_prepared_for_whatsapp() {
        let thoughts =
            json!([{ "type": "thinking", "thinking": [] }, { "type": "text", "text": "**Yes**" }]);
        for (content, text) in [
            (
                json!("<think>They ask.</think>\n**Yes**, see [us](https://a.example)."),
                "*Yes*, see us (https://a.example).",
            ),
            (thoughts, "*Yes*"),
        ] {
            assert_eq!(answered(&content, "stop", &[]), Ok(json!({ "text": text })));
        }
    }

    #[test]
    fn an_answer_that_reached_its_limit_ends_with_a_sentence_or_fails() {
        let text = json!("We open at **8**. On Sundays we");
        for reason in [
            "length",
            "max_tokens",
            "MAX_TOKENS",
            "model_length",
            "max_output_tokens",
        ] {
            assert_eq!(
                answered(&text, reason, &[]),
                Ok(json!({ "text": "We open at *8*." })),
                "{reason}"
            );
        }
        assert_eq!(
            answered(&text, "stop", &[]),
            Ok(json!({ "text": "We open at *8*. On Sundays we" }))
        );
        for (content, reason) in [
            (
                "We open at",
                "the model gave no whole sentence within `max_tokens = 50`",
            ),
            (
                "<think>They ask",
                "the model gave no answer within `max_tokens = 50`",
            ),
        ] {
            assert_eq!(
                answered(&json!(content), "length", &[]),
                Err(reason.to_owned())
            );
        }
    }

    #[test]
    fn a_choice_is_read_behind_the_thoughts() {
        let content = json!("<think>bread or cake?</think>bread");
        assert_eq!(
            answered(&content, "stop", &["bread", "cake"]),
            Ok(json!({ "choice": "bread" }))
        );
    }
}
