// The console page: shows /console/overview again after every change, and redrives what is pressed.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);

  function h(tag, props = {}, ...children) {
    const element = document.createElement(tag);
    Object.assign(element, props);
    element.append(...children);
    return element;
  }

  let toastTimer;
  function toast(text) {
    byId("toast").textContent = text;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => (byId("toast").textContent = ""), 4000);
  }

  // Rows are kept, so that those somebody opened stay open.
  const rows = new Map();
  function fill(container, items, build, empty) {
    const wanted = items.map((item) => {
      const seen = JSON.stringify(item);
      const known = rows.get(item.id);
      if (known?.seen === seen) return known.element;
      const element = known?.element ?? h("details");
      element.replaceChildren(...build(item));
      rows.set(item.id, { element, seen });
      return element;
    });
    if (wanted.length === 0) wanted.push(h("p", { className: "empty" }, empty));
    container.replaceChildren(...wanted);
  }

  const time = (at) => new Date(at).toLocaleTimeString("en-GB");
  const tone = (type) => (/Paid/.test(type) ? "good" : /Reject|Mismatch|Orphan|Fail|Finding/.test(type) ? "bad" : "idle");
  const json = (value) => h("pre", { tabIndex: 0 }, JSON.stringify(value, null, 2));
  const summary = (tone, state, what, id, at) =>
    h("summary", {},
      h("span", { className: `state ${tone}` }, state),
      h("span", { className: "what" }, what, " ", h("span", { className: "id muted" }, id)),
      h("span", { className: "sum small muted" }, time(at)));

  const buildEvent = (event) => [
    summary(tone(event["detail-type"]), event["detail-type"], event.source, event.detail.orderId ?? event.id, event.time),
    h("div", { className: "body" }, json(event)),
  ];

  function buildLetter(letter) {
    const info = letter.message.DDBStreamBatchInfo;
    return [
      summary("bad", `${info.batchSize}건`, letter.reason, letter.queue, letter.message.timestamp),
      h("div", { className: "body" }, json(letter.message)),
    ];
  }

  async function redrive() {
    const response = await fetch("/console/redrive", { method: "POST" });
    if (!response.ok) return toast(`다시 보내기: ${await response.text()}`);
    const { redriven, left } = await response.json();
    toast(left === 0 ? `다시 보내기: ${redriven}건 완료` : `다시 보내기: ${redriven}건 완료, ${left}건은 다시 실패`);
  }
  const button = h("button", { type: "button", onclick: redrive }, "모두 다시 보내기 ", h("span", { lang: "en" }, "Redrive all"));
  button.dataset.action = "redrive";

  async function refresh() {
    const overview = await (await fetch("/console/overview")).json();
    byId("event-count").textContent = overview.published;
    byId("letter-count").textContent = overview.deadLetters.length;
    fill(byId("events"), overview.events, buildEvent, "아직 이벤트가 없습니다. 주문하고 결제해 보세요.");
    fill(byId("letters"), overview.deadLetters, buildLetter, "없습니다.");
    if (overview.deadLetters.length > 0) byId("letters").append(h("div", { className: "acts" }, button));
    byId("links").replaceChildren(
      ...overview.links.map(({ href, ko, en }) => h("a", { href }, `${ko} `, h("span", { className: "muted small", lang: "en" }, en))),
    );
  }

  // One look at a time, and one more if something changed meanwhile.
  let looking = false;
  let again = false;
  async function look() {
    if (looking) return void (again = true);
    looking = true;
    do {
      again = false;
      await refresh().catch(() => undefined);
    } while (again);
    looking = false;
  }

  const changes = new EventSource("/console/changes");
  changes.addEventListener("change", look);
  changes.addEventListener("open", () => {
    byId("connection").textContent = "실시간 Live";
    look();
  });
  changes.addEventListener("error", () => (byId("connection").textContent = "연결이 끊겼습니다 Disconnected"));
})();
