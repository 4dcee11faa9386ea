//! Conditions as expressions: `if = "cakes > 2 and hours.open"`.

use serde::Serialize;

use super::{RenderError, Scope, Template, TemplateError, environment, error, typed};

/// Text around an expression, so that the engine for texts evaluates it.
const BEFORE: &str = "{% if (";
const AFTER: &str = ") %}1{% endif %}";

/// Expression over variables that is true or false.
#[derive(Debug)]
pub struct Expression {
    written: String,
    template: Template,
}

impl Expression {
    /// Checks an expression: syntax, and that every variable exists.
    ///
    /// # Errors
    /// Every problem, with its place in the expression.
    pub fn parse(written: &str, scope: &Scope<'_>) -> Result<Self, Vec<TemplateError>> {
        // A delimiter inside would end the text around the expression.
        if let Some(at) = ["%}", "{%", "{{", "}}"]
            .iter()
            .find_map(|mark| written.find(mark))
        {
            return Err(vec![TemplateError {
                range: at..at + 2,
                message: "an expression has no braces around its variables".to_owned(),
                help: Some("write it like `cakes > 2`".to_owned()),
            }]);
        }
        if written.trim().is_empty() {
            return Err(vec![TemplateError {
                range: 0..written.len(),
                message: "the expression is empty".to_owned(),
                help: None,
            }]);
        }
        // Compiled alone first, so that errors do not mention the text around it.
        if let Err(error) = environment::environment().compile_expression(written) {
            return Err(vec![error::bad_expression(written, &error)]);
        }
        let moved = |error: TemplateError| {
            let back = |at: usize| at.saturating_sub(BEFORE.len()).min(written.len());
            TemplateError {
                range: back(error.range.start)..back(error.range.end),
                ..error
            }
        };
        let source = |expression: &str| format!("{BEFORE}{expression}{AFTER}");
        let template = Template::parse(&source(written), scope)
            .map_err(|errors| errors.into_iter().map(moved).collect::<Vec<_>>())?;
        let rewritten = typed::rewritten(written, scope)?;
        let template = if rewritten == written {
            template
        } else {
            Template::parse(&source(&rewritten), scope).map_err(|errors| {
                let of_whole = |error| TemplateError {
                    range: 0..written.len(),
                    ..error
                };
                errors.into_iter().map(of_whole).collect::<Vec<_>>()
            })?
        };
        Ok(Self {
            written: written.to_owned(),
            template,
        })
    }

    /// The expression as the owner wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// [`RenderError`] for values that cannot be compared, or too many instructions.
    pub fn holds(&self, values: &impl Serialize) -> Result<bool, RenderError> {
        Ok(self.template.render(&[], values)? == "1")
    }
}
