//! Messages about products of the catalog that is linked to the account.

use serde::{Deserialize, Serialize};

/// One product, several, or all of them.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commerce<T = String> {
    /// One product of a catalog.
    Product {
        /// May be left out.
        body: Option<T>,
        /// Small print below.
        footer: Option<T>,
        /// The catalog linked to the account.
        catalog_id: String,
        /// The shop's own id of the product.
        product_id: T,
    },
    /// Several products of a catalog.
    Products {
        /// Required by Meta.
        header: T,
        /// 1 to 1024 characters.
        body: T,
        /// Small print below.
        footer: Option<T>,
        /// The catalog linked to the account.
        catalog_id: String,
        /// In order.
        sections: Vec<ProductSection<T>>,
    },
    /// The whole catalog.
    Catalog {
        /// 1 to 1024 characters.
        body: T,
        /// Small print below.
        footer: Option<T>,
        /// The product whose picture stands for the catalog.
        thumbnail: Option<T>,
    },
}

/// A group of products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSection<T = String> {
    /// Required when there is more than one section.
    pub title: Option<T>,
    /// The shop's own ids.
    pub products: Vec<T>,
}

impl<T> Commerce<T> {
    /// The name stored in `messages.kind`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Product { .. } => "product",
            Self::Products { .. } => "products",
            Self::Catalog { .. } => "catalog",
        }
    }
}
