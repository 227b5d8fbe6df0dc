//! What the ways to pay allow when money goes back.

use time::{OffsetDateTime, UtcOffset};

use crate::Timestamp;

/// How a payment was made, as far as rules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidBy {
    /// A card.
    Card,
    /// A bank transfer.
    Transfer,
    /// A deposit into an account issued for the order.
    VirtualAccount,
    /// The phone bill.
    Mobile,
    /// A gift certificate.
    GiftCertificate,
    /// Naver Pay.
    NaverPay,
    /// KakaoPay.
    KakaoPay,
    /// PayPal.
    Paypal,
    /// At a convenience store.
    ConvenienceStore,
    /// Another way, or one this build has not heard of.
    Other,
}

/// Why a way to pay does not give money back like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodRefusal {
    /// Its time for cancelling is over.
    TooLate,
    /// It gives back all or nothing.
    NoPartial,
    /// It gives nothing back at all.
    NoCancel,
    /// The account to pay into is missing.
    AccountMissing,
    /// The phone number of the account's holder is missing.
    PhoneMissing,
    /// The bank is spelled as the other generation does.
    OtherBank,
}

/// What is to go back, as far as the rules ask.
#[derive(Clone, Copy, Debug)]
pub struct GoingBack {
    /// Whether less than all of what was paid goes back by it.
    pub partial: bool,
    /// Whether it names an account.
    pub has_account: bool,
    /// Whether it names the phone number of the account's holder.
    pub has_phone: bool,
}

/// Checks the stated limits, so that a call that can only fail is not made. What is not stated is left to
/// the PG: PortOne's cancel guide (deadlines, refund accounts) and its PG pages (partial cancellations).
pub fn check(
    by: PaidBy,
    pg: Option<&str>,
    paid_at: Timestamp,
    now: Timestamp,
    back: GoingBack,
) -> Result<(), MethodRefusal> {
    let pg = pg.unwrap_or_default().to_ascii_uppercase();
    let days = now.minutes_since(paid_at) / (24 * 60);
    let in_time = match by {
        PaidBy::Mobile => month_in_korea(paid_at) == month_in_korea(now),
        PaidBy::NaverPay => days <= 1095,
        PaidBy::KakaoPay => days <= 5 * 366,
        PaidBy::Paypal => days <= 180,
        _ => true,
    };
    let partly = match by {
        PaidBy::GiftCertificate => false,
        // By PortOne's checklist only these two give part of a phone bill back.
        PaidBy::Mobile => pg.contains("INICIS") || pg.contains("KCP"),
        _ => true,
    };
    let japanese_store = by == PaidBy::ConvenienceStore && pg.contains("INICIS_JP");
    match by {
        _ if japanese_store => Err(MethodRefusal::NoCancel),
        _ if !in_time => Err(MethodRefusal::TooLate),
        _ if back.partial && !partly => Err(MethodRefusal::NoPartial),
        PaidBy::VirtualAccount if !back.has_account => Err(MethodRefusal::AccountMissing),
        PaidBy::VirtualAccount if pg.contains("SMARTRO") && !back.has_phone => {
            Err(MethodRefusal::PhoneMissing)
        }
        _ => Ok(()),
    }
}

/// Year and month by Korean time, which phone bills go by.
fn month_in_korea(at: Timestamp) -> Option<(i32, u8)> {
    let korea = UtcOffset::from_hms(9, 0, 0).ok()?;
    let at = OffsetDateTime::from_unix_timestamp(at.as_seconds()).ok()?.to_offset(korea);
    Some((at.year(), u8::from(at.month())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: GoingBack = GoingBack { partial: false, has_account: false, has_phone: false };
    const PART: GoingBack = GoingBack { partial: true, ..FULL };

    fn at(text: &str) -> Timestamp {
        let at = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap();
        Timestamp::from_millis(at.unix_timestamp() * 1000)
    }

    #[test]
    fn a_phone_bill_is_cancelled_in_its_own_korean_month_only() {
        let paid = at("2026-01-31T14:59:00Z"); // 23:59 in Korea
        let check = |now: &str| check(PaidBy::Mobile, None, paid, at(now), FULL);
        assert_eq!(check("2026-01-31T14:59:59Z"), Ok(()));
        assert_eq!(check("2026-01-31T15:00:00Z"), Err(MethodRefusal::TooLate));
        let paid = at("2026-01-31T15:00:00Z"); // midnight, so it is February's
        assert_eq!(super::check(PaidBy::Mobile, None, paid, at("2026-02-28T14:00:00Z"), FULL), Ok(()));
    }

    #[test]
    fn what_gives_back_all_or_nothing_is_not_asked_for_a_part() {
        let now = at("2026-01-31T00:00:00Z");
        let check = |by, pg, back| check(by, Some(pg), now, now, back);
        assert_eq!(check(PaidBy::GiftCertificate, "TOSSPAYMENTS", PART), Err(MethodRefusal::NoPartial));
        assert_eq!(check(PaidBy::GiftCertificate, "TOSSPAYMENTS", FULL), Ok(()));
        assert_eq!(check(PaidBy::Mobile, "KSNET", PART), Err(MethodRefusal::NoPartial));
        assert_eq!(check(PaidBy::Mobile, "INICIS_V2", PART), Ok(()));
        assert_eq!(check(PaidBy::Card, "KSNET", PART), Ok(()));
    }

    #[test]
    fn money_from_a_deposit_needs_an_account_to_go_to() {
        let now = at("2026-01-31T00:00:00Z");
        let check = |pg, back| check(PaidBy::VirtualAccount, Some(pg), now, now, back);
        let account = GoingBack { has_account: true, ..FULL };
        assert_eq!(check("TOSSPAYMENTS", FULL), Err(MethodRefusal::AccountMissing));
        assert_eq!(check("TOSSPAYMENTS", account), Ok(()));
        assert_eq!(check("SMARTRO_V2", account), Err(MethodRefusal::PhoneMissing));
        assert_eq!(check("SMARTRO_V2", GoingBack { has_phone: true, ..account }), Ok(()));
    }

    #[test]
    fn deadlines_are_counted_in_days() {
        let (paid, day) = (at("2026-01-01T00:00:00Z"), 24 * 60);
        let check = |by, days: u32| check(by, None, paid, paid.plus_minutes(days * day), FULL);
        assert_eq!(
            (check(PaidBy::Paypal, 180), check(PaidBy::Paypal, 181)),
            (Ok(()), Err(MethodRefusal::TooLate))
        );
        assert_eq!(check(PaidBy::NaverPay, 1096), Err(MethodRefusal::TooLate));
        assert_eq!(check(PaidBy::Card, 4000), Ok(()), "how long a card takes is the PG's word");
    }
}
