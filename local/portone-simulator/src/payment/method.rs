//! What was paid with. The details are made up but keep the form of the real ones.

use serde::{Deserialize, Serialize};

use crate::{chance::Chance, clock::Timestamp};

/// What the shop asks the window for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PayMethod {
    /// Card.
    #[default]
    Card,
    /// Deposit into an account issued for this payment.
    VirtualAccount,
    /// Immediate bank transfer.
    Transfer,
    /// Charged to the telephone bill.
    Mobile,
    /// Gift certificate.
    GiftCertificate,
    /// A wallet.
    EasyPay,
    /// PayPal.
    Paypal,
    /// Alipay.
    Alipay,
    /// Paid at a shop's till.
    ConvenienceStore,
    /// Alipay+.
    AlipayPlus,
}

impl PayMethod {
    /// Korean and English, for people.
    #[must_use]
    pub fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Card => ("카드", "Card"),
            Self::VirtualAccount => ("가상계좌", "Virtual account"),
            Self::Transfer => ("계좌이체", "Bank transfer"),
            Self::Mobile => ("휴대폰 소액결제", "Mobile billing"),
            Self::GiftCertificate => ("상품권", "Gift certificate"),
            Self::EasyPay => ("간편결제", "Easy pay"),
            Self::Paypal => ("페이팔", "PayPal"),
            Self::Alipay => ("알리페이", "Alipay"),
            Self::ConvenienceStore => ("편의점 결제", "Convenience store"),
            Self::AlipayPlus => ("알리페이 플러스", "Alipay+"),
        }
    }
}

/// How far the refund into the buyer's account has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// Part of it could not be paid out.
    PartialRefundFailed,
    /// It could not be paid out.
    Failed,
    /// Paid out.
    Completed,
}

/// What was paid with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// A card.
    Card {
        /// The PG's approval number.
        approval_number: String,
    },
    /// An immediate transfer.
    Transfer {
        /// PortOne's `Bank`.
        bank: String,
        /// Masked.
        account_number: String,
    },
    /// An account to deposit into.
    VirtualAccount {
        /// PortOne's `Bank`.
        bank: String,
        /// To deposit into.
        account_number: String,
        /// The account's holder.
        remittee_name: String,
        /// The depositor, once known.
        remitter_name: Option<String>,
        /// Issued.
        issued_at: Timestamp,
        /// Closed by the PG at this moment.
        expires_at: Timestamp,
        /// Of the latest cancellation.
        refund: Option<RefundStatus>,
    },
    /// A telephone bill.
    Mobile {
        /// Whose.
        phone_number: String,
    },
    /// A gift certificate.
    GiftCertificate {
        /// The issuer's approval number.
        approval_number: String,
    },
    /// A wallet, backed by a card.
    EasyPay {
        /// PortOne's `EasyPayProvider`.
        provider: String,
        /// The card's approval number.
        approval_number: String,
    },
    /// A till.
    ConvenienceStore {
        /// Shown at the till.
        confirmation_number: String,
        /// Last moment to pay.
        deadline: Timestamp,
    },
}

impl Method {
    /// What a buyer who was asked for `asked` might have paid with.
    ///
    /// `easy_pay` is the wallet the shop chose, when it chose one; `wall` is now and
    /// `valid_hours` how long an account or a till waits.
    #[must_use]
    pub fn for_request(
        asked: PayMethod,
        easy_pay: Option<&str>,
        customer: &super::Customer,
        wall: Timestamp,
        valid_hours: u32,
        chance: &mut Chance,
    ) -> Self {
        let until = wall.plus_millis(i64::from(valid_hours) * 3_600_000);
        let wallet = |name: &str, chance: &mut Chance| Self::EasyPay {
            provider: name.to_owned(),
            approval_number: chance.digits(8),
        };
        match asked {
            PayMethod::Card => Self::Card { approval_number: chance.digits(8) },
            PayMethod::Transfer => Self::Transfer {
                bank: "SHINHAN".to_owned(),
                account_number: format!("110-***-{}", chance.digits(6)),
            },
            PayMethod::VirtualAccount => Self::VirtualAccount {
                bank: "SHINHAN".to_owned(),
                account_number: chance.digits(14),
                remittee_name: "포트원 시뮬레이터".to_owned(),
                remitter_name: customer.name.clone(),
                issued_at: wall,
                expires_at: until,
                refund: None,
            },
            PayMethod::Mobile => Self::Mobile {
                phone_number: customer.phone_number.clone().unwrap_or_else(|| "01000000000".to_owned()),
            },
            PayMethod::GiftCertificate => Self::GiftCertificate { approval_number: chance.digits(10) },
            PayMethod::EasyPay => wallet(easy_pay.unwrap_or("KAKAOPAY"), chance),
            PayMethod::Paypal => wallet("PAYPAL", chance),
            PayMethod::Alipay | PayMethod::AlipayPlus => wallet("ALIPAY", chance),
            PayMethod::ConvenienceStore => {
                Self::ConvenienceStore { confirmation_number: chance.digits(12), deadline: until }
            }
        }
    }

    /// The list filter's name of this method, `PaymentMethodType`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Card { .. } => "CARD",
            Self::Transfer { .. } => "TRANSFER",
            Self::VirtualAccount { .. } => "VIRTUAL_ACCOUNT",
            Self::Mobile { .. } => "MOBILE",
            Self::GiftCertificate { .. } => "GIFT_CERTIFICATE",
            Self::EasyPay { .. } => "EASY_PAY",
            Self::ConvenienceStore { .. } => "CONVENIENCE_STORE",
        }
    }

    pub(super) fn set_refund(&mut self, status: RefundStatus) {
        if let Self::VirtualAccount { refund, .. } = self {
            *refund = Some(status);
        }
    }
}
