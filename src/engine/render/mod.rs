//! From the templates of a reply to its texts: variables and their values.

/// Declares groups of variables. The fields behind the semicolon are optional: without a value they
/// are left out, so that `default(…)` and `{% if %}` work on them.
macro_rules! groups {
    ($($group:ident<$life:lifetime> {
        $($field:ident: $type:ty),*; $($optional:ident: $optional_type:ty),*
    })*) => {$(
        #[derive(Clone, Debug, Serialize)]
        pub(crate) struct $group<$life> {
            $(pub(super) $field: $type,)*
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(super) $optional: Option<$optional_type>,
            )*
        }
    )*};
}

mod hours_variables;
mod message_variables;
mod reply;
pub(crate) mod variables;
