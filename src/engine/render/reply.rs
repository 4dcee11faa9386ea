//! Fills in the templates of a reply.

use super::variables::Variables;
use crate::message::Outbound;
use crate::rules::answer::ReplyTemplate;
use crate::template::RenderError;

impl ReplyTemplate {
    /// Fills in every text. Optional parts that are then blank are left out, and the values of a
    /// template get single spaces: WhatsApp refuses both.
    ///
    /// # Errors
    /// The first text that could not be filled in.
    pub(crate) fn fill(&self, variables: &Variables<'_>) -> Result<Outbound, RenderError> {
        let filled = self.content.try_map(|text| variables.render(text))?;
        Ok(filled.without_blank_parts().with_single_spaces())
    }
}
