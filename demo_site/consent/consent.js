// Two equal buttons in front of grapevine.consent(). The choice lives as long as the page.
const buttons = [...document.querySelectorAll("[data-consent-choice]")];
const state = document.querySelector("#ask .state");

window.grapevine = window.grapevine || { q: [] };

function consent(given) {
  if (window.grapevine.consent) window.grapevine.consent(given);
  else window.grapevine.q?.push(["consent", given]);
}

for (const button of buttons) {
  button.addEventListener("click", () => {
    const given = button.dataset.consentChoice === "yes";
    for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
    state.textContent = given ? "Your visit is measured. Thank you." : "Nothing is measured.";
    consent(given);
  });
}
