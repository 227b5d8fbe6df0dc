// The console page: shows /_simulator/overview again after every change, and sends what is pressed.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);

  function h(tag, props = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name in element && name !== "list") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  let toastTimer;
  function toast(text) {
    byId("toast").textContent = text;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => (byId("toast").textContent = ""), 4000);
  }

  async function call(method, path, body) {
    const response = await fetch(`/_simulator${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text || `HTTP ${response.status}`);
    return text ? JSON.parse(text) : null;
  }

  async function act(what, method, path, body) {
    try {
      await call(method, path, body);
      toast(`${what}: 완료`);
    } catch (error) {
      toast(`${what}: ${error.message}`);
    }
    refresh();
  }

  const tones = {
    PAID: "good", SUCCEEDED: "good", READY: "idle", PAY_PENDING: "warn", VIRTUAL_ACCOUNT_ISSUED: "warn",
    PARTIAL_CANCELLED: "warn", CANCELLED: "idle", FAILED: "bad", REQUESTED: "warn",
    succeeded: "good", failed: "bad", dropped: "bad", held: "warn", scheduled: "warn", running: "warn",
  };
  const stateNames = {
    succeeded: "전달됨", failed: "포기함", dropped: "유실", held: "보류", scheduled: "예정", running: "전송 중",
  };
  const badge = (state, text = state) => h("span", { className: `state ${tones[state] ?? "idle"}` }, text);
  // V1 is the exception that a reader should see.
  const generation = ({ version }) => (version === "V1" ? h("span", { className: "tag" }, "V1") : "");
  const time = (at) => new Date(at).toLocaleTimeString("en-GB");

  function money(amount, currency) {
    if (currency === "KRW") return `${amount.toLocaleString("ko-KR")}원`;
    const format = new Intl.NumberFormat("ko-KR", { style: "currency", currency });
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  }

  // Rows are kept and refilled only when what they show changed, so that open rows and focus stay.
  const rows = new Map();
  function fill(container, items, kind, build, empty) {
    const wanted = items.map((item) => {
      const key = `${kind}:${item.id}`;
      const seen = JSON.stringify(item);
      let row = rows.get(key);
      if (!row) {
        row = { element: h("details", {}, h("summary")), seen: "" };
        rows.set(key, row);
      }
      if (row.seen !== seen) {
        const [summary, body] = build(item);
        row.element.replaceChildren(summary, body);
        row.seen = seen;
      }
      return row.element;
    });
    if (wanted.length === 0) wanted.push(h("p", { className: "empty" }, empty));
    const same = wanted.length === container.children.length && wanted.every((element, i) => element === container.children[i]);
    if (!same) container.replaceChildren(...wanted);
  }

  function paymentActs(payment) {
    const path = `/payments/${encodeURIComponent(payment.id)}/actions`;
    const button = (label, action, extra = {}) =>
      h("button", { type: "button", "data-action": action, onclick: () => act(label, "POST", path, { action, ...extra }) }, label);
    const acts = [];
    const open = ["READY", "PAY_PENDING", "FAILED"].includes(payment.status);
    if (open) acts.push(button("승인 Approve", "approve"));
    if (["READY", "PAY_PENDING"].includes(payment.status)) acts.push(button("거절 Decline", "decline"));
    if (payment.status === "VIRTUAL_ACCOUNT_ISSUED") {
      acts.push(button("입금 Deposit", "deposit"), button("기한 만료 Expire", "expire-account"));
    }
    if (["PAID", "PARTIAL_CANCELLED"].includes(payment.status) && payment.balance > 0) {
      const amount = h("input", {
        type: "number", min: "1", max: String(payment.balance), step: "1", placeholder: String(payment.balance),
        "aria-label": "취소 금액 Amount to cancel", "data-input": "cancel-amount",
      });
      const part = () =>
        amount.value
          ? act("부분 취소", "POST", path, { action: "cancel", amount: Number(amount.value) })
          : toast("취소할 금액을 입력해 주세요.");
      acts.push(
        button("전액 취소 Cancel all", "cancel"),
        amount,
        h("button", { type: "button", "data-action": "cancel-part", onclick: part }, "부분 취소 Cancel part"),
      );
    }
    if (payment.pendingCancellation) {
      acts.push(button("취소 승인 Approve cancel", "approve-cancellation"), button("취소 실패 Fail cancel", "fail-cancellation"));
    }
    const modes = ["", "SYNC", "ASYNC", "FAIL_IN_BAND", "REFUSE_BY_PG", "EFFECT_THEN_HANG", "EFFECT_THEN_DROP"];
    const select = h(
      "select",
      {
        "aria-label": "취소 방식 Cancel mode",
        onchange: (event) =>
          event.target.value &&
          act("취소 방식", "PUT", `/payments/${encodeURIComponent(payment.id)}/cancel-mode`, { mode: event.target.value }),
      },
      ...modes.map((mode) => h("option", { value: mode, selected: mode === (payment.cancelMode ?? "") }, mode || "취소 방식: 기본")),
    );
    return h("div", { className: "acts" }, ...acts, select);
  }

  function buildPayment(payment) {
    const summary = h(
      "summary", {},
      badge(payment.status),
      h("span", { className: "what" }, generation(payment), " ", payment.orderName || "(이름 없음)", " ", h("span", { className: "id muted" }, payment.id)),
      h("span", { className: "sum" }, money(payment.amount?.total ?? 0, payment.currency)),
    );
    const attempts = payment.transactions.map((tx) =>
      h("li", {}, badge(tx.status), h("span", {}, money(tx.amount, payment.currency)),
        h("span", { className: "tag" }, `${tx.channel} ${tx.channelType}`),
        h("span", { className: "id muted" }, tx.id), h("span", { className: "muted" }, time(tx.statusChangedAt)),
        tx.method?.VirtualAccount ? h("span", {}, `${tx.method.VirtualAccount.bank} ${tx.method.VirtualAccount.account_number}`) : null,
        tx.failure ? h("span", {}, tx.failure) : null));
    const cancellations = payment.cancellations.map((it) =>
      h("li", {}, badge(it.status), h("span", {}, money(it.totalAmount, payment.currency)),
        h("span", { className: "tag" }, it.trigger), h("span", {}, it.reason), h("span", { className: "id muted" }, it.id)));
    const body = h(
      "div", { className: "body" },
      h("p", { className: "small muted" }, `${payment.method} · ${payment.methodEn} · ${payment.channelType} · 취소 가능 ${money(payment.balance, payment.currency)}`),
      paymentActs(payment),
      h("div", {}, h("h3", {}, "결제 시도 Transactions"), h("ul", {}, ...attempts)),
      cancellations.length ? h("div", {}, h("h3", {}, "취소 Cancellations"), h("ul", {}, ...cancellations)) : null,
    );
    return [summary, body];
  }

  function outcome(execution) {
    const { kind, code, error } = execution.outcome;
    if (kind === "answered") return `HTTP ${code}`;
    return kind === "pending" ? "응답 대기" : error;
  }

  function buildDelivery(delivery) {
    const state = delivery.state.name;
    const last = delivery.executions.at(-1);
    const summary = h(
      "summary", {},
      badge(state, `${stateNames[state]} · ${delivery.executions.length}회`),
      h("span", { className: "what" }, generation(delivery), " ", delivery.kind, " ", h("span", { className: "id muted" }, delivery.paymentId)),
      h("span", { className: "sum small muted" }, last ? outcome(last) : "", " ", time(delivery.triggeredAt)),
    );
    const executions = delivery.executions.map((execution, i) =>
      h("li", {}, h("span", {}, `${i + 1}. ${execution.cause}`), h("span", { className: "muted" }, time(execution.requestedAt)),
        h("span", {}, outcome(execution)),
        h("pre", { tabIndex: 0 }, execution.headers.map(([name, value]) => `${name}: ${value}`).join("\n"))));
    const resend = () => act("재발송", "POST", `/webhooks/${encodeURIComponent(delivery.id)}/resend`);
    const body = h(
      "div", { className: "body" },
      h("div", { className: "acts" },
        h("button", { type: "button", "data-action": "resend", onclick: resend }, "재발송 Resend"),
        h("span", { className: "id muted" }, delivery.id), h("span", { className: "small" }, delivery.url)),
      h("pre", { tabIndex: 0 }, delivery.body),
      executions.length ? h("ul", {}, ...executions) : null,
    );
    return [summary, body];
  }

  const choices = {
    closedAccountStatus: ["FAILED", "CANCELLED"], amountPaidAfterCancel: ["KEEP", "REDUCE"],
    cancelCapReaction: ["PG_PROVIDER", "MAX_CANCEL_COUNT_REACHED"],
    cancelMode: ["SYNC", "ASYNC", "FAIL_IN_BAND", "REFUSE_BY_PG", "EFFECT_THEN_HANG", "EFFECT_THEN_DROP"],
    malformedKey: ["REJECT", "IGNORE", "ACCEPT"], reusedKey: ["REJECT", "REPLAY", "EXECUTE"],
    webhookSuccess: ["ONLY_200", "ANY_2XX"], confirmSuccess: ["ONLY_200", "ANY_2XX"],
    webhookOrder: ["FIRST", "BESIDE", "AFTER"],
    v1PartialCancel: ["PAID", "CANCELLED"], v1PrepareAgain: ["REJECT", "REPLACE"],
    v1Callback: ["BY_PG", "FULL", "FOUR_MEMBERS"], v1WebhookBody: ["JSON", "FORM"],
    bodyVersion: ["2024-04-25", "2024-01-01", "2024-01-01-form"],
  };
  const labels = {
    closedAccountStatus: "가상계좌 말소 후 상태", closedAccountWebhook: "말소·만료 웹훅 발송", preRegisteredVisible: "사전 등록만 해도 조회됨",
    amountPaidAfterCancel: "취소 후 amount.paid", attemptCap: "결제 시도 한도", cancelCap: "취소 횟수 한도", cancelCapReaction: "취소 한도 초과 응답",
    cancelMode: "취소 처리 방식", cancelFailedType: "비동기 취소 실패 웹훅 종류", slowApprovalMs: "느린 결제 승인까지 (ms)", accountValidHours: "가상계좌 유효 시간",
    tamperedAmount: "바꿔 결제할 금액", manualApproval: "모든 채널 수동 승인", closeFailsAttempt: "창을 닫으면 실패 처리", readyWebhook: "Ready 웹훅 발송", withOrigin: "origin 포함",
    malformedKey: "형식이 틀린 멱등 키", reusedKey: "다른 요청에 재사용된 멱등 키", keyLifetimeMinutes: "멱등 키 유효 시간 (분)",
    webhookMaxExecutions: "웹훅 최대 발송 횟수", webhookSuccess: "웹훅 성공 응답", webhookFollowsRedirects: "웹훅 리다이렉트 따라가기", webhookMaxResends: "수동 재발송 한도",
    webhookOrder: "결제창 결과와 웹훅 순서", confirmTimeoutMs: "컨펌 프로세스 제한 (ms)", confirmSuccess: "컨펌 프로세스 성공 응답",
    v1PartialCancel: "V1 부분 취소 후 status", v1PrepareAgain: "V1 prepare를 다시 하면", v1Callback: "V1 콜백 항목", v1WebhookBody: "V1 웹훅 본문",
    v1WebhookResends: "V1 웹훅 재발송 (1분 간격 5회)", v1VisibleInV2: "V2 API에서 V1 결제 조회",
    dropNext: "다음 웹훅 유실 (건)", failNextExecutions: "다음 발송 실패 (회)", delayMs: "발송 지연 (ms)", duplicates: "중복 발송 (회)", hold: "웹훅 보류", reverseNext: "다음 웹훅 역순 (건)",
    timestampShiftS: "서명 시각 이동 (초)", wrongSecret: "틀린 시크릿으로 서명", unsigned: "서명 없이 발송", mixedCaseHeaders: "헤더 대소문자 섞기", bodyVersion: "본문 버전",
    bodyPatch: "본문에 병합 (JSON)", typeOverride: "종류 바꾸기",
  };

  function field(name, value, path) {
    const save = (wanted) => act(labels[name] ?? name, "PATCH", path, { [name]: wanted });
    const caption = h("span", {}, labels[name] ?? name, " ", h("span", { className: "id" }, name));
    if (typeof value === "boolean") {
      const box = h("input", { type: "checkbox", checked: value, onchange: (event) => save(event.target.checked) });
      return h("label", { className: "check" }, box, caption);
    }
    if (choices[name]) {
      const options = choices[name].map((choice) => h("option", { value: choice, selected: choice === value }, choice));
      return h("label", {}, caption, h("select", { onchange: (event) => save(event.target.value) }, ...options));
    }
    // Empty means none, or the default; anything that reads as JSON is taken as JSON.
    const shown = value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
    const read = (text) => {
      if (text === "") return null;
      try { return JSON.parse(text); } catch { return text; }
    };
    return h("label", {}, caption, h("input", { value: shown, placeholder: "없음", onchange: (event) => save(read(event.target.value.trim())) }));
  }

  const groups = new Map();
  function panel(id, title, seen, build, open = false) {
    let group = groups.get(id);
    if (!group) {
      group = { element: h("details", { open }, h("summary", {}, title), h("div", { className: "fields" })), seen: "" };
      groups.set(id, group);
      byId("settings").append(group.element);
    }
    const text = JSON.stringify(seen);
    if (group.seen === text) return;
    const active = document.activeElement;
    const typing = active.tagName === "INPUT" && active.type !== "checkbox";
    // What somebody is typing stays; the next change shows it.
    if (typing && group.element.contains(active)) return;
    const controls = () => [...group.element.querySelectorAll("button,input,select,summary")];
    const focused = controls().indexOf(active);
    group.element.lastElementChild.replaceChildren(...build());
    controls()[focused]?.focus();
    group.seen = text;
  }

  function settings(overview) {
    const advance = (minutes, label) =>
      h("button", { type: "button", onclick: () => act(label, "POST", "/clock", { advanceMinutes: minutes }) }, label);
    panel("clock", "시계 Clock", overview.clock.speed, () => [
      h("p", { className: "small muted" }, "재시도와 기한만 빨라집니다. 기록되는 시각은 실제 시각입니다."),
      h("div", { className: "acts" }, advance(1, "+1분"), advance(60, "+1시간"), advance(1440, "+1일")),
      h("label", {}, "배속 Speed",
        h("select", { onchange: (event) => act("배속", "POST", "/clock", { speed: Number(event.target.value) }) },
          ...[1, 10, 60, 600, 3600].concat([1, 10, 60, 600, 3600].includes(overview.clock.speed) ? [] : [overview.clock.speed])
            .map((speed) => h("option", { value: String(speed), selected: speed === overview.clock.speed }, `${speed}×`)))),
    ], true);
    panel("rules", "웹훅 방해 Webhook faults", overview.rules, () =>
      Object.entries(overview.rules).map(([name, value]) => field(name, value, "/webhooks/rules")));
    const fault = (label, rule) => h("button", { type: "button", onclick: () => act(label, "POST", "/faults", rule) }, label);
    panel("faults", "API 장애 REST faults", overview.faults, () => [
      h("div", { className: "acts" },
        fault("다음 조회 502 HTML", { method: "GET", times: 1, reply: { kind: "status", status: 502, contentType: "text/html", body: "<h1>502</h1>" } }),
        fault("다음 조회 5초 지연", { method: "GET", times: 1, delayMs: 5000 }),
        fault("다음 호출 연결 끊김", { times: 1, reply: { kind: "drop" } }),
        h("button", { type: "button", onclick: () => act("장애 해제", "DELETE", "/faults") }, "모두 해제 Clear")),
      ...overview.faults.map(({ number, rule }) =>
        h("div", { className: "acts" }, h("code", {}, JSON.stringify(rule)),
          h("button", { type: "button", onclick: () => act("장애 해제", "DELETE", `/faults/${number}`) }, "해제"))),
    ]);
    panel("switches", "스위치 Switches", overview.switches, () =>
      Object.entries(overview.switches).map(([name, value]) => field(name, value, "/switches")));
    panel("v1", "V1 API", overview.v1Url, () => [
      h("p", { className: "small muted" }, overview.v1Url),
      h("div", { className: "acts" },
        h("button", { type: "button", onclick: () => act("토큰 만료", "DELETE", "/v1/tokens") }, "토큰 만료 Expire token")),
    ]);
    panel("reset", "초기화 Reset", 0, () => [
      h("button", { type: "button", onclick: () => confirm("모든 결제와 설정을 지울까요?") && act("초기화", "POST", "/reset") }, "모두 지우기 Clear everything"),
    ]);
  }

  function webhookActs(overview) {
    const text = JSON.stringify([overview.held, overview.webhookUrl, overview.v1WebhookUrl]);
    const bar = byId("webhook-acts");
    if (bar.dataset.seen === text) return;
    bar.dataset.seen = text;
    const button = (label, path, body) => h("button", { type: "button", onclick: () => act(label, "POST", path, body) }, label);
    bar.replaceChildren(
      button("테스트 발송 Send test", "/webhooks/test"),
      ...(overview.held ? [
        button(`보류 ${overview.held}건 발송 Release`, "/webhooks/release", { order: "OLDEST" }),
        button("역순 발송 Newest first", "/webhooks/release", { order: "NEWEST" }),
      ] : []),
      h("span", { className: "small muted" }, overview.webhookUrl ?? "웹훅 URL 없음"),
      h("span", { className: "small muted" }, overview.v1WebhookUrl ? `V1 ${overview.v1WebhookUrl}` : ""),
    );
  }

  let running = false;
  let again = false;
  async function refresh() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      const overview = await call("GET", "/overview");
      byId("clock").textContent = `${overview.storeId} · API 호출 ${overview.callCount}회 · 시계 ${overview.clock.speed}×`;
      byId("payment-count").textContent = overview.paymentCount;
      byId("delivery-count").textContent = overview.deliveries.length;
      fill(byId("payments"), overview.payments, "payment", buildPayment, "아직 결제가 없습니다. 상점에서 결제창을 열어 보세요.");
      fill(byId("deliveries"), overview.deliveries, "delivery", buildDelivery, "아직 보낸 웹훅이 없습니다.");
      webhookActs(overview);
      settings(overview);
    } catch (error) {
      toast(`시뮬레이터가 응답하지 않습니다 (${error.message})`);
    }
    running = false;
    if (again) {
      again = false;
      refresh();
    }
  }

  const source = new EventSource("/_simulator/changes");
  source.addEventListener("change", refresh);
  // A reconnected stream may have missed something.
  source.addEventListener("open", refresh);
})();
