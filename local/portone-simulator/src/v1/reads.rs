//! Reading payments. Every attempt is a payment of its own here, with its own `imp_uid`; one
//! `merchant_uid` may have several.

use std::collections::HashSet;

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{
    input::{self, Fields},
    render,
    reply::{Answer, Refused, ok, with_status},
    words,
};
use crate::{
    clock::Timestamp,
    config::ChannelKind,
    payment::{Payment, Transaction, Version},
    simulator::Simulator,
    world::World,
};

const WINDOW_SECONDS: i64 = 90 * 24 * 3600;
const LIMIT_DEFAULT: i64 = 20;
const LIMIT_MAX: i64 = 1000;
const IDS_MAX: usize = 100;

type Found<'w> = (&'w Payment, &'w Transaction);

/// Every V1 attempt, oldest first within its payment.
fn all(world: &World) -> impl Iterator<Item = Found<'_>> {
    let payments = world.book.payments.values().filter(|payment| payment.version == Version::V1);
    payments.flat_map(|payment| payment.transactions.iter().map(move |tx| (payment, tx)))
}

/// The attempt of this `imp_uid`.
pub(super) fn by_imp_uid<'w>(world: &'w World, imp_uid: &str) -> Option<Found<'w>> {
    world.transaction(imp_uid).ok().filter(|(payment, _)| payment.version == Version::V1)
}

/// The attempts of this `merchant_uid`.
pub(super) fn by_merchant_uid<'w>(world: &'w World, merchant_uid: &str) -> Vec<Found<'w>> {
    let payment = world.payment(merchant_uid).ok().filter(|payment| payment.version == Version::V1);
    payment.into_iter().flat_map(|payment| payment.transactions.iter().map(move |tx| (payment, tx))).collect()
}

