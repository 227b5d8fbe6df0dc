// The payment window's buttons. The server acts first; the shop's page hears of it afterwards.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const buttons = [...document.querySelectorAll("[data-action]")];

  // Who waits for the result: the page around the frame, or the page that opened the popup. A page that
  // this window replaced waits at its redirectUrl instead, whoever may have opened its tab.
  const waiting = { IFRAME: window.parent, POPUP: window.opener }[data.presentation];
  const shop = waiting && waiting !== window ? waiting : null;
  const shopOrigin = data.pageOrigin && data.pageOrigin !== "null" ? data.pageOrigin : "*";

  const money = new Intl.NumberFormat("ko-KR", { style: "currency", currency: data.currency });
  const digits = money.resolvedOptions().maximumFractionDigits;
  byId("order-name").textContent = data.orderName;
  byId("amount").textContent =
    data.currency === "KRW" ? `${data.amount.toLocaleString("ko-KR")}원` : money.format(data.amount / 10 ** digits);
  byId("method").textContent = `${data.method.ko} · ${data.method.en}`;
  byId("channel").textContent = `${data.channel.name} (${data.channel.kind}, ${data.channel.pgProvider})`;
  byId("payment-id").textContent = data.paymentId;
  const toTest = data.otherKind === "TEST";
  byId("other-kind").textContent = `다른 채널 종류로: ${toTest ? "테스트" : "실연동"} 채널로 결제`;
  byId("other-kind-en").textContent = `Pay on a ${data.otherKind} channel instead of ${data.channel.kind}`;
  document.querySelector('[data-action="pay"]').hidden = data.issuesAccount;
  document.querySelector('[data-action="issue"]').hidden = !data.issuesAccount;
  for (const item of document.querySelectorAll('[data-only="money"]')) item.hidden = data.issuesAccount;

  function show(result, redirectTo) {
    byId("ask").hidden = true;
    byId("done").hidden = false;
    for (const button of buttons) button.disabled = true;
    byId("done-title").textContent = result.code ? "결제되지 않음" : "완료";
    byId("done-text").textContent = result.code
      ? `${result.message} (${result.code})`
      : "이 창에서 할 일이 끝났습니다. This window is done.";
    const link = byId("done-link");
    link.hidden = !redirectTo;
    if (redirectTo) link.href = redirectTo;
    byId("status").textContent = "";
  }

  // `rsp` is what V1's callback gets; V2 takes `result`.
  function hand({ result, rsp, redirectTo }) {
    show(result, redirectTo);
    if (shop) {
      shop.postMessage({ source: "portone-simulator", txId: data.txId, result, rsp, redirectTo }, shopOrigin);
      if (data.presentation === "POPUP") window.close();
    } else if (redirectTo) {
      location.replace(redirectTo);
    }
  }

  async function press(action) {
    for (const button of buttons) button.disabled = true;
    byId("status").textContent = "처리하고 있습니다… Working…";
    try {
      const response = await fetch(`/window/${encodeURIComponent(data.txId)}/press`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ button: action }),
      });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      hand(await response.json());
    } catch (error) {
      // Pressing again is safe: a decided attempt answers with its first decision.
      for (const button of buttons) button.disabled = false;
      byId("status").textContent = `시뮬레이터가 응답하지 않습니다. 다시 눌러 주세요. The simulator did not answer (${error.message}).`;
    }
  }

  for (const button of buttons) button.addEventListener("click", () => press(button.dataset.action));
  const close = () => {
    if (byId("done").hidden && !buttons[0].disabled) press("close");
  };
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  window.addEventListener("message", (event) => {
    const fromShop = event.source === shop && (shopOrigin === "*" || event.origin === shopOrigin);
    if (fromShop && event.data?.source === "portone-simulator" && event.data.close) close();
  });

  if (data.result) {
    show(data.result, data.redirectTo);
  } else {
    const first = document.querySelector(".primary:not([hidden])");
    first.focus({ preventScroll: true });
  }
})();
