/**
 * What an operator reads, in Korean and English: the sentences that are not in index.html, the API's words, amounts and
 * times. Each is [Korean, English]; `{name}` is filled in by `say`.
 */

/** `ko` or `en`. */
export let language = 'ko';

export function speak(chosen) {
  language = chosen === 'en' ? 'en' : 'ko';
}

/** The sentence in the operator's language, its `{names}` filled in. */
export function say([korean, english], values = {}) {
  return (language === 'en' ? english : korean).replace(/{(\w+)}/g, (_, name) => values[name]);
}

/** A name or a sentence that somebody wrote stays what it is, and is read as the Korean it may be. */
export const written = (text) => ({ lang: /[가-힣]/.test(text ?? '') ? 'ko' : undefined });

/** What a word of the API means; a word that is not known here is shown as it came. */
export const word = (words, key) => (words[key] ? say(words[key]) : String(key ?? ''));
/** Why a cancellation failed: PortOne's or the PG's code, and the PG's own words where there are any. */
export const said = ({ failure, failureMessage }) => [failure, failureMessage].filter(Boolean).join(' · ');

const decimals = (currency) => new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;

/** An amount in minor units. For the eye only: nothing is computed from it. */
export function money(amount, currency) {
  if (language === 'ko' && currency === 'KRW') return `${new Intl.NumberFormat('ko').format(amount)}원`;
  return new Intl.NumberFormat(language, { style: 'currency', currency }).format(amount / 10 ** decimals(currency));
}

/** The minor units that somebody typed, or nothing: `1,000` or `1000원`, and `10.5` where the currency has cents. */
export function minorUnits(typed, currency) {
  const places = decimals(currency);
  const parts = /^(\d{1,15})(?:\.(\d+))?$/.exec(typed.replace(/[,\s원₩$]/g, ''));
  if (!parts || (parts[2] ?? '').length > places) return undefined;
  const units = Number(parts[1] + (parts[2] ?? '').padEnd(places, '0'));
  return Number.isSafeInteger(units) ? units : undefined;
}

/** The same as a bare number, for a table that says its currency. */
export function number(amount, currency) {
  const places = decimals(currency);
  return new Intl.NumberFormat(language, { minimumFractionDigits: places, maximumFractionDigits: places }).format(amount / 10 ** places).replace('-', '−');
}

