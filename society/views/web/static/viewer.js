// Keys, the theme, rounds that are fetched when they come near, prompts in a sheet, and news of a run that is going.
// Nothing here makes HTML out of words: parts come from the server, or from templates in the page, already escaped.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);
const body = document.body;

const kept = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* from disk there may be no storage */ } },
};

function tell(words) { one("#told").textContent = words; }

// Theme

function theme(name) {
  if (name) document.documentElement.dataset.theme = name;
}
theme(kept.get("society-theme"));

function otherTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const next = dark ? "light" : "dark";
  kept.set("society-theme", next);
  theme(next);
  tell(`${next} colours`);
}

// Parts of a page that are fetched

async function part(address, selector = "main") {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) throw new Error(one("main", page)?.innerText.trim() || answer.statusText);
  return [...(one(selector, page) ?? page.body).childNodes].map((node) => document.adoptNode(node));
}

async function fill(section) {
  const address = section.dataset.from;
  if (!address) return;
  section.removeAttribute("data-from");
  try {
    section.replaceChildren(...(await part(address, ".part")));
    asSeen();
  } catch (problem) {
    section.dataset.from = address;
    tell(`this round cannot be shown: ${problem.message}`);
  }
}

async function fillPart(place) {
  const address = place.dataset.part;
  place.removeAttribute("data-part");
  place.setAttribute("aria-busy", "true");
  const wait = document.createElement("p");
  wait.className = "note";
  wait.textContent = "Being worked out …";
  place.append(wait);
  try {
    place.replaceChildren(...(await part(address, ".part")));
  } catch (problem) {
    const words = document.createElement("p");
    words.textContent = `This cannot be shown: ${problem.message}`;
    place.append(words);
  }
  place.removeAttribute("aria-busy");
}

const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    if (target.dataset.from) fill(target); else if (target.dataset.part) fillPart(target);
  }
}, { rootMargin: "600px" });

function watch() { all("[data-from], [data-part]").forEach((place) => near.observe(place)); }

// Where the reader is

async function goTo(anchor, { focus = true } = {}) {
  const round = /^round-(\d+)/.exec(anchor);
  const section = round && document.getElementById(`round-${round[1]}`);
  if (section?.dataset.from) await fill(section);
  const target = document.getElementById(anchor);
  if (!target) return;
  if (focus) target.focus({ preventScroll: true });
  target.scrollIntoView({ block: target.matches("[data-round]") ? "start" : "nearest" });
}

function step(selector, by) {
  const stops = all(selector).filter((stop) => stop.offsetParent !== null || stop.checkVisibility?.());
  if (!stops.length) return;
  const held = document.activeElement?.closest(selector);
  let place = stops.indexOf(held);
  if (place < 0) {
    const here = stops.findIndex((stop) => stop.getBoundingClientRect().bottom > 60);
    place = here < 0 ? stops.length : by > 0 ? here - 1 : here;
  }
  const next = stops[Math.min(stops.length - 1, Math.max(0, place + by))];
  if (next.id && body.classList.contains("run")) history.replaceState(null, "", `#${next.id}`);
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: next.matches("[data-round]") ? "start" : "nearest" });
}

addEventListener("hashchange", () => open(location.hash.slice(1)));

function open(anchor) {
  const decoded = decodeURIComponent(anchor);
  if (decoded.startsWith("calls-")) sheetOf(decoded); else if (decoded) goTo(decoded);
}

// As an agent saw it

function asSeen() {
  const choice = one('[data-do="as"]');
  const seat = choice?.value ?? "";
  for (const place of all("[data-for]")) {
    place.classList.toggle("hidden-here", seat !== "" && !place.dataset.for.split(" ").includes(seat));
  }
  body.toggleAttribute("data-as", seat !== "");
}

function nextAs() {
  const choice = one('[data-do="as"]');
  if (!choice) return;
  choice.selectedIndex = (choice.selectedIndex + 1) % choice.options.length;
  asSeen();
  tell(`as seen by ${choice.selectedOptions[0].textContent}`);
}

// Prompts and raw answers

function show(nodes) {
  const sheet = one("#sheet");
  one(".sheet-body", sheet).replaceChildren(...nodes);
  if (!sheet.open) sheet.showModal();
  sheet.scrollTop = 0;
}

