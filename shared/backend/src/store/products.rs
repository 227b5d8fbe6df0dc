//! Products: looked up by id for a new order, listed for the shop.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use order::{Product, ProductId};

use super::{KeyedOrder, Store, StoreError, item};

/// What DynamoDB did not get to is asked for again this often.
const ROUNDS_MAX: u32 = 4;

/// Products by id; those that were asked for and are not in it do not exist or are broken.
pub type Catalogue = BTreeMap<ProductId, Product>;

impl Store {
    /// Access pattern 4: what a new order needs, in one round: the order that its key made before, if
    /// any, and its products. At most 99 products.
    ///
    /// A broken product is logged and left out.
    pub async fn keyed_order_and_products<'a>(
        &self,
        tail: Option<&str>,
        products: impl IntoIterator<Item = &'a ProductId>,
    ) -> Result<(Option<KeyedOrder>, Catalogue), StoreError> {
        // DynamoDB refuses a batch that names one key twice, as two lines of one product would.
        let products: BTreeSet<&ProductId> = products.into_iter().collect();
        let mut keys: Vec<item::Item> = products.into_iter().map(item::product_key).collect();
        keys.extend(tail.map(item::order_key));
        let (mut order, mut catalogue) = (None, Catalogue::new());
        for found in self.batch_get(keys).await? {
            if found.get("SK").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == "ORDER") {
                let (existing, fingerprint) = item::to_order(&found)?;
                order = Some(KeyedOrder { order: existing, fingerprint });
            } else if let Some(product) = usable(&found) {
                catalogue.insert(product.id.clone(), product);
            }
        }
        Ok((order, catalogue))
    }

    pub(super) async fn batch_get(&self, keys: Vec<item::Item>) -> Result<Vec<item::Item>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let wanted = wanted.expect("the keys are set");
        let mut asked: HashMap<String, KeysAndAttributes> = [(self.table.clone(), wanted)].into();
        let mut found = Vec::new();
        for round in 0..ROUNDS_MAX {
            // Not at first: sleeping for no time at all takes a millisecond.
            if round > 0 {
                tokio::time::sleep(Duration::from_millis(u64::from(round) * 50)).await;
            }
            let answer = self
                .client
                .batch_get_item()
                .set_request_items(Some(asked))
                .send()
                .await
                .map_err(StoreError::of("BatchGetItem"))?;
            found.extend(answer.responses.unwrap_or_default().into_values().flatten());
            asked = answer.unprocessed_keys.unwrap_or_default();
            if asked.is_empty() {
                return Ok(found);
            }
        }
        Err(StoreError::unavailable("BatchGetItem", "some keys were left unprocessed"))
    }

    /// Access pattern 6: every product for sale, from the index `catalogue` that only products are in.
    ///
    /// Inactive ones are left out; broken ones are left out and counted in the second value.
    pub async fn products_for_sale(&self) -> Result<(Vec<Product>, u32), StoreError> {
        let (mut products, mut broken, mut from) = (Vec::new(), 0_u32, None);
        loop {
            let query = self.client.query().table_name(&self.table).index_name("catalogue");
            let answer = query
                .key_condition_expression("SK = :kind")
                .expression_attribute_values(":kind", AttributeValue::S("PRODUCT".to_owned()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(StoreError::of("Query"))?;
            for found in answer.items.unwrap_or_default() {
                match usable(&found) {
                    Some(product) if product.active => products.push(product),
                    Some(_) => {}
                    None => broken += 1,
                }
            }
            from = answer.last_evaluated_key;
            if from.is_none() {
                products.sort_by(|a, b| a.id.cmp(&b.id));
                return Ok((products, broken));
            }
        }
    }
}

/// A broken product is somebody's typing error: it must not take the catalogue down.
fn usable(found: &item::Item) -> Option<Product> {
    item::to_product(found)
        .inspect_err(|error| tracing::error!(event = "product.broken", %error, "a product is left out"))
        .ok()
}
