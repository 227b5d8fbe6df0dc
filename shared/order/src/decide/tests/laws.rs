//! What holds after any news.

use super::*;
use proptest::{collection::vec, prelude::*, sample::select};

prop_compose! {
    fn any_observation()(
        status in select(PAYMENT_STATUSES.to_vec()),
        minutes in 0_u32..4,
        transaction in 0_u8..3,
        total in prop_oneof![4 => Just(TOTAL), 1 => 0_u64..2000],
        currency in prop_oneof![6 => Just("KRW"), 1 => Just("USD")],
        live in prop_oneof![6 => Just(Channel::Live), 1 => Just(Channel::Test)],
        returned in 1_u64..=TOTAL,
    ) -> Observation {
        let mut news = Observation {
            transaction_id: format!("tx-{transaction}"),
            changed_at: NOW.plus_minutes(minutes),
            total,
            currency: currency.parse().ok(),
            channel: live,
            ..seen(status)
        };
        if status == PaymentStatus::PartialCancelled {
            let part = returned.min(total.saturating_sub(1));
            news.cancelled = part;
            news.cancellations = vec![cancellation(&format!("c-{part}"), part, ObservedCancellationStatus::Succeeded)];
        }
        if status == PaymentStatus::Cancelled {
            news.cancelled = total;
            news.cancellations = vec![cancellation("c-all", total, ObservedCancellationStatus::Succeeded)];
        }
        news
    }
}

prop_compose! {
    /// One payment's life as PortOne could show it: one amount, at most one money story.
    fn matching_news()(news in vec(any_observation(), 0..8)) -> Vec<Observation> {
        news.into_iter().map(|seen| Observation {
            total: TOTAL,
            currency: Some(Currency::KRW),
            channel: Channel::Live,
            cancelled: if seen.status == PaymentStatus::Cancelled { TOTAL } else { seen.cancelled.min(TOTAL - 1) },
            cancellations: Vec::new(),
            // A transaction's account is issued once.
            changed_at: if seen.status == PaymentStatus::VirtualAccountIssued { NOW } else { seen.changed_at },
            ..seen
        }).collect()
    }
}

fn any_order() -> impl Strategy<Value = Order> {
    select(ORDER_STATUSES.to_vec()).prop_map(order_in)
}

/// What a shop acts on; times of writing, the exact attempt and texts aside.
fn essence(order: &Order) -> (OrderStatus, Option<Money>, u64) {
    (order.status, order.received, order.returned)
}

proptest! {
    #[test]
    fn repeating_news_is_harmless(order in any_order(), seen in any_observation()) {
        let once = after(&order, &seen);
        prop_assert_eq!(after(&once, &seen), once.clone());
        let again = decide(&once, &seen, &terms(), look(NOW));
        let harmless = matches!(again, Decision::Stay | Decision::CloseAccount | Decision::Alarm(_) | Decision::GiveBack { write: false, .. });
        prop_assert!(harmless, "{:?}", again);
    }

    #[test]
    fn the_order_of_news_does_not_matter_for_the_end(
        (news, shuffled) in matching_news().prop_flat_map(|news| (Just(news.clone()), Just(news).prop_shuffle()))
    ) {
        let end = |news: &[Observation]| essence(&news.iter().fold(pending(), |order, seen| after(&order, seen)));
        prop_assert_eq!(end(&news), end(&shuffled));
    }

    #[test]
    fn no_news_pays_an_order_with_money_it_did_not_ask_for(news in vec(any_observation(), 0..12)) {
        let mut order = pending();
        for seen in &news {
            let next = after(&order, seen);
            let took = matches!(next.status, OrderStatus::Paid | OrderStatus::PartialCancelled);
            if took && order.received.is_none() {
                prop_assert_eq!((seen.total, seen.currency, seen.channel), (TOTAL, Some(Currency::KRW), Channel::Live));
            }
            if took {
                prop_assert_eq!(next.received, Some(next.total));
            }
            prop_assert_eq!(next.total, order.total);
            order = next;
        }
    }

    #[test]
    fn what_goes_back_is_never_more_than_what_arrived(order in any_order(), news in vec(any_observation(), 0..12)) {
        let end = news.iter().fold(order, |order, seen| after(&order, seen));
        let received = end.received.map_or(0, |money| money.amount);
        prop_assert!(end.returned <= received);
        let asked = end.cancellations.iter().filter(|c| c.status == CancellationStatus::Intended);
        prop_assert!(end.returned + asked.map(|c| c.amount).sum::<u64>() <= received);
    }

    #[test]
    fn the_books_balance_after_any_news(news in vec(any_observation(), 0..12)) {
        let mut order = stocked();
        for seen in &news {
            let decision = decide(&order, seen, &terms(), look(NOW));
            let wrote = matches!(decision, Decision::Write(_) | Decision::GiveBack { write: true, .. });
            order = carry_out(&order, decision);
            order.version += u64::from(wrote);
            let mut wrong = crate::audit::imbalances(&order);
            // Random news tell more than one story of money going back; only then can rows exceed the sum.
            wrong.retain(|fault| *fault != crate::audit::Imbalance::LedgerExceedsReturned);
            prop_assert_eq!(wrong, []);
        }
    }

    #[test]
    fn an_order_with_money_never_goes_back_to_waiting_for_it(order in any_order(), news in vec(any_observation(), 0..12)) {
        let mut order = order;
        for seen in &news {
            let next = after(&order, seen);
            if order.received.is_some() {
                prop_assert!(next.received == order.received && next.returned >= order.returned);
                prop_assert!(!matches!(next.status, OrderStatus::Pending | OrderStatus::PayPending | OrderStatus::VirtualAccountIssued));
            }
            order = next;
        }
    }
}