function sheetOf(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) return false;
  const copy = document.importNode(template.content, true);
  for (const slot of all("[data-prompt]", copy)) {
    const messages = [];
    let message = document.getElementById(slot.dataset.prompt);
    while (message) {
      messages.unshift(document.importNode(message.content, true));
      message = document.getElementById(message.dataset.before ?? "");
    }
    slot.replaceWith(...messages);
  }
  show([...copy.childNodes]);
  return true;
}

async function openSheet(link) {
  if (link.hash.startsWith("#calls-") && sheetOf(link.hash.slice(1))) return;
  try {
    show(await part(link.href, ".part"));
  } catch (problem) {
    tell(problem.message);
    location.href = link.href;
  }
}

// News of a run that is going

function listen() {
  const address = body.dataset.live;
  if (!address) return;
  const source = new EventSource(`${address}?after=${body.dataset.events}`);
  source.addEventListener("news", async (event) => {
    const news = JSON.parse(event.data);
    await refresh(news);
    if (news.over) source.close();
  });
}

async function refresh(news) {
  const base = body.dataset.live.replace(/\/live$/, "");
  const list = one("#round-list");
  const jump = one(".jump");
  for (const number of news.rounds) {
    let section = document.getElementById(`round-${number}`);
    if (!section) {
      section = document.createElement("section");
      section.className = "round";
      section.id = `round-${number}`;
      section.tabIndex = -1;
      section.dataset.round = "";
      section.setAttribute("aria-label", `${news.word} ${number}`);
      list.append(section);
      const link = document.createElement("a");
      link.href = `#round-${number}`;
      link.textContent = number;
      jump.append(link, " ");
    }
    const held = document.activeElement?.id;
    section.replaceChildren(...(await part(`${base}/round/${number}`, ".part")));
    if (held && document.getElementById(held)) document.getElementById(held).focus({ preventScroll: true });
  }
  for (const [id, name] of [["head", "head"], ["charts", "charts"], ["governance-list", "governance"], ["cost-list", "cost"]]) {
    document.getElementById(id).replaceChildren(...(await part(`${base}/part/${name}`, ".part")));
  }
  if (news.over) {
    for (const name of ["alignment", "coalitions"]) {
      const place = document.querySelector(`#${name} > div`);
      place.dataset.part = `${base}/${name}`;
      near.observe(place);
    }
  }
  asSeen();
  tell(news.over ? "the run has ended" : `news of ${news.word} ${news.rounds.at(-1) ?? ""}`);
}

// Hands

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const doing = target?.closest("[data-do]")?.dataset.do;
  if (doing === "theme") otherTheme();
  else if (doing === "keys") one("#keys").showModal();
  const now = target?.closest("a[data-now]");
  if (now) {
    event.preventDefault();
    const place = now.closest("[data-place]") ?? now.parentElement.parentElement;
    place.dataset.part = now.href;
    fillPart(place);
    return;
  }
  const link = target?.closest("a.calls, a.seen");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    openSheet(link);
    return;
  }
  if (target?.closest("dialog#sheet a[href*='#round-']")) one("#sheet").close();
  const round = target?.closest("svg [data-round]");
  if (round) location.hash = `round-${round.dataset.round}`;
});

document.addEventListener("change", (event) => {
  if (event.target.matches?.('[data-do="as"]')) asSeen();
  if (event.target.matches?.('[data-do="keys-on"]')) kept.set("society-keys", event.target.checked ? "on" : "off");
});

const keysOn = one('[data-do="keys-on"]');
if (keysOn) keysOn.checked = kept.get("society-keys") !== "off";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || (keysOn && !keysOn.checked)) return;
  const typing = event.target.matches?.("input:not([type=checkbox]), textarea, select");
  if (typing || one("dialog[open]")) return;
  const does = {
    j: () => step("[data-stop]", 1),
    k: () => step("[data-stop]", -1),
    "]": () => step("section[data-round]", 1),
    "[": () => step("section[data-round]", -1),
    a: nextAs,
    x: () => one("input[type=checkbox]", document.activeElement?.closest("[data-stop]") ?? document.createElement("i"))?.click(),
    t: otherTheme,
    "?": () => one("#keys").showModal(),
    "/": () => one("[data-search]")?.focus(),
    Enter: () => {
      const held = document.activeElement;
      if (held?.matches("[data-stop]")) {
        const link = one("a.open, a.calls", held) ?? one("a.seen", held);
        if (link) { link.click(); return; }
      }
      return false;
    },
  }[event.key];
  if (does && does() !== false) event.preventDefault();
});

// Begin

watch();
if (location.hash) open(location.hash.slice(1));
listen();
