//! Sheets to the byte, and what a run makes of the table.

use order::{
    Actor, Cancellation, CancellationOrigin, CancellationStatus, Currency, Customer, Entry, Generation,
    Language, Money, OrderId, OrderStatus, PayMethod, PaymentStatus, Personal, day::Day,
};
use proptest::{collection::vec, prelude::*};

use super::*;

/// 2026-11-23 10:00 in Korea.
const MORNING: Timestamp = Timestamp::from_millis(1_795_395_600_000);

fn day() -> Day {
    "2026-11-23".parse().unwrap()
}

/// An order that was paid in the morning and given back as `back` says, an hour later each.
fn order(entropy: u8, name: &str, total: Money, tax_free: u64, back: &[u64]) -> Order {
    let cancellation = |(number, amount): (u32, &u64)| Cancellation {
        number,
        origin: CancellationOrigin::Outside,
        status: CancellationStatus::Succeeded,
        amount: *amount,
        tax_free: 0,
        balance_before: 0,
        everything: false,
        portone_id: None,
        failure: None,
        failure_message: None,
        reason: None,
        request: None,
        promotion: None,
        refund_account: None,
        at: MORNING,
        asked_again_at: None,
    };
    let entry = |minutes: u32, status, cancellations| Entry {
        at: MORNING.plus_minutes(minutes),
        by: Actor::Portone,
        status,
        seen: Some((PaymentStatus::Paid, "tx-1".to_owned())),
        cancellations,
    };
    let returned = back.iter().sum();
    let status = match returned {
        0 => OrderStatus::Paid,
        part if part < total.amount => OrderStatus::PartialCancelled,
        _ => OrderStatus::Cancelled,
    };
    let mut journal =
        vec![entry(0, OrderStatus::Pending, Vec::new()), entry(1, OrderStatus::Paid, Vec::new())];
    journal.extend((1..).zip(back).map(|(number, _)| {
        entry(number * 60, OrderStatus::PartialCancelled, vec![(number, CancellationStatus::Succeeded)])
    }));
    Order {
        id: OrderId::mint(MORNING, [entropy; 10]),
        version: journal.len() as u64,
        status,
        name: name.to_owned(),
        total,
        tax_free,
        lines: Vec::new(),
        customer: Customer { name: Personal::new("홍길동".to_owned()), email: None, phone: None },
        generation: Generation::V2,
        pay_method: PayMethod::Card,
        redirect_url: None,
        unregistered: false,
        created_at: MORNING,
        updated_at: MORNING,
        expires_at: MORNING.plus_minutes(30),
        paid_at: Some(MORNING),
        received: Some(total),
        returned,
        sighting: None,
        virtual_account: None,
        last_failure: None,
        rejections: Vec::new(),
        cancellations: (1..).zip(back).map(cancellation).collect(),
        disputes: Vec::new(),
        deposit_refund: None,
        holds_stock: false,
        look_at: None,
        language: Language::Korean,
        journal,
        trace: None,
    }
}

fn won(amount: u64) -> Money {
    Money::new(amount, Currency::KRW)
}

fn walk(orders: &[Order]) -> Walk {
    let mut walk = Walk::new(day());
    orders.iter().for_each(|order| walk.take(Ok(order.clone()), MORNING).unwrap());
    walk
}

fn cents(amount: u64) -> Money {
    Money::new(amount, "USD".parse().unwrap())
}

