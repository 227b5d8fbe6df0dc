use super::*;
use crate::payment::{
    attempt::Captured,
    sample::{T1, card, opened},
};

fn paid() -> Payment {
    let mut payment = opened(&["tx"]);
    payment.approve("tx", Captured::default(), card(), T1).unwrap();
    payment
}

fn context(mode: CancelMode) -> CancelContext {
    CancelContext {
        mode,
        cap: None,
        rules: CancelRules::default(),
        cancellation_id: "c".to_owned(),
        pg_cancellation_id: "pgc".to_owned(),
        wall: T1,
    }
}

fn ask(amount: i64, tax_free: i64) -> CancelRequest {
    CancelRequest {
        reason: "r".to_owned(),
        amount: Some(amount),
        tax_free: Some(tax_free),
        ..CancelRequest::default()
    }
}

fn cancel(payment: &mut Payment, request: &CancelRequest) -> Result<Status, Refusal> {
    payment.cancel(request, context(CancelMode::Sync))?;
    Ok(payment.decisive().status)
}

/// Each request breaks its own rule and every later one; the refusal is the earliest rule's.
#[test]
fn the_first_broken_rule_is_the_one_reported() {
    let everything_wrong = CancelRequest { current_balance: Some(1), vat: Some(9_999), ..ask(5_000, 4_000) };
    let mut ready = opened(&["tx"]);
    assert_eq!(cancel(&mut ready, &everything_wrong), Err(Refusal::NotPaid));

    let mut gone = paid();
    cancel(&mut gone, &ask(1000, 300)).unwrap();
    assert_eq!(cancel(&mut gone, &everything_wrong), Err(Refusal::AlreadyCancelled));

    let table: [(CancelRequest, Refusal); 7] = [
        (everything_wrong.clone(), Refusal::BalanceDiffers { balance: 1000 }),
        (CancelRequest { current_balance: None, ..everything_wrong.clone() }, Refusal::AmountExceedsBalance),
        (CancelRequest { vat: Some(900), ..ask(900, 800) }, Refusal::PartsExceedAmount),
        (ask(900, 301), Refusal::TaxFreeExceedsBalance),
        (ask(900, 199), Refusal::TaxableExceedsBalance),
        (CancelRequest { tax_free: None, ..ask(1000, 0) }, Refusal::TaxableExceedsBalance),
        (ask(0, 0), Refusal::AmountExceedsBalance),
    ];
    for (request, refusal) in table {
        let mut payment = paid();
        assert_eq!(cancel(&mut payment, &request), Err(refusal), "{request:?}");
        assert_eq!(payment.decisive().cancellations, [], "a refusal leaves no trace");
    }

    let refused = paid().cancel(&ask(900, 200), context(CancelMode::RefuseByPg));
    assert!(matches!(refused, Err(Refusal::Pg { .. })));
    let capped = paid().cancel(&ask(900, 200), CancelContext { cap: Some(0), ..context(CancelMode::Sync) });
    assert_eq!(capped.unwrap_err(), Refusal::CancelCountReached);
}

#[test]
fn without_an_amount_all_that_is_left_goes_back_with_its_own_split() {
    let mut payment = paid();
    cancel(&mut payment, &ask(400, 100)).unwrap();
    let rest = CancelRequest { reason: "r".to_owned(), ..CancelRequest::default() };
    assert_eq!(cancel(&mut payment, &rest), Ok(Status::Cancelled));
    let last = payment.decisive().cancellations.last().unwrap();
    assert_eq!(
        (last.total, last.tax_free, payment.decisive().balance(CancellableBalance::Total)),
        (600, 200, 0)
    );
}

#[test]
fn a_pending_cancellation_reserves_its_amount_and_moves_no_status() {
    let mut payment = paid();
    let (_, news) = payment.cancel(&ask(1000, 300), context(CancelMode::Async)).unwrap();
    assert_eq!(news.unwrap().kind, NewsKind::CancelPending);
    assert_eq!(
        (payment.decisive().status, payment.decisive().balance(CancellableBalance::Total)),
        (Status::Paid, 0)
    );
    assert_eq!(cancel(&mut payment, &ask(1, 0)), Err(Refusal::AmountExceedsBalance));
}

#[test]
fn a_pending_cancellation_ends_once() {
    for (approved, status, balance) in [(true, Status::PartialCancelled, 600), (false, Status::Paid, 1000)] {
        let mut payment = paid();
        payment.cancel(&ask(400, 0), context(CancelMode::Async)).unwrap();
        payment.end_cancellation(Some("c"), approved, "pgc".to_owned(), CancelRules::default(), T1).unwrap();
        assert_eq!(
            (payment.decisive().status, payment.decisive().balance(CancellableBalance::Total)),
            (status, balance)
        );
        let again = payment.end_cancellation(Some("c"), true, "pgc".to_owned(), CancelRules::default(), T1);
        assert_eq!(again, Err(Refusal::CancellationNotPending));
    }
}

#[test]
fn an_in_band_failure_is_recorded_and_returns_nothing() {
    let mut payment = paid();
    let (cancellation, news) = payment.cancel(&ask(400, 0), context(CancelMode::FailInBand)).unwrap();
    assert_eq!((cancellation.status, news), (CancellationStatus::Failed, None));
    assert_eq!(
        (payment.decisive().status, payment.decisive().balance(CancellableBalance::Total)),
        (Status::Paid, 1000)
    );
}

#[test]
fn a_virtual_account_needs_to_know_where_the_money_goes() {
    let mut payment = paid();
    payment.transactions[0].method = Some(Method::VirtualAccount {
        bank: "SHINHAN".to_owned(),
        account_number: "1".to_owned(),
        remittee_name: "x".to_owned(),
        remitter_name: None,
        issued_at: T1,
        expires_at: T1,
        refund: None,
    });
    assert!(matches!(cancel(&mut payment, &ask(100, 0)), Err(Refusal::Pg { .. })));
    let to = RefundAccount { bank: "KB".to_owned(), number: "1".to_owned(), holder_name: "x".to_owned() };
    let request = CancelRequest { refund_account: Some(to), ..ask(100, 0) };
    assert_eq!(cancel(&mut payment, &request), Ok(Status::PartialCancelled));
}
