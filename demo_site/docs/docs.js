// Puts the host of this page into the examples, so that readers can copy and run them unchanged.
for (const example of document.querySelectorAll("[data-own-origin]")) {
  example.textContent = example.textContent.replace(example.dataset.ownOrigin, location.origin);
}
