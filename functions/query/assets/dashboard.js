// The pages work without this. It opens flyouts without leaving the page, lets arrow keys walk through charts,
// and keeps the status of a report fresh while it is being made.
(() => {
  "use strict";

  /** Longest and shortest wait between two looks at a status, in milliseconds. */
  const WAITS = [400, 4000];

  async function load(address) {
    document.body.classList.add("busy");
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.statusText);
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    } finally {
      document.body.classList.remove("busy");
    }
  }

  const flyout = () => document.getElementById("flyout");

  // One tab stop for a whole chart; arrow keys go from day to day.
  function walk(within) {
    for (const list of within.querySelectorAll(".plot ol")) {
      const links = [...list.querySelectorAll("a")];
      links.forEach((link, at) => { link.tabIndex = at === links.length - 1 ? 0 : -1; });
      list.addEventListener("keydown", (event) => {
        const at = links.indexOf(document.activeElement);
        const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: links.length - 1 }[event.key];
        if (at < 0 || !links[to]) return;
        event.preventDefault();
        links[at].tabIndex = -1;
        links[to].tabIndex = 0;
        links[to].focus();
      });
    }
  }

  // A flyout over the page: Escape closes it, and focus stays in it.
  function raise(dialog) {
    dialog.removeAttribute("open");
    dialog.showModal();
    dialog.querySelector("h2").focus();
    const close = dialog.querySelector(".close");
    close.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      // The page that it was opened from is one step back; where it was opened directly there is none.
      if (history.state?.flyout) history.back();
      else history.replaceState(null, "", close.href);
    });
    walk(dialog);
  }

  const drop = () => flyout()?.remove();

  let turn = 0;
  async function open(address, fresh) {
    const mine = ++turn;
    try {
      const page = await load(address);
      if (mine !== turn) return;
      const found = page.getElementById("flyout");
      if (!found) throw new Error("no flyout");
      drop();
      if (fresh) history.pushState({ flyout: true }, "", address);
      document.title = page.title;
      document.body.append(document.importNode(found, true));
      raise(flyout());
    } catch {
      location.href = address;
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-flyout]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link.href, true);
  });

  addEventListener("popstate", (event) => {
    turn++;
    if (event.state?.flyout) open(location.href, false);
    else drop();
  });

  function watch(status, wait) {
    setTimeout(async () => {
      let next = Math.min(wait * 1.5, WAITS[1]);
      let shown = status;
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const found = answer.ok && page.getElementById("status");
        if (found) {
          if (found.textContent !== status.textContent) {
            shown = document.importNode(found, true);
            status.replaceWith(shown);
          }
          if (!("live" in found.dataset)) return;
        }
      } catch { /* The service may be away for a moment. */ }
      watch(shown, next);
    }, wait);
  }

  // Where the navigation does not fit, it is scrolled to the part that is shown.
  document.querySelector(".top [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  walk(document);
  const opened = flyout();
  if (opened) raise(opened);
  const status = document.querySelector("[data-live]");
  if (status) watch(status, WAITS[0]);
})();