fn sort(found: &mut [Found<'_>], sorting: Option<&str>) {
    let sorting = sorting.unwrap_or("-started");
    let key = |tx: &Transaction| match sorting.trim_start_matches('-') {
        "paid" => tx.paid_at,
        "updated" => Some(tx.updated_at),
        _ => Some(tx.requested_at),
    };
    // Stable, so that of two at one moment the later one counts as newer.
    found.sort_by_key(|(_, tx)| key(tx));
    if sorting.starts_with('-') {
        found.reverse();
    }
}

/// `GET /payments/{imp_uid}`: without `include_sandbox=true` a payment of a test channel is not found.
pub(super) async fn one(
    State(simulator): State<Simulator>,
    Path(imp_uid): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let with_sandbox = Fields::of_query(query.as_deref()).flag("include_sandbox");
    simulator.read(|world| {
        let found = by_imp_uid(world, &imp_uid);
        let shown = found.filter(|(_, tx)| with_sandbox || tx.channel.kind == ChannelKind::Live);
        let (payment, tx) = shown.ok_or_else(Refused::no_payment)?;
        ok(render::payment(world, payment, tx))
    })
}

/// `GET /payments?imp_uid[]=…&merchant_uid[]=…`: 200 when all were found, 207 when some were.
pub(super) async fn several(State(simulator): State<Simulator>, RawQuery(query): RawQuery) -> Answer {
    let imp_uids = input::list(query.as_deref(), "imp_uid");
    let merchant_uids = input::list(query.as_deref(), "merchant_uid");
    let asked = imp_uids.len() + merchant_uids.len();
    if asked == 0 || asked > IDS_MAX {
        return Err(Refused::bad_request(
            "imp_uid[] 또는 merchant_uid[]를 1개 이상 100개 이하로 지정해야 합니다.",
        ));
    }
    simulator.read(|world| {
        let mut found: Vec<Option<Found<'_>>> = imp_uids.iter().map(|id| by_imp_uid(world, id)).collect();
        found.extend(merchant_uids.iter().map(|id| {
            let mut attempts = by_merchant_uid(world, id);
            sort(&mut attempts, None);
            attempts.first().copied()
        }));
        let complete = found.iter().all(Option::is_some);
        let mut seen = HashSet::new();
        let once = found.into_iter().flatten().filter(|(_, tx)| seen.insert(tx.id.clone()));
        let list: Vec<Value> = once.map(|(payment, tx)| render::payment(world, payment, tx)).collect();
        match (list.is_empty(), complete) {
            (true, _) => Err(Refused::no_payment()),
            (false, true) => ok(json!(list)),
            (false, false) => with_status(StatusCode::MULTI_STATUS, json!(list)),
        }
    })
}

/// `GET /payments/find/{merchant_uid}[/{payment_status}]`: the first by `sorting`, by default the attempt
/// started last.
pub(super) async fn find(
    State(simulator): State<Simulator>,
    Path(path): Path<Vec<String>>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Fields::of_query(query.as_deref());
    // Unlike its siblings this call has no 400: a status that is none finds nothing.
    let (merchant_uid, wanted) = segments(&path).map_err(|_| Refused::no_payment())?;
    simulator.read(|world| {
        let mut found = by_merchant_uid(world, merchant_uid);
        found.retain(|it| has_status(world, it, wanted));
        sort(&mut found, query.text("sorting").as_deref());
        let (payment, tx) = found.first().ok_or_else(Refused::no_payment)?;
        ok(render::payment(world, payment, tx))
    })
}

/// `GET /payments/findAll/{merchant_uid}[/{payment_status}]`: a page of them.
pub(super) async fn find_all(
    State(simulator): State<Simulator>,
    Path(path): Path<Vec<String>>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Fields::of_query(query.as_deref());
    let (merchant_uid, wanted) = segments(&path)?;
    simulator.read(|world| {
        let mut found = by_merchant_uid(world, merchant_uid);
        if found.is_empty() {
            return Err(Refused::no_payment());
        }
        found.retain(|it| has_status(world, it, wanted));
        page(world, found, &query)
    })
}

/// `GET /payments/status/{payment_status}`: a page of all payments, within at most 90 days of the moment
/// that goes with each one's status.
pub(super) async fn by_status(
    State(simulator): State<Simulator>,
    Path(status): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Fields::of_query(query.as_deref());
    let wanted = words::filter(Some(&status)).map_err(|()| wrong_status())?;
    let to = query.integer("to")?.unwrap_or_else(|| Timestamp::wall().seconds());
    let from = query.integer("from")?.unwrap_or_else(|| to.saturating_sub(WINDOW_SECONDS));
    if to.saturating_sub(from) > WINDOW_SECONDS {
        return Err(Refused::bad_request("조회 기간은 90일을 넘을 수 없습니다."));
    }
    simulator.read(|world| {
        let found = all(world).filter(|it| has_status(world, it, wanted));
        let found = found.filter(|(_, tx)| (from..=to).contains(&decided_at(world, tx).seconds()));
        page(world, found.collect(), &query)
    })
}

fn decided_at(world: &World, tx: &Transaction) -> Timestamp {
    let at = match words::status(tx, world.switches.v1_partial_cancel) {
        "paid" => tx.paid_at,
        "cancelled" => tx.cancelled_at,
        "failed" => tx.failed_at,
        _ => None,
    };
    at.unwrap_or(tx.requested_at)
}

fn segments(path: &[String]) -> Result<(&str, Option<&'static str>), Refused> {
    let merchant_uid = path.first().ok_or_else(Refused::no_payment)?;
    let wanted = words::filter(path.get(1).map(String::as_str)).map_err(|()| wrong_status())?;
    Ok((merchant_uid, wanted))
}

fn wrong_status() -> Refused {
    Refused::bad_request("올바르지 않은 payment_status입니다.")
}

fn has_status(world: &World, (_, tx): &Found<'_>, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| words::status(tx, world.switches.v1_partial_cancel) == wanted)
}

/// `{total, previous, next, list}`, where page 0 is none.
fn page(world: &World, mut found: Vec<Found<'_>>, query: &Fields) -> Answer {
    sort(&mut found, query.text("sorting").as_deref());
    let limit = query.integer("limit")?.unwrap_or(LIMIT_DEFAULT);
    let within = (1..=LIMIT_MAX).contains(&limit);
    let limit = limit.min(i64::from(world.switches.v1_page_cap.max(1)));
    let number = query.integer("page")?.unwrap_or(1);
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let skipped = number.checked_sub(1).and_then(|before| before.checked_mul(limit));
    let skipped = skipped.filter(|skipped| *skipped == 0 || (0..total).contains(skipped));
    let (Some(skipped), true) = (skipped, number >= 1 && within) else {
        return Err(Refused::bad_request("page 또는 limit이 올바르지 않습니다."));
    };
    let taken = found.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX));
    let taken = taken.take(usize::try_from(limit).unwrap_or(0));
    let list: Vec<Value> = taken.map(|(payment, tx)| render::payment(world, payment, tx)).collect();
    let next = if skipped.saturating_add(limit) < total { number + 1 } else { 0 };
    ok(json!({ "total": total, "previous": number - 1, "next": next, "list": list }))
}
