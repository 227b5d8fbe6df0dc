/**
 * What the buyer reads, in Korean and English: the sentences that are not in index.html, amounts and times.
 *
 * Each sentence is [Korean, English] and says what happened, whether money moved, and what to do next; `{name}` is
 * filled in by `say`.
 */

/** `ko` or `en`. */
export let language = 'ko';

export function speak(chosen) {
  language = chosen === 'en' ? 'en' : 'ko';
}

/** The sentence in the buyer's language, its `{names}` filled in. */
export function say([korean, english], values = {}) {
  return (language === 'en' ? english : korean).replace(/{(\w+)}/g, (_, name) => values[name]);
}

/** An amount in minor units, as the buyer's language writes it. For the eye only: nothing is computed from it. */
export function money(amount, currency) {
  if (language === 'ko' && currency === 'KRW') return `${new Intl.NumberFormat('ko').format(amount)}원`;
  const format = new Intl.NumberFormat(language, { style: 'currency', currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** A moment in Korean time, which is what banks mean by a deadline, wherever the buyer is. */
export function moment(time) {
  const format = { dateStyle: language === 'en' ? 'medium' : 'long', timeStyle: 'short', timeZone: 'Asia/Seoul' };
  return new Intl.DateTimeFormat(language, format).format(new Date(time)) + (language === 'en' ? ' KST' : '');
}

/** A bank's deadline, to the minute and in Korean time. */
export function deadline(time) {
  const format = {
    month: language === 'en' ? 'short' : 'long', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'Asia/Seoul',
  };
  return new Intl.DateTimeFormat(language, format).format(new Date(time)) + (language === 'en' ? ' KST' : '');
}

/** What the result page says, by what is known of the order. `mark` is the word on the stamp. */
export const results = {
  OPEN: {
    tone: 'wait', mark: ['결제 중', 'Paying'], title: ['결제창에서 결제를 마쳐 주세요', 'Please finish in the payment window'],
    text: ['결제창이 보이지 않으면 아래에서 결제창을 다시 열거나 결제 상태를 확인할 수 있어요. 이미 결제된 주문은 다시 결제되지 않아요.', 'If you cannot see the payment window, open it again or check the payment below. An order that is paid already is not paid twice.'],
  },
  CHECKING: {
    tone: 'wait', mark: ['확인 중', 'Checking'], title: ['결제를 확인하고 있어요', 'We are checking your payment'],
    text: ['보통 몇 초면 끝나요. 이 창을 닫아도 결제는 안전하게 처리됩니다.', 'This usually takes a few seconds. Closing this page does no harm.'],
  },
  UNCONFIRMED: {
    tone: 'wait', mark: ['확인 전', 'Not confirmed'], title: ['아직 결제를 확인하지 못했어요', 'We have not seen your payment yet'],
    text: ['이미 결제하셨다면 다시 결제하지 마시고, 잠시 뒤 ‘다시 확인’을 눌러 주세요.', 'If you have paid, do not pay again. Wait a moment and press “Check again”.'],
  },
  UNREACHABLE: {
    tone: 'wait', mark: ['확인 전', 'Not confirmed'], title: ['지금은 결제 결과를 알 수 없어요', 'We cannot tell the result right now'],
    text: ['상점과 연결이 고르지 않아요. 결제하셨다면 그대로 처리되니 다시 결제하지 마시고 잠시 뒤 확인해 주세요.', 'The connection to the shop is unsteady. If you paid, it will be processed: do not pay again, check in a moment.'],
  },
  UNPAID: {
    tone: 'wait', mark: ['결제 전', 'Not paid'], title: ['아직 결제되지 않은 주문이에요', 'This order is not paid yet'],
    text: ['결제를 마치셨다면 잠시 기다려 주세요. 아니라면 이어서 결제하거나 주문을 바꿀 수 있어요.', 'If you did pay, please wait a moment. If not, pay now or change the order.'],
  },
  CLOSED: {
    tone: 'wait', mark: ['결제 전', 'Not paid'], title: ['결제를 마치기 전에 창이 닫혔어요', 'The payment window was closed'],
    text: ['빠져나간 돈은 없어요. 같은 주문으로 다시 결제할 수 있어요.', 'No money has moved. You can pay for the same order again.'],
  },
  DECLINED: {
    tone: 'bad', mark: ['결제 실패', 'Not paid'], title: ['결제가 승인되지 않았어요', 'Your payment was declined'],
    text: ['빠져나간 돈은 없어요. 같은 주문으로 다시 결제하거나 다른 결제수단을 골라 주세요.', 'No money has moved. Try this order again or choose another way to pay.'],
  },
  TAMPERED: {
    tone: 'bad', mark: ['결제 중단', 'Stopped'], title: ['결제 금액이 주문과 달라 멈췄어요', 'We stopped: the amount was not the order’s'],
    text: ['빠져나간 돈은 없어요. 페이지를 새로 열고 다시 주문해 주세요. 되풀이되면 브라우저 확장 프로그램을 꺼 보세요.', 'No money has moved. Reload the page and order again; if it repeats, turn off browser extensions.'],
  },
  WINDOW_FAILED: {
    tone: 'bad', mark: ['결제 전', 'Not paid'], title: ['결제창을 열지 못했어요', 'The payment window did not open'],
    text: ['빠져나간 돈은 없어요. 다시 시도하거나 다른 결제수단을 골라 주세요.', 'No money has moved. Try again or choose another way to pay.'],
  },
  PAY_PENDING: {
    tone: 'wait', mark: ['승인 대기', 'Pending'], title: ['결제 승인을 기다리고 있어요', 'Waiting for the approval'],
    text: ['결제사의 승인이 조금 늦어지고 있어요. 다시 결제하지 않으셔도 됩니다.', 'The payment company is taking its time. Please do not pay again.'],
  },
  VIRTUAL_ACCOUNT_ISSUED: {
    tone: 'wait', mark: ['입금 대기', 'Awaiting transfer'], title: ['아래 계좌로 입금해 주세요', 'Please transfer to this account'],
    text: ['입금이 확인되면 이 화면이 저절로 바뀌어요. 금액이 다르면 입금되지 않을 수 있어요.', 'This page changes by itself once the transfer arrives. Send exactly this amount.'],
  },
  ACCOUNT_OVERDUE: {
    tone: 'bad', mark: ['기한 지남', 'Too late'], title: ['입금 기한이 지났어요', 'The time to transfer has passed'],
    text: ['받으신 계좌로 더는 입금하지 마시고 새로 주문해 주세요. 기한 안에 입금하셨다면 ‘다시 확인’을 눌러 주세요.', 'Please do not transfer to that account any more; order again. If you sent it in time, press “Check again”.'],
  },
  PAID: {
    tone: 'good', mark: ['결제 완료', 'Paid'], title: ['주문해 주셔서 고맙습니다', 'Thank you for your order'],
    text: ['결제가 확인됐어요. 정성껏 준비해서 보내 드릴게요.', 'Your payment is confirmed. We are packing with care.'],
  },
  CANCELLING: {
    tone: 'wait', mark: ['취소 진행 중', 'Cancelling'], title: ['취소를 진행하고 있어요', 'A cancellation is under way'],
    text: ['결제사가 취소를 마치면 이 화면이 저절로 바뀌어요. 따로 하실 일은 없습니다.', 'This page changes by itself once the payment company is done. There is nothing for you to do.'],
  },
  PARTIAL_CANCELLED: {
    tone: 'good', mark: ['부분 취소', 'Partly cancelled'], title: ['주문의 일부가 취소됐어요', 'Part of your order was cancelled'],
    text: ['취소한 금액은 결제하신 수단으로 돌아갑니다. 카드는 3~5영업일이 걸릴 수 있고, 가상계좌로 입금하셨다면 환불 계좌로 보내 드려요.', 'The cancelled part goes back the way you paid; cards may take 3–5 business days, and a transfer goes to your refund account.'],
  },
  CANCELLED: {
    tone: 'bad', mark: ['취소 완료', 'Cancelled'], title: ['주문이 취소됐어요', 'Your order was cancelled'],
    text: ['결제하신 금액은 모두 결제하신 수단으로 돌아갑니다. 카드는 3~5영업일이 걸릴 수 있고, 가상계좌로 입금하셨다면 환불 계좌로 보내 드려요.', 'All you paid goes back the way you paid; cards may take 3–5 business days, and a transfer goes to your refund account.'],
  },
  CANCELLED_UNPAID: {
    tone: 'bad', mark: ['취소 완료', 'Cancelled'], title: ['결제 전에 주문이 취소됐어요', 'Your order was closed before it was paid'],
    text: ['결제된 금액은 없어요. 받아 두신 가상계좌가 있다면 입금하지 마세요.', 'Nothing was paid. If you were given a virtual account, please do not transfer to it.'],
  },
  EXPIRED: {
    tone: 'bad', mark: ['시간 지남', 'Expired'], title: ['결제할 수 있는 시간이 지났어요', 'The time to pay has passed'],
    text: ['결제된 금액은 없어요. 받아 두신 가상계좌가 있다면 입금하지 마시고, 새로 주문해 주세요.', 'Nothing was paid. If you were given a virtual account, please do not transfer to it; order again.'],
  },
  REJECTED: {
    tone: 'bad', mark: ['환불', 'Refund'], title: ['결제가 주문과 달라 돈을 돌려드려요', 'Your money is going back'],
    text: ['결제 내용이 주문과 맞지 않아 주문을 받지 않았어요. 결제된 금액은 전부 돌아가며, 카드는 3~5영업일이 걸릴 수 있어요. 다시 주문해 주세요.', 'What was paid did not match the order, so we did not take it. All of it goes back the way you paid; cards may take 3–5 business days. Please order again.'],
  },
  NOT_FOUND: {
    tone: 'bad', mark: ['주문 없음', 'No order'], title: ['이 주문을 찾을 수 없어요', 'We cannot find this order'],
    text: ['이 기기에서 한 주문이 아닐 수 있어요. 주문한 기기에서 열어 보거나 상점에 문의해 주세요.', 'It may have been placed on another device. Open it there, or ask the shop.'],
  },
  UNRECOGNIZED: {
    tone: 'wait', mark: ['확인 중', 'Checking'], title: ['주문 상태를 확인하고 있어요', 'We are looking at your order'],
    text: ['잠시 뒤 다시 확인해 주세요.', 'Please check again in a moment.'],
  },
};

/** Why nothing could be ordered just now: no order was paid for when one of these is shown. */
export const troubles = {
  offline: ['인터넷에 연결되어 있지 않아요. 연결을 확인하고 다시 눌러 주세요.', 'You are offline. Check the connection and try again.'],
  lost: ['상점에서 답이 오지 않아요. 다시 누르셔도 주문이 두 번 되지 않아요.', 'The shop did not answer. Pressing again will not order twice.'],
  busy: ['지금 주문이 많아요. 잠시 뒤 다시 눌러 주세요. 다시 누르셔도 주문이 두 번 되지 않아요.', 'We are busy just now. Try again in a moment; you will not order twice.'],
  sdk: ['결제창을 불러오지 못했어요. 광고 차단을 끄거나 연결을 확인하고 다시 눌러 주세요. 주문은 아직 하지 않았어요.', 'The payment window could not be loaded. Turn off ad blockers or check the connection and try again. Nothing was ordered.'],
  price: ['그 사이 가격이 바뀌었어요. 지금 금액은 {total}입니다. 괜찮으시면 결제하기를 다시 눌러 주세요.', 'The price has changed: it is {total} now. If that is fine, press pay again.'],
  refused: ['주문을 받지 못했어요. 내용을 확인하고 다시 눌러 주세요.', 'The order was not accepted. Please check it and try again.'],
  products: ['상품을 불러오지 못했어요.', 'The products could not be loaded.'],
};

/** What a field needs, said before asking the shop. Its format is the shop's to judge, and its words are shown. */
export const missing = {
  name: ['이름을 적어 주세요.', 'Enter your name.'],
  email: ['이메일을 적어 주세요.', 'Enter your e-mail.'],
  phone: ['휴대폰 번호를 적어 주세요.', 'Enter your mobile number.'],
  items: ['담은 상품이 없어요. 상품을 먼저 담아 주세요.', 'Nothing is in your order yet. Add a product first.'],
};

/** Everything else. */
export const phrases = {
  title: ['느티상점', 'Neuti'],
  viewOrder: ['주문하기', 'Order'],
  otherLanguage: ['English', '한국어'],
  fewer: ['{name} 하나 빼기', 'One {name} fewer'],
  more: ['{name} 하나 더', 'One more {name}'],
  quantity: ['{name} 수량', 'Quantity of {name}'],
  add: ['담기', 'Add'],
  addNamed: ['{name} 담기', 'Add {name}'],
  soldOut: ['품절', 'Sold out'],
  chosen: ['{count}개 · {total}', 'Items: {count} · {total}'],
  chosenAloud: ['{name} {quantity}개. 모두 {count}개, {total}.', '{quantity} of {name}. {count} in all, {total}.'],
  times: ['{quantity}개', '× {quantity}'],
  pay: ['{total} 결제하기', 'Pay {total}'],
  working: ['주문을 만들고 있어요', 'Placing your order'],
  retrying: ['답이 늦어지고 있어요. 다시 시도하고 있어요.', 'This takes longer than usual. Trying again.'],
  faultNamed: ['{name}: {detail}', '{name}: {detail}'],
  leftOut: ['{name}: {detail} 주문에서 뺐어요.', '{name}: {detail} It was taken out of the order.'],
  faults: ['확인이 필요한 곳이 {count}군데 있어요', 'Please check: {count}'],
  copyShort: ['복사', 'Copy'],
  copiedShort: ['복사됨', 'Copied'],
  copied: ['{name}: 복사했어요.', '{name}: copied.'],
  notCopied: ['복사하지 못했어요. 글자를 길게 눌러 복사해 주세요.', 'Could not copy. Select the text instead.'],
  orderNumber: ['주문번호', 'Order number'],
  orderedAt: ['주문한 때', 'Ordered'],
  paidAt: ['결제한 때', 'Paid at'],
  payBy: ['결제 기한', 'Pay by'],
  depositBy: ['입금 기한', 'Transfer by'],
  until: ['{time}까지', '{time}'],
  total: ['합계', 'Total'],
  partCancelled: ['부분 취소', 'Part cancelled'],
  allCancelled: ['전액 취소', 'Cancelled'],
  cancelling: ['취소 진행 중', 'Being cancelled'],
  returned: ['돌려드린 금액', 'Returned'],
  left: ['남은 금액', 'Remaining'],
};

/** A bank as its customers call it. V2 has PortOne's word, V1 its PG's Korean text; an unknown one is shown as it came. */
export function bankName(bank) {
  const known = banks[bank] ?? Object.values(banks).find(([korean]) => bare(korean) === bare(bank));
  return known ? say(known) : bank;
}

/** PGs write 국민, 국민은행 and KB국민은행 of one bank. */
const bare = (name) => name.replace(/\s|^(KB|NH|IBK|KDB|KEB|MG|SC|DGB|BNK)|은행$/g, '');

/** Banks that issue virtual accounts, by PortOne's words for them. */
const banks = {
  KOOKMIN: ['국민은행', 'KB Kookmin Bank'], SHINHAN: ['신한은행', 'Shinhan Bank'], WOORI: ['우리은행', 'Woori Bank'],
  HANA: ['하나은행', 'Hana Bank'], NONGHYUP: ['농협은행', 'NH Nonghyup Bank'], IBK: ['기업은행', 'IBK'],
  KDB: ['산업은행', 'KDB'], SUHYUP: ['수협은행', 'Suhyup Bank'], DAEGU: ['아이엠뱅크', 'iM Bank'], BUSAN: ['부산은행', 'Busan Bank'],
  KWANGJU: ['광주은행', 'Kwangju Bank'], KYONGNAM: ['경남은행', 'Kyongnam Bank'], JEONBUK: ['전북은행', 'Jeonbuk Bank'],
  JEJU: ['제주은행', 'Jeju Bank'], KFCC: ['새마을금고', 'MG Community Credit'], SHINHYUP: ['신협', 'Shinhyup'],
  POST: ['우체국', 'Korea Post'], STANDARD_CHARTERED: ['SC제일은행', 'SC First Bank'], CITI: ['한국씨티은행', 'Citibank Korea'],
  K_BANK: ['케이뱅크', 'K bank'], KAKAO: ['카카오뱅크', 'Kakao Bank'], TOSS: ['토스뱅크', 'Toss Bank'],
  LOCAL_NONGHYUP: ['지역농축협', 'Local Nonghyup'], SAVINGS_BANK: ['저축은행', 'Savings bank'], NFCF: ['산림조합', 'Forestry Cooperative'],
};
