// Shows live events. Everything is written as text, never as markup: payloads are foreign.
const MAX_ROWS = 200;
const rows = document.getElementById("events");
const state = document.getElementById("state");
const position = document.getElementById("position");

function show(text, kind) {
  state.textContent = text;
  state.className = kind;
}

function add(cells) {
  const row = document.createElement("tr");
  for (const text of cells) {
    row.appendChild(document.createElement("td")).textContent = text;
  }
  rows.prepend(row);
  while (rows.children.length > MAX_ROWS) {
    rows.lastChild.remove();
  }
}

const source = new EventSource("/api/events/stream");
source.onopen = () => show("live", "live");
source.onerror = () => show("the server is away; trying again", "away");
source.addEventListener("event", (message) => {
  const event = JSON.parse(message.data);
  position.textContent = event.position;
  add([event.time ?? event.recordedtime, event.type, event.actorid ?? "", event.subject, event.position]);
});
for (const name of ["caught_up", "reset"]) {
  source.addEventListener(name, (message) => {
    position.textContent = JSON.parse(message.data).position;
  });
}
source.addEventListener("gap", (message) => {
  const { from, to } = JSON.parse(message.data);
  add(["", "this page was too slow: left out", "", "", `${from}–${to}`]);
});
