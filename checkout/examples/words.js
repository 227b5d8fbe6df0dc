/** What the examples say, and nothing about payments. Plain text: nothing here or in them is put into a page as HTML. */

/** @type {Record<import('../checkout.js').Outcome, string>} */
const OUTCOMES = {
  OPEN: '결제창에서 결제를 마쳐 주세요.',
  CHECKING: '결제를 확인하고 있어요.',
  PAID: '결제가 완료됐어요. 고맙습니다.',
  PAY_PENDING: '결제사의 승인을 기다리고 있어요.',
  VIRTUAL_ACCOUNT_ISSUED: '아래 계좌로 입금해 주세요.',
  ACCOUNT_OVERDUE: '입금 기한이 지났어요. 새로 주문해 주세요.',
  UNPAID: '아직 결제되지 않은 주문이에요.',
  CLOSED: '결제를 마치기 전에 창이 닫혔어요.',
  DECLINED: '결제가 승인되지 않았어요.',
  WINDOW_FAILED: '결제창을 열지 못했어요.',
  TAMPERED: '결제 금액이 주문과 달라 멈췄어요. 빠져나간 돈은 없어요.',
  UNCONFIRMED: '아직 결제를 확인하지 못했어요. 다시 결제하지 마시고 잠시 뒤 확인해 주세요.',
  UNREACHABLE: '지금은 결과를 알 수 없어요. 다시 결제하지 마시고 잠시 뒤 확인해 주세요.',
  CANCELLING: '취소를 진행하고 있어요.',
  PARTIAL_CANCELLED: '주문의 일부가 취소됐어요.',
  CANCELLED: '주문이 취소됐어요.',
  EXPIRED: '결제할 수 있는 시간이 지났어요.',
  REJECTED: '결제가 주문과 달라 돈을 돌려드려요.',
  NOT_FOUND: '이 주문을 찾을 수 없어요.',
  UNRECOGNIZED: '주문 상태를 확인하고 있어요.',
};

/** @type {Record<import('../checkout.js').CheckoutErrorCode, string>} */
const TROUBLES = {
  refused: '주문할 수 없어요.',
  unavailable: '지금 주문이 많아요. 잠시 뒤 다시 눌러 주세요. 두 번 주문되지 않아요.',
  unreachable: '상점에서 답이 오지 않아요. 다시 누르셔도 두 번 주문되지 않아요.',
  offline: '인터넷에 연결되어 있지 않아요.',
  'window-unavailable': '결제창을 불러오지 못했어요. 주문은 아직 하지 않았어요.',
  'price-changed': '그 사이 가격이 바뀌었어요.',
};

/** @param {import('../checkout.js').Result} result */
export const outcomeText = ({ outcome }) => OUTCOMES[outcome];

/** Why a call gave no result: our words, and what the API found wrong. @param {import('../checkout.js').CheckoutError} error */
export const troubleText = ({ code, problem }) =>
  [TROUBLES[code], ...(problem?.errors ?? []).map(({ detail }) => detail)].join(' ');

/** @param {{ total: number, currency: string } | undefined} amount */
export const money = (amount) => (amount ? new Intl.NumberFormat('ko', { style: 'currency', currency: amount.currency }).format(amount.total) : '');

/** @type {[import('../checkout.js').PayMethod, string][]} */
export const PAY_METHODS = [['CARD', '카드'], ['VIRTUAL_ACCOUNT', '가상계좌'], ['EASY_PAY', '간편결제']];

/** @type {[import('../checkout.js').Sdk, string][]} */
export const SDKS = [['v2', '포트원 V2'], ['v1', '포트원 V1 (아임포트)']];
