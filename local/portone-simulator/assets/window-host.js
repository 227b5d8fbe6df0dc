  // What both generations' scripts share: where they came from, and the window over the shop's page.
  const src = document.currentScript && document.currentScript.src;
  const origin = src ? new URL(src).origin : "__SIMULATOR_ORIGIN__";

  // As the real script's: a phone, by its width or its pointer.
  const isMobile = () => window.matchMedia("(max-width: 600px), (pointer: coarse)").matches;

  async function post(path, body) {
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { ok: response.ok, answer: await response.json() };
  }

  // Resolves with what the window that `frame()` returns hands over, or goes where its result goes.
  function listen(txId, frame, finish) {
    return new Promise((resolve) => {
      const onMessage = (event) => {
        if (event.origin !== origin || event.source !== frame()) return;
        if (event.data?.source !== "portone-simulator" || event.data.txId !== txId) return;
        window.removeEventListener("message", onMessage);
        finish();
        if (event.data.redirectTo) location.assign(event.data.redirectTo);
        else resolve(event.data);
      };
      window.addEventListener("message", onMessage);
    });
  }

  function inFrame(txId, url) {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-label", "결제창 Payment window");
    dialog.style.cssText =
      "padding:0;border:0;border-radius:14px;overflow:hidden;width:min(480px,100vw);height:min(760px,100dvh);" +
      "max-width:100vw;max-height:100dvh;background:Canvas;box-shadow:0 12px 48px rgb(0 0 0 / 35%)";
    const frame = document.createElement("iframe");
    frame.src = url;
    frame.title = "결제창 Payment window";
    frame.style.cssText = "display:block;width:100%;height:100%;border:0";
    dialog.append(frame);
    document.body.append(dialog);
    const before = document.activeElement;
    const handed = listen(txId, () => frame.contentWindow, () => {
      dialog.close();
      dialog.remove();
      before?.focus?.();
    });
    // Escape closes the window the way its own button does, so that the server knows.
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      frame.contentWindow.postMessage({ source: "portone-simulator", close: true }, origin);
    });
    frame.addEventListener("load", () => frame.focus());
    dialog.showModal();
    return handed;
  }

  function inPopup(txId, url, closed) {
    const popup = window.open(url, "portone", "popup,width=480,height=760");
    if (!popup) return inFrame(txId, url);
    return new Promise((resolve) => {
      const watch = setInterval(() => {
        if (!popup.closed) return;
        clearInterval(watch);
        resolve(closed);
      }, 300);
      listen(txId, () => popup, () => clearInterval(watch)).then(resolve);
    });
  }

  // Shows an opened window and resolves with what it hands over; with `closed` when a popup goes away
  // without a word.
  function show({ txId, presentation }, closed) {
    const url = `${origin}/window/${encodeURIComponent(txId)}`;
    if (presentation === "POPUP") return inPopup(txId, url, closed);
    if (presentation === "IFRAME") return inFrame(txId, url);
    location.assign(url);
    // The page goes away; its successor at the return address has the result.
    return new Promise(() => {});
  }
