// The pages work without this. It opens flyouts without leaving the page, lets arrow keys walk through charts,
// and keeps the status of a report fresh while it is being made.
(() => {
  "use strict";

  /** Longest and shortest wait between two looks at a status, in milliseconds. */
  const WAITS = [400, 4000];

  async function read(address) {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  // The same while somebody waits.
  let loads = 0;
  async function load(address) {
    loads++;
    document.body.classList.add("busy");
    try {
      return await read(address);
    } finally {
      if (--loads === 0) document.body.classList.remove("busy");
    }
  }

  const flyout = () => document.getElementById("flyout");

  // One tab stop for a whole chart; arrow keys go from day to day. A first touch shows a day's numbers, a second
  // one goes there.
  function walk(charts) {
    for (const list of charts) {
      const links = [...list.querySelectorAll("a")];
      links.forEach((link, at) => { link.tabIndex = at === links.length - 1 ? 0 : -1; });
      const go = (to) => {
        links.forEach((link) => { link.tabIndex = -1; });
        links[to].tabIndex = 0;
        links[to].focus();
      };
      list.addEventListener("keydown", (event) => {
        const at = links.indexOf(document.activeElement);
        const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: links.length - 1 }[event.key];
        if (at < 0 || !links[to]) return;
        event.preventDefault();
        go(to);
      });
      let touched = null;
      list.addEventListener("click", (event) => {
        const link = event.target.closest("a");
        if (event.pointerType !== "touch" || !link || link === touched) return;
        event.preventDefault();
        touched = link;
        go(links.indexOf(link));
      });
    }
  }

  // Back to the link that the flyout was opened with.
  function refocus(address) {
    const links = [...document.querySelectorAll("a[data-flyout]")];
    links.find((link) => link.href === address)?.focus();
  }

  // A flyout over the page: Escape closes it, and focus stays in it.
  function raise(dialog, address) {
    dialog.dataset.address = address;
    dialog.removeAttribute("open");
    dialog.showModal();
    dialog.querySelector("h2").focus();
    const close = dialog.querySelector(".close");
    close.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
    const beside = (event) => {
      const { left, right, top, bottom } = dialog.getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      return event.target === dialog && (x < left || x > right || y < top || y > bottom);
    };
    let pressed = false;
    dialog.addEventListener("pointerdown", (event) => { pressed = beside(event); });
    dialog.addEventListener("click", (event) => {
      if (pressed && beside(event)) dialog.close();
    });
    dialog.addEventListener("close", () => {
      drop();
      // The page that it was opened from is one step back; where it was opened directly there is none.
      if (history.state?.flyout) history.back();
      else history.replaceState(null, "", close.href);
    });
    walk(dialog.querySelectorAll(".plot ol"));
  }

  function drop() {
    const open = flyout();
    if (!open) return;
    open.remove();
    refocus(open.dataset.address);
  }

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
      raise(flyout(), new URL(address, location.href).href);
    } catch {
      if (mine === turn) location.href = address;
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
      let shown = status;
      try {
        const found = (await read(location.href)).getElementById("status");
        if (found) {
          if (found.textContent !== status.textContent) {
            shown = document.importNode(found, true);
            status.replaceWith(shown);
          }
          if (!("live" in found.dataset)) return;
        }
      } catch { /* The service may be away for a moment. */ }
      watch(shown, Math.min(wait * 1.5, WAITS[1]));
    }, wait);
  }

  // Where the navigation does not fit, it is scrolled to the part that is shown.
  document.querySelector(".top [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  walk(document.querySelectorAll("main .plot ol"));
  const opened = flyout();
  if (opened) raise(opened, location.href);
  // What was just done is told once, not again after a reload.
  if (document.querySelector(".done[role=status]")) history.replaceState(null, "", location.pathname);
  const status = document.querySelector("[data-live]");
  if (status) watch(status, WAITS[0]);
})();