/** A moment in Korean time, wherever the operator is. */
export function moment(time) {
  const format = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone: 'Asia/Seoul' };
  const part = Object.fromEntries(new Intl.DateTimeFormat('en', format).formatToParts(new Date(time)).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second}`;
}

export const statuses = {
  PENDING: ['결제 전', 'Not paid'], PAY_PENDING: ['승인 대기', 'Being approved'], VIRTUAL_ACCOUNT_ISSUED: ['입금 대기', 'Awaiting transfer'],
  PAID: ['결제 완료', 'Paid'], PARTIAL_CANCELLED: ['부분 취소', 'Partly cancelled'], CANCELLED: ['취소됨', 'Cancelled'],
  EXPIRED: ['만료됨', 'Expired'], REJECTED: ['거절(환불)', 'Rejected'],
};

/** How an order's status looks. */
export const tones = {
  PAID: 'good', PARTIAL_CANCELLED: 'good', PENDING: 'wait', PAY_PENDING: 'wait', VIRTUAL_ACCOUNT_ISSUED: 'wait',
  REJECTED: 'bad', CANCELLED: 'over', EXPIRED: 'over', SUCCEEDED: 'good', REQUESTED: 'wait', UNKNOWN: 'bad', FAILED: 'bad',
};

/** A cancellation's outcome; the journal calls UNKNOWN what it is at first: INTENDED. */
export const outcomes = {
  SUCCEEDED: ['취소됨', 'Cancelled'], REQUESTED: ['PG사 처리 중', 'With the PG'], FAILED: ['거절됨', 'Refused'],
  UNKNOWN: ['결과 모름', 'Outcome unknown'], INTENDED: ['요청을 적어 둠', 'Written down'],
};

export const origins = {
  OPERATOR: ['운영자', 'Operator'], MISMATCH: ['자동 반송', 'Returned by itself'], OUTSIDE: ['포트원 콘솔·PG사', 'PortOne’s console, the PG'],
  CHARGEBACK: ['차지백', 'Chargeback'],
};

/** The transfer of a cancelled deposit to the buyer's refund account. */
export const depositRefunds = {
  PENDING: ['이체 대기', 'Pending'], FAILED: ['이체 실패', 'Failed'], PARTIAL_REFUND_FAILED: ['일부 이체 실패', 'Partly failed'], COMPLETED: ['이체 완료', 'Completed'],
};

export const actors = {
  BUYER: ['구매자 페이지', 'Buyer’s page'], PORTONE: ['포트원 웹훅', 'PortOne’s webhook'], OPERATOR: ['운영자', 'Operator'], SCHEDULE: ['정기 대사', 'Schedule'],
};

export const rejections = {
  AMOUNT: ['금액이 다름', 'another amount'], CURRENCY: ['통화가 다름', 'another currency'], STORE: ['다른 상점의 결제', 'another store'],
  CHANNEL: ['맞지 않는 채널', 'a channel of the wrong kind'], LATE: ['만료 뒤에 결제됨', 'paid after it expired'], ORDER_CANCELLED: ['취소 뒤에 결제됨', 'paid after it was cancelled'],
};

export const imbalances = {
  ReceivedIsNotOrdered: ['받은 돈이 주문 금액과 다릅니다.', 'What came is not what was ordered.'],
  ReturnedExceedsReceived: ['받은 돈보다 더 많이 나갔습니다.', 'More went back than came.'],
  LedgerExceedsReturned: ['취소 내역의 합이 실제로 나간 돈보다 큽니다.', 'The cancellations come to more than what went back.'],
  StatusDoesNotFollow: ['상태가 금액과 맞지 않습니다.', 'The status does not follow from the money.'],
  Stock: ['재고가 상태와 맞지 않습니다.', 'The stock does not follow from the status.'],
  Journal: ['기록에 빠진 버전이 있습니다.', 'A version is missing from the journal.'],
};

export const methods = {
  CARD: ['카드', 'Card'], VIRTUAL_ACCOUNT: ['가상계좌', 'Virtual account'], TRANSFER: ['계좌이체', 'Bank transfer'], MOBILE: ['휴대폰', 'Mobile'],
  GIFT_CERTIFICATE: ['상품권', 'Gift certificate'], EASY_PAY: ['간편결제', 'Easy pay'], PAYPAL: ['페이팔', 'PayPal'], ALIPAY: ['알리페이', 'Alipay'],
  CONVENIENCE_STORE: ['편의점', 'Convenience store'], ALIPAY_PLUS: ['알리페이+', 'Alipay+'],
};

/** Banks that refunds go to, by PortOne's words. */
export const banks = {
  KOOKMIN: ['국민은행', 'KB Kookmin Bank'], SHINHAN: ['신한은행', 'Shinhan Bank'], WOORI: ['우리은행', 'Woori Bank'], HANA: ['하나은행', 'Hana Bank'],
  NONGHYUP: ['농협은행', 'NH Nonghyup Bank'], LOCAL_NONGHYUP: ['지역농축협', 'Local Nonghyup'], IBK: ['기업은행', 'IBK'], KAKAO: ['카카오뱅크', 'Kakao Bank'],
  TOSS: ['토스뱅크', 'Toss Bank'], K_BANK: ['케이뱅크', 'K bank'], KFCC: ['새마을금고', 'MG Community Credit'], SHINHYUP: ['신협', 'Shinhyup'], POST: ['우체국', 'Korea Post'],
  STANDARD_CHARTERED: ['SC제일은행', 'SC First Bank'], CITI: ['한국씨티은행', 'Citibank Korea'], KDB: ['산업은행', 'KDB'], SUHYUP: ['수협은행', 'Suhyup Bank'],
  DAEGU: ['아이엠뱅크', 'iM Bank'], BUSAN: ['부산은행', 'Busan Bank'], KWANGJU: ['광주은행', 'Kwangju Bank'], KYONGNAM: ['경남은행', 'Kyongnam Bank'],
  JEONBUK: ['전북은행', 'Jeonbuk Bank'], JEJU: ['제주은행', 'Jeju Bank'], SAVINGS_BANK: ['저축은행', 'Savings bank'], NFCF: ['산림조합', 'Forestry Cooperative'],
};

/** The facts of a finding. */
export const factNames = {
  generation: ['포트원', 'PortOne'], paymentId: ['결제 아이디', 'Payment id'], transactionId: ['거래번호', 'Transaction id'], paymentStatus: ['포트원의 상태', 'PortOne’s status'],
  status: ['주문 상태', 'Order status'], total: ['금액', 'Amount'], returned: ['돌려준 금액', 'Given back'], imbalances: ['맞지 않는 것', 'What does not balance'], unreadable: ['읽지 못한 곳', 'What cannot be read'],
  disputedAt: ['이의 제기 일시', 'Disputed at'], pgDisputeId: ['PG사 이의 제기 번호', 'The PG’s dispute ID'], depositRefund: ['환불금 이체', 'Refund transfer'],
  failure: ['취소 실패 코드', 'Cancellation failure code'], field: ['읽지 못한 항목', 'Field that cannot be read'], operation: ['요청', 'Request'], code: ['오류 코드', 'Error code'],
  nextStatus: ['바꾸려던 상태', 'Status that was to be written'], asked: ['취소 요청 금액', 'Amount asked to cancel'], expectedBalance: ['예상한 취소 가능 금액', 'Expected cancellable amount'],
  cancelled: ['포트원의 취소 금액', 'PortOne’s cancelled amount'],
};

/** Everything else, by the part of the page that says it. */
export const phrases = {
  title: ['결제 운영 콘솔', 'Payments console'],
  otherLanguage: ['English', '한국어'],
  loading: ['불러오는 중입니다.', 'Loading.'],
  silent: ['답을 받지 못했습니다. 잠시 뒤 다시 시도해 주세요.', 'No answer came. Please try again in a moment.'],

  expired: ['로그인이 만료되었거나 권한이 없습니다. 다시 로그인하면 보던 화면으로 돌아갑니다.', 'Signed out: the credentials expired or are not allowed. Sign in again to go on where you were.'],
  notCredentials: ['읽을 수 없는 내용입니다. 키와 비밀 키(또는 토큰)를 모두 붙여 넣고, 리전을 확인해 주세요.', 'This cannot be read. Paste the key and its secret (or the token), and check the region.'],
  providerFailed: ['로그인하지 못했습니다({why}). 다시 시도해 주세요.', 'Signing in failed ({why}). Please try again.'],
  signedIn: ['로그인했습니다.', 'Signed in.'],

  found: ['주문 {count}건', 'Orders: {count}'],
  foundNothing: ['이 번호의 주문이 없습니다.', 'There is no order with this number.'],
  foundUnknown: ['포트원에는 결제가 있지만 이 상점의 주문이 아닙니다: {ids}. 확인할 일에서 찾아보세요.', 'PortOne has a payment that is no order here: {ids}. Look for it among the findings.'],
  foundMore: ['더 있을 수 있습니다. 번호를 끝까지 입력해 보세요.', 'There may be more. Type the whole number.'],
  orderedAt: ['주문한 때', 'Ordered'],

  orderNotFound: ['이 주문이 없습니다.', 'There is no such order.'],
  total: ['주문 금액', 'Ordered'], paid: ['받은 금액', 'Received'], cancelled: ['돌려준 금액', 'Given back'], underWay: ['돌려주는 중', 'On its way back'],
  left: ['남은 금액', 'Left'], taxFree: ['주문의 면세 금액', 'Tax-free share'], method: ['결제수단', 'Method'], generation: ['포트원', 'PortOne'],
  paidAt: ['결제한 때', 'Paid at'], expiresAt: ['결제 기한', 'Pay by'], account: ['입금 계좌', 'Account'], lastFailure: ['마지막 실패', 'Last failure'],
  depositRefund: ['환불금 이체', 'Refund transfer'], dispute: ['이의 제기', 'Dispute'],
  disputeOpen: ['{at} 접수, 진행 중', 'Opened {at}, still open'], disputeResolved: ['{at} 접수, {resolved} 종료', 'Opened {at}, resolved {resolved}'],
  disputeEnded: ['{at} 접수, 종료', 'Opened {at}, resolved'],
  odd: ['장부가 맞지 않습니다', 'The books do not balance'],
  rejected: ['주문과 맞지 않는 돈이 들어왔습니다', 'Money came that is not this order’s'],
  rejectedText: ['{reasons}. 저절로 돌려주며, 돌려주지 못하면 확인할 일에 나옵니다.', '{reasons}. It goes back by itself; if it cannot, a finding says so.'],
  rejectedDone: ['{reasons}. 모두 돌려주었습니다.', '{reasons}. All of it went back.'],
  unknownOutcome: ['결과를 모르는 취소가 있습니다', 'A cancellation has no known outcome'],
  unknownOutcomeText: ['돈이 나갔을 수도, 아닐 수도 있습니다. 다시 확인하면 포트원에 같은 취소로 물어보며 두 번 취소되지 않습니다.', 'The money may have gone back or not. Looking again asks PortOne about the same cancellation; it never happens twice.'],
  findingHere: ['확인할 일', 'Finding'],
  toFindings: ['확인할 일에서 처리하기', 'Settle it among the findings'],
  syncNow: ['포트원에서 다시 읽기', 'Read from PortOne again'],
  synced: ['포트원에서 다시 읽었습니다. 상태: {status}', 'Read again from PortOne. Status: {status}'],
  changed: ['{from} → {to}', '{from} → {to}'],
  noChange: ['{status} 그대로', 'still {status}'],
  seen: ['포트원: {status}', 'PortOne: {status}'],
  moved: ['취소 {number}번: {status}', 'Cancellation {number}: {status}'],
  ofWhichTaxFree: ['그중 면세 {amount}', '{amount} of it tax-free'],
  closing: ['주문 닫기', 'Closing'],
  pgSays: ['PG사·포트원의 답: {said}', 'The PG or PortOne says: {said}'],
  noCancellations: ['취소한 적이 없습니다.', 'Nothing was cancelled.'],

  wholeOf: ['남은 {amount} 모두', 'All that is left, {amount}'],
  reasonMissing: ['취소 사유를 적어 주세요.', 'Give a reason.'],
  amountMissing: ['1 이상의 금액을 숫자로 적어 주세요.', 'Enter an amount of at least 1.'],
  amountTooMuch: ['남은 금액 {amount}보다 많습니다.', 'More than what is left, {amount}.'],
  taxFreeWrong: ['면세 금액은 취소 금액과 {amount}를 넘을 수 없습니다.', 'Not more than the amount, and not more than {amount}.'],
  accountMissing: ['은행, 계좌번호, 예금주를 모두 적어 주세요.', 'Enter the bank, the number and the holder.'],
  confirmTitle: ['{amount}을 돌려줄까요?', 'Give {amount} back?'],
  confirmClose: ['이 주문을 닫을까요?', 'Close this order?'],
  confirmText: ['취소하면 되돌릴 수 없습니다.', 'This cannot be undone.'],
  confirmYes: ['돌려주기', 'Give back'], confirmCloseYes: ['닫기', 'Close'], confirmNo: ['그만두기', 'Back'],
  cancelSent: ['취소를 요청하고 있습니다.', 'Asking for the cancellation.'],
  cancelDone: ['{amount}을 돌려주었습니다.', '{amount} went back.'],
  closeDone: ['주문을 닫았습니다.', 'The order is closed.'],
  cancelRequested: ['{amount} 취소를 PG사가 처리하고 있습니다. 결과는 저절로 기록됩니다.', 'The PG is working on {amount}. The outcome will be recorded by itself.'],
  cancelUnknown: ['{amount} 취소의 결과를 아직 모릅니다. 다시 확인을 눌러 주세요.', 'It is not known yet whether {amount} went back. Please look again.'],
  cancelFailed: ['취소가 거절되었습니다. 돈은 나가지 않았습니다. PG사·포트원의 답: {said}', 'Refused: no money moved. The PG or PortOne says: {said}'],
  cancelLost: ['답을 받지 못해 취소되었는지 모릅니다. ‘같은 취소 다시 보내기’를 누르세요. 같은 취소이므로 두 번 나가지 않습니다.', 'No answer came, so it is not known whether it was cancelled. Send the same cancellation again: it is the same one, and happens once.'],
  cancelKept: ['지난번 취소의 답을 받지 못했습니다. 위의 취소 내역을 확인하세요. 내역에 없다면 다시 취소할 수 있으며, 두 번 나가지 않습니다.', 'The last cancellation got no answer. See the ledger above; if it is not there you may cancel again, and it will happen once.'],
  cancelOther: ['이 주문은 그사이 바뀌었습니다. 위의 취소 내역을 다시 확인해 주세요.', 'The order has changed meanwhile. Please look at its ledger again.'],
  leftNow: ['지금 남은 금액: {amount}', 'Left now: {amount}'],

  noFindings: ['확인할 일이 없습니다.', 'Nothing to look at.'],
  findingsCount: ['{count}건', '{count}'],
  findingsMore: ['{count}건 이상', '{count} or more'],
  settle: ['처리 완료', 'Settled'],
  settleNamed: ['{reason} {subject} 처리 완료', 'Settled: {reason} {subject}'],
  settleTitle: ['처리한 일로 지울까요?', 'Take it off the list?'],
  settleText: ['원인이 남아 있으면 다음 대사 때 다시 나타납니다.', 'If its cause is still there, the next reconciliation finds it again.'],
  settled: ['처리한 일로 지웠습니다.', 'It is off the list.'],
  openOrder: ['주문 보기', 'Open the order'],
  about: ['대상', 'About'],
  firstSeen: ['처음 발견', 'First seen'],

  payments: ['결제', 'Payments'], cancellations: ['취소', 'Cancellations'], returns: ['반송', 'Returned'], net: ['합계', 'Net'], day: ['날짜', 'Day'], unit: ['단위: {currency}', 'In {currency}'],
  moneyIn: ['결제 금액', 'Money in'], moneyBack: ['돌려준 금액', 'Money back'],
  chartTitle: ['{from}부터 {to}까지 {currency}: 결제 {in} ({count}건), 취소와 반송 {back}', '{from} to {to}, {currency}: {in} in ({count}), {back} back'],
  countOf: ['{count}건', '{count}'],
  notCounted: ['집계 없음', 'Not counted'],
  notFinal: ['마감 전', 'Not closed'],
  unreadable: ['읽지 못한 주문이 있어 합계에서 빠졌습니다: {days}', 'Some orders could not be read and are in no sum: {days}'],
  nothingMoved: ['이 기간에 집계된 결제가 없습니다.', 'Nothing was counted in this time.'],
};
