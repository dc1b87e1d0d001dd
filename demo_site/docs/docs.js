// The examples name whatever host they are read on, so that they can be run as they stand.
for (const example of document.querySelectorAll("[data-own-origin]")) {
  example.textContent = example.textContent.replace(example.dataset.ownOrigin, location.origin);
}
