// Stands in for https://cdn.portone.io/v2/browser-sdk.js: window.PortOne.requestPayment(request).
(() => {
  "use strict";
// __WINDOW_HOST__
  // Errors before a window opened are thrown; everything later is the promise's value with a `code`.
  class PaymentError extends Error {
    constructor({ code, message, paymentId, txId }) {
      super(message);
      this.name = "PaymentError";
      this.__portOneErrorType = "PaymentError";
      this.transactionType = "PAYMENT";
      this.code = code;
      this.paymentId = paymentId;
      this.txId = txId;
    }
  }

  async function open(request) {
    const paymentId = request?.paymentId;
    let posted;
    try {
      posted = await post("/checkout/windows", { request, mobile: isMobile() });
    } catch {
      throw new PaymentError({ code: "Unavailable", message: "결제 서비스에 연결할 수 없습니다.", paymentId });
    }
    const { ok, answer } = posted;
    if (!ok) throw new PaymentError({ ...answer, paymentId });
    return answer;
  }

  async function requestPayment(request) {
    const opened = await open(request);
    // A popup closed without its button leaves only a failure code, and the attempt as it is.
    const closed = {
      transactionType: "PAYMENT", txId: opened.txId, paymentId: request.paymentId,
      code: "PGProviderError", message: "결제창이 닫혔습니다.",
    };
    return (await show(opened, { result: closed })).result;
  }

  window.PortOne = {
    requestPayment,
    PaymentError,
    isPaymentError: (error) => error?.__portOneErrorType === "PaymentError",
  };
})();
