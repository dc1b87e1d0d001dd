// The page API of the preview, a button for each call. The answer goes to the log.
const GOAL = { value: "4.50", currency: "EUR" };

const CALLS = {
  share: (api, channel) => [`share("${channel}")`, api.share(channel)],
  url: (api, channel) => [`url("${channel}")`, api.url(channel)],
  convert: (api) => ['convert("signup", {value: "4.50", currency: "EUR"})', api.convert("signup", GOAL)],
  give: (api) => ["consent(true)", api.consent(true)],
  withdraw: (api) => ["consent(false)", api.consent(false)],
};

export function wireCalls(stage, channel, note) {
  for (const button of document.querySelectorAll("[data-call]")) {
    button.addEventListener("click", async () => {
      if (!stage.grapevine?.version) return note("not there yet", null);
      stage.focus(); // a clipboard is written from the document that has the focus
      const [name, answer] = CALLS[button.dataset.call](stage.grapevine, channel.value);
      const said = await answer;
      button.focus({ preventScroll: true });
      note(name, said ?? null);
    });
  }
}