#[test]
fn the_sheet_of_a_day_to_the_byte() {
    let returned = order(3, "양말", won(900), 0, &[900]);
    let returned = Order { status: OrderStatus::Rejected, ..returned };
    let day = walk(&[
        order(2, "Shoes, \"red\"", cents(1550), 0, &[]),
        order(1, "신발 외 1건", won(1000), 400, &[300, 100]),
        returned,
    ]);
    let expected = "\u{feff}\
        일자(KST),시각,주문번호,구분,결제수단,통화,금액,공급가액,부가세,면세금액,주문명\r\n\
        2026-11-23,10:00:00,01M82YNFM0040G2081040G2081,결제,카드,KRW,1000,545,55,400,신발 외 1건\r\n\
        2026-11-23,10:00:00,01M82YNFM0081040G2081040G2,결제,카드,USD,15.50,14.09,1.41,0.00,\"Shoes, \"\"red\"\"\"\r\n\
        2026-11-23,10:00:00,01M82YNFM00C1G60R30C1G60R3,결제,카드,KRW,900,818,82,0,양말\r\n\
        2026-11-23,11:00:00,01M82YNFM0040G2081040G2081,취소,카드,KRW,-300,-273,-27,0,신발 외 1건\r\n\
        2026-11-23,11:00:00,01M82YNFM00C1G60R30C1G60R3,반송,카드,KRW,-900,-818,-82,0,양말\r\n\
        2026-11-23,12:00:00,01M82YNFM0040G2081040G2081,취소,카드,KRW,-100,-91,-9,0,신발 외 1건\r\n\
        합계,,2건,결제,,KRW,1900,1363,137,400,\r\n\
        합계,,2건,취소,,KRW,-400,-364,-36,0,\r\n\
        합계,,1건,반송,,KRW,-900,-818,-82,0,\r\n\
        합계,,5건,합계,,KRW,600,181,19,400,\r\n\
        합계,,1건,결제,,USD,15.50,14.09,1.41,0.00,\r\n\
        합계,,1건,합계,,USD,15.50,14.09,1.41,0.00,\r\n";
    assert_eq!(String::from_utf8(sheet::csv(&day.statement)).unwrap(), expected);
}

#[test]
fn a_day_on_which_nothing_moved_has_its_sheet_too() {
    let sheet = String::from_utf8(sheet::csv(&walk(&[]).statement)).unwrap();
    assert_eq!(sheet.matches("\r\n").count(), 1);
    assert!(sheet.starts_with("\u{feff}일자(KST),"));
}

#[test]
fn amounts_have_their_currencys_decimals() {
    let cells = |money: Money| {
        let sheet =
            String::from_utf8(sheet::csv(&walk(&[order(1, "x", money, 0, &[money.amount])]).statement));
        let sheet = sheet.unwrap();
        let amount = |line: usize| sheet.lines().nth(line).unwrap().split(',').nth(6).unwrap().to_owned();
        (amount(1), amount(2))
    };
    let money = |amount, code: &str| Money::new(amount, code.parse().unwrap());
    assert_eq!(cells(money(5, "USD")), ("0.05".to_owned(), "-0.05".to_owned()));
    assert_eq!(cells(money(100, "USD")), ("1.00".to_owned(), "-1.00".to_owned()));
    assert_eq!(cells(money(1500, "JPY")), ("1500".to_owned(), "-1500".to_owned()));
    assert_eq!(cells(money(1005, "KWD")), ("1.005".to_owned(), "-1.005".to_owned()));
}

#[test]
fn no_name_of_an_order_is_a_formula() {
    for formula in [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u{a0}=1", "＝1", "＋1", "－1",
        "＠1", "\0=1", "\"=1",
    ] {
        let sheet = sheet::csv(&walk(&[order(1, formula, won(1), 0, &[])]).statement);
        let mut lines = csv::ReaderBuilder::new().from_reader(&sheet[..]);
        let line = lines.records().next().unwrap().unwrap();
        // A quote of the text's own is doubled by the format and makes no formula.
        let expected = if formula.starts_with('"') { formula.to_owned() } else { format!("'{formula}") };
        assert_eq!(&line[10], expected, "{formula:?}");
    }
}

proptest! {
    #[test]
    fn any_name_is_read_back_as_it_was_but_for_the_mark_of_a_text(name in "\\PC{0,12}|[=+@\\-, \"\r\n가-힣]{0,12}") {
        let sheet = sheet::csv(&walk(&[order(1, &name, won(1), 0, &[])]).statement);
        let mut lines = csv::ReaderBuilder::new().from_reader(&sheet[..]);
        let line = lines.records().next().unwrap().unwrap();
        prop_assert_eq!(line[10].strip_prefix('\'').filter(|_| !name.starts_with('\'')).unwrap_or(&line[10]), &name);
        let formula = ["=", "+", "-", "@", "\t", "\r", "\n"].iter().any(|mark| line[10].starts_with(mark));
        prop_assert!(!formula, "{:?}", &line[10]);
    }

    #[test]
    fn a_run_makes_the_same_bytes_in_whatever_order_the_table_is_read(
        (orders, shuffled) in vec((any::<u8>(), 1_u64..5000, 0_u64..5000), 0..6).prop_flat_map(|orders| {
            (Just(orders.clone()), Just(orders).prop_shuffle())
        })
    ) {
        let made = |orders: &[(u8, u64, u64)]| {
            let orders: Vec<Order> = orders
                .iter()
                .map(|(entropy, total, back)| order(*entropy, "x", won(*total), 0, &[1 + back.min(&(total - 1))]))
                .collect();
            let walk = walk(&orders);
            let sheet = sheet::csv(&walk.statement);
            (summary::file(&summary::statement(&walk, true, "x", &sheet)), sheet)
        };
        prop_assume!(orders.iter().map(|(entropy, ..)| entropy).collect::<std::collections::BTreeSet<_>>().len() == orders.len());
        prop_assert_eq!(made(&orders), made(&shuffled));
    }
}

