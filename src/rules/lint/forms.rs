//! Forms that no reply sends.

use std::collections::BTreeSet;

use super::flows::answers;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::toml_reader::Reader;
use crate::diagnostics::{codes, suggest};
use crate::rules::compile::flow::Draft as FlowDraft;
use crate::rules::compile::rule::Draft;

/// Reports conditions on forms that no reply sends. Silent where a token is known only when the
/// form is sent: it may be any of them.
pub(crate) fn never_sent(reader: &mut Reader<'_>, rules: &[Draft<'_>], flows: &[FlowDraft<'_>]) {
    let tokens = std::mem::take(&mut reader.form_tokens);
    let tokens: Option<BTreeSet<String>> = tokens.into_iter().collect();
    let Some(tokens) = tokens else {
        return;
    };
    if answers(rules, flows).any(|answer| answer.answer.is_none()) {
        return;
    }
    for form in rules.iter().flat_map(|rule| &rule.forms) {
        if tokens.contains(form.value) {
            continue;
        }
        let names = tokens.iter().map(String::as_str);
        let help = suggest::did_you_mean(form.value, names).unwrap_or_else(|| {
            "that is right only when a message template or `replyd send` sends it; a form is known \
             by its `token`, and without one by its `name` or `id`"
                .to_owned()
        });
        let message = format!("no reply sends a form `{}`", form.value);
        let warning = Diagnostic::warning(codes::NEVER_SENT, form.span.clone(), message);
        reader.report(warning.label("waited for here").help(help));
    }
}
