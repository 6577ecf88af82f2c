/* Codes by the phone's camera, where the browser can read them; everywhere else they are typed. */

const EVERY = 250;

export async function canScan() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  return (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
}

/** Look until the button is pressed again; each code is told once while it stays in view. */
export async function scan(view, button, found) {
  if (view.srcObject) {
    stop(view, button);
    return;
  }
  try {
    view.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    button.hidden = true;  // not allowed, or there is none: typing is beside it
    return;
  }
  view.hidden = false;
  button.setAttribute("aria-pressed", "true");
  view.play().catch(() => undefined);  // until it plays there is nothing to see, and nothing is found
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  let last = "";
  while (view.srcObject) {
    const [code] = await detector.detect(view).catch(() => []);
    if (code && code.rawValue !== last) await found(code.rawValue);
    last = code?.rawValue ?? "";
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

function stop(view, button) {
  for (const track of view.srcObject.getTracks()) track.stop();
  view.srcObject = null;
  view.hidden = true;
  button.setAttribute("aria-pressed", "false");
}
