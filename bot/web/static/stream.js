// Follow one reply until its end, through lost connections and restarts of the server.
const FIRST_PAUSE = 800;
const LONGEST_PAUSE = 10000;

export function follow(id, { onStatus, onText, onAnswer, onDeclined, onLost, onGone }) {
  let pause = FIRST_PAUSE;
  const connect = () => {
    const source = new EventSource(`/api/questions/${id}/events`);
    const on = (name, handle, isLast) => source.addEventListener(name, (event) => {
      pause = FIRST_PAUSE;
      if (isLast) source.close();
      handle(JSON.parse(event.data));
    });
    on("status", onStatus, false);
    on("text", onText, false);
    on("answer", onAnswer, true);
    on("declined", onDeclined, true);
    source.addEventListener("error", () => handleError(source));
  };
  const handleError = async (source) => {
    onLost();
    // After an HTTP error the browser gives up; a lost connection it mends itself.
    if (source.readyState !== EventSource.CLOSED) return;
    if (await readStatus(`/api/questions/${id}/events`) === 404) return onGone();
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  };
  connect();
}

async function readStatus(path) {
  const request = new AbortController();
  const response = await fetch(path, { signal: request.signal }).catch(() => null);
  request.abort();
  return response?.status;
}
