// Shows the thank-you in place and tells Grapevine that a goal was reached. What was typed goes nowhere.
const form = document.getElementById("signup");
const thanks = document.getElementById("thanks");

window.grapevine = window.grapevine || { q: [] };

function convert(...args) {
  if (window.grapevine.convert) window.grapevine.convert(...args);
  else window.grapevine.q?.push(["convert", ...args]);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = new FormData(form).get("name").trim();
  document.getElementById("thanks-name").textContent = name && `, ${name}`;
  form.hidden = true;
  thanks.hidden = false;
  thanks.focus();
  convert("signup");
});
