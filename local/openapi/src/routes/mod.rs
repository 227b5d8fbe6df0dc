//! The routes, one function each: a new route is a function here and its line in [`ALL`].

mod operators;
mod portone;
mod shop;

use crate::{route::Route, schemas::Schemas};

/// How a route is described.
pub(crate) type Describe = for<'a> fn(&'a mut Schemas) -> Route<'a>;

/// Every route, in the order of the document.
pub(crate) const ALL: &[Describe] = &[
    shop::list_products,
    shop::create_order,
    shop::verify_payment,
    shop::get_order,
    operators::cancel_order,
    operators::find_orders,
    operators::days,
    operators::order_journal,
    operators::sync_order,
    operators::list_findings,
    operators::settle_finding,
    portone::webhook,
    portone::webhook_v1,
    portone::confirm,
];

/// The order of the examples.
const ORDER: &str = "01JDABCDEFGHJKMNPQRSTVWXYZ";
