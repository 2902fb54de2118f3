/* What a script adds to pages that need none: live update, keys, zoom, local time. Asks its own origin alone. */
"use strict";

(() => {
  const SOONEST = 1500;   // milliseconds between two updates
  const typing = (at) => at instanceof HTMLElement && at.matches("input, textarea, select, [contenteditable]");

  // --- Live: what changed is put in place of what was; what somebody opened, wrote or looks at stays.

  function live(url) {
    const clock = document.getElementById("clock");
    const sign = document.createElement("span");
    sign.className = "live";
    clock.append(" ", sign);
    let tag = "", last = 0, waiting = 0, source = null;
    const say = (text) => { sign.textContent = text; };

    async function renew() {
      waiting = 0;
      last = Date.now();
      try {
        const answer = await fetch(location.href, {cache: "no-store", headers: tag ? {"If-None-Match": tag} : {}});
        if (answer.status === 200) {
          tag = answer.headers.get("ETag") || "";
          put(new DOMParser().parseFromString(await answer.text(), "text/html"));
        }
        if (answer.status === 200 || answer.status === 304) { say("· live"); }
      } catch {
        say("· not live: trying again");
      }
    }

    function soon() {
      if (document.hidden || waiting) { return; }
      waiting = setTimeout(renew, Math.max(0, SOONEST - (Date.now() - last)));
    }

    function put(page) {
      document.title = page.title;
      const at = page.getElementById("clock");
      if (at) { clock.firstChild.textContent = at.textContent; }
      for (const part of page.querySelectorAll("[data-part]")) {
        const old = document.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
        if (old && old.innerHTML !== part.innerHTML) { swap(old, part); }
      }
    }

    function listen() {
      source = new EventSource(url);
      source.addEventListener("open", () => say("· live"));
      source.addEventListener("tick", soon);
      source.addEventListener("error", () => {
        say("· not live: trying again");
        if (source.readyState === EventSource.CLOSED) { setTimeout(listen, 10000); }
      });
    }
    document.addEventListener("visibilitychange", () => { if (!document.hidden) { soon(); } });
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (shown) => { if (shown.persisted) { listen(); soon(); } });
    listen();
  }

  function swap(old, part) {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    if (typing(focused) || holdsSelection(old)) { return; }
    const named = (each) => each.querySelector("summary")?.textContent.trim();
    const open = new Set([...old.querySelectorAll("details[open]")].map(named));
    const aside = [...old.querySelectorAll(".wide")].map((each) => each.scrollLeft);
    const href = focused?.getAttribute("href");
    old.replaceChildren(...part.childNodes);
    for (const each of old.querySelectorAll("details")) { if (open.has(named(each))) { each.open = true; } }
    old.querySelectorAll(".wide").forEach((each, at) => { each.scrollLeft = aside[at] || 0; });
    if (href) { old.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({preventScroll: true}); }
    zoomable(old);
  }

  function holdsSelection(part) {
    const chosen = getSelection();
    return Boolean(chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode));
  }

  // --- Keys

  const KEYS = [["/", "search"], ["j, k", "next row, row before"], ["Enter", "open it"], ["g o", "overview"],
    ["g i", "incidents"], ["g d", "deliveries"], ["g l", "ledger"], ["?", "these keys"], ["Esc", "leave"]];
  const PLACES = {o: "/", i: "/incidents", d: "/deliveries", l: "/ledger"};
  let going = 0;

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) { return; }
    if (typing(event.target)) {
      if (event.key === "Escape") { event.target.blur(); }
      return;
    }
    const went = Date.now() - going < 1500 ? PLACES[event.key] : undefined;
    going = 0;
    if (went) { location.href = went + carried(); }
    else if (event.key === "g") { going = Date.now(); }
    else if (event.key === "/") { search(event); }
    else if (event.key === "j" || event.key === "k") { move(event.key === "j" ? 1 : -1); }
    else if (event.key === "?") { help(); }
  }

  function carried() {
    const zone = new URLSearchParams(location.search).get("tz");
    return zone ? `?tz=${encodeURIComponent(zone)}` : "";
  }

  function search(event) {
    const field = document.querySelector("[data-key='/']");
    if (!field) { return; }
    event.preventDefault();
    field.focus();
    field.select();
  }

  function move(by) {
    const rows = [...document.querySelectorAll("[data-row], .happenings li, .rows tbody tr:not(.under)")]
      .map((row) => row.querySelector("a[href]")).filter(Boolean);
    const here = rows.findIndex((link) => link === document.activeElement);
    const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by];
    if (next) { next.focus(); next.scrollIntoView({block: "nearest"}); }
  }

  function help() {
    let box = document.getElementById("keys");
    if (!box) {
      box = document.createElement("dialog");
      box.id = "keys";
      box.setAttribute("aria-label", "keys");
      const list = document.createElement("dl");
      for (const [key, what] of KEYS) {
        const name = document.createElement("dt"), said = document.createElement("dd"), pressed = document.createElement("kbd");
        pressed.textContent = key;
        said.textContent = what;
        name.append(pressed);
        list.append(name, said);
      }
      const close = document.createElement("button");
      close.textContent = "Close";
      close.addEventListener("click", () => box.close());
      box.append(list, close);
      document.body.append(box);
    }
    if (box.open) { box.close(); } else { box.showModal(); }
  }

  // --- Zoom: a stretch of a chart becomes the page's range.

  const LEFT = 66 / 900, RIGHT = 890 / 900;   // where a chart's plot lies in its width

  function zoomable(within) {
    for (const chart of within.querySelectorAll("svg.plot[data-start][data-end]")) { zoom(chart); }
  }

  function zoom(chart) {
    const start = Number(chart.dataset.start), end = Number(chart.dataset.end);
    const shade = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    shade.setAttribute("class", "chosen");
    shade.setAttribute("height", "100%");
    let from = null;
    const part = (event) => {
      const box = chart.getBoundingClientRect();
      return Math.min(RIGHT, Math.max(LEFT, (event.clientX - box.left) / box.width));
    };
    const drop = () => { from = null; shade.remove(); };
    const draw = (to) => {
      shade.setAttribute("x", `${Math.min(from, to) * 100}%`);
      shade.setAttribute("width", `${Math.abs(to - from) * 100}%`);
    };
    chart.classList.add("zoomable");
    chart.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch") { return; }
      from = part(event);
      chart.setPointerCapture(event.pointerId);
      draw(from);
      chart.append(shade);
      event.preventDefault();
    });
    chart.addEventListener("pointermove", (event) => { if (from !== null) { draw(part(event)); } });
    chart.addEventListener("pointercancel", drop);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") { drop(); } });
    chart.addEventListener("pointerup", (event) => {
      if (from === null) { return; }
      const ends = [from, part(event)].sort((one, other) => one - other);
      drop();
      if (ends[1] - ends[0] < 0.01) { return; }
      const [first, until] = ends.map((at) => Math.round(start + (at - LEFT) / (RIGHT - LEFT) * (end - start)));
      const query = new URLSearchParams(location.search);
      query.delete("range");
      query.set("start", first);
      query.set("end", Math.max(until, first + 1));
      location.search = query;
    });
  }

  // --- Local time at one click

  function local(form) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const field = form.elements.namedItem("tz");
    const other = field.value === zone ? "UTC" : zone;
    if (!zone || field.value === other) { return; }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = other === "UTC" ? "UTC" : `Local (${zone})`;
    button.addEventListener("click", () => {
      const query = new URLSearchParams(location.search);
      query.set("tz", other);
      location.search = query;
    });
    form.append(button);
  }

  const url = document.body.dataset.live;
  if (url && "EventSource" in window) { live(url); }
  document.addEventListener("keydown", keys);
  document.querySelectorAll("form.zone").forEach(local);
  zoomable(document);
})();