#[test]
fn the_summary_has_the_totals_and_the_checksum_of_the_sheet() {
    let walk = walk(&[order(1, "x", won(1000), 0, &[300])]);
    let summary = summary::statement(&walk, true, "statements/2026/11/2026-11-23.csv", b"abc");
    let amounts = |count: u64, amount: i64, supply: i64, vat: i64| json!({ "count": count, "amount": amount, "supply": supply, "vat": vat, "taxFree": 0 });
    assert_eq!(
        summary,
        json!({
            "day": "2026-11-23", "timeZone": "Asia/Seoul", "final": true, "rows": 2, "unreadableOrders": 0,
            "totals": [{
                "currency": "KRW",
                "payments": amounts(1, 1000, 909, 91),
                "cancellations": amounts(1, -300, -273, -27),
                "returns": amounts(0, 0, 0, 0),
                "net": amounts(2, 700, 636, 64),
            }],
            "csv": {
                "key": "statements/2026/11/2026-11-23.csv", "bytes": 3,
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            },
        })
    );
}

#[test]
fn what_does_not_balance_and_what_cannot_be_read_is_found_counted_and_no_reason_to_stop() {
    let mut walk = walk(&[order(1, "x", won(1000), 0, &[])]);
    assert_eq!(summary::audit(&walk, MORNING)["balances"], true);

    let odd = Order { received: Some(won(900)), ..order(2, "x", won(1000), 0, &[]) };
    walk.take(Ok(odd.clone()), MORNING).unwrap();
    let broken = || StoreError::Broken { key: "ORDER#0123456789ABCDEF".to_owned(), attribute: "status" };
    walk.take(Err(broken()), MORNING).unwrap();
    let fact = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let found: Vec<_> = walk.findings.iter().map(|found| (&*found.subject, found.facts.clone())).collect();
    assert_eq!(
        found,
        [
            (odd.id.as_str(), fact("imbalances", "[ReceivedIsNotOrdered]")),
            ("0123456789ABCDEF", fact("unreadable", "status")),
        ]
    );
    assert_eq!(walk.statement.rows().len(), 2, "its money moved");
    let audit = summary::audit(&walk, MORNING);
    assert_eq!(
        audit,
        json!({
            "at": "2026-11-23T01:00:00Z", "balances": false, "orders": 2, "unreadableOrders": 1,
            "unbalancedOrders": 1, "findings": [odd.id.as_str(), "0123456789ABCDEF"],
            "currencies": [{
                "currency": "KRW", "ordered": 2000, "received": 1900, "returned": 0, "rejected": 0,
                "rejectedReturned": 0, "owed": 0, "posted": 1900, "balances": false,
            }],
        })
    );
    let gone = StoreError::Unavailable { operation: "Scan", source: "gone".into() };
    assert!(walk.take(Err(gone), MORNING).is_err(), "half a table is no statement");
}

#[test]
fn the_audit_says_that_all_balances_only_if_every_order_can_be_read_and_balances() {
    let balances = |change: &dyn Fn(&mut Walk)| {
        let mut walk = walk(&[order(1, "x", won(1000), 0, &[])]);
        change(&mut walk);
        summary::audit(&walk, MORNING)["balances"].clone()
    };
    assert_eq!(balances(&|_| {}), true);
    assert_eq!(balances(&|walk| walk.unreadable = 1), false);
    assert_eq!(balances(&|walk| walk.unbalanced = 1), false);
    assert_eq!(balances(&|walk| walk.books.sums.values_mut().for_each(|sums| sums.posted += 1)), false);
}

