// Copies a box, where the browser has no clipboard for scripts (plain http) too; else it is selected for the reader.
export async function copyBox(box) {
  try {
    await navigator.clipboard.writeText(box.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(box);
    return document.execCommand("copy");
  }
}

export function wireCopyButtons() {
  for (const button of document.querySelectorAll("[data-copies]")) {
    const box = document.getElementById(button.dataset.copies);
    const said = button.parentElement.querySelector("[role=status]");
    button.addEventListener("click", async () => {
      said.textContent = "";
      said.textContent = (await copyBox(box)) ? "Copied" : "Selected: press the keys that copy";
    });
  }
}
