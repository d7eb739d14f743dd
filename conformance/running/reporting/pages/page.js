"use strict";
// copy buttons: <button type="button" data-copies="ID OF THE ELEMENT WITH THE TEXT">
for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      said = document.execCommand("copy") ? "Copied" : "Selected: copy it with the keyboard";
    }
    document.getElementById("announcement").textContent = said;
    const before = button.dataset.label ??= button.textContent;
    button.textContent = said;
    setTimeout(() => { button.textContent = before; }, 2000);
  });
}
// a link into something folded opens it
function unfold() {
  let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (const target = at; at; at = at.parentElement) {
    if (at.tagName === "DETAILS" && !at.open) {
      at.open = true;
      target.scrollIntoView();
    }
  }
}
addEventListener("hashchange", unfold);
unfold();
// paper has nothing to unfold
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const each of folded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of folded) each.open = false;
});