#[test]
fn one_run_does_not_write_findings_without_end() {
    let mut walk = Walk::new(day());
    for number in 0..=FINDINGS_MAX {
        let broken = StoreError::Broken { key: format!("ORDER#{number}"), attribute: "status" };
        walk.take(Err(broken), MORNING).unwrap();
    }
    assert_eq!((walk.findings.len(), walk.unreadable), (FINDINGS_MAX, 1001));
}

#[test]
fn the_day_is_yesterday_in_korea_unless_one_is_named_that_has_begun() {
    let named = |day: &str| Invocation { day: Some(day.to_owned()) };
    let day =
        |call: &Invocation, now| day_of(call, now).map(|day| day.to_string()).map_err(|e| e.to_string());
    // Half past midnight in Korea is still the day before in UTC.
    let night = Timestamp::from_millis(MORNING.as_millis() + (14 * 60 + 30) * 60_000);
    assert_eq!(day(&Invocation::default(), night).as_deref(), Ok("2026-11-23"));
    assert_eq!(day(&named("2026-11-24"), night).as_deref(), Ok("2026-11-24"));
    assert_eq!(day(&named("2026-11-25"), night), Err("2026-11-25 has not begun in Korea".to_owned()));
    assert_eq!(day(&named("어제"), night), Err("a day is written like 2026-11-23".to_owned()));

    let scheduled: Invocation = serde_json::from_value(json!({ "time": "x", "day": null })).unwrap();
    assert_eq!(scheduled.day, None);
}

#[test]
fn statements_are_kept_by_month_and_audits_by_the_day_they_were_made_on() {
    let names = summary::Names::of(day());
    assert_eq!(names.csv, "statements/2026/11/2026-11-23.csv");
    assert_eq!(names.json, "statements/2026/11/2026-11-23.json");
    let night = Timestamp::from_millis(MORNING.as_millis() + 15 * 3_600_000);
    assert_eq!(summary::audit_name(night), "audits/2026/11/2026-11-24.json");
}

mod bucket {
    use std::pin::pin;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use backend::{
        config::{AwsCredentials, AwsEnvironment},
        connection::aws::Aws,
        telemetry::chain,
    };

    /// A bucket whose stand-in answers `answer` to every request, and the first request as it came.
    async fn put(answer: &'static str) -> (Result<(), PutError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let aws = AwsEnvironment {
            region: "ap-northeast-2".to_owned(),
            credentials: AwsCredentials::Environment {
                access_key_id: "AKID".to_owned(),
                secret_access_key: "secret".to_owned(),
                session_token: None,
            },
            use_fips: false,
            use_dual_stack: false,
            dynamodb_endpoint: None,
            secrets_manager_endpoint: None,
            s3_endpoint: Some(
                format!("http://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap(),
            ),
        };
        let serve = async {
            let (mut caller, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with("일자".as_bytes()) {
                let count = caller.read_buf(&mut request).await.unwrap();
                assert!(count > 0, "the body never came: {}", String::from_utf8_lossy(&request));
            }
            caller.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        };
        let bucket = Bucket::new(&Aws::new(&Connection::new(), aws), "statements-of-a-shop".to_owned());
        let body = "일자".as_bytes().to_vec();
        let mut putting = pin!(bucket.put("statements/2026-11-23.csv", "text/csv; charset=utf-8", body));
        let request = tokio::select! {
            request = serve => request,
            done = &mut putting => panic!("the stand-in was not asked: {done:?}"),
        };
        (putting.await, request)
    }

    #[tokio::test]
    async fn an_object_is_put_whole_under_its_key_and_signed() {
        let (done, request) = put("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        done.unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("put /statements-of-a-shop/statements/2026-11-23.csv"), "{head}");
        assert!(head.contains("content-type: text/csv; charset=utf-8"), "{head}");
        assert!(head.contains("content-length: 6"), "{head}");
        assert!(head.contains("authorization: aws4-hmac-sha256 credential=akid/"), "{head}");
        assert_eq!(body, "일자");
    }

    #[tokio::test]
    async fn a_refusal_names_the_key() {
        let (refused, _) = put(
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 40\r\n\r\n<Error><Code>AccessDenied</Code></Error>",
        )
        .await;
        let refused = chain(&refused.unwrap_err());
        assert!(refused.starts_with("statements/2026-11-23.csv was not written: "), "{refused}");
        assert!(refused.contains("AccessDenied"), "{refused}");
    }
}
