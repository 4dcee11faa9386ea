//! Messages about products of the catalog linked to the account.

use serde::{Deserialize, Serialize};

/// One product, several products in a list or side by side, or the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commerce<T = String> {
    /// One product of a catalog.
    Product {
        /// Optional text.
        body: Option<T>,
        /// Small print below the text.
        footer: Option<T>,
        /// Id of the catalog linked to the account.
        catalog_id: String,
        /// Id of the product in the shop.
        product_id: T,
    },
    /// Several products of a catalog.
    Products {
        /// Header, required by Meta.
        header: T,
        /// Text of 1 to 1024 characters.
        body: T,
        /// Small print below the text.
        footer: Option<T>,
        /// Id of the catalog linked to the account.
        catalog_id: String,
        /// Groups of products, in order.
        sections: Vec<ProductSection<T>>,
    },
    /// Two to ten products of a catalog side by side. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/interactive-product-carousel-messages>.
    ProductCarousel {
        /// Text of 1 to 1024 characters.
        body: T,
        /// Id of the catalog linked to the account; the same for every card.
        catalog_id: String,
        /// Ids of the products in the shop, in order.
        products: Vec<T>,
    },
    /// The whole catalog.
    Catalog {
        /// Text of 1 to 1024 characters.
        body: T,
        /// Small print below the text.
        footer: Option<T>,
        /// Product whose image represents the catalog.
        thumbnail: Option<T>,
    },
}

/// Group of products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSection<T = String> {
    /// Title, required when there are several sections.
    pub title: Option<T>,
    /// Ids of the products in the shop.
    pub products: Vec<T>,
}

impl<T> Commerce<T> {
    /// Name stored in `messages.kind`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Product { .. } => "product",
            Self::Products { .. } => "products",
            Self::ProductCarousel { .. } => "product_carousel",
            Self::Catalog { .. } => "catalog",
        }
    }
}
