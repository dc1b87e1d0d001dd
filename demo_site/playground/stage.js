// The preview frame. Its page reads the setup from the frame element; a wide page is scaled down.
const PAGE = "/playground/preview.html";
const WIDTHS = { desk: 1280, phone: 390 };

export function openStage(frame, address, hear) {
  const room = frame.parentElement;
  let width = WIDTHS.desk;

  const fit = () => {
    const scale = Math.min(1, room.clientWidth / width);
    frame.style.width = `${width}px`;
    frame.style.height = `${room.clientHeight / scale}px`;
    frame.style.scale = scale;
    frame.style.left = `${(room.clientWidth - width * scale) / 2}px`;
  };
  new ResizeObserver(fit).observe(room);

  addEventListener("message", ({ source, origin, data }) => {
    if (source === frame.contentWindow && origin === location.origin) hear(data.event, data.detail);
  });

  setInterval(() => {
    const now = frame.contentWindow?.location.href ?? "";
    if (now.includes(PAGE) && address.textContent !== now) address.textContent = now;
  }, 200);

  return {
    show(page) {
      frame.dataset.setup = JSON.stringify(page);
      if (frame.src) frame.contentWindow.location.reload();
      else frame.src = PAGE;
    },
    restyle(css) {
      frame.dataset.setup = JSON.stringify({ ...JSON.parse(frame.dataset.setup), css });
      frame.contentWindow.postMessage({ css }, location.origin);
    },
    widen(name) {
      width = WIDTHS[name];
      fit();
    },
    get grapevine() {
      return frame.contentWindow.grapevine;
    },
    focus: () => frame.focus(),
  };
}
