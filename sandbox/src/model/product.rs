//! Products: what is sold. Their prices are `price`.
//!
//! Invariants: a product with prices is not deleted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, State, error::ApiError, table::Row};

/// A product.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    #[serde(flatten)]
    pub(crate) details: ProductDetails,
}

/// What a request sets, with Stripe's names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ProductDetails {
    pub(crate) active: bool,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) default_price: Option<String>,
    pub(crate) images: Option<Vec<String>>,
    pub(crate) marketing_features: Option<Vec<Value>>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) shippable: Option<bool>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) tax_code: Option<String>,
    pub(crate) unit_label: Option<String>,
    pub(crate) url: Option<String>,
}

impl Row for Product {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Product, ApiError> {
    state.products.get(id).ok_or_else(|| ApiError::not_found("product", id, "id"))
}

/// A product named by a parameter.
pub(crate) fn referenced<'a>(state: &'a State, id: &str, param: &str) -> Result<&'a Product, ApiError> {
    state.products.get(id).ok_or_else(|| ApiError::missing_reference("product", id, param))
}

/// Adds a product. Its id may be the caller's own.
pub(crate) fn add(
    state: &mut State,
    context: &mut Context<'_>,
    id: Option<String>,
    details: ProductDetails,
) -> Result<String, ApiError> {
    let id = id.unwrap_or_else(|| context.ids.next("prod_", 14));
    if state.products.get(&id).is_some() {
        let message = "Product already exists.".to_owned();
        return Err(ApiError::invalid(message).code("resource_already_exists").param("id"));
    }
    let product = Product { id: id.clone(), created: context.now(), updated: context.now(), details };
    let rendered = to_json(&product);
    state.products.insert(product);
    state.emit(context, "product.created", rendered);
    Ok(id)
}

/// Changes a product, and emits `product.updated` if that changed anything.
pub(crate) fn change(state: &mut State, context: &mut Context<'_>, id: &str, details: ProductDetails) {
    let now = context.now();
    let Some(product) = state.products.get_mut(id).filter(|product| product.details != details) else { return };
    let before = to_json(product);
    product.details = details;
    product.updated = now;
    let after = to_json(product);
    state.emit_diff(context, "product.updated", &before, after);
}

/// Deletes a product without prices.
pub(crate) fn delete(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<Value, ApiError> {
    let rendered = to_json(find(state, id)?);
    if state.prices.iter().any(|price| price.product == id) {
        let message = "This product cannot be deleted because it has one or more user-created prices.";
        return Err(ApiError::invalid(message).executed());
    }
    state.products.remove(id);
    state.emit(context, "product.deleted", rendered);
    Ok(json!({ "id": id, "object": "product", "deleted": true }))
}

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.products.get(id).map(to_json)
}

pub(crate) fn to_json(product: &Product) -> Value {
    let details = &product.details;
    json!({
        "id": product.id,
        "object": "product",
        "active": details.active,
        "created": product.created,
        "default_price": details.default_price,
        "description": details.description,
        "images": details.images.clone().unwrap_or_default(),
        "livemode": false,
        "marketing_features": details.marketing_features.clone().unwrap_or_default(),
        "metadata": details.metadata,
        "name": details.name,
        "package_dimensions": null,
        "shippable": details.shippable,
        "statement_descriptor": details.statement_descriptor,
        "tax_code": details.tax_code,
        "tax_details": null,
        "type": "service",
        "unit_label": details.unit_label,
        "updated": product.updated,
        "url": details.url,
    })
}
