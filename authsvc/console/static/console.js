// Comfort for whoever has scripts; every page works without this file.

// What is ended follows the filters that are set now, not those that the page was loaded with.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-copies-filters]")) return;
  const filters = document.querySelector("form.filters");
  event.target.querySelectorAll("input[type=hidden]").forEach((input) => input.remove());
  for (const [name, value] of new FormData(filters)) {
    if (!value || name === "state") continue;
    const input = Object.assign(document.createElement("input"), {type: "hidden", name, value});
    event.target.append(input);
  }
});

// How many a list has now is told to whoever can't see it change; that it could not be asked for, to everybody.
const told = document.querySelector("[data-told]");
function tell(text, kind) {
  if (!told) return;
  told.className = kind;
  told.textContent = text;
}
document.addEventListener("htmx:after:swap", () => {
  const count = document.querySelectorAll("#rows tbody tr").length;
  const instead = document.querySelector("#rows .nothing, #rows p");
  const more = document.querySelector("#rows .pages") ? ", and there are more" : "";
  tell(count ? `${count} shown${more}.` : (instead ? instead.textContent : ""), "hidden");
});
document.addEventListener("htmx:error", () => tell("The service can't be reached. The list is as it was before.", "note"));

// A secret that is shown once is easily copied; where that is not allowed, it can still be selected.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// Two clicks on one button ask for one thing.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});

// A page that comes back from the browser's memory may show what is no longer so: ask again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// On a phone the sections stand in one line that can be pushed aside: the one that is open is to be seen.
document.querySelector("header nav [aria-current]")?.scrollIntoView({block: "nearest", inline: "center"});
