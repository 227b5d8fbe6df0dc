//! What a discount means for money back.
//!
//! Every discount counts as one of a PortOne promotion here; `amount.discount` of the V2 schema also holds
//! discounts of card companies and wallets, to which the option below does not apply.

use serde::{Deserialize, Serialize};

use super::{CancelRequest, Refusal, Transaction};

/// How a discount enters the cancellable balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CancellableBalance {
    /// `amount.total` less what went back: the balance "too is given without regard to the promotion", 10,000
    /// of 20,000 after a first half, although 18,000 were paid (guide `opi/ko/extra/promotion/refund`, V1's
    /// `checksum`). Of V2's `currentCancellableAmount` and of other discounts it says nothing.
    #[default]
    Total,
    /// `amount.paid` less what went back, that is net of the discount.
    Paid,
}

/// `PromotionDiscountRetainOption` of the V2 schema; `retain_promotion` of V1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RetainOption {
    /// The discount keeps its rate.
    Retain,
    /// What is left is discounted as the promotion discounts such a sum; "treated as RELEASE when it is not
    /// given" (`CancelPaymentBody.promotionDiscountRetainOption`).
    #[default]
    Release,
}

impl Transaction {
    /// Checks a cancellation of `total` against the promotion, and returns the option that it fixes.
    ///
    /// "When a promotion's payment is cancelled in several parts, only the option chosen first is possible" (guide
    /// `opi/ko/extra/promotion/refund`; 400 PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED). Whether the
    /// cancellation that takes the rest is such a part is not stated; here it is.
    pub(super) fn check_promotion(
        &self,
        request: &CancelRequest,
        total: i64,
    ) -> Result<Option<RetainOption>, Refusal> {
        if self.amount.discount == 0 {
            return Ok(None);
        }
        let option = request.retain.unwrap_or_default();
        if self.retain_option.is_some_and(|fixed| fixed != option) {
            return Err(Refusal::RetainOptionChanged);
        }
        let left = self.balance(CancellableBalance::Total);
        let remaining = left.saturating_sub(total);
        if remaining <= 0 {
            return Ok(self.retain_option);
        }
        if option == RetainOption::Release && self.loses_discount(remaining) && remaining > self.net(left) {
            return Err(Refusal::NegativePromotionAmount);
        }
        Ok(Some(option))
    }

    /// The promotion does not hold for an order of this sum.
    fn loses_discount(&self, remaining: i64) -> bool {
        self.promotion_minimum.is_some_and(|minimum| remaining < minimum)
    }

    /// What was paid for `left` of the total, at the rate of the whole.
    fn net(&self, left: i64) -> i64 {
        let (paid, total) = (i128::from(self.amount.payable()), i128::from(self.amount.total.max(1)));
        i64::try_from(i128::from(left) * paid / total).unwrap_or(left)
    }
}
