// Stands in for https://cdn.iamport.kr/v1/iamport.js: window.IMP with init, agency and request_pay.
(() => {
  "use strict";
// __WINDOW_HOST__
  let merchant = null;

  // Once per page; the real script warns against a second time and goes on.
  function init(code) {
    if (merchant) console.warn("IMP.init은 한 번만 호출해 주세요.");
    merchant = { code };
  }

  function agency(code, tier) {
    merchant = { code, tier };
  }

  const failure = (params, error_code, error_msg) => ({
    success: false,
    imp_uid: null,
    merchant_uid: params?.merchant_uid ?? null,
    error_code,
    error_msg,
  });

  // What the callback is called with. Checks of the parameters are the server's; a refused request opens no
  // window and has no imp_uid.
  async function pay(params) {
    if (!merchant) return failure(params, "BAD_REQUEST", "IMP.init을 먼저 호출해 주세요.");
    let posted;
    try {
      posted = await post("/v1/windows", { params, mobile: isMobile() });
    } catch {
      return failure(params, "NETWORK_ERROR", "결제 서비스에 연결할 수 없습니다.");
    }
    const { ok, answer } = posted;
    if (!ok) return answer;
    const closed = { ...failure(params, "F400", "결제창이 닫혔습니다."), imp_uid: answer.txId };
    return (await show(answer, { rsp: closed })).rsp;
  }

  // An error in the callback is the page's own, as it would be if the window had called it directly.
  function request_pay(params, callback) {
    pay(params).then((rsp) => callback?.(rsp));
  }

  window.IMP = { init, agency, request_pay };
})();
