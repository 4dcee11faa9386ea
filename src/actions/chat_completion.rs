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

/// Reply of the model if no rule fits.
const NONE: &str = "none";

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
pub(super) fn answer(answer: &Value, call: &ModelCall) -> Result<Value, String> {
    let reply = answer.pointer("/choices/0/message/content");
    let reply = reply.and_then(Value::as_str).unwrap_or_default().trim();
    if reply.is_empty() {
        return Err("the model gave no answer".to_owned());
    }
    if call.choose.is_empty() {
        return Ok(json!({ "text": reply }));
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
